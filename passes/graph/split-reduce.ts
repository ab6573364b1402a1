/**
 * Two-stage reduction of many elements to few results: the first stage computes about √n partial results in parallel,
 * the second reduces those. A single loop would run in one invocation, and its rounding error would grow with n.
 */

import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import { ceilSqrt, dimMul, floorDiv, sizeAlong } from '../../src/lang/dim.ts'
import { type DType, integerRange, isInteger } from '../../src/lang/dtype.ts'
import type { Build, Graph, Monoid, Node, NodeOf, TensorType } from '../../src/lang/ir.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import { otherAxes } from '../../src/lang/shape.ts'
import type { Pass } from '../pass.ts'
import { type Rule, rewrite, rule } from '../rewrite.ts'
import { splitDot } from './split-dot.ts'
import { blocksOf, inF32, isLong } from './two-stages.ts'

const isLongAlong = (x: Node, axes: readonly number[]): boolean => {
  const { shape } = typeOf(x)
  return isLong(sizeAlong(shape, axes), sizeAlong(shape, otherAxes(shape.length, axes)))
}

/** The identity element of the monoid, which padding is filled with. */
const identityOf = (monoid: Monoid, dtype: DType): number => {
  const infinite = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const
  const [lowest, highest] = isInteger(dtype) ? integerRange[dtype] : infinite
  switch (monoid) {
    case 'sum':
    case 'meanVar':
    case 'any':
      return 0
    case 'prod':
    case 'all':
      return 1
    case 'max':
    case 'argmax':
    case 'logSumExp':
      return lowest
    case 'min':
    case 'argmin':
      return highest
  }
}

/** The operand, with one reduced axis split into blocks where needed, and the axes that each stage reduces. */
interface Stages {
  readonly x: Node
  readonly first: readonly number[]
  /** Axes of the first stage's result. */
  readonly second: readonly number[]
  readonly block: number
}

/** The first stage reduces whole axes, innermost first, and blocks of the next axis where those are too short. */
const stagesOf = (b: Build, x: Node, monoid: Monoid, axes: readonly number[]): Stages => {
  const { shape, dtype } = typeOf(x)
  const sorted = axes.toSorted((p, q) => p - q)
  const most = ceilSqrt(sizeAlong(shape, axes))
  let taken = sorted.length
  let product = 1
  while (dimMul(product, shape[sorted[taken - 1]!]!) <= most) product = dimMul(product, shape[sorted[--taken]!]!)
  const cut = sorted[taken - 1]!
  const wanted = floorDiv(most, product)
  const whole = sorted.slice(taken)
  const before = sorted.slice(0, taken)
  const left = (axis: number, gone: readonly number[]): number => axis - gone.filter((a) => a < axis).length
  if (wanted < 2) return { x, first: whole, second: before.map((a) => left(a, whole)), block: 1 }
  const { outer, block } = blocksOf(shape[cut]!, wanted)
  const none = shape.map(() => 0)
  const extra = outer * block - shape[cut]!
  const padded = (): Node =>
    b.pad([x], { low: none, high: none.with(cut, extra), interior: none, value: identityOf(monoid, dtype) })
  const parts = [...shape.slice(0, cut), outer, block, ...shape.slice(cut + 1)]
  const first = [cut + 1, ...whole.map((a) => a + 1)]
  return {
    x: b.reshape([extra === 0 ? x : padded()], { shape: parts }),
    first,
    second: before.map((a) => left(a, first)),
    block,
  }
}

const isDirect = (monoid: Monoid): boolean => monoid !== 'meanVar' && monoid !== 'argmax' && monoid !== 'argmin'

const reduceInStages = (b: Build, x: Node, monoid: Monoid, axes: readonly number[]): Node =>
  inF32(b, [x], ([wide]) => {
    const stages = stagesOf(b, wide!, monoid, axes)
    const partial = b.reduce([stages.x], { monoid, axes: stages.first })
    return b.reduce([partial], { monoid, axes: stages.second })
  })

/** Monoids whose partial results are combined by the same reduction. */
export const splitReduce: Rule = rule('splitReduce', ['reduce'], (n, b) => {
  const x = n.args[0]!
  const { monoid, axes } = n.params
  if (E.isLeft(n.type) || !isDirect(monoid) || !isLongAlong(x, axes)) return undefined
  return reduceInStages(b, x, monoid, axes)
})

const spread = (b: Build, x: Node, { shape }: TensorType, axes: readonly number[]): Node =>
  b.broadcast([x], { shape, axes })

const meanVar = (b: Build, x: Node, axes: readonly number[], index: number): Node =>
  inF32(b, [x], ([wide]) => {
    const type = typeOf(wide!)
    const mean = (y: Node): Node => {
      const total = b.reduce([y], { monoid: 'sum', axes })
      return b.div([total, fill(b, typeOf(total), sizeAlong(type.shape, axes))], {})
    }
    if (index === 0) return mean(wide!)
    const deviation = b.sub([wide!, spread(b, mean(wide!), type, axes)], {})
    return mean(b.mul([deviation, deviation], {}))
  })

/** The position of the extreme: the first block that attains it, and the position within that block. */
const argExtreme = (b: Build, { args: [x], params: { monoid, axes } }: NodeOf<'reduce'>, index: number): Node => {
  const stages = stagesOf(b, x!, monoid, axes)
  const partial = b.reduce([stages.x], { monoid, axes: stages.first })
  const last = b.reduce([b.get([partial], { index: 0 })], { monoid, axes: stages.second })
  if (index === 0) return b.get([last], { index: 0 })
  const places = b.get([partial], { index: 1 })
  const type = typeOf(places)
  const chosen = b.get([last], { index: 1 })
  const counted = b.iota([], { ...type, axis: stages.second[0]! })
  const isChosen = b.eq([counted, spread(b, chosen, type, stages.second)], {})
  const place = b.reduce([b.select([isChosen, places, fill(b, type, 0)], {})], { monoid: 'sum', axes: stages.second })
  return b.add([b.mul([chosen, fill(b, typeOf(chosen), stages.block)], {}), place], {})
}

/**
 * One output of a two-output reduction: mean and variance from partial sums, an extreme and its position from those of
 * the blocks.
 */
export const splitOutput: Rule = rule('splitOutput', ['get'], (n, b) => {
  const source = n.args[0]!
  if (E.isLeft(n.type) || source.op !== 'reduce') return undefined
  const x = source.args[0]!
  const { monoid, axes } = source.params
  if (isDirect(monoid) || !isLongAlong(x, axes)) return undefined
  return monoid === 'meanVar' ? meanVar(b, x, axes, n.params.index) : argExtreme(b, source, n.params.index)
})

/** Splits every long reduction and contraction into two stages. */
export const splitReductions: Pass<Graph, Graph> = {
  name: 'split reductions',
  run: (graph) => E.right(rewrite([splitReduce, splitOutput, splitDot])(graph)),
}
