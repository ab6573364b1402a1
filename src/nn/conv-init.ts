/** Initial weights of convolutions, as PyTorch draws them. */
import { productOf, type Shape } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { KernelOf } from '../lang/types/windows.ts'
import { type BiasOptions, demandSizes, perUnit, uniformParts, type WithBias } from './drawn.ts'
import { type PerAxis, perAxis } from './windows.ts'

/** Options of initial weights of convolutions: into how many groups the channels are parted (1), and whether there is a bias (true). */
export interface ConvInitOptions extends BiasOptions {
  readonly groups?: number | undefined
}

const convInitOptions: OptionNames<ConvInitOptions> = { groups: 'count', bias: 'boolean' }

/** A size that is parted into groups, which is known where there is one. */
type PerGroup<N extends number, Options> = Options extends { readonly groups: infer G }
  ? [G] extends [1]
    ? N
    : number
  : N

/** Shape of a weight over as many axes as `Axes` has; `First` and `Second` are its channels. */
export type Kernel<First extends number, Second extends number, K, Axes extends readonly 0[], Options> =
  KernelOf<K, Axes> extends infer Taps extends Shape ? readonly [First, PerGroup<Second, Options>, ...Taps] : Shape

/** Initial weights of a convolution over as many axes as `Axes` has. */
export type ConvInit<Axes extends readonly 0[]> = <
  const I extends number,
  const O extends number,
  const K extends PerAxis,
  const Q extends ConvInitOptions = object,
>(
  key: Tensor,
  inputs: I,
  outputs: O,
  kernelSize: K,
  options?: Q & Only<Q, ConvInitOptions>,
) => WithBias<Kernel<O, I, K, Axes, Q>, O, Q>

/** Initial weights of a transposed convolution over as many axes as `Axes` has. */
export type ConvTransposeInit<Axes extends readonly 0[]> = <
  const I extends number,
  const O extends number,
  const K extends PerAxis,
  const Q extends ConvInitOptions = object,
>(
  key: Tensor,
  inputs: I,
  outputs: O,
  kernelSize: K,
  options?: Q & Only<Q, ConvInitOptions>,
) => WithBias<Kernel<I, O, K, Axes, Q>, O, Q>

/** The channels of a weight in the order of its axes, before the second is parted into groups. */
type Channels = (inputs: number, outputs: number) => readonly [first: number, second: number]

/** The shape of the weight of what is called `name`. UsageError for sizes that are none, and for groups that do not divide the channels. */
type WeightOf = (
  name: string,
  spatial: number,
) => (inputs: number, outputs: number, kernelSize: PerAxis, groups?: number) => Shape

const weightWith =
  (channels: Channels): WeightOf =>
  (name, spatial) =>
  (inputs, outputs, kernelSize, groups = 1) => {
    demandSizes(name, { inputs, outputs })
    const taps = perAxis(name, 'kernel size', kernelSize, spatial)
    demandSizes(name, Object.fromEntries(taps.map((size, axis) => [`kernel size ${axis}`, size])))
    const wrong = (message: string): never => raise({ tag: 'UsageError', message: `${name}: ${message}` })
    if (taps.length !== spatial) wrong(`the kernel size [${taps.join(', ')}] is not ${spatial} numbers`)
    if (inputs % groups !== 0 || outputs % groups !== 0)
      wrong(`${groups} groups do not divide ${inputs} input channels and ${outputs} output channels`)
    const [first, second] = channels(inputs, outputs)
    return [first, second / groups, ...taps]
  }

/** The weight of a convolution, and of a transposed one. */
export const convWeight: WeightOf = weightWith((inputs, outputs) => [outputs, inputs])
export const convTransposeWeight: WeightOf = weightWith((inputs, outputs) => [inputs, outputs])

const convInit = <F>(name: string, spatial: number, weightOf: WeightOf): F =>
  ((key: Tensor, inputs: number, outputs: number, kernelSize: PerAxis, options: ConvInitOptions = {}) => {
    demandRecord(name, convInitOptions, options)
    const { groups, bias = true } = options
    const weight = weightOf(name, spatial)(inputs, outputs, kernelSize, groups)
    const bound = perUnit(
      1,
      productOf(weight.slice(1), (size) => size),
    )
    return uniformParts(name, key, bound, { weight, ...(bias ? { bias: [outputs] } : {}) })
  }) as F

/**
 * PyTorch's default of a convolution over one axis: f32 weight `[outputs, inputs / groups, k]` and bias `[outputs]`,
 * uniform within ±1/√fanIn (He et al. 2015 with a = √5), where fanIn is inputs / groups · k. UsageError for sizes that are
 * none, and for groups that do not divide the channels.
 * @example
 * const { weight, bias } = nn.conv1dInit(random.key(0), 4, 3, 5)
 * [weight.shape, bias.shape] // => [[3, 4, 5], [3]]
 * Object.keys(nn.conv1dInit(random.key(0), 4, 3, 5, { bias: false })) // => ['weight']
 */
export const conv1dInit: ConvInit<readonly [0]> = convInit('nn.conv1dInit', 1, convWeight)

/**
 * PyTorch's default of a convolution over two axes: f32 weight `[outputs, inputs / groups, kh, kw]` and bias
 * `[outputs]`, uniform within ±1/√fanIn. The kernel size is one number for both axes or one each; errors as in
 * `conv1dInit`.
 * @example
 * const params = nn.conv2dInit(random.key(0), 4, 8, [3, 5], { groups: 2 })
 * [params.weight.shape, params.bias.shape] // => [[8, 2, 3, 5], [8]]
 * nn.conv2d(T.ones([1, 1, 28, 28]), nn.conv2dInit(random.key(0), 1, 32, 3)).shape // => [1, 32, 26, 26]
 */
export const conv2dInit: ConvInit<readonly [0, 0]> = convInit('nn.conv2dInit', 2, convWeight)

/**
 * PyTorch's default of a convolution over three axes: f32 weight `[outputs, inputs / groups, kd, kh, kw]` and bias
 * `[outputs]`, uniform within ±1/√fanIn; sizes and errors as in `conv2dInit`.
 * @example
 * nn.conv3dInit(random.key(0), 2, 4, 3).weight.shape // => [4, 2, 3, 3, 3]
 */
export const conv3dInit: ConvInit<readonly [0, 0, 0]> = convInit('nn.conv3dInit', 3, convWeight)

/**
 * PyTorch's default of a transposed convolution over one axis: f32 weight `[inputs, outputs / groups, k]` and bias
 * `[outputs]`, uniform within ±1/√fan, where fan is outputs / groups · k (sizes of the weight past its first). Errors as in
 * `conv1dInit`.
 * @example
 * nn.convTranspose1dInit(random.key(0), 4, 3, 5).weight.shape // => [4, 3, 5]
 */
export const convTranspose1dInit: ConvTransposeInit<readonly [0]> = convInit(
  'nn.convTranspose1dInit',
  1,
  convTransposeWeight,
)

/**
 * PyTorch's default of a transposed convolution over two axes: f32 weight `[inputs, outputs / groups, kh, kw]` and bias
 * `[outputs]`; distribution and errors as in `convTranspose1dInit`.
 * @example
 * const params = nn.convTranspose2dInit(random.key(0), 4, 6, 2, { groups: 2, bias: false })
 * params.weight.shape // => [4, 3, 2, 2]
 */
export const convTranspose2dInit: ConvTransposeInit<readonly [0, 0]> = convInit(
  'nn.convTranspose2dInit',
  2,
  convTransposeWeight,
)

/**
 * PyTorch's default of a transposed convolution over three axes: f32 weight `[inputs, outputs / groups, kd, kh, kw]`
 * and bias `[outputs]`; distribution and errors as in `convTranspose1dInit`.
 * @example
 * nn.convTranspose3dInit(random.key(0), 2, 4, [1, 2, 3]).weight.shape // => [2, 4, 1, 2, 3]
 */
export const convTranspose3dInit: ConvTransposeInit<readonly [0, 0, 0]> = convInit(
  'nn.convTranspose3dInit',
  3,
  convTransposeWeight,
)
