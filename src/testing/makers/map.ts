/**
 * How random graphs batch: a function is cut out of what was drawn so far and mapped over examples of its arguments, so
 * that what vmap makes of every op stands among other ops and goes through every layer.
 */
import { vmap } from '../../../passes/transform/vmap.ts'
import { typeOf } from '../../lang/build.ts'
import { sizeOf } from '../../lang/dim.ts'
import { isFloat } from '../../lang/dtype.ts'
import type { Node, Op } from '../../lang/ir.ts'
import { topological } from '../../lang/topological.ts'
import { substitute } from '../../lang/trace.ts'
import { nodeOf, type Tensor, tensorOf } from '../../lang/types/tensor.ts'
import type { Workshop } from '../workshop.ts'
import type { Maker } from './pointwise.ts'

/** A function: one node of a graph, and the nodes that stand for its arguments. */
export interface Cut {
  readonly root: Node
  readonly params: readonly Node[]
  /** What lies between, the root included. */
  readonly inner: ReadonlySet<Node>
}

/** Integers and truths stay outside: what guards an index inside its axis must not be parted from it. */
const isOpen = (n: Node): boolean => n.args.length > 0 && isFloat(typeOf(n).dtype)

/** `root` and up to `size` nodes above it as a function of what they read. */
export const cutAbove = (w: Workshop, root: Node, size: number): Cut => {
  const inner = new Set<Node>()
  // An op of several outputs is no argument: it goes with what reads it.
  const open = (n: Node): void => {
    inner.add(n)
    if (n.op === 'get') inner.add(n.args[0]!)
  }
  const border = (): readonly Node[] => [...new Set([...inner].flatMap((n) => n.args))].filter((n) => !inner.has(n))
  open(root)
  while (inner.size < size) {
    const above = border().filter(isOpen)
    if (above.length === 0) break
    open(w.dice.pick(above))
  }
  return { root, params: border(), inner }
}

/** Ops whose operands must stay as regular as they were made. */
const fragile: ReadonlySet<Op> = new Set<Op>(['triangularSolve', 'cholesky', 'lu', 'qr', 'eigh', 'svd'])

/** `count` examples of one argument: its own elements, turned over in every other example where that `mixes`. */
const stacked = (w: Workshop, x: Node, count: number, mixes: boolean): Node => {
  const { shape } = typeOf(x)
  const turned = mixes && shape.length > 0 ? w.b.flip([x], { axes: [0] }) : x
  const one = (n: Node): Node => w.b.reshape([n], { shape: [1, ...shape] })
  if (count === 1) return one(turned)
  return w.b.concat(
    Array.from({ length: count }, (_, i) => one(i % 2 === 0 ? x : turned)),
    { axis: 0 },
  )
}

/**
 * The argument with a batch axis, or undefined where all examples share it. Numbers may be any others; indices are those
 * that there were, in another order: they stay inside their axes.
 */
const batchOf = (w: Workshop, x: Node, count: number, cut: Cut): Node | undefined => {
  const { shape, dtype } = typeOf(x)
  const isGiven = topological([x]).some((n) => n.op === 'input')
  if (!isGiven || w.dice.chance(isFloat(dtype) ? 0.3 : 0.6)) return undefined
  const isFragile = [...cut.inner].some((n) => fragile.has(n.op))
  if (!isFragile && isFloat(dtype) && w.dice.chance(0.6)) return w.like({ shape: [count, ...shape], dtype })
  return stacked(w, x, count, !isFragile)
}

/** The cut function mapped over some of its arguments; undefined where none has a batch. */
export const mapped = (w: Workshop, cut: Cut, count: number): Node | undefined => {
  const batches = cut.params.map((x) => batchOf(w, x, count, cut))
  if (batches.every((x) => x === undefined)) return undefined
  const f = (...xs: readonly Tensor[]): Tensor => tensorOf(substitute([cut.root], cut.params, xs.map(nodeOf))[0]!)
  const args = cut.params.map((x, i) => tensorOf(batches[i] ?? x) as Tensor)
  const inAxes = batches.map((x) => (x === undefined ? null : 0))
  const outAxes = w.dice.chance(0.7) ? 0 : w.dice.int(0, typeOf(cut.root).shape.length)
  return w.add(nodeOf(vmap(f, { inAxes, outAxes })(...args)))
}

export const mapMaker: Maker = (w) => {
  const roots = w.pool.filter((n) => n.args.length > 0)
  if (roots.length === 0) return undefined
  const cut = cutAbove(w, w.dice.pick(roots), w.dice.int(1, 4))
  const largest = Math.max(...[...cut.params, ...cut.inner].map((n) => sizeOf(typeOf(n).shape)))
  const counts = [1, 2, 2, 3, 5].filter((n) => n * largest <= w.options.limit)
  return counts.length === 0 ? undefined : mapped(w, cut, w.dice.pick(counts))
}
