/** Convolutions with their initial weights as layers for `sequential`. */
import { printedCall } from '../lang/print/call-text.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import type { Key } from '../lang/tensor/random/keys.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  convTransposeOptions,
} from './conv.ts'
import {
  conv1dInit,
  conv2dInit,
  conv3dInit,
  convTranspose1dInit,
  convTranspose2dInit,
  convTranspose3dInit,
  convTransposeWeight,
  convWeight,
  type Kernel,
} from './conv-init.ts'
import { type BiasOptions, biasOptions, type WithBias } from './drawn.ts'
import type { Layer } from './sequential.ts'
import type { PerAxis } from './windows.ts'

/** Options of a layer that convolves: those of the convolution, and whether there is a bias. */
export interface ConvLayerOptions extends ConvOptions, BiasOptions {}

/** Options of a layer that convolves transposed. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions, BiasOptions {}

/** A layer that convolves over as many axes as `Axes` has. */
export type MakeConvLayer<Axes extends readonly 0[]> = <
  const I extends number,
  const O extends number,
  const K extends PerAxis,
  const Q extends ConvLayerOptions = object,
>(
  inputs: I,
  outputs: O,
  kernelSize: K,
  options?: Q & Only<Q, ConvLayerOptions>,
) => Layer<WithBias<Kernel<O, I, K, Axes, Q>, O, Q>>

/** A layer that convolves transposed over as many axes as `Axes` has. */
export type MakeConvTransposeLayer<Axes extends readonly 0[]> = <
  const I extends number,
  const O extends number,
  const K extends PerAxis,
  const Q extends ConvTransposeLayerOptions = object,
>(
  inputs: I,
  outputs: O,
  kernelSize: K,
  options?: Q & Only<Q, ConvTransposeLayerOptions>,
) => Layer<WithBias<Kernel<I, O, K, Axes, Q>, O, Q>>

/** What differs among layers that convolve. */
interface Convolution {
  readonly options: OptionNames<ConvLayerOptions> | OptionNames<ConvTransposeLayerOptions>
  readonly weightOf: typeof convWeight
}

const forwards: Convolution = { options: { ...convOptions, ...biasOptions }, weightOf: convWeight }
const backwards: Convolution = { options: { ...convTransposeOptions, ...biasOptions }, weightOf: convTransposeWeight }

type Init = (key: Key, inputs: number, outputs: number, kernelSize: PerAxis, options: object) => unknown
type Apply = (x: Tensor, params: never, options: object) => Tensor

const convLayer =
  (kind: Convolution) =>
  <F>(name: string, spatial: number, init: Init, apply: Apply): F =>
    ((inputs: number, outputs: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) => {
      demandRecord(name, kind.options, options)
      const { bias, ...own } = options
      kind.weightOf(name, spatial)(inputs, outputs, kernelSize, own.groups)
      const made: Layer<unknown> = {
        init: (key) => init(key as Key, inputs, outputs, kernelSize, { bias, groups: own.groups }),
        apply: (params, x) => apply(x, params as never, own),
      }
      return printedCall(made, name, inputs, outputs, kernelSize, options)
    }) as F

/**
 * The layer of `conv1d` with parameters of `conv1dInit`, whose options it takes: PyTorch's `nn.Conv1d`. UsageError for sizes that
 * are none, and for groups that do not divide the channels.
 * @example
 * const { init, apply } = nn.conv1dLayer(4, 3, 5, { padding: 'same' })
 * apply(init(random.key(0)), T.ones([2, 4, 8])).shape // => [2, 3, 8]
 */
export const conv1dLayer: MakeConvLayer<readonly [0]> = convLayer(forwards)('nn.conv1dLayer', 1, conv1dInit, conv1d)

/**
 * The layer of `conv2d` with parameters of `conv2dInit`: PyTorch's `nn.Conv2d`. Errors as in `conv1dLayer`. Functions without
 * parameters stand beside it as they are.
 * @example
 * const model = nn.sequential(
 *   nn.conv2dLayer(1, 6, 5, { padding: 2 }),
 *   nn.relu,
 *   nn.maxPool2d({ kernelSize: 2 }),
 *   T.flatten({ startAxis: 1 }),
 *   nn.dense(6 * 14 * 14, 10),
 * )
 * const params = model.init(random.key(0))
 * params[0].weight.shape // => [6, 1, 5, 5]
 * model.apply(params, T.ones([2, 1, 28, 28])).shape // => [2, 10]
 */
export const conv2dLayer: MakeConvLayer<readonly [0, 0]> = convLayer(forwards)('nn.conv2dLayer', 2, conv2dInit, conv2d)

/**
 * The layer of `conv3d` with parameters of `conv3dInit`: PyTorch's `nn.Conv3d`. Errors as in `conv1dLayer`.
 * @example
 * const { init, apply } = nn.conv3dLayer(2, 4, [1, 3, 3], { bias: false })
 * apply(init(random.key(0)), T.ones([1, 2, 2, 5, 5])).shape // => [1, 4, 2, 3, 3]
 */
export const conv3dLayer: MakeConvLayer<readonly [0, 0, 0]> = convLayer(forwards)(
  'nn.conv3dLayer',
  3,
  conv3dInit,
  conv3d,
)

/**
 * The layer of `convTranspose1d` with parameters of `convTranspose1dInit`: PyTorch's `nn.ConvTranspose1d`. Errors as in `conv1dLayer`.
 * @example
 * const { init, apply } = nn.convTranspose1dLayer(4, 3, 2, { stride: 2 })
 * apply(init(random.key(0)), T.ones([2, 4, 8])).shape // => [2, 3, 16]
 */
export const convTranspose1dLayer: MakeConvTransposeLayer<readonly [0]> = convLayer(backwards)(
  'nn.convTranspose1dLayer',
  1,
  convTranspose1dInit,
  convTranspose1d,
)

/**
 * The layer of `convTranspose2d` with parameters of `convTranspose2dInit`: PyTorch's `nn.ConvTranspose2d`. Errors as in `conv1dLayer`.
 * @example
 * const { init, apply } = nn.convTranspose2dLayer(64, 32, 4, { stride: 2, padding: 1 })
 * apply(init(random.key(0)), T.ones([1, 64, 7, 7])).shape // => [1, 32, 14, 14]
 */
export const convTranspose2dLayer: MakeConvTransposeLayer<readonly [0, 0]> = convLayer(backwards)(
  'nn.convTranspose2dLayer',
  2,
  convTranspose2dInit,
  convTranspose2d,
)

/**
 * The layer of `convTranspose3d` with parameters of `convTranspose3dInit`: PyTorch's `nn.ConvTranspose3d`. Errors as in `conv1dLayer`.
 * @example
 * const { init, apply } = nn.convTranspose3dLayer(2, 4, 2)
 * apply(init(random.key(0)), T.ones([1, 2, 3, 3, 3])).shape // => [1, 4, 4, 4, 4]
 */
export const convTranspose3dLayer: MakeConvTransposeLayer<readonly [0, 0, 0]> = convLayer(backwards)(
  'nn.convTranspose3dLayer',
  3,
  convTranspose3dInit,
  convTranspose3d,
)
