/** Stages that scale every element of a gradient by its own history: Adam, Adagrad, RMSProp, Adadelta. PyTorch's formulas. */
import type { DType } from '../lang/dtype.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { add, cast, div, expm1, isinf, maximum, mul, neg, sqrt, where } from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { zerosOf } from './stages.ts'
import { each, type TensorTree, type Transform } from './transform.ts'

const plus = (x: Tensor, y: Tensor | number): Tensor => add(x, y)
const times = (x: Tensor, y: Tensor | number): Tensor => mul(x, y)
const over = (x: Tensor, y: Tensor): Tensor => div(x, y)
const root = (x: Tensor): Tensor => sqrt(x)

/** The least numbers that tell a divisor from 0: f16 has no 1e-8, and a device takes what is below 2⁻¹²⁶ for 0. */
const least: { readonly [D in DType]?: number } = { f32: 2 ** -126, bf16: 2 ** -126, f16: 2 ** -24 }

/**
 * x + eps, more than 0 for every x from 0 up that was made of `stored` numbers: of a gradient of 0, whose square is 0 too, 0 is
 * left and not NaN.
 */
const above = (x: Tensor, eps: number, stored: Tensor = x): Tensor =>
  plus(x, isMistake(stored) ? eps : Math.max(eps, least[stored.dtype as DType] ?? 0))

/** decay · average + (1 - decay) · x. */
const moving = (decay: number, average: Tensor, x: Tensor): Tensor => plus(times(average, decay), times(x, 1 - decay))

/** s - m², rounding of which may leave less than 0; infinite where a square is, not ∞ - ∞. */
const variance = (s: Tensor, m: Tensor): Tensor => where(isinf(s), s, maximum(plus(s, neg(times(m, m))), 0))

/** 1 - decay^t for the t-th step (from 1), as -expm1(t ln decay): no cancellation where decay is close to 1. */
const correction = (decay: number, step: Tensor): Tensor => {
  // Counted as an integer, the new count is the very value that the next state holds.
  const t = cast(plus(step, 1), 'f32')
  return neg(expm1(times(t, Math.log(decay))))
}

/** Settings of Adam's moments. */
export interface AdamOptions {
  readonly beta1?: number
  readonly beta2?: number
  readonly eps?: number
  /** Divides by the largest v so far (Reddi et al. 2018). */
  readonly amsgrad?: boolean
}

export const adamOptions: OptionNames<AdamOptions> = {
  beta1: 'decay',
  beta2: 'decay',
  eps: 'amount',
  amsgrad: 'boolean',
}

/**
 * m̂ / (√v̂ + eps) with bias-corrected moving averages m of g and v of g² (Kingma and Ba 2015). A stage: chain it with
 * `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByAdam(), T.tensor([2.5, -0.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [1, -1]
 */
export const scaleByAdam = (options: AdamOptions = {}): Transform => {
  demandRecord('optim.scaleByAdam', adamOptions, options)
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, amsgrad = false } = options
  return {
    init: (params) => ({
      m: zerosOf(params),
      v: zerosOf(params),
      ...(amsgrad ? { most: zerosOf(params) } : {}),
    }),
    apply: (updates, state, _params, step) => {
      const before = state as { readonly m: TensorTree; readonly v: TensorTree; readonly most: TensorTree }
      const m = each((g, old) => moving(beta1, old!, g!), updates, before.m)
      const v = each((g, old) => moving(beta2, old!, times(g!, g!)), updates, before.v)
      const second = amsgrad ? each((q, old) => maximum(old!, q!), v, before.most) : v
      // With beta 0 there is nothing to correct: 0^t = 0, of which the logarithm knows nothing.
      const scale1 = beta1 === 0 ? undefined : correction(beta1, step)
      const scale2 = beta2 === 0 ? undefined : root(correction(beta2, step))
      const given = each(
        (p, q) => {
          const spread = scale2 ? over(root(q!), scale2) : root(q!)
          return over(scale1 ? over(p!, scale1) : p!, above(spread, eps, q!))
        },
        m,
        second,
      )
      const moments = { m: m as TensorTree, v: v as TensorTree }
      return [given, amsgrad ? { ...moments, most: second as TensorTree } : moments]
    },
  }
}

/** Settings of Adagrad. */
export interface AdagradOptions {
  readonly rateDecay?: number
  readonly eps?: number
  readonly initial?: number
}

export const adagradOptions: OptionNames<AdagradOptions> = { rateDecay: 'amount', eps: 'amount', initial: 'amount' }

/**
 * s += g²; g / (√s + eps) / (1 + t·rateDecay), t from 0 (Duchi et al. 2011). A stage: chain it with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByAdagrad(), T.tensor([2.5, -0.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [1, -1]
 */
export const scaleByAdagrad = (options: AdagradOptions = {}): Transform => {
  demandRecord('optim.scaleByAdagrad', adagradOptions, options)
  const { rateDecay = 0, eps = 1e-10, initial = 0 } = options
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      return initial === 0 ? zeros : each((s) => plus(s!, initial), zeros)
    },
    apply: (updates, state, _params, step) => {
      const s = each((g, old) => plus(old!, times(g!, g!)), updates, state)
      const slower = rateDecay === 0 ? undefined : plus(times(cast(step, 'f32'), rateDecay), 1)
      const given = each(
        (g, q) => {
          const scaled = over(g!, above(root(q!), eps))
          return slower ? over(scaled, slower) : scaled
        },
        updates,
        s,
      )
      return [given, s as TensorTree]
    },
  }
}

/** Settings of RMSProp. */
export interface RmspropOptions {
  readonly alpha?: number
  readonly eps?: number
  readonly centered?: boolean
}

export const rmspropOptions: OptionNames<RmspropOptions> = { alpha: 'fraction', eps: 'amount', centered: 'boolean' }

/**
 * s = alpha·s + (1 - alpha)·g²; g / (√s + eps). `centered` takes the square of the mean gradient off s (Graves 2013). A
 * stage: chain it with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByRmsprop(), T.tensor([2.5, -0.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [10, -10]
 */
export const scaleByRmsprop = (options: RmspropOptions = {}): Transform => {
  demandRecord('optim.scaleByRmsprop', rmspropOptions, options)
  const { alpha = 0.99, eps = 1e-8, centered = false } = options
  return {
    init: (params) => (centered ? { s: zerosOf(params), mean: zerosOf(params) } : { s: zerosOf(params) }),
    apply: (updates, state) => {
      const before = state as { readonly s: TensorTree; readonly mean: TensorTree }
      const s = each((g, old) => moving(alpha, old!, times(g!, g!)), updates, before.s)
      if (!centered) {
        return [each((g, q) => over(g!, above(root(q!), eps)), updates, s), { s: s as TensorTree }]
      }
      const mean = each((g, old) => moving(alpha, old!, g!), updates, before.mean)
      const given = each((g, q, m) => over(g!, above(root(variance(q!, m!)), eps)), updates, s, mean)
      return [given, { s: s as TensorTree, mean: mean as TensorTree }]
    },
  }
}

/** Settings of Adadelta. */
export interface AdadeltaOptions {
  readonly rho?: number
  readonly eps?: number
}

export const adadeltaOptions: OptionNames<AdadeltaOptions> = { rho: 'fraction', eps: 'amount' }

/**
 * s = rho·s + (1 - rho)·g²; u = √(d + eps) / √(s + eps) · g; d = rho·d + (1 - rho)·u² (Zeiler 2012). A stage: chain it
 * with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByAdadelta(), T.ones([1])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [0.00316226]
 */
export const scaleByAdadelta = (options: AdadeltaOptions = {}): Transform => {
  demandRecord('optim.scaleByAdadelta', adadeltaOptions, options)
  const { rho = 0.9, eps = 1e-6 } = options
  return {
    init: (params) => ({ s: zerosOf(params), d: zerosOf(params) }),
    apply: (updates, state) => {
      const before = state as { readonly s: TensorTree; readonly d: TensorTree }
      const s = each((g, old) => moving(rho, old!, times(g!, g!)), updates, before.s)
      const u = each((g, q, d) => times(over(root(above(d!, eps)), root(above(q!, eps))), g!), updates, s, before.d)
      const d = each((x, old) => moving(rho, old!, times(x!, x!)), u, before.d)
      return [u, { s: s as TensorTree, d: d as TensorTree }]
    },
  }
}
