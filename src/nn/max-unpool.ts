/** Max pooling that says where its elements come from, and elements put back there. */
import { build } from '../lang/build.ts'
import { isDim, sizeOf } from '../lang/dim.ts'
import { isInteger } from '../lang/dtype.ts'
import type { Node } from '../lang/ir.ts'
import { showShape } from '../lang/shape.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { mistakeAmong } from './operands.ts'
import { largest, type MaxPoolOptions } from './pool.ts'
import { pooling, type WindowAxis, windowOptions } from './pool-windows.ts'
import { choose } from './select.ts'
import { type PerAxis, perAxis } from './windows.ts'

/** The largest elements of windows and their places in the input. */
export type MaxPoolPair<D extends Tensor['dtype']> = readonly [
  values: Tensor<Tensor['shape'], D>,
  indices: Tensor<Tensor['shape'], 'i32'>,
]

type WithIndices = {
  (options: MaxPoolOptions): <D extends Tensor['dtype']>(x: Tensor<Tensor['shape'], D>) => MaxPoolPair<D>
  <D extends Tensor['dtype']>(x: Tensor<Tensor['shape'], D>, options: MaxPoolOptions): MaxPoolPair<D>
}

/** Places in windows, counted over all of a window's axes, as places in the input, counted over all spatial axes. */
const placesOf = (inWindow: Tensor, axes: readonly WindowAxis[]): Tensor => {
  const rank = 2 + axes.length
  const places = axes.map(({ size, stride, dilation, before, count }, i) => {
    const below = axes.slice(i + 1).reduce((product, a) => product * a.size, 1)
    const tap = T.remainder(T.floorDivide(inWindow, below), size) as Tensor
    const start = T.reshape(
      T.sub(T.mul(T.arange(count), stride), before),
      Array.from({ length: rank }, (_, k) => (k === i + 2 ? count : 1)),
    ) as Tensor
    const place = T.add(start, T.mul(tap, dilation)) as Tensor
    // Padding is taken where all of a window is as small as can be: then the first element inside stands for it.
    return before > 0 ? choose(T.less(place, 0), T.remainder(place, dilation), place) : place
  })
  return places.reduce((flat, place, i) => T.add(T.mul(flat, axes[i]!.n), place) as Tensor)
}

const withIndices = (name: string, spatial: number): WithIndices =>
  dataFirstWith(name, 1, windowOptions, (x: Tensor, options: MaxPoolOptions) => {
    const part = (body: (pair: Node, axes: readonly WindowAxis[]) => Node): Tensor =>
      pooling(name, spatial, x, options, (n, axes, type) => body(largest(n, axes, type), axes))
    return [
      part((pair) => build.get([pair], { index: 0 })),
      part((pair, axes) => nodeOf(placesOf(tensorOf(build.get([pair], { index: 1 })), axes))),
    ]
  })

/**
 * `maxPool1d` and where each element stands: values and i32 indices along the last axis of the input, the first of equal
 * ones (torch's max_pool1d_with_indices; of several NaN PyTorch names the last). Options and errors as in `maxPool1d`.
 * @example
 * const [values, indices] = nn.maxPool1dWithIndices(T.tensor([[1, 5, 2, 4]]), { kernelSize: 2 })
 * T.reference([values, indices]).map((t) => t.data) // => [[5, 4], [1, 3]]
 */
export const maxPool1dWithIndices: WithIndices = withIndices('nn.maxPool1dWithIndices', 1)

/**
 * `maxPool2d` and where each element stands: the i32 index row · width + column in its plane of the input; as
 * `maxPool1dWithIndices`.
 * @example
 * const [values, indices] = nn.maxPool2dWithIndices(T.tensor([[[1, 5], [7, 4]]]), { kernelSize: 2 })
 * T.reference([values, indices]).map((t) => t.data) // => [[7], [2]]
 */
export const maxPool2dWithIndices: WithIndices = withIndices('nn.maxPool2dWithIndices', 2)

/**
 * `maxPool3d` and where each element stands: the i32 index over the last three axes of the input; as
 * `maxPool1dWithIndices`.
 * @example
 * const [, indices] = nn.maxPool3dWithIndices(T.tensor([[[[1, 5], [7, 4]]]]), { kernelSize: [1, 2, 1] })
 * T.reference(indices).data // => [2, 1]
 */
export const maxPool3dWithIndices: WithIndices = withIndices('nn.maxPool3dWithIndices', 3)

/** Options of unpooling: the windows that made the indices, which give the size of the output, or that size itself. */
export interface MaxUnpoolOptions {
  readonly kernelSize: PerAxis
  readonly stride?: PerAxis | undefined
  readonly padding?: PerAxis | undefined
  readonly outputSize?: PerAxis | undefined
}

const maxUnpoolOptions: OptionNames<MaxUnpoolOptions> = {
  kernelSize: 'must integers',
  stride: 'integers',
  padding: 'integers',
  outputSize: 'integers',
}

type MaxUnpool = {
  (
    indices: Tensor,
    options: MaxUnpoolOptions,
  ): <D extends Tensor['dtype']>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends Tensor['dtype']>(
    x: Tensor<Tensor['shape'], D>,
    indices: Tensor,
    options: MaxUnpoolOptions,
  ): Tensor<Tensor['shape'], D>
}

/** The sizes of the output, or what is wrong with the operands or the options. */
const unpooledSizes = (
  name: string,
  spatial: number,
  x: Tensor,
  indices: Tensor,
  { kernelSize, stride = kernelSize, padding = 0, outputSize }: MaxUnpoolOptions,
): readonly number[] | string => {
  const rank = x.shape.length
  if (rank !== spatial + 1 && rank !== spatial + 2)
    return `takes rank ${spatial + 2} (or ${spatial + 1} without a batch), not ${rank}`
  const [own, other] = [x, indices].map(({ shape }) => showShape(shape))
  if (own !== other) return `indices of shape ${other} do not name a place for each element of ${own}`
  if (!isInteger(indices.dtype)) return `indices are ${indices.dtype}, not integers`
  const [k, s, p] = Object.entries({ kernelSize, stride, padding }).map(([what, v]) => perAxis(name, what, v, spatial))
  const sizes = outputSize === undefined ? undefined : perAxis(name, 'outputSize', outputSize, spatial)
  if (![k!, s!, p!, sizes ?? k!].every((list) => list.length === spatial && list.every(isDim)))
    return `kernelSize, stride, padding and outputSize must be whole numbers, ${spatial} of each`
  return sizes ?? x.shape.slice(-spatial).map((n, i) => Math.max(0, (n - 1) * s![i]! - 2 * p![i]! + k![i]!))
}

const maxUnpool = (name: string, spatial: number): MaxUnpool =>
  dualWith(name, 2, maxUnpoolOptions, (x: Tensor, indices: Tensor, options: MaxUnpoolOptions) => {
    const mistake = mistakeAmong(name, { 'the input': x, 'the indices': indices })
    if (mistake) return mistake
    const sizes = unpooledSizes(name, spatial, x, indices, options)
    if (typeof sizes === 'string')
      return tensorOf(
        refuse(name, [nodeOf(x), nodeOf(indices)], {
          reason: sizes,
          hint: `give what nn.maxPool${spatial}dWithIndices gives, and its options`,
        }),
      )
    const lead = x.shape.slice(0, -spatial)
    const places = [...lead, sizeOf(x.shape.slice(-spatial))]
    const none = T.zeros([...lead, sizeOf(sizes)], { dtype: x.dtype }) as Tensor
    const put = T.scatter(none, T.reshape(indices, places) as Tensor, T.reshape(x, places), { axis: -1 })
    return T.reshape(put, [...lead, ...sizes])
  })

/**
 * The partial inverse of `maxPool1dWithIndices`: elements `[N, C, L]` (or `[C, L]`) put at their `indices` into zeros of
 * length (L - 1)·stride - 2·padding + kernelSize, or `outputSize`; of several at one place the last stays (torch's
 * max_unpool1d). Any dtype. IndexError for an index that is no place of the output, ShapeError for operands that do not fit.
 * @example
 * const [values, indices] = nn.maxPool1dWithIndices(T.tensor([[1, 5, 2, 4]]), { kernelSize: 2 })
 * T.reference(nn.maxUnpool1d(values, indices, { kernelSize: 2 })).data // => [0, 5, 0, 4]
 */
export const maxUnpool1d: MaxUnpool = maxUnpool('nn.maxUnpool1d', 1)

/**
 * The partial inverse of `maxPool2dWithIndices`: `[N, C, H, W]` (or without N); as `maxUnpool1d`.
 * @example
 * const x = T.tensor([[[7]]])
 * T.reference(nn.maxUnpool2d(x, T.tensor([[[2]]]), { kernelSize: 2 })).data // => [0, 0, 7, 0]
 */
export const maxUnpool2d: MaxUnpool = maxUnpool('nn.maxUnpool2d', 2)

/**
 * The partial inverse of `maxPool3dWithIndices`: `[N, C, D, H, W]` (or without N); as `maxUnpool1d`.
 * @example
 * const x = T.tensor([[[[7, 5]]]])
 * T.reference(nn.maxUnpool3d(x, T.tensor([[[[2, 1]]]]), { kernelSize: [1, 2, 1] })).data // => [0, 5, 7, 0]
 */
export const maxUnpool3d: MaxUnpool = maxUnpool('nn.maxUnpool3d', 3)
