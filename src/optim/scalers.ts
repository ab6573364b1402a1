/** Stages that scale every element of a gradient by its own history: Adam, Adagrad, RMSProp, Adadelta. PyTorch's formulas. */
import { printedCall } from '../lang/print/call-text.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { cast, maximum } from '../lang/tensor/index.ts'
import {
  above,
  type Moments,
  moving,
  nextMoments,
  over,
  plus,
  root,
  times,
  unbiased,
  variance,
} from './moving-average.ts'
import { zerosOf } from './stages.ts'
import { each, type TensorTree, type Transform } from './transform.ts'

/** Settings of Adam's moments. */
export interface AdamOptions {
  readonly beta1?: number | undefined
  readonly beta2?: number | undefined
  readonly eps?: number | undefined
  /** Divides by the largest v so far (Reddi et al. 2018). */
  readonly amsgrad?: boolean | undefined
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
  const stage: Transform = {
    init: (params) => ({
      m: zerosOf(params),
      v: zerosOf(params),
      ...(amsgrad ? { most: zerosOf(params) } : {}),
    }),
    apply: (updates, state, _params, step) => {
      const before = state as Moments & { readonly most: TensorTree }
      const moments = nextMoments(before, updates, beta1, beta2)
      const second = amsgrad ? each((q, old) => maximum(old!, q!), moments.v, before.most) : moments.v
      const first = unbiased(beta1, step)
      const spread = unbiased(beta2, step, root)
      const given = each((_, p, q) => over(first(p!), above(spread(root(q!)), eps, q!)), updates, moments.m, second)
      return [given, amsgrad ? { ...moments, most: second } : { ...moments }]
    },
  }
  return printedCall(stage, 'optim.scaleByAdam', options)
}

/** Settings of Adagrad. */
export interface AdagradOptions {
  readonly rateDecay?: number | undefined
  readonly eps?: number | undefined
  readonly initial?: number | undefined
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
  const stage: Transform = {
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
  return printedCall(stage, 'optim.scaleByAdagrad', options)
}

/** Settings of RMSProp. */
export interface RmspropOptions {
  readonly alpha?: number | undefined
  readonly eps?: number | undefined
  readonly centered?: boolean | undefined
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
  const stage: Transform = {
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
  return printedCall(stage, 'optim.scaleByRmsprop', options)
}

/** Settings of Adadelta. */
export interface AdadeltaOptions {
  readonly rho?: number | undefined
  readonly eps?: number | undefined
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
  const stage: Transform = {
    init: (params) => ({ s: zerosOf(params), d: zerosOf(params) }),
    apply: (updates, state) => {
      const before = state as { readonly s: TensorTree; readonly d: TensorTree }
      const s = each((g, old) => moving(rho, old!, times(g!, g!)), updates, before.s)
      const u = each((g, q, d) => times(over(root(above(d!, eps)), root(above(q!, eps))), g!), updates, s, before.d)
      const d = each((x, old) => moving(rho, old!, times(x!, x!)), u, before.d)
      return [u, { s: s as TensorTree, d: d as TensorTree }]
    },
  }
  return printedCall(stage, 'optim.scaleByAdadelta', options)
}
