/** Pooling: the largest or the mean element of windows over the spatial axes (from axis 2 on; the batch axis may be missing). */

import { build, constant, typeOf } from '../lang/build.ts'
import { pointsOf, productOf, type Shape } from '../lang/dim.ts'
import { type DType, integerRange, isInteger } from '../lang/dtype.ts'
import type { Node, TensorType } from '../lang/ir.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import { binaryNode, likeNode } from '../lang/tensor/math/arithmetic.ts'
import { expandNode, inSingle, onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { padNode } from '../lang/tensor/shape/padding.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { Pooled } from '../lang/types/windows.ts'
import { type PerAxis, perAxis, windowsNode } from './conv.ts'

/** Options of max pooling. The stride is the window's size unless given; `ceilMode` keeps a last partial window. */
export interface MaxPoolOptions {
  readonly kernelSize: PerAxis
  readonly stride?: PerAxis
  readonly padding?: PerAxis
  readonly dilation?: PerAxis
  readonly ceilMode?: boolean
}

const maxPoolOptions: OptionNames<MaxPoolOptions> = {
  kernelSize: 'must integers',
  stride: 'integers',
  padding: 'integers',
  dilation: 'integers',
  ceilMode: 'boolean',
}

/** Options of average pooling: whether padding counts as elements, or a divisor of one's own. */
export interface AvgPoolOptions extends Omit<MaxPoolOptions, 'dilation'> {
  readonly countIncludePad?: boolean
  readonly divisorOverride?: number
}

const avgPoolOptions: OptionNames<AvgPoolOptions> = {
  kernelSize: 'must integers',
  stride: 'integers',
  padding: 'integers',
  ceilMode: 'boolean',
  countIncludePad: 'boolean',
  divisorOverride: 'number',
}

/** A dual pooling function. */
export interface Pool<Options, Axes extends readonly 0[]> {
  <const O extends Options>(
    options: O & Only<O, Options>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Pooled<S, O, Axes>, D>
  <S extends Shape, D extends DType, const O extends Options>(
    x: Tensor<S, D>,
    options: O & Only<O, Options>,
  ): Tensor<Pooled<S, O, Axes>, D>
}

/** The windows along one axis of size `n`: how many, and what is added at the ends so that they fit. */
interface Axis {
  readonly n: number
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly padding: number
  readonly count: number
  readonly extra: number
}

/** PyTorch's pooling_output_shape: with `ceilMode` a last window may hang over, if it starts inside the input or its left padding. */
const axisOf = (
  n: number,
  size: number,
  stride: number,
  padding: number,
  dilation: number,
  ceilMode: boolean,
): Axis => {
  const span = dilation * (size - 1) + 1
  const room = n + 2 * padding - span
  let count = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  if (ceilMode && (count - 1) * stride >= n + padding) count -= 1
  return {
    n,
    size,
    stride,
    dilation,
    padding,
    count,
    extra: Math.max(0, (count - 1) * stride + span - n - 2 * padding),
  }
}

/** `[N, C, …]` cut into windows `[N, C, …count, …size]`, padded with `value`. */
const pooledWindows = (n: Node, axes: readonly Axis[], value: number): Node => {
  const low = [0, 0, ...axes.map((a) => a.padding)]
  const high = [0, 0, ...axes.map((a) => a.padding + a.extra)]
  const options = { stride: axes.map((a) => a.stride), dilation: axes.map((a) => a.dilation) }
  const windows = windowsNode(
    padNode(n, low, high, value),
    axes.map((a) => a.size),
    options,
  )
  const { shape } = typeOf(windows)
  // A stride that does not divide leaves no more windows than counted, except where ceilMode dropped one.
  const wanted = shape.map((d, i) => (i >= 2 && i < 2 + axes.length ? Math.min(d, axes[i - 2]!.count) : d))
  return wanted.every((d, i) => d === shape[i])
    ? windows
    : build.slice([windows], { start: shape.map(() => 0), stop: wanted, step: shape.map(() => 1) })
}

const pooling = <O extends MaxPoolOptions>(
  name: string,
  spatial: number,
  x: Tensor,
  options: O,
  body: (n: Node, axes: readonly Axis[], type: TensorType) => Node,
): Tensor =>
  onTensor(name, x, (given, type) => {
    const single = type.shape.length === spatial + 1
    if (!single && type.shape.length !== spatial + 2)
      return refuse(name, [given], {
        reason: `takes rank ${spatial + 2} (or ${spatial + 1} without a batch), not ${type.shape.length}`,
      })
    const n = single ? reshapeNode(given, [1, ...type.shape]) : given
    const { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = options
    const [k, s, p, d] = Object.entries({ kernelSize, stride, padding, dilation }).map(([what, v]) =>
      perAxis(name, what, v, spatial),
    )
    const axes = typeOf(n)
      .shape.slice(2)
      .map((size, i) => axisOf(size, k![i]!, s![i]!, p![i]!, d![i]!, ceilMode))
    if (![k, s, p, d].every((list) => list!.length === spatial && list!.every(Number.isInteger)))
      return refuse(name, [given], {
        reason: `kernelSize, stride, padding and dilation must be whole numbers, ${spatial} of each`,
        hint: 'one number stands for all axes',
      })
    const wrong = axes.findIndex(
      (a) =>
        a.count < 1 ||
        a.stride < 1 ||
        a.size < 1 ||
        a.dilation < 1 ||
        a.padding < 0 ||
        a.padding * 2 > a.size * a.dilation,
    )
    if (wrong >= 0)
      return refuse(name, [given], {
        reason: `windows of ${k![wrong]} with padding ${p![wrong]} do not fit axis ${wrong + (single ? 1 : 2)} of size ${axes[wrong]!.n}`,
        axis: wrong + (single ? 1 : 2),
        hint: 'the padding is at most half the window',
      })
    const out = body(n, axes, typeOf(n))
    return single ? reshapeNode(out, typeOf(out).shape.slice(1)) : out
  })

const maxPool = <F>(name: string, spatial: number): F =>
  dataFirstWith(name, 1, maxPoolOptions, (x: Tensor, options: MaxPoolOptions) =>
    pooling(name, spatial, x, options, (n, axes, type) => {
      const least = isInteger(type.dtype) ? integerRange[type.dtype][0] : Number.NEGATIVE_INFINITY
      const windows = pooledWindows(n, axes, least)
      const { shape } = typeOf(windows)
      const flat = reshapeNode(windows, [...shape.slice(0, 2 + spatial), pointsOf(axes)])
      // The first of equal elements takes the gradient, as in PyTorch: hence argmax, not max.
      return build.get([build.reduce([flat], { monoid: 'argmax', axes: [2 + spatial] })], { index: 0 })
    }),
  )

/**
 * The largest element of windows over the last axis: `[N, C, L]` (or `[C, L]`) → `[N, C, ⌊(L + 2·padding -
 * dilation·(k-1) - 1) / stride⌋ + 1]`, stride `kernelSize` by default. Padding never wins, NaN does; ties send the
 * gradient to the first, as in PyTorch. ShapeError where windows do not fit.
 * @example
 * T.reference(nn.maxPool1d(T.tensor([[1, 5, 2, 4]]), { kernelSize: 2 })).data // => [5, 4]
 */
export const maxPool1d: Pool<MaxPoolOptions, readonly [0]> = maxPool('nn.maxPool1d', 1)

/**
 * The largest element of windows over two axes: `[N, C, H, W]` (or without N). Sizes, ties and errors as in
 * `maxPool1d`.
 * @example
 * T.reference(nn.maxPool2d(T.tensor([[[1, 5], [7, 4]]]), { kernelSize: 2 })).data // => [7]
 */
export const maxPool2d: Pool<MaxPoolOptions, readonly [0, 0]> = maxPool('nn.maxPool2d', 2)

/**
 * The largest element of windows over three axes: `[N, C, D, H, W]` (or without N). Sizes, ties and errors as in
 * `maxPool1d`.
 * @example
 * T.reference(nn.maxPool3d(T.tensor([[[[1, 5], [7, 4]]]]), { kernelSize: [1, 2, 1] })).data // => [7, 5]
 */
export const maxPool3d: Pool<MaxPoolOptions, readonly [0, 0, 0]> = maxPool('nn.maxPool3d', 3)

/** How many elements each window along an axis counts. */
const counted = ({ n, size, stride, padding, count }: Axis, includePad: boolean): readonly number[] =>
  Array.from({ length: count }, (_, i) => {
    const start = i * stride - padding
    const end = Math.min(start + size, n + padding)
    return includePad ? end - start : Math.min(end, n) - Math.max(start, 0)
  })

/** The means of windows, for a function of that name. */
export const averagePooled = (name: string, spatial: number, x: Tensor, options: AvgPoolOptions): Tensor =>
  pooling(name, spatial, x, options, (given, axes) =>
    inSingle(given, (n) => {
      const { countIncludePad = true, divisorOverride } = options
      const windows = pooledWindows(n, axes, 0)
      const total = build.reduce([windows], { monoid: 'sum', axes: axes.map((_, i) => 2 + spatial + i) })
      const type = typeOf(total)
      if (divisorOverride !== undefined) return binaryNode('div', total, likeNode(divisorOverride, type))
      const counts = axes.map((a) => counted(a, countIncludePad))
      if (counts.every((c) => c.every((v) => v === c[0])))
        return binaryNode(
          'div',
          total,
          likeNode(
            productOf(counts, (c) => c[0]!),
            type,
          ),
        )
      return counts.reduce((sum: Node, c, i) => {
        const along = reshapeNode(
          constant({ shape: [c.length], dtype: type.dtype }, c),
          type.shape.map((_, k) => (k === i + 2 ? c.length : 1)),
        )
        return binaryNode('div', sum, expandNode(along, type.shape))
      }, total)
    }),
  )

const avgPool = <F>(name: string, spatial: number): F =>
  dataFirstWith(name, 1, avgPoolOptions, (x: Tensor, options: AvgPoolOptions) =>
    averagePooled(name, spatial, x, options),
  )

/**
 * The mean of windows over the last axis: `[N, C, L]` (or `[C, L]`), sizes as in `maxPool1d`. Padding counts as zeros
 * unless `countIncludePad` is false; `divisorOverride` replaces the count. ShapeError where windows do not fit.
 * @example
 * T.reference(nn.avgPool1d(T.tensor([[1, 5, 2, 4.5]]), { kernelSize: 2 })).data // => [3, 3.25]
 */
export const avgPool1d: Pool<AvgPoolOptions, readonly [0]> = avgPool('nn.avgPool1d', 1)

/**
 * The mean of windows over two axes: `[N, C, H, W]` (or without N). Options and errors as in `avgPool1d`.
 * @example
 * T.reference(nn.avgPool2d(T.tensor([[[1, 5], [7, 4.5]]]), { kernelSize: 2 })).data // => [4.375]
 */
export const avgPool2d: Pool<AvgPoolOptions, readonly [0, 0]> = avgPool('nn.avgPool2d', 2)

/**
 * The mean of windows over three axes: `[N, C, D, H, W]` (or without N). Options and errors as in `avgPool1d`.
 * @example
 * T.reference(nn.avgPool3d(T.tensor([[[[1, 5], [7, 4.5]]]]), { kernelSize: [1, 2, 1] })).data // => [4, 4.75]
 */
export const avgPool3d: Pool<AvgPoolOptions, readonly [0, 0, 0]> = avgPool('nn.avgPool3d', 3)
