/** Positions in a sequence: turned into queries and keys, or added as waves. */
import { demandNumber, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { demandSizes } from './drawn.ts'
import { mistakeAmong, overspread } from './operands.ts'
import { roundedOnce } from './precision.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Angles `[…, pairs]` of positions `[…]`: pair i of `width` features turns by position / base^(2i / width). */
const angles = (positions: Tensor, pairs: number, width: number, base: number): Tensor => {
  const rate = width === 0 ? 0 : (-2 * Math.log(base)) / width
  // Made of counted numbers rather than of an array: nodes are interned, so that all layers of a model share them.
  const frequencies = T.exp(T.mul(T.arange(pairs, { dtype: 'f32' }), rate))
  return T.mul(T.expandDims(T.cast(positions, 'f32'), -1), frequencies) as Tensor
}

/** Two halves of features as pairs of neighbours. */
const woven = (a: Tensor, b: Tensor): Tensor =>
  T.reshape(T.stack([a, b], { axis: -1 }), [...a.shape.slice(0, -1), 2 * a.shape.at(-1)!]) as Tensor

/** Options of `rotary`. */
export interface RotaryOptions {
  /** Positions that broadcast to `x` without its last axis; 0, 1, 2 … along axis -2 by default. */
  readonly positions?: Tensor | undefined
  /** What the wavelengths grow by from the first pair to the last: 10000. */
  readonly base?: number | undefined
  /** Whether neighbours are a pair (RoFormer, GPT-J), or a feature and the one half the width away (Llama, GPT-NeoX), as by default. */
  readonly interleaved?: boolean | undefined
  /** How many of the first features are turned, an even number: all by default. */
  readonly width?: number | undefined
}

export const rotaryOptions: OptionNames<RotaryOptions> = {
  positions: 'tensor',
  base: 'positive',
  interleaved: 'boolean',
  width: 'size',
}

type Rotary = {
  (options?: RotaryOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: RotaryOptions): Tensor<S, D>
}

/** What is wrong with the input, the positions or the width; the mistake among them, if there is one. */
const wrongTurn = (x: Tensor, { positions, width }: RotaryOptions): Tensor | undefined => {
  const name = 'nn.rotary'
  const mistake = mistakeAmong(name, { 'operand 1': x }, { positions })
  if (mistake) return mistake
  const rank = x.shape.length
  const features = x.shape.at(-1) ?? 0
  const turned = width ?? features
  const reason =
    rank < (positions ? 1 : 2)
      ? `takes [… , length, features], not rank ${rank}`
      : turned % 2 !== 0 || turned > features
        ? `${turned} of ${features} features are not pairs`
        : undefined
  if (reason !== undefined) return tensorOf(refuse(name, [nodeOf(x)], { reason }))
  return positions && overspread(name, x, { positions }, x.shape.slice(0, -1))
}

/**
 * Rotary positions (Su et al. 2021): each pair of features of `x` `[…, L, E]` turned by its position times base^(-2i/E), so
 * that products of queries and keys depend on how far apart they are. Pairs are (i, i + E/2), or neighbours under
 * `interleaved`; `width` turns the first features alone. Same shape and dtype, floats. ShapeError for positions that do
 * not broadcast to `[…, L]`, and for an odd width.
 * @example
 * const x = T.tensor([[1, 2], [1, 2]], { dtype: 'f32' })
 * T.reference(nn.rotary(x)).data // => [1, 2, -1.142640, 1.922076]
 * T.reference(nn.rotary(x, { positions: T.tensor([5, 0]) })).data.slice(2) // => [1, 2]
 */
export const rotary: Rotary = dataFirstWith('nn.rotary', 1, rotaryOptions, (x: Tensor, options: RotaryOptions = {}) => {
  const wrong = wrongTurn(x, options)
  if (wrong) return wrong
  const { base = 10000, interleaved = false, width = x.shape.at(-1)! } = options
  const { positions = T.arange(x.shape.at(-2)!) } = options
  const turn = angles(positions, width / 2, width, base)
  const [cos, sin] = [T.cos(turn), T.sin(turn)]
  return roundedOnce((wide: Tensor) => {
    const lead = wide.shape.slice(0, -1)
    const whole = T.narrow(wide, 0, width, { axis: -1 })
    const half = (i: number): Tensor =>
      interleaved
        ? (T.select(T.reshape(whole, [...lead, width / 2, 2]), i, { axis: -1 }) as Tensor)
        : T.narrow(whole, (i * width) / 2, width / 2, { axis: -1 })
    const [a, b] = [half(0), half(1)]
    const [left, right] = [T.sub(T.mul(a, cos), T.mul(b, sin)), T.add(T.mul(b, cos), T.mul(a, sin))]
    const turned = interleaved ? woven(left, right) : (T.concat([left, right], { axis: -1 }) as Tensor)
    const rest = wide.shape.at(-1)! - width
    return rest === 0 ? turned : (T.concat([turned, T.narrow(wide, width, rest, { axis: -1 })], { axis: -1 }) as Tensor)
  })(x)
})

/** Options of `sinusoidal`. */
export interface SinusoidalOptions {
  /** What the wavelengths grow by from the first pair to the last: 10000. */
  readonly base?: number | undefined
  /** Whether sines and cosines alternate (true), or all sines come first (false). */
  readonly interleaved?: boolean | undefined
}

const sinusoidalOptions: OptionNames<SinusoidalOptions> = { base: 'positive', interleaved: 'boolean' }

type Sinusoidal = {
  (width: number, options?: SinusoidalOptions): (positions: Tensor) => Tensor<Shape, 'f32'>
  <S extends Shape, const W extends number>(
    positions: Tensor<S>,
    width: W,
    options?: SinusoidalOptions,
  ): Tensor<readonly [...S, W], 'f32'>
}

/**
 * Sinusoidal positions (Vaswani et al. 2017): numbers `[…]` → f32 `[…, width]`, sin(p / base^(2i / width)) at feature 2i
 * and its cosine at 2i + 1; first all sines, then all cosines where they are not `interleaved`. Made of positions
 * (`T.arange(length)`) or of times of a diffusion. UsageError for a width that is none.
 * @example
 * T.reference(nn.sinusoidal(T.arange(2), 4)).data // => [0, 1, 0, 1, 0.841471, 0.540302, 0.01, 0.99995]
 * T.reference(nn.sinusoidal(T.tensor(1), 4, { interleaved: false })).data // => [0.841471, 0.01, 0.540302, 0.99995]
 */
export const sinusoidal: Sinusoidal = dataFirstWith(
  'nn.sinusoidal',
  2,
  sinusoidalOptions,
  (positions: Tensor, width: number, { base = 10000, interleaved = true }: SinusoidalOptions = {}) => {
    demandSizes('nn.sinusoidal', { 'the width': demandNumber('nn.sinusoidal', 'the width', width) })
    if (isMistake(positions)) return positions
    const turn = angles(positions, Math.ceil(width / 2), width, base)
    const [sin, cos] = [T.sin(turn) as Tensor, T.cos(turn) as Tensor]
    const all = interleaved ? woven(sin, cos) : (T.concat([sin, cos], { axis: -1 }) as Tensor)
    // Of an odd width, the last sine has no cosine beside it.
    return width % 2 === 0 ? all : T.narrow(all, 0, width, { axis: -1 })
  },
)
