/** Activations, named as in torch.nn.functional, with PyTorch's derivatives at the kinks. */
import { sizeOf } from '../lang/dim.ts'
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirst, dataFirstWith, dual, single } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { Elementary } from '../lang/types/broadcast.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { geluTanh } from './gelu-tanh.ts'
import { misshapen, mistakeAmong } from './operands.ts'
import { choose } from './select.ts'

/** A function of one tensor that keeps shape and dtype, with options. */
export interface Activation<Options> {
  (options?: Options): Elementary
  <S extends Tensor['shape'], D extends Tensor['dtype']>(x: Tensor<S, D>, options?: Options): Tensor<S, D>
}

const activation = <F>(name: string, f: (x: Tensor) => Tensor): F => single(name, (n) => nodeOf(f(tensorOf(n))))

/** `x` where the condition holds, else a constant: the formula on the other side then cannot make NaN of its gradient. */
const guarded = (condition: Tensor, x: Operand, otherwise: number): Tensor => choose(condition, x, otherwise)

export { relu, sigmoid, tanh } from '../lang/tensor/index.ts'

/** The slope of `leakyRelu` below 0. */
type LeakyReluOptions = {
  readonly negativeSlope?: number
}

const leakyReluOptions: OptionNames<LeakyReluOptions> = { negativeSlope: 'number' }

/**
 * `max(x, 0)` with slope `negativeSlope` (0.01) below 0 (Maas et al. 2013). Same shape and dtype, floats.
 * @example
 * T.reference(nn.leakyRelu(T.tensor([-1.5, 2]))).data // => [-0.015, 2]
 */
export const leakyRelu: Activation<LeakyReluOptions> = dataFirstWith(
  'nn.leakyRelu',
  1,
  leakyReluOptions,
  (x: Tensor, { negativeSlope = 0.01 }: LeakyReluOptions = {}) => choose(T.greater(x, 0), x, T.mul(x, negativeSlope)),
)

/** `x` above 0, `scale · alpha · (e^(x/rate) - 1)` up to 0. */
const exponential = (x: Tensor, alpha: number, rate: number): Tensor => {
  const positive = T.greater(x, 0)
  const inside = T.expm1(rate === 1 ? choose(positive, 0, x) : T.div(choose(positive, 0, x), rate))
  return choose(positive, x, T.mul(inside, alpha))
}

type Alpha = {
  readonly alpha?: number
}

const alphaOptions: OptionNames<Alpha> = { alpha: 'number' }

/**
 * `x` above 0, `alpha·(eˣ - 1)` below, alpha 1 (Clevert et al. 2016). Same shape and dtype, floats.
 * @example
 * T.reference(nn.elu(T.tensor([-1, 0.5]))).data // => [-0.632121, 0.5]
 */
export const elu: Activation<Alpha> = dataFirstWith('nn.elu', 1, alphaOptions, (x: Tensor, { alpha = 1 }: Alpha = {}) =>
  exponential(x, alpha, 1),
)

/**
 * `x` above 0, `alpha·(e^(x/alpha) - 1)` below: smooth for every alpha (Barron 2017). Same shape and dtype, floats.
 * @example
 * T.reference(nn.celu(T.tensor([-1, 0.5]), { alpha: 2 })).data // => [-0.786939, 0.5]
 */
export const celu: Activation<Alpha> = dataFirstWith(
  'nn.celu',
  1,
  alphaOptions,
  (x: Tensor, { alpha = 1 }: Alpha = {}) => exponential(x, alpha, alpha),
)

/**
 * The self-normalising elu: `1.0507·elu(x)` with alpha 1.67326 (Klambauer et al. 2017). Same shape and dtype, floats.
 * @example
 * T.reference(nn.selu(T.tensor([-1, 2.5]))).data // => [-1.111331, 2.626752]
 */
export const selu: Elementary = activation('nn.selu', (x) =>
  T.mul(exponential(x, 1.6732632423543772, 1), 1.0507009873554805),
)

/** `'none'`: through erf; `'tanh'`: the approximation by tanh. */
export interface GeluOptions {
  readonly approximate?: 'none' | 'tanh' | undefined
}

const geluOptions: OptionNames<GeluOptions> = { approximate: 'own' }

/**
 * `x · Φ(x)` with the normal distribution function Φ (Hendrycks and Gimpel 2016); through erfc, so that the lower tail
 * keeps its digits, or `approximate: 'tanh'`. Same shape and dtype, floats.
 * @example
 * T.reference(nn.gelu(T.tensor([-1, 0.5, 2]))).data // => [-0.158655, 0.345731, 1.9545]
 * T.reference(nn.gelu(T.tensor([-1, 0.5, 2]), { approximate: 'tanh' })).data // => [-0.158808, 0.345714, 1.954598]
 */
export const gelu: Activation<GeluOptions> = dataFirstWith(
  'nn.gelu',
  1,
  geluOptions,
  (x: Tensor, { approximate = 'none' }: GeluOptions = {}) => {
    demandChoice('nn.gelu', 'approximation', approximate, ['none', 'tanh'])
    if (approximate === 'none') return T.mul(T.mul(x, 0.5), T.erfc(T.mul(x, -Math.SQRT1_2)))
    return geluTanh(x)
  },
)

/**
 * `x · sigmoid(x)` (swish; Ramachandran et al. 2017). Same shape and dtype, floats.
 * @example
 * T.reference(nn.silu(T.tensor([-1, 0.5]))).data // => [-0.268941, 0.311230]
 */
export const silu: Elementary = activation('nn.silu', (x) => T.mul(x, T.sigmoid(x)))

/** `log(1 + eˣ)` for all x; no branch sees an exponential that overflows. */
const logOnePlusExp = (x: Tensor): Tensor => {
  const positive = T.greater(x, 0)
  const tail = T.log1p(T.exp(choose(positive, T.neg(x), x)))
  return T.add(tail, guarded(positive, x, 0))
}

/** `beta` sharpens; above `threshold` (of beta·x) the function is x. */
export interface SoftplusOptions {
  readonly beta?: number | undefined
  readonly threshold?: number | undefined
}

const softplusOptions: OptionNames<SoftplusOptions> = { beta: 'number', threshold: 'number' }

/**
 * `log(1 + e^(beta·x)) / beta` (beta 1), and `x` itself where `beta·x` is above `threshold` (20), as torch. No
 * exponential overflows. Same shape and dtype, floats.
 * @example
 * T.reference(nn.softplus(T.tensor([-1, 0.5, 100]))).data // => [0.313262, 0.974077, 100]
 */
export const softplus: Activation<SoftplusOptions> = dataFirstWith(
  'nn.softplus',
  1,
  softplusOptions,
  (x: Tensor, { beta = 1, threshold: linear = 20 }: SoftplusOptions = {}) => {
    const z = beta === 1 ? x : T.mul(x, beta)
    const straight = T.greater(z, linear)
    const curve = logOnePlusExp(choose(straight, 0, z))
    return choose(straight, x, beta === 1 ? curve : T.div(curve, beta))
  },
)

/**
 * `log sigmoid(x)`, finite for all finite x. Same shape and dtype, floats.
 * @example
 * T.reference(nn.logsigmoid(T.tensor([1.5, -100]))).data // => [-0.201413, -100]
 */
export const logsigmoid: Elementary = activation('nn.logsigmoid', (x) => T.neg(logOnePlusExp(T.neg(x))))

/**
 * `x · tanh(softplus(x))` (Misra 2019). Same shape and dtype, floats.
 * @example
 * T.reference(nn.mish(T.tensor([-1, 0.5]))).data // => [-0.303401, 0.375245]
 */
export const mish: Elementary = activation('nn.mish', (x) => T.mul(x, T.tanh(softplus(x))))

/**
 * `x / (1 + |x|)`. Same shape and dtype, floats.
 * @example
 * T.reference(nn.softsign(T.tensor([-1, 0.25]))).data // => [-0.5, 0.2]
 */
export const softsign: Elementary = activation('nn.softsign', (x) => T.div(x, T.add(T.abs(x), 1)))

/** Bounds of `hardtanh`. */
export interface HardtanhOptions {
  readonly min?: number | undefined
  readonly max?: number | undefined
}

const hardtanhOptions: OptionNames<HardtanhOptions> = { min: 'number', max: 'number' }

/**
 * `x` between `min` (-1) and `max` (1), constant outside and, for the derivative, at the bounds. Same shape and dtype;
 * NaN passes.
 * @example
 * T.reference(nn.hardtanh(T.tensor([-2, 0.5, 3]))).data // => [-1, 0.5, 1]
 */
export const hardtanh: Activation<HardtanhOptions> = dataFirstWith(
  'nn.hardtanh',
  1,
  hardtanhOptions,
  (x: Tensor, { min = -1, max = 1 }: HardtanhOptions = {}) =>
    choose(T.lessEqual(x, min), min, choose(T.greaterEqual(x, max), max, x)),
)

/**
 * `hardtanh` between 0 and 6 (Howard et al. 2017). Same shape and dtype; NaN passes.
 * @example
 * T.reference(nn.relu6(T.tensor([-2, 0.5, 9]))).data // => [0, 0.5, 6]
 */
export const relu6: Elementary = activation('nn.relu6', (x) => hardtanh(x, { min: 0, max: 6 }))

/**
 * A piecewise linear sigmoid: `x/6 + 1/2` between -3 and 3, 0 below, 1 above (torch's). Same shape and dtype, floats.
 * @example
 * T.reference(nn.hardsigmoid(T.tensor([-4, 1.5, 3]))).data // => [0, 0.75, 1]
 */
export const hardsigmoid: Elementary = activation('nn.hardsigmoid', (x) =>
  choose(T.lessEqual(x, -3), 0, choose(T.greaterEqual(x, 3), 1, T.add(T.div(x, 6), 0.5))),
)

/**
 * `x · hardsigmoid(x)` (Howard et al. 2019). Same shape and dtype, floats.
 * @example
 * T.reference(nn.hardswish(T.tensor([-4, 1.5, 4]))).data // => [0, 1.125, 4]
 */
export const hardswish: Elementary = activation('nn.hardswish', (x) =>
  choose(T.less(x, -3), 0, choose(T.greater(x, 3), x, T.mul(x, T.add(T.div(x, 6), 0.5)))),
)

/**
 * `x - tanh(x)`. Same shape and dtype, floats.
 * @example
 * T.reference(nn.tanhshrink(T.tensor([-1, 0.5]))).data // => [-0.238406, 0.0378828]
 */
export const tanhshrink: Elementary = activation('nn.tanhshrink', (x) => T.sub(x, T.tanh(x)))

type Lambda = {
  readonly lambda?: number
}

const lambdaOptions: OptionNames<Lambda> = { lambda: 'number' }

/**
 * `x` moved towards 0 by `lambda` (0.5), 0 in between; NaN passes. Same shape and dtype, floats.
 * @example
 * T.reference(nn.softshrink(T.tensor([-2, 0.25, 1]))).data // => [-1.5, 0, 0.5]
 */
export const softshrink: Activation<Lambda> = dataFirstWith(
  'nn.softshrink',
  1,
  lambdaOptions,
  (x: Tensor, { lambda = 0.5 }: Lambda = {}) =>
    choose(
      T.greater(x, lambda),
      T.sub(x, lambda),
      choose(T.less(x, -lambda), T.add(x, lambda), guarded(T.isnan(x), x, 0)),
    ),
)

/**
 * `x`, or 0 where |x| is at most `lambda` (0.5); NaN passes. Same shape and dtype, floats.
 * @example
 * T.reference(nn.hardshrink(T.tensor([-2, 0.25, 1]))).data // => [-2, 0, 1]
 */
export const hardshrink: Activation<Lambda> = dataFirstWith(
  'nn.hardshrink',
  1,
  lambdaOptions,
  (x: Tensor, { lambda = 0.5 }: Lambda = {}) => choose(T.lessEqual(T.abs(x), lambda), 0, x),
)

type Threshold = {
  (limit: number, value: number): Elementary
  <S extends Tensor['shape'], D extends Tensor['dtype']>(x: Tensor<S, D>, limit: number, value: number): Tensor<S, D>
}

/**
 * `x` above `limit`, else `value`; NaN passes. Same shape and dtype.
 * @example
 * T.reference(nn.threshold(T.tensor([-2, 0.25, 1]), 0.5, 9)).data // => [9, 9, 1]
 */
export const threshold: Threshold = dataFirst('nn.threshold', 3, (x: Tensor, limit: number, value: number) =>
  choose(T.lessEqual(x, limit), value, x),
)

type Prelu = {
  <S extends Tensor['shape'], D extends Tensor['dtype']>(x: Tensor<S, D>, weight: Tensor): Tensor<S, D>
  (weight: Tensor): Elementary
}

/**
 * `leakyRelu` with a learned slope: one for all, or one a channel (axis 1) as `[channels]` (He et al. 2015). Same shape
 * and dtype.
 * @example
 * T.reference(nn.prelu(T.tensor([[-4, 2.5]]), T.tensor([0.25, 0.5]))).data // => [-1, 2.5]
 */
export const prelu: Prelu = dual('nn.prelu', 2, (x: Tensor, weight: Tensor) => {
  const wrong = mistakeAmong('nn.prelu', { 'operand 1': x, 'the weight': weight }) ?? wrongSlopes(x, weight)
  return wrong ?? choose(T.greater(x, 0), x, T.mul(x, perChannel(x, weight)))
})

/** The refusal of slopes that are neither one number, in a scalar or `[1]`, nor one a channel. */
const wrongSlopes = (x: Tensor, weight: Tensor): Tensor | undefined =>
  weight.shape.length < 2 && sizeOf(weight.shape) === 1
    ? undefined
    : misshapen(
        'nn.prelu',
        x,
        { 'the weight': [weight, [x.shape[1] ?? 1]] },
        'give one number, or one for each channel (axis 1)',
      )

/** A vector laid along axis 1 of `x`; a single weight as it is. */
const perChannel = (x: Tensor, weight: Tensor): Tensor =>
  sizeOf(weight.shape) === 1
    ? T.reshape(weight, [])
    : T.reshape(weight, [-1, ...Array.from({ length: Math.max(0, x.shape.length - 2) }, () => 1)])
