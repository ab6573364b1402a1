/** Activations along an axis: softmax and its kin, gates, unit norms. */

import { isInteger } from '../lang/dtype.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { type Axes, refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import type { Activation } from './activation.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'

/** The axis a normalising activation works along; the last by default. */
export interface AlongAxis {
  readonly axis?: number
}

const alongAxis: OptionNames<AlongAxis> = { axis: 'own' }

type Glu = {
  (options?: AlongAxis): (x: Tensor) => Tensor
  (x: Tensor, options?: AlongAxis): Tensor
}

/**
 * The first half along the axis (the last by default) times the sigmoid of the second (Dauphin et al. 2017): the axis
 * is halved.
 * @example
 * T.reference(nn.glu(T.tensor([1.5, 2, 0, 100]))).data // => [0.75, 2]
 */
export const glu: Glu = dataFirstWith('nn.glu', 1, alongAxis, (x: Tensor, { axis = -1 }: AlongAxis = {}) => {
  const halves = T.chunk(x, 2, { axis })
  const size = !isMistake(x) && !isMistake(halves[0]!) ? x.shape.at(axis)! : 0
  if (size % 2 !== 0)
    return tensorOf(refuse('nn.glu', [nodeOf(x)], { reason: `axis ${axis} of size ${size} has no halves`, axis }))
  return T.mul(halves[0]!, T.sigmoid(halves[1] ?? halves[0]!))
})

/** Integers as floats: narrow ones, and those without a sign, would wrap around where they are subtracted. */
const asFloat = (x: Tensor): Tensor => (!isMistake(x) && isInteger(x.dtype) ? (T.cast(x, 'f32') as Tensor) : x)

/** `x` less its largest along the axis; of an empty axis there is none. */
const centred = (given: Tensor, axis: number): Tensor => {
  const x = asFloat(given)
  return !isMistake(x) && x.shape.at(axis) === 0 ? x : T.sub(x, T.stopGradient(T.max(x, { axis, keepdims: true })))
}

/**
 * `eˣ / Σ eˣ` along one axis (the last by default), stable: the largest element is taken off first. Same shape and
 * dtype, floats; a row of -Infinity alone gives NaN, as in PyTorch.
 * @example
 * T.reference(nn.softmax(T.tensor([1, 2, 3], { dtype: 'f32' }))).data // => [0.090031, 0.244728, 0.665241]
 */
export const softmax: Activation<AlongAxis> = dataFirstWith(
  'nn.softmax',
  1,
  alongAxis,
  roundedOnce((x: Tensor, { axis = -1 }: AlongAxis = {}) => {
    const e = T.exp(centred(x, axis))
    return T.div(e, T.sum(e, { axis, keepdims: true }))
  }),
)

/** `softmax` along the last axis, but zeros without a gradient for a row of -Infinity alone: one of which all is masked. */
export const softmaxOfSeen = (x: Tensor): Tensor => {
  if (isMistake(x) || x.shape.at(-1) === 0) return x
  const top = T.stopGradient(T.max(x, { axis: -1, keepdims: true }))
  const isBlind = T.equal(top, Number.NEGATIVE_INFINITY)
  const e = T.exp(T.sub(x, choose(isBlind, 0, top)))
  return T.div(e, choose(isBlind, 1, T.sum(e, { axis: -1, keepdims: true })))
}

/**
 * `log softmax(x)` along one axis (the last by default), stable for large x. Same shape and dtype, floats.
 * @example
 * T.reference(nn.logSoftmax(T.tensor([1, 2, 3], { dtype: 'f32' }))).data // => [-2.407606, -1.407606, -0.407606]
 */
export const logSoftmax: Activation<AlongAxis> = dataFirstWith(
  'nn.logSoftmax',
  1,
  alongAxis,
  roundedOnce((x: Tensor, { axis = -1 }: AlongAxis = {}) => {
    const shifted = centred(x, axis)
    return T.sub(shifted, T.log(T.sum(T.exp(shifted), { axis, keepdims: true })))
  }),
)

/**
 * `softmax(-x)` along one axis (the last by default). Same shape and dtype, floats.
 * @example
 * T.reference(nn.softmin(T.tensor([1, 2, 3], { dtype: 'f32' }))).data // => [0.665241, 0.244728, 0.090031]
 */
export const softmin: Activation<AlongAxis> = dataFirstWith(
  'nn.softmin',
  1,
  alongAxis,
  (x: Tensor, { axis = -1 }: AlongAxis = {}) => softmax(T.neg(asFloat(x)), { axis }),
)

/** Options of `normalize`: the norm's order, its axis or axes (1), the least divisor. */
export interface NormalizeOptions {
  readonly p?: number | undefined
  readonly axis?: Axes | undefined
  readonly eps?: number | undefined
}

const normalizeOptions: OptionNames<NormalizeOptions> = { p: 'number', axis: 'own', eps: 'amount' }

/**
 * `x` divided by its `p`-norm (2) along `axis` (1), which counts at least as `eps` (1e-12): rows of zeros stay zeros.
 * Same shape and dtype, floats.
 * @example
 * T.reference(nn.normalize(T.tensor([[3, 4], [0, 0]], { dtype: 'f32' }))).data // => [0.6, 0.8, 0, 0]
 */
export const normalize: Activation<NormalizeOptions> = dataFirstWith(
  'nn.normalize',
  1,
  normalizeOptions,
  roundedOnce((x: Tensor, { p = 2, axis = 1, eps = 1e-12 }: NormalizeOptions = {}) =>
    T.div(x, T.clamp(T.vectorNorm(x, { p, axis, keepdims: true }), { min: eps })),
  ),
)
