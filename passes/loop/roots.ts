/**
 * The first cut: which nodes must be stored. A reduction is not computed again for several users or under a view that
 * repeats it; cheap values are recomputed in each user. `fuse.ts` then joins clusters and drops stores it can do without.
 */
import { typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import type { Graph, Node, Op } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/order.ts'
import { isRoutine, routineOf } from './routine.ts'
import { operandsRead } from './waits.ts'

/** A leaf that lives in memory: everything but constants that are one number. */
export const isBufferLeaf = (n: Node): boolean =>
  n.op === 'input' ||
  n.op === 'data' ||
  (n.op === 'const' && !n.params.values.every((v) => Object.is(v, n.params.values[0])))

const reducing: ReadonlySet<Op> = new Set<Op>(['reduce', 'dot', 'fold', 'scatterAdd'])
/** Users that read an element of their operand more than once. */
const repeating: ReadonlySet<Op> = new Set<Op>([...reducing, 'broadcast', 'window', 'gather', 'concat'])
/** Operations whose price makes recomputing them in several users a loss. */
const dear: ReadonlySet<Op> = new Set<Op>([
  'exp',
  'exp2',
  'expm1',
  'log',
  'log2',
  'log10',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'erfc',
  'erfinv',
  'lgamma',
  'digamma',
  'sigmoid',
  'pow',
  'atan2',
  'threefry',
])

const maxStatements = 96
const maxRecompute = 12

/** Nodes with several outputs are never stored themselves; their `get` nodes are. */
const storable = (n: Node): boolean => typesOf(n).length === 1

export const chooseRoots = (graph: Graph): ReadonlySet<Node> => {
  const order = topological(graph.outputs)
  const users = new Map<Node, Node[]>()
  for (const n of order) for (const a of new Set(operandsRead(n))) users.set(a, [...(users.get(a) ?? []), n])
  const outputs = new Set(graph.outputs)
  const roots = new Set<Node>()
  // A routine reads tensors in memory.
  const operands = new Set(order.flatMap((n) => (isRoutine(n) ? n.args : [])))
  const isHeavy = new Map<Node, boolean>()
  const price = new Map<Node, number>()
  const statements = new Map<Node, number>()
  for (const n of order) {
    if (isBufferLeaf(n)) continue
    if (routineOf(n)) {
      if (storable(n)) roots.add(n)
      isHeavy.set(n, false)
      price.set(n, 1)
      statements.set(n, 1)
      continue
    }
    const open = operandsRead(n).filter((a) => !roots.has(a) && !isBufferLeaf(a))
    const heavy = reducing.has(n.op) || open.some((a) => isHeavy.get(a)!)
    const cost = open.reduce((c, a) => c + price.get(a)!, dear.has(n.op) ? 12 : 1)
    const size = open.reduce((c, a) => c + statements.get(a)!, 1)
    const mine = users.get(n) ?? []
    const repeated = mine.some((u) => repeating.has(u.op) && !(u.op === 'gather' && u.args[0] !== n))
    const cut =
      outputs.has(n) ||
      (operands.has(n) && storable(n)) ||
      (storable(n) &&
        sizeOf(typeOf(n).shape) > 0 &&
        ((heavy && (mine.length > 1 || repeated)) ||
          (mine.length > 1 && cost > maxRecompute) ||
          (repeated && cost > maxRecompute) ||
          size > maxStatements))
    if (cut) roots.add(n)
    isHeavy.set(n, heavy && !cut)
    price.set(n, Math.min(cost, 1e6))
    statements.set(n, size)
  }
  return roots
}
