/** Arguments that reach a gather or scatter as its index: the host checks their range before it uploads them. */
import { typeOf } from '../src/lang/build.ts'
import type { Site } from '../src/lang/errors.ts'
import type { Graph, Node, Op } from '../src/lang/ir.ts'
import { topological } from '../src/lang/order.ts'
import { siteOf } from '../src/lang/provenance.ts'

/** Operations whose result holds nothing but elements of their first operand. */
const keeping: ReadonlySet<Op> = new Set<Op>([
  'reshape',
  'permute',
  'broadcast',
  'slice',
  'flip',
  'window',
  'stopGradient',
  'observe',
  'barrier',
])

/** A small integer that became one of 32 bits is the same number. */
const isExactCast = (n: Node): boolean =>
  n.op === 'cast' && n.params.dtype === 'i32' && ['i8', 'u8'].includes(typeOf(n.args[0]!).dtype)

export interface IndexRange {
  readonly size: number
  readonly op: string
  readonly site?: Site
}

export const indexInputs = (graph: Graph): ReadonlyMap<Node, IndexRange> => {
  const found = new Map<Node, IndexRange>()
  for (const n of topological(graph.outputs)) {
    if (n.op !== 'gather' && n.op !== 'scatterAdd') continue
    let source = n.op === 'gather' ? n.args[1]! : n.args[0]!
    const size = n.op === 'gather' ? typeOf(n.args[0]!).shape[n.params.batch]! : n.params.size
    while (keeping.has(source.op) || isExactCast(source)) source = source.args[0]!
    if (source.op !== 'input') continue
    const seen = found.get(source)
    const site = siteOf(n)
    if (!seen || size < seen.size) found.set(source, { size, op: n.op, ...(site ? { site } : {}) })
  }
  return found
}
