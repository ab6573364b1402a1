/** Initial weights from a random key: Xavier and He, by the fan of a weight `[out, in, …kernel]`. */
import { sizeOf } from '../lang/dim.ts'
import { demandRecord, demandShape, type OptionNames } from '../lang/tensor/arguments.ts'
import { normal } from '../lang/tensor/random/normal.ts'
import { uniform } from '../lang/tensor/random/uniform.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, biasOptions, demandSizes, perUnit, uniformParts, type WithBias } from './drawn.ts'

type Shape = Tensor['shape']

/**
 * Inputs and outputs of one unit of a weight `[out, in, …kernel]`: sizes of axes 1 and 0, times the kernel's elements.
 * @example
 * nn.fans([8, 3, 5, 5]) // => { fanIn: 75, fanOut: 200 }
 */
export const fans = (shape: Shape): { readonly fanIn: number; readonly fanOut: number } => {
  const [out = 1, into = out, ...kernel] = demandShape('nn.fans', shape)
  const taps = sizeOf(kernel)
  return { fanIn: into * taps, fanOut: out * taps }
}

/** A factor for the activation that follows: √2 for relu, 5/3 for tanh, 1 for none. */
export interface GainOptions {
  readonly gain?: number | undefined
}

const gainOptions: OptionNames<GainOptions> = { gain: 'limit' }

/** The fans of a weight and the gain that the options of an initialiser give; both are checked. */
const scaleOf = (
  name: string,
  shape: Shape,
  options: GainOptions,
  usual: number,
): ReturnType<typeof fans> & { readonly gain: number } => {
  demandRecord(name, gainOptions, options)
  demandShape(name, shape)
  const { gain = usual } = options
  return { ...fans(shape), gain }
}

/**
 * f32 of `shape` `[out, in, …kernel]`, uniform within ±gain·√(6 / (fanIn + fanOut)), gain 1 (Glorot and Bengio 2010).
 * @example
 * const w = nn.xavierUniform(random.key(0), [100, 50])
 * T.reference(T.lessEqual(T.max(T.abs(w)), 0.2)).data // => [1]
 */
export const xavierUniform = <const S extends Shape>(
  key: Tensor,
  shape: S,
  options: GainOptions = {},
): Tensor<S, 'f32'> => {
  const { fanIn, fanOut, gain } = scaleOf('nn.xavierUniform', shape, options, 1)
  const bound = gain * perUnit(6, fanIn + fanOut)
  return uniform(key, shape, { low: -bound, high: bound })
}

/**
 * f32 of `shape` `[out, in, …kernel]`, normal with deviation gain·√(2 / (fanIn + fanOut)), gain 1 (Glorot and Bengio
 * 2010).
 * @example
 * const w = nn.xavierNormal(random.key(0), [100, 50])
 * T.reference(T.round(T.mul(T.std(w), 100))).data // => [12]
 */
export const xavierNormal = <const S extends Shape>(
  key: Tensor,
  shape: S,
  options: GainOptions = {},
): Tensor<S, 'f32'> => {
  const { fanIn, fanOut, gain } = scaleOf('nn.xavierNormal', shape, options, 1)
  return normal(key, shape, { std: gain * perUnit(2, fanIn + fanOut) })
}

/**
 * f32 of `shape` `[out, in, …kernel]`, uniform within ±gain·√(3 / fanIn), gain √2 for relu (He et al. 2015).
 * @example
 * const w = nn.heUniform(random.key(0), [100, 24])
 * T.reference(T.lessEqual(T.max(T.abs(w)), 0.5)).data // => [1]
 */
export const heUniform = <const S extends Shape>(
  key: Tensor,
  shape: S,
  options: GainOptions = {},
): Tensor<S, 'f32'> => {
  const { fanIn, gain } = scaleOf('nn.heUniform', shape, options, Math.SQRT2)
  const bound = gain * perUnit(3, fanIn)
  return uniform(key, shape, { low: -bound, high: bound })
}

/**
 * f32 of `shape` `[out, in, …kernel]`, normal with deviation gain/√fanIn, gain √2 for relu (He et al. 2015).
 * @example
 * const w = nn.heNormal(random.key(0), [100, 50])
 * T.reference(T.round(T.mul(T.std(w), 10))).data // => [2]
 */
export const heNormal = <const S extends Shape>(key: Tensor, shape: S, options: GainOptions = {}): Tensor<S, 'f32'> => {
  const { fanIn, gain } = scaleOf('nn.heNormal', shape, options, Math.SQRT2)
  return normal(key, shape, { std: gain * perUnit(1, fanIn) })
}

/**
 * PyTorch's default of a linear layer: f32 weight `[outputs, inputs]` and bias `[outputs]`, uniform within ±1/√inputs;
 * no bias under `{ bias: false }`. UsageError for a size that is none.
 * @example
 * const { weight, bias } = nn.linearInit(random.key(0), 4, 3)
 * [weight.shape, bias.shape] // => [[3, 4], [3]]
 * T.reference(T.all(T.lessEqual(T.abs(weight), 0.5))).data // => [1]
 * nn.linearInit(random.key(0), 4, 3).bias.dtype // => 'f32'
 */
export const linearInit = <const O extends number, const I extends number, const Q extends BiasOptions = object>(
  key: Tensor,
  inputs: I,
  outputs: O,
  options?: Q & Only<Q, BiasOptions>,
): WithBias<readonly [O, I], O, Q> => {
  demandRecord('nn.linearInit', biasOptions, options)
  demandSizes('nn.linearInit', { inputs, outputs })
  const bias = options?.bias === false ? {} : { bias: [outputs] }
  return uniformParts('nn.linearInit', key, perUnit(1, inputs), { weight: [outputs, inputs], ...bias }) as never
}
