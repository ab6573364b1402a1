/** Pooling: the largest or the mean element of windows over the spatial axes (from axis 2 on; the batch axis may be missing). */

import { build, constant, typeOf } from '../lang/build.ts'
import { pointsOf, productOf, type Shape } from '../lang/dim.ts'
import { type DType, integerRange, isInteger } from '../lang/dtype.ts'
import type { Node, TensorType } from '../lang/ir.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import { binaryNode, likeNode } from '../lang/tensor/math/arithmetic.ts'
import { expandNode, inSingle, reshapeNode } from '../lang/tensor/operand.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { Pooled } from '../lang/types/windows.ts'
import {
  pooledWindows,
  pooling,
  unaveraged,
  type WindowAxis,
  type WindowOptions,
  windowOptions,
} from './pool-windows.ts'

/** Options of max pooling: its windows. */
export interface MaxPoolOptions extends WindowOptions {}

/** Options of average pooling: whether padding counts as elements, or a divisor of one's own. */
export interface AvgPoolOptions extends WindowOptions {
  readonly countIncludePad?: boolean | undefined
  readonly divisorOverride?: number | undefined
}

const avgPoolOptions: OptionNames<AvgPoolOptions> = {
  ...windowOptions,
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

/**
 * The first of the largest elements of each window and its place in it, as one node of two outputs: with `argmax` the first
 * of equal elements takes the gradient, as in PyTorch. Padding is less than anything.
 */
export const largest = (n: Node, axes: readonly WindowAxis[], { dtype }: TensorType): Node => {
  const windows = pooledWindows(n, axes, isInteger(dtype) ? integerRange[dtype][0] : Number.NEGATIVE_INFINITY)
  const { shape } = typeOf(windows)
  const flat = reshapeNode(windows, [...shape.slice(0, 2 + axes.length), pointsOf(axes)])
  return build.reduce([flat], { monoid: 'argmax', axes: [2 + axes.length] })
}

const maxPool = <F>(name: string, spatial: number): F =>
  dataFirstWith(name, 1, windowOptions, (x: Tensor, options: MaxPoolOptions) =>
    pooling(name, spatial, x, options, (n, axes, type) => build.get([largest(n, axes, type)], { index: 0 })),
  )

/**
 * The largest element of windows over the last axis: `[N, C, L]` (or `[C, L]`) → `[N, C, ⌊(L + 2·padding -
 * dilation·(k-1) - 1) / stride⌋ + 1]`, stride `kernelSize` by default. Padding never wins, NaN does; ties send the
 * gradient to the first, as in PyTorch. Padding may be a pair for each axis, `[[before, after]]`, or `'same'`: ⌈L / stride⌉
 * windows, the odd element after (TensorFlow, ONNX SAME_UPPER). ShapeError where windows do not fit.
 * @example
 * T.reference(nn.maxPool1d(T.tensor([[1, 5, 2, 4]]), { kernelSize: 2 })).data // => [5, 4]
 * T.reference(nn.maxPool1d(T.tensor([[1, 5, 2]]), { kernelSize: 2, padding: 'same' })).data // => [5, 2]
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

/** How many elements each window along an axis counts, one at least. */
const counted = (
  { n, size, stride, dilation, before, after, count }: WindowAxis,
  includePad: boolean,
): readonly number[] => {
  const [from, to] = includePad ? [-before, n + after] : [0, n]
  return Array.from({ length: count }, (_, i) => {
    const places = Array.from({ length: size }, (_, k) => i * stride - before + k * dilation)
    return Math.max(1, places.filter((p) => p >= from && p < to).length)
  })
}

/** The means of windows, for a function of that name. */
export const averagePooled = (name: string, spatial: number, x: Tensor, options: AvgPoolOptions): Tensor =>
  unaveraged(name, x) ??
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
 * unless `countIncludePad` is false; `divisorOverride` replaces the count. Floats. ShapeError where windows do not fit.
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
