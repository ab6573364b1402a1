/** Quantiles by sorting: what lies between the elements of a line, in order. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandChoice, demandList, type OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { sortedNode } from '../index/sorting.ts'
import { binaryNode, floatNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { type Axes, castNode, onTensor, refuse, reshapeNode, resolveAxes } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { narrowNode } from '../shape/reordering.ts'

/** What a quantile is that lies between two elements. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest'

/** Over which axes (all by default), whether they stay with size 1, and what lies between two elements (`'linear'`). */
export interface QuantileOptions {
  readonly axis?: Axes | undefined
  readonly keepdims?: boolean | undefined
  readonly method?: QuantileMethod | undefined
}

const quantileOptions: OptionNames<QuantileOptions> = { axis: 'own', keepdims: 'boolean', method: 'own' }

/** The same without a choice between elements, of which the middle is the mean. */
export type MedianOptions = Omit<QuantileOptions, 'method'>

const medianOptions: OptionNames<MedianOptions> = { axis: 'own', keepdims: 'boolean' }

type Quantile = {
  (
    q: number | readonly number[],
    options?: QuantileOptions,
  ): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(
    x: Tensor<Shape, D>,
    q: number | readonly number[],
    options?: QuantileOptions,
  ): Tensor<Shape, FloatOf<D>>
}

/** How much the later of two neighbours counts at a fraction of the way; `low` is the number of the earlier. */
type Weight<N> = (fraction: N, low: N) => N

/** Where the place is known. */
const weights: Readonly<Record<QuantileMethod, Weight<number>>> = {
  linear: (fraction) => fraction,
  lower: () => 0,
  higher: (fraction) => (fraction > 0 ? 1 : 0),
  midpoint: (fraction) => (fraction > 0 ? 0.5 : 0),
  // The even one of two that are as near, as `round` has it.
  nearest: (fraction, low) => (fraction === 0.5 ? low % 2 : Math.round(fraction)),
}

/** The same where it depends on how many elements count. */
const tracedWeights: Readonly<Record<QuantileMethod, Weight<Node>>> = {
  linear: (fraction) => fraction,
  lower: (fraction) => likeNode(0, typeOf(fraction)),
  higher: (fraction) => build.ceil([fraction], {}),
  midpoint: (fraction) => binaryNode('mul', build.ceil([fraction], {}), likeNode(0.5, typeOf(fraction))),
  nearest: (fraction, low) => binaryNode('sub', build.round([binaryNode('add', low, fraction)], {}), low),
}

const mixed = (before: Node, after: Node, weight: Node): Node => {
  const rest = binaryNode('sub', likeNode(1, typeOf(weight)), weight)
  return binaryNode('add', binaryNode('mul', before, rest), binaryNode('mul', after, weight))
}

/** The element at position `at` of sorted lines along the last axis, which is dropped. */
const between = (n: Node, at: number, method: QuantileMethod): Node => {
  const { shape, dtype } = typeOf(n)
  const last = shape.length - 1
  const outer = shape.slice(0, -1)
  const element = (i: number): Node => reshapeNode(narrowNode(n, last, i, i + 1), outer)
  const low = Math.floor(at)
  const weight = weights[method](at - low, low)
  if (weight === 0 || weight === 1) return element(low + weight)
  return mixed(element(low), element(low + 1), likeNode(weight, { shape: outer, dtype }))
}

/** The quantiles of sorted lines, where NaN is last; where there is one, all is NaN. */
const ofAll = (sorted: Node, p: number, method: QuantileMethod): Node => {
  const { shape } = typeOf(sorted)
  const [last, count] = [shape.length - 1, shape.at(-1)!]
  const top = reshapeNode(narrowNode(sorted, last, count - 1, count), shape.slice(0, -1))
  return selectNode(build.isNan([top], {}), top, between(sorted, p * (count - 1), method))
}

/** The quantiles of what is not NaN, which is at the end of sorted lines: NaN where that is all. */
const ofNumbers = (sorted: Node, p: number, method: QuantileMethod): Node => {
  const { shape, dtype } = typeOf(sorted)
  const [batch, length] = [shape.length - 1, shape.at(-1)!]
  const type = { shape: shape.slice(0, -1), dtype: 'f32' } as const
  const like = (x: number): Node => likeNode(x, type)
  const isNumber = build.not([build.isNan([sorted], {})], {})
  const count = castNode(build.reduce([castNode(isNumber, 'i32')], { monoid: 'sum', axes: [batch] }), 'f32')
  const at = binaryNode('mul', like(p), binaryNode('max', binaryNode('sub', count, like(1)), like(0)))
  const low = build.floor([at], {})
  const weight = castNode(tracedWeights[method](binaryNode('sub', at, low), low), dtype)
  const element = (n: Node): Node => {
    const index = castNode(binaryNode('min', n, like(length - 1)), 'i32')
    return reshapeNode(build.gather([sorted, reshapeNode(index, [...type.shape, 1])], { batch }), type.shape)
  }
  const [before, after] = [element(low), element(binaryNode('add', low, like(1)))]
  const isWeight = (x: number): Node => binaryNode('eq', weight, likeNode(x, typeOf(weight)))
  // What does not count may be infinite, or NaN: it is not multiplied by 0.
  const inside = selectNode(isWeight(0), before, selectNode(isWeight(1), after, mixed(before, after, weight)))
  return selectNode(binaryNode('eq', count, like(0)), likeNode(Number.NaN, typeOf(before)), inside)
}

/** How a function names the probabilities it takes: what they are called, and what is certain. */
interface Scale {
  readonly what: string
  readonly most: number
}

const probability: Scale = { what: 'probability', most: 1 }
const percentage: Scale = { what: 'percentage', most: 100 }

const quantiles = (
  name: string,
  x: Tensor,
  q: number | readonly number[],
  o: QuantileOptions,
  skipsNan = false,
  { what, most }: Scale = probability,
): Tensor => {
  const { method = 'linear' } = o
  demandChoice(name, 'method', method, Object.keys(weights) as QuantileMethod[])
  return onTensor(name, x, (n, { shape, dtype }) => {
    const axes = resolveAxes(o.axis, shape.length)
    if (E.isLeft(axes)) return refuse(name, [n], axes.left)
    const bad = [q].flat().find((p) => !(p >= 0 && p <= most))
    if (bad !== undefined) return refuse(name, [n], { reason: `${bad} is no ${what}: it must lie in [0, ${most}]` })
    const over = axes.right
    const kept = shape.map((_, i) => i).filter((i) => !over.includes(i))
    const outer = kept.map((i) => shape[i]!)
    const count = sizeOf(over.map((i) => shape[i]!))
    if (count === 0)
      return refuse(name, [n], { reason: 'no element has no quantile', hint: 'the axes must not be empty' })
    const all = reshapeNode(permuteNode(floatNode(n, dtype), [...kept, ...over]), [...outer, count])
    const sorted = sortedNode(all, outer.length, false, 0)
    const one = (p: number): Node => (skipsNan ? ofNumbers : ofAll)(sorted, p / most, method)
    const result = o.keepdims ? shape.map((d, i) => (over.includes(i) ? 1 : d)) : outer
    if (typeof q === 'number') return reshapeNode(one(q), result)
    if (q.length === 0) return refuse(name, [n], { reason: `there is no ${what} in the list` })
    return build.concat(
      q.map((p) => reshapeNode(one(p), [1, ...result])),
      { axis: 0 },
    )
  })
}

/** A public function of probabilities. */
const quantileOf = (name: string, skipsNan: boolean, scale: Scale = probability): Quantile =>
  dataFirstWith(name, 2, quantileOptions, (x: Tensor, q: number | readonly number[], o: QuantileOptions = {}) => {
    if (typeof q !== 'number')
      demandList(
        name,
        q,
        scale.most === 1 ? 'probabilities' : 'percentages',
        `${name}(x, [${scale.most / 4}, ${(scale.most * 3) / 4}])`,
      )
    return quantiles(name, x, q, o, skipsNan, scale)
  })

/**
 * The quantile `q` (in [0, 1]) of the elements over `axis` (one, several, all by default): element q·(n - 1) counted from 0. What
 * lies between two is on the line between them; other methods take the lower, the higher or the nearest (the even one of two),
 * or their midpoint. A list of them gives a new first axis. NaN if an element is. Floating point; integers become f32
 * (torch.quantile, numpy.quantile). ShapeError for empty axes and q outside [0, 1].
 * @example
 * T.reference(T.quantile(T.tensor([4, 1, 3, 2]), [0, 0.5, 0.75])).data // => [1, 2.5, 3.25]
 * T.reference(T.quantile(T.tensor([4, 1, 3, 2]), 0.75, { method: 'higher' })).data // => [4]
 */
export const quantile: Quantile = quantileOf('T.quantile', false)

/**
 * The `quantile` of a percentage `q` (in [0, 100]), or of a list of them, with the same options (numpy.percentile). ShapeError for
 * empty axes and q outside [0, 100].
 * @example
 * T.reference(T.percentile(T.tensor([4, 1, 3, 2]), [50, 75])).data // => [2.5, 3.25]
 */
export const percentile: Quantile = quantileOf('T.percentile', false, percentage)

/**
 * The `quantile` of what is not NaN, with the same options (torch.nanquantile, numpy.nanquantile); NaN where all is.
 * @example
 * T.reference(T.nanquantile(T.tensor([4, NaN, 1, 3, 2]), [0, 0.75])).data // => [1, 3.25]
 */
export const nanquantile: Quantile = quantileOf('T.nanquantile', true)

type Median = {
  (options?: MedianOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: MedianOptions): Tensor<Shape, FloatOf<D>>
}

/**
 * The middle element over `axis` (one, several, all by default), the mean of the two middle ones where their number is even
 * (numpy.median; for torch.median, the lower one, see `kthvalue`). NaN if an element is. ShapeError for empty axes.
 * @example
 * T.reference(T.median(T.tensor([[1, 9, 4], [2, 8, 3]]), { axis: 1 })).data // => [4, 3]
 */
export const median: Median = dataFirstWith('T.median', 1, medianOptions, (x: Tensor, o: MedianOptions = {}) =>
  quantiles('T.median', x, 0.5, o),
)

/**
 * The `median` of what is not NaN, with the same options (numpy.nanmedian); NaN where all is.
 * @example
 * T.reference(T.nanmedian(T.tensor([1, NaN, 9, 4]))).data // => [4]
 */
export const nanmedian: Median = dataFirstWith('T.nanmedian', 1, medianOptions, (x: Tensor, o: MedianOptions = {}) =>
  quantiles('T.nanmedian', x, 0.5, o, true),
)
