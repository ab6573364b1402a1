/**
 * Two-stage reduction of many elements to few results: the first stage computes about √n partial states in parallel, the
 * second merges those. A single loop would run in one invocation.
 */

import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import { sizeAlong } from '../../src/lang/dim.ts'
import { kernelDType } from '../../src/lang/dtype.ts'
import type { Build, Graph, Monoid, Node } from '../../src/lang/ir.ts'
import { isPositional, type MonoidRow, radix, rowOf, treeRun } from '../../src/lang/monoids.ts'
import { nodeArithmetic } from '../../src/lang/ops/node-arithmetic.ts'
import { fill, uniformValue } from '../../src/lang/ops/rule-parts.ts'
import { otherAxes } from '../../src/lang/shape.ts'
import type { Pass } from '../pass.ts'
import { type Rule, rewrite, rule } from '../rewrite.ts'
import { splitDot } from './split-dot.ts'
import { cutOf, inBlocks, inWide, isLong } from './two-stages.ts'

const isLongAlong = (x: Node, axes: readonly number[]): boolean => {
  const { shape } = typeOf(x)
  return isLong(sizeAlong(shape, axes), sizeAlong(shape, otherAxes(shape.length, axes)))
}

const outputs = (b: Build, n: Node, count: number): readonly Node[] =>
  count === 1 ? [n] : Array.from({ length: count }, (_, index) => b.get([n], { index }))

/** The components of a monoid's state over `axes` of `of` (elements, or components of states), in two stages or more. */
const statesOf = (
  b: Build,
  monoid: Monoid,
  of: readonly Node[],
  axes: readonly number[],
  runs: readonly number[],
): readonly Node[] => {
  const { shape, dtype } = typeOf(of[0]!)
  const d = kernelDType(dtype)
  const row = rowOf(monoid)
  const count = row.components(d).length
  const reduced = (xs: readonly Node[], along: readonly number[], states: readonly number[]): readonly Node[] => {
    if (along.length === 0) return xs
    const mask = count === 1 ? maskOf(xs[0]!, row.identity(d)[0]!) : undefined
    const apart = mask && !along.includes(mask.axis) ? mask : undefined
    const of = apart ? [apart.inside] : xs
    const made = outputs(b, b.reduce(of, { monoid, axes: along, states }), count)
    return apart ? [masked(b, made[0]!, apart, along)] : made
  }
  if (!isLongAlong(of[0]!, axes)) return reduced(of, axes, runs)
  const place = cutOf(axes.map((a, i) => ({ size: shape[a]!, run: runs[i]! })))
  const { axis, outer, block } = place
  if (block === 1) {
    const whole = reduced(of, axes.slice(axis + 1), runs.slice(axis + 1))
    return statesOf(b, monoid, whole, axes.slice(0, axis + 1), runs.slice(0, axis + 1))
  }
  const cut = axes[axis]!
  const isShort = outer * block > shape[cut]!
  // A missing element of its own would be counted: what is missing are states.
  const xs = isShort && of.length < count ? lifted(b, row, of[0]!, axes) : of
  const identity = row.identity(d)
  const parts = xs.map((x, i) => inBlocks(b, x, cut, place, identity[i]!))
  const first = reduced(parts, [cut + 1, ...axes.slice(axis + 1).map((a) => a + 1)], runs.slice(axis))
  const placed = isPositional(monoid) ? positionsIn(b, first, xs.length, cut, block) : first
  // Above the cut, states become one in fours from the start.
  return statesOf(b, monoid, placed, axes.slice(0, axis + 1), [...runs.slice(0, axis), radix])
}

/** What counts for nothing from some position along an axis on. */
interface Mask {
  readonly inside: Node
  readonly axis: number
  readonly end: Node
  readonly identity: number
}

const maskOf = ({ op, args: [test, inside, outside] }: Node, identity: number): Mask | undefined => {
  if (op !== 'select' || test!.op !== 'lt' || !Object.is(uniformValue(outside!), identity)) return undefined
  const [position, end] = test!.args as readonly [Node, Node]
  if (position.op !== 'iota' || end.op !== 'broadcast' || typeOf(end.args[0]!).shape.length > 0) return undefined
  return { inside: inside!, axis: position.params.axis, end: end.args[0]!, identity }
}

/** A mask behind a reduction along other axes: the second stage sees where it may end. */
const masked = (b: Build, x: Node, { axis, end, identity }: Mask, along: readonly number[]): Node => {
  const { shape, dtype } = typeOf(x)
  const { dtype: counted } = typeOf(end)
  const own = axis - along.filter((a) => a < axis).length
  const position = b.iota([], { shape, dtype: counted, axis: own })
  const test = b.lt([position, b.broadcast([end], { shape, axes: shape.map((_, i) => i) })], {})
  return b.select([test, x, fill(b, { shape, dtype }, identity)], {})
}

const lifted = (b: Build, row: MonoidRow, x: Node, axes: readonly number[]): readonly Node[] => {
  const { shape, dtype } = typeOf(x)
  const position = b.iota([], { shape, dtype: 'i32', axis: axes[0]! })
  return row.lift(nodeArithmetic(b), x, kernelDType(dtype), position)
}

/** Positions within blocks, as positions in the whole axis; the states of lifted elements know them already. */
const positionsIn = (
  b: Build,
  [x, at]: readonly Node[],
  count: number,
  axis: number,
  block: number,
): readonly Node[] => {
  if (count > 1) return [x!, at!]
  const a = nodeArithmetic(b)
  const number = b.iota([], { ...typeOf(at!), axis })
  return [x!, a.apply('add', a.apply('mul', number, a.constant(block, 'i32', number)), at!)]
}

/** One output of a long reduction, from partial states. */
const splitFor = (b: Build, x: Node, monoid: Monoid, axes: readonly number[], output: number): Node =>
  inWide(b, [x], ([wide]) => {
    const { shape, dtype } = typeOf(wide!)
    const sorted = axes.toSorted((p, q) => p - q)
    const state = (m: Monoid): readonly Node[] =>
      statesOf(
        b,
        m,
        [wide!],
        sorted,
        sorted.map(() => treeRun),
      )
    const a = nodeArithmetic(b)
    if (monoid === 'meanVar' && output === 0) {
      const [total] = state('sum')
      return a.apply('div', total!, a.constant(sizeAlong(shape, axes), 'f32', total))
    }
    const results = rowOf(monoid).finish(a, state(monoid), kernelDType(dtype))
    return results[monoid === 'meanVar' ? 0 : output]!
  })

/** A long reduction with one output. */
export const splitReduce: Rule = rule('splitReduce', ['reduce'], (n, b) => {
  const x = n.args[0]!
  const { monoid, axes, states } = n.params
  if (E.isLeft(n.type) || n.type.right.length > 1 || states || !isLongAlong(x, axes)) return undefined
  return splitFor(b, x, monoid, axes, 0)
})

/** One output of a long reduction with several. */
export const splitOutput: Rule = rule('splitOutput', ['get'], (n, b) => {
  const source = n.args[0]!
  if (E.isLeft(n.type) || source.op !== 'reduce' || source.params.states) return undefined
  const x = source.args[0]!
  const { monoid, axes } = source.params
  if (!isLongAlong(x, axes)) return undefined
  const made = splitFor(b, x, monoid, axes, n.params.index)
  // A position is no element, and has its own dtype.
  return typeOf(made).dtype === typeOf(n).dtype ? made : b.cast([made], { dtype: typeOf(n).dtype })
})

/** Splits every long reduction and contraction into stages. */
export const splitReductions: Pass<Graph, Graph> = {
  name: 'split reductions',
  run: (graph) => E.right(rewrite([splitReduce, splitOutput, splitDot])(graph)),
}
