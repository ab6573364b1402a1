/** Transposition of a linear program: cotangents of its inputs from those of its outputs, walking it backwards. */
import { build, typesOf } from '../../src/lang/build.ts'
import { raise } from '../../src/lang/errors.ts'
import type { Node } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import type { Linear, Primitive } from '../../src/lang/primitive.ts'
import { inheritSite } from '../../src/lang/provenance.ts'
import { dependents, graphKit } from '../../src/lang/trace.ts'

/** A product is linear in each factor by itself, not in both; a quotient not in its divisor. A user's rule may have either. */
const isProductOfTangents = ({ op }: Node, [a, b]: readonly boolean[]): boolean =>
  op === 'mul' || op === 'dot' ? a === true && b === true : op === 'div' && b === true

/**
 * Cotangents of `inputs`, where `outputs` are linear in them (zero outputs are `undefined`) and `cotangents` has one per
 * output. What does not depend on `inputs` is a coefficient. Zeros never become nodes; contributions are added in the
 * order of the walk, which only the structure of the program decides.
 */
export const transpose = (
  outputs: readonly Linear[],
  inputs: readonly Node[],
  cotangents: readonly Linear[],
): readonly Linear[] => {
  const known = new Map<Node, Linear[]>()
  const accumulate = (n: Node, ct: Linear, output = 0): void => {
    if (ct === undefined) return
    const all = known.get(n) ?? []
    const before = all[output]
    all[output] = before === undefined ? ct : build.add([before, ct], {})
    known.set(n, all)
  }
  const roots = outputs.filter((n) => n !== undefined)
  const order = dependents(roots, inputs)
  const linear = new Set(order)
  outputs.forEach((n, i) => {
    if (n !== undefined && linear.has(n)) accumulate(n, cotangents[i])
  })
  const isInput = new Set(inputs)
  for (let i = order.length - 1; i >= 0; i--) {
    const n = order[i]!
    const cts = known.get(n)
    if (cts === undefined || isInput.has(n)) continue
    known.delete(n)
    if (n.op === 'get') {
      accumulate(n.args[0]!, cts[0], n.params.index)
      continue
    }
    const rule = (primitives[n.op] as Primitive<unknown>).transpose
    const isLinear = n.args.map((a) => linear.has(a))
    if (rule === 'nonlinear' || isProductOfTangents(n, isLinear))
      return raise({
        tag: 'UsageError',
        message: `${n.op} depends on a tangent, but is not linear in it`,
        hint: 'the rule of a customJvp must give a tangent that is linear in the tangents of the arguments',
      })
    const found = rule({
      b: build,
      // A rule of one output looks at `ct` alone; one of several gets them all, some of which may be symbolic zeros.
      ct: cts[0]!,
      cts: typesOf(n).map((_, k) => cts[k]),
      args: n.args,
      linear: isLinear,
      params: n.params,
      kit: graphKit,
      walk: transpose,
    })
    n.args.forEach((a, k) => {
      const ct = found[k]
      if (ct && linear.has(a)) accumulate(a, inheritSite(ct, n))
    })
  }
  return inputs.map((n) => known.get(n)?.[0])
}
