/** Matching of donated arguments to the results that replace them: equal types, best agreement of the paths. */
import { typeOf } from '../../src/lang/build.ts'
import type { Node } from '../../src/lang/ir.ts'
import { ShapeEq } from '../../src/lang/shape.ts'

export interface Leaf {
  readonly node: Node
  /** Where in the argument or result tree, e.g. `[0].params.w1`. */
  readonly path: string
}

/** The number of the result that replaces each donated argument, where there is one. */
export const matchDonations = (
  inputs: readonly (Leaf & { readonly donated: boolean })[],
  outputs: readonly Leaf[],
): ReadonlyMap<number, number> => {
  const taken = new Set<number>()
  const match = new Map<number, number>()
  inputs.forEach((input, i) => {
    if (!input.donated) return
    let best = -1
    let longest = 0
    outputs.forEach((output, o) => {
      const [a, b] = [typeOf(input.node), typeOf(output.node)]
      if (taken.has(o) || a.dtype !== b.dtype || !ShapeEq.equals(a.shape, b.shape)) return
      const common = commonSuffix(segments(input.path), segments(output.path)) + 1
      if (common > longest) {
        longest = common
        best = o
      }
    })
    if (best < 0) return
    taken.add(best)
    match.set(i, best)
  })
  return match
}

const segments = (path: string): readonly string[] => path.split(/[.[\]]+/).filter((s) => s !== '')

const commonSuffix = (a: readonly string[], b: readonly string[]): number => {
  let n = 0
  while (n < a.length && n < b.length && a[a.length - 1 - n] === b[b.length - 1 - n]) n++
  return n
}
