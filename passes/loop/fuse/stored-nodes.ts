/**
 * The initial partition: which nodes are materialised in memory. A reduction is not recomputed for several users or
 * under a view that repeats it; cheap values are recomputed in each user. `fuse.ts` then fuses clusters and eliminates
 * stores.
 */
import { typeOf, typesOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { binaryOps, type Graph, type Node, type Op, unaryOps } from '../../../src/lang/ir.ts'
import { uniformValue } from '../../../src/lang/ops/rule-parts.ts'
import { topological } from '../../../src/lang/topological.ts'
import { maxRecompute, readPrice, recomputePrice } from '../../op-prices.ts'
import { reducingOps } from '../from-graph/lower-node.ts'
import { isRoutine, routineOf } from '../from-graph/routine-nodes.ts'
import { operandsRead } from './barrier-waits.ts'

/** Whether a leaf is a buffer: all leaves except uniform constants. */
export const isBufferLeaf = (n: Node): boolean =>
  n.op === 'input' ||
  n.op === 'data' ||
  (n.op === 'const' && !n.params.values.every((v) => Object.is(v, n.params.values[0])))

/** Users that read an element of their operand more than once. */
const repeating: ReadonlySet<Op> = new Set<Op>([...reducingOps, 'broadcast', 'window', 'gather', 'concat'])
/** Views that a window may look through. */
const views: ReadonlySet<Op> = new Set<Op>(['pad', 'reshape', 'permute', 'slice', 'flip', 'concat', 'window'])
/** Operations that look at their operands where they are looked at themselves. */
const samePoint: ReadonlySet<Op> = new Set<Op>([
  ...unaryOps,
  ...binaryOps,
  'select',
  'cast',
  'bitcast',
  'elementwise',
  'get',
  'stopGradient',
  'observe',
  'barrier',
])

/**
 * Whether `n` is its second operand up to some position along an axis, and a constant behind it. Whoever reads it looks there itself:
 * stored, it would be a copy.
 */
const isMask = ({ op, args: [test, , outside] }: Node): boolean =>
  op === 'select' && test!.op === 'lt' && test!.args[0]!.op === 'iota' && uniformValue(outside!) !== undefined

const maxStatements = 96

/** A contraction computes so many of its results side by side, for which it looks at an operand once. */
const tileWidth = 8

/**
 * How often an element of each node is looked at through windows, at most: by windows of windows, views on the way, and by the
 * tiles of a contraction of those.
 */
const windowReads = (order: readonly Node[], users: ReadonlyMap<Node, readonly Node[]>): ReadonlyMap<Node, number> => {
  const found = new Map<Node, number>()
  const size = (n: Node): number => Math.max(1, sizeOf(typeOf(n).shape))
  const inTiles = (n: Node, u: Node): number => {
    if (u.op !== 'dot') return 1
    const { lhs, rhs } = u.params
    const [own, others] = u.args[0] === n ? [lhs, rhs] : [rhs, lhs]
    const { shape } = typeOf(u.args[0] === n ? u.args[1]! : u.args[0]!)
    return sizeOf(shape.filter((_, i) => !own.includes(others[i]!))) / tileWidth
  }
  const through = (n: Node, u: Node): number => {
    if (u.op !== 'window') return views.has(u.op) ? found.get(u)! : 1
    const tiles = Math.max(1, ...(users.get(u) ?? []).map((d) => inTiles(u, d)))
    return Math.max(found.get(u)!, tiles) * (size(u) / size(n))
  }
  for (const n of [...order].reverse())
    found.set(n, storable(n) ? Math.max(1, ...(users.get(n) ?? []).map((u) => through(n, u))) : 1)
  return found
}

/** A node with several outputs is never stored itself; its `get` nodes are. */
const storable = (n: Node): boolean => typesOf(n).length === 1

interface Effort {
  readonly statements: number
  readonly price: number
  /** Operations on elements alone: neither reading nor looking elsewhere. */
  readonly operations: number
}

/**
 * What computing a node takes, by the nodes computed and read at its own point: each of them once, however often it is
 * used. A view looks at other points, where all that is below it is computed again. So a state that is carried from step
 * to step by cheap operations is stored at every step: computed again, it would read more tensors with each.
 */
type Expression = ReadonlyMap<Node, Effort>

const nothing: Expression = new Map()

const sumOf = (e: Expression): Effort => {
  let [statements, price, operations] = [0, 0, 0]
  for (const x of e.values()) {
    statements += x.statements
    price += x.price
    operations += x.operations
  }
  return { statements, price: Math.min(price, 1e6), operations: Math.min(operations, 1e6) }
}

export const chooseStored = (graph: Graph): ReadonlySet<Node> => {
  const order = topological(graph.outputs)
  const users = new Map<Node, Node[]>()
  for (const n of order) {
    for (const a of new Set(operandsRead(n))) {
      const known = users.get(a)
      if (known) known.push(n)
      else users.set(a, [n])
    }
  }
  const waiting = new Map([...users].map(([n, us]) => [n, us.length]))
  /** Who looks at a node, through masks. */
  const readersOf = (n: Node): readonly Node[] =>
    (users.get(n) ?? []).flatMap((u) => (isMask(u) && u.args[1] === n && !outputs.has(u) ? readersOf(u) : [u]))
  const outputs = new Set(graph.outputs)
  const roots = new Set<Node>()
  // The operands of a routine must be in memory.
  const operands = new Set(order.flatMap((n) => (isRoutine(n) ? n.args : [])))
  const isHeavy = new Map<Node, boolean>()
  const reads = windowReads(order, users)
  const isRead = (n: Node): boolean => roots.has(n) || isBufferLeaf(n)
  const elements = (n: Node): number => (storable(n) ? sizeOf(typeOf(n).shape) : 0)
  /** The expressions of nodes that are not stored; each is dropped after its last user. */
  const expressions = new Map<Node, Expression>()
  const textOfParts = (n: Node): number => {
    let statements = n.args.length
    for (const a of n.args) statements += sumOf(expressions.get(a) ?? nothing).statements
    return Math.min(statements, 1e6)
  }
  for (const n of order) {
    if (isBufferLeaf(n)) continue
    const args = [...new Set(operandsRead(n))]
    const done = (): void => {
      for (const a of args) {
        const left = waiting.get(a)! - 1
        waiting.set(a, left)
        if (left === 0) expressions.delete(a)
      }
    }
    if (routineOf(n)) {
      if (storable(n)) roots.add(n)
      isHeavy.set(n, false)
      done()
      continue
    }
    const open = args.filter((a) => !isRead(a))
    const heavy = reducingOps.has(n.op) || open.some((a) => isHeavy.get(a)!)
    const below = new Map<Node, Effort>()
    for (const a of args)
      if (isRead(a) && elements(a) >= elements(n)) below.set(a, { statements: 0, price: readPrice, operations: 0 })
    for (const a of open) for (const [x, effort] of expressions.get(a)!) below.set(x, effort)
    const price = recomputePrice(n.op)
    const own = { statements: 1, price, operations: samePoint.has(n.op) ? price : 0 }
    const once = sumOf(new Map(below).set(n, own))
    // Parts look at points of their own: what they share is in the text once for each.
    const ofParts = n.op === 'concat' ? textOfParts(n) : 0
    const whole = { ...once, statements: Math.max(once.statements, ofParts) }
    const expression = samePoint.has(n.op) ? below.set(n, own) : new Map([[n, whole]])
    const mine = readersOf(n)
    const repeated = mine.some((u) => repeating.has(u.op) && !(u.op === 'gather' && u.args[0] !== n))
    const cut =
      outputs.has(n) ||
      (operands.has(n) && storable(n)) ||
      (storable(n) &&
        !isMask(n) &&
        sizeOf(typeOf(n).shape) > 0 &&
        ((heavy && (mine.length > 1 || repeated)) ||
          (mine.length > 1 && whole.price > maxRecompute) ||
          (repeated && whole.price > maxRecompute) ||
          (!views.has(n.op) && whole.operations * (reads.get(n)! - 1) > maxRecompute) ||
          whole.statements > maxStatements))
    if (cut) roots.add(n)
    else expressions.set(n, expression)
    isHeavy.set(n, heavy && !cut)
    done()
  }
  return roots
}
