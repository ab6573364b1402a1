/** Quantiles by sorting: what lies between the elements of a line, in order. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandList, type OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { sortedNode } from '../index/sorting.ts'
import { floatNode, selectNode } from '../math/arithmetic.ts'
import { type Axes, expandNode, onTensor, refuse, reshapeNode, resolveAxes, scalar } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { narrowNode } from '../shape/reordering.ts'

/** Over which axes (all by default), and whether they stay with size 1. */
export interface QuantileOptions {
  readonly axis?: Axes
  readonly keepdims?: boolean
}

const quantileOptions: OptionNames<QuantileOptions> = { axis: 'own', keepdims: 'boolean' }

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

/** The element at position `at` (a fraction lies between two) of sorted lines along the last axis, which is dropped. */
const between = (n: Node, at: number): Node => {
  const { shape, dtype } = typeOf(n)
  const last = shape.length - 1
  const element = (i: number): Node => reshapeNode(narrowNode(n, last, i, i + 1), shape.slice(0, -1))
  const low = Math.floor(at)
  const weight = at - low
  if (weight === 0) return element(low)
  const scaled = (i: number, w: number): Node =>
    build.mul([element(i), expandNode(scalar(w, dtype), shape.slice(0, -1))], {})
  return build.add([scaled(low, 1 - weight), scaled(low + 1, weight)], {})
}

const quantiles = (name: string, x: Tensor, q: number | readonly number[], o: QuantileOptions): Tensor =>
  onTensor(name, x, (n, { shape, dtype }) => {
    const axes = resolveAxes(o.axis, shape.length)
    if (E.isLeft(axes)) return refuse(name, [n], axes.left)
    const bad = [q].flat().find((p) => !(p >= 0 && p <= 1))
    if (bad !== undefined) return refuse(name, [n], { reason: `${bad} is no probability: it must lie in [0, 1]` })
    const over = axes.right
    const kept = shape.map((_, i) => i).filter((i) => !over.includes(i))
    const outer = kept.map((i) => shape[i]!)
    const count = sizeOf(over.map((i) => shape[i]!))
    if (count === 0)
      return refuse(name, [n], { reason: 'no element has no quantile', hint: 'the axes must not be empty' })
    const lines = reshapeNode(permuteNode(floatNode(n, dtype), [...kept, ...over]), [...outer, count])
    const inOrder = sortedNode(lines, outer.length, false, 0)
    // NaN is last in order: where there is one, all is NaN.
    const top = reshapeNode(narrowNode(inOrder, outer.length, count - 1, count), outer)
    const isNan = build.isNan([top], {})
    const one = (p: number): Node => selectNode(isNan, top, between(inOrder, p * (count - 1)))
    const result = o.keepdims ? shape.map((d, i) => (over.includes(i) ? 1 : d)) : outer
    if (typeof q === 'number') return reshapeNode(one(q), result)
    if (q.length === 0) return refuse(name, [n], { reason: 'there is no probability in the list' })
    return build.concat(
      q.map((p) => reshapeNode(one(p), [1, ...result])),
      { axis: 0 },
    )
  })

/**
 * The quantile `q` (in [0, 1]) of the elements over `axis` (one, several, all by default), linear between neighbours in
 * order: element q·(n - 1) counted from 0. A list of them gives a new first axis. NaN if an element is. Floating point;
 * integers become f32 (torch.quantile, numpy.quantile). ShapeError for empty axes and q outside [0, 1].
 * @example
 * T.reference(T.quantile(T.tensor([4, 1, 3, 2]), [0, 0.5, 0.75])).data // => [1, 2.5, 3.25]
 */
export const quantile: Quantile = dataFirstWith(
  'T.quantile',
  2,
  quantileOptions,
  (x: Tensor, q: number | readonly number[], o: QuantileOptions = {}) => {
    if (typeof q !== 'number') demandList('T.quantile', q, 'probabilities', 'T.quantile(x, [0.25, 0.75])')
    return quantiles('T.quantile', x, q, o)
  },
)

type Median = {
  (options?: QuantileOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: QuantileOptions): Tensor<Shape, FloatOf<D>>
}

/**
 * The middle element over `axis` (one, several, all by default), the mean of the two middle ones where their number is even
 * (numpy.median; for torch.median, the lower one, see `kthvalue`). NaN if an element is. ShapeError for empty axes.
 * @example
 * T.reference(T.median(T.tensor([[1, 9, 4], [2, 8, 3]]), { axis: 1 })).data // => [4, 3]
 */
export const median: Median = dataFirstWith('T.median', 1, quantileOptions, (x: Tensor, o: QuantileOptions = {}) =>
  quantiles('T.median', x, 0.5, o),
)
