/** Initial weights from a random key: Xavier and He, by the fan of a weight `[out, in, …kernel]`. */
import * as T from '../lang/tensor/index.ts'
import { normal, uniform } from '../lang/tensor/random.ts'
import type { Tensor } from '../lang/types.ts'

type Shape = Tensor['shape']

/** Inputs and outputs of one unit: sizes of axes 1 and 0, times the kernel's elements. */
export const fans = (shape: Shape): { readonly fanIn: number; readonly fanOut: number } => {
  const [out = 1, into = out, ...kernel] = shape
  const taps = kernel.reduce((a, b) => a * b, 1)
  return { fanIn: into * taps, fanOut: out * taps }
}

/** A factor for the activation that follows: √2 for relu, 5/3 for tanh, 1 for none. */
export interface GainOptions {
  readonly gain?: number
}

/** Uniform within ±gain·√(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export const xavierUniform = <const S extends Shape>(
  key: Tensor,
  shape: S,
  { gain = 1 }: GainOptions = {},
): Tensor<S, 'f32'> => {
  const { fanIn, fanOut } = fans(shape)
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut))
  return uniform(key, shape, { low: -bound, high: bound })
}

/** Normal with deviation gain·√(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export const xavierNormal = <const S extends Shape>(
  key: Tensor,
  shape: S,
  { gain = 1 }: GainOptions = {},
): Tensor<S, 'f32'> => {
  const { fanIn, fanOut } = fans(shape)
  return normal(key, shape, { std: gain * Math.sqrt(2 / (fanIn + fanOut)) })
}

/** Uniform within ±gain·√(3 / fanIn) (He et al. 2015); the gain is relu's √2 unless given. */
export const heUniform = <const S extends Shape>(
  key: Tensor,
  shape: S,
  { gain = Math.SQRT2 }: GainOptions = {},
): Tensor<S, 'f32'> => {
  const bound = gain * Math.sqrt(3 / fans(shape).fanIn)
  return uniform(key, shape, { low: -bound, high: bound })
}

/** Normal with deviation gain/√fanIn (He et al. 2015); the gain is relu's √2 unless given. */
export const heNormal = <const S extends Shape>(
  key: Tensor,
  shape: S,
  { gain = Math.SQRT2 }: GainOptions = {},
): Tensor<S, 'f32'> => normal(key, shape, { std: gain / Math.sqrt(fans(shape).fanIn) })

/** PyTorch's default of a linear or convolutional layer: weight and bias uniform within ±1/√fanIn. */
export const linearInit = <const O extends number, const I extends number>(
  key: Tensor,
  inputs: I,
  outputs: O,
): { readonly weight: Tensor<readonly [O, I], 'f32'>; readonly bias: Tensor<readonly [O], 'f32'> } => {
  const bound = 1 / Math.sqrt(inputs)
  const draw = <const S extends Shape>(shape: S, at: number): Tensor<S, 'f32'> => {
    const all = uniform(key, [outputs * (inputs + 1)], { low: -bound, high: bound })
    const [from, size] = [at, shape.reduce((a, b) => a * b, 1)]
    return T.reshape(T.narrow(all, from, size), shape) as Tensor<S, 'f32'>
  }
  return { weight: draw([outputs, inputs], 0), bias: draw([outputs], outputs * inputs) }
}
