/** Stages made after Adam: NAdam, Adamax, RAdam as PyTorch has them, and the sign of Lion. */
import { printedCall } from '../lang/print/call-text.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import {
  abs,
  div,
  expm1,
  full,
  greater,
  less,
  maximum,
  mul,
  neg,
  pow,
  sign,
  square,
  sub,
  where,
} from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import {
  above,
  correction,
  countOf,
  type Moments,
  moving,
  nextMoments,
  over,
  plus,
  root,
  times,
  unbiased,
} from './moving-average.ts'
import { zerosOf } from './stages.ts'
import { each, type TensorTree, type Transform } from './transform.ts'

/** Settings of NAdam's moments. */
export interface NadamOptions {
  readonly beta1?: number | undefined
  readonly beta2?: number | undefined
  readonly eps?: number | undefined
  readonly momentumDecay?: number | undefined
}

export const nadamOptions: OptionNames<NadamOptions> = {
  beta1: 'decay',
  beta2: 'decay',
  eps: 'amount',
  momentumDecay: 'amount',
}

/**
 * (μₜ₊₁·m / (1 - Πμ·μₜ₊₁) + (1 - μₜ)·g / (1 - Πμ)) / (√v̂ + eps) with μₜ = beta1·(1 - 0.96^(t·momentumDecay) / 2): Adam that
 * looks ahead along its momentum (Dozat 2016, as torch.optim.NAdam has it); betas 0.9 and 0.999, eps 1e-8, momentumDecay
 * 0.004. A stage: chain it with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByNadam(), T.tensor([2.5, -2.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [1.056452, -1.056452]
 */
export const scaleByNadam = (options: NadamOptions = {}): Transform => {
  demandRecord('optim.scaleByNadam', nadamOptions, options)
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, momentumDecay = 0.004 } = options
  const momentumAt = (t: Tensor): Tensor => plus(times(pow(0.96, times(t, momentumDecay)), -beta1 / 2), beta1)
  const stage: Transform = {
    init: (params) => ({ m: zerosOf(params), v: zerosOf(params), product: full([], 1) }),
    apply: (updates, state, _params, step) => {
      const before = state as Moments & { readonly product: Tensor }
      const moments = nextMoments(before, updates, beta1, beta2)
      const t = countOf(step)
      const [now, ahead] = [momentumAt(t), momentumAt(plus(t, 1))]
      const product = times(before.product, now)
      const ofGradient = over(sub(1, now), sub(1, product))
      const ofMomentum = over(ahead, sub(1, mul(product, ahead)))
      const spread = unbiased(beta2, step, root)
      const given = each(
        (g, m, v) => over(plus(times(g!, ofGradient), times(m!, ofMomentum)), above(spread(root(v!)), eps, v!)),
        updates,
        moments.m,
        moments.v,
      )
      return [given, { ...moments, product }]
    },
  }
  return printedCall(stage, 'optim.scaleByNadam', options)
}

/** Settings of Adamax. */
export interface AdamaxOptions {
  readonly beta1?: number | undefined
  readonly beta2?: number | undefined
  readonly eps?: number | undefined
}

export const adamaxOptions: OptionNames<AdamaxOptions> = { beta1: 'decay', beta2: 'decay', eps: 'amount' }

/**
 * m̂ / u with u = max(beta2·u, |g| + eps), Adam with the infinity norm (Kingma and Ba 2015, section 7.1, as
 * torch.optim.Adamax has it); betas 0.9 and 0.999, eps 1e-8. A stage: chain it with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByAdamax(), T.tensor([2.5, -0.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [1, -1]
 */
export const scaleByAdamax = (options: AdamaxOptions = {}): Transform => {
  demandRecord('optim.scaleByAdamax', adamaxOptions, options)
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options
  const stage: Transform = {
    init: (params) => ({ m: zerosOf(params), u: zerosOf(params) }),
    apply: (updates, state, _params, step) => {
      const before = state as { readonly m: TensorTree; readonly u: TensorTree }
      const m = each((g, old) => moving(beta1, old!, g!), updates, before.m)
      const u = each((g, old) => maximum(times(old!, beta2), above(abs(g!), eps)), updates, before.u)
      const first = unbiased(beta1, step)
      return [each((p, q) => over(first(p!), q!), m, u), { m: m as TensorTree, u: u as TensorTree }]
    },
  }
  return printedCall(stage, 'optim.scaleByAdamax', options)
}

/** Settings of RAdam. */
export interface RadamOptions {
  readonly beta1?: number | undefined
  readonly beta2?: number | undefined
  readonly eps?: number | undefined
}

export const radamOptions: OptionNames<RadamOptions> = { beta1: 'decay', beta2: 'decay', eps: 'amount' }

/** coth(z) - 1/z for z from 0 to 1/2: the first terms of its series. */
const langevin = (z: Tensor): Tensor => {
  const q = square(z)
  const inner = plus(times(q, -1 / 4725), 2 / 945)
  return mul(z, plus(times(q, plus(times(q, inner), -1 / 45)), 1 / 3))
}

/**
 * ρₜ = 2 / (1 - β) - 1 - 2t·βᵗ / (1 - βᵗ), the length of the average of squares. With x = -ln β that is L(x/2) + t·(1 - L(xt/2)),
 * where L is the function above: at first the two halves of the definition are alike, and their difference is lost in f32.
 */
const averageLength = (beta: number, t: Tensor): Tensor => {
  const x = -Math.log(beta)
  const whole = 2 / (1 - beta) - 1
  const [y, half] = [times(t, x), x / 2]
  const early = plus(times(t, sub(1, langevin(times(y, 0.5)))), 1 / Math.tanh(half) - 1 / half)
  const late = plus(neg(over(times(t, 2), expm1(y))), whole)
  return where(less(y, 1), early, late)
}

/**
 * m̂·r·√(1 - beta2ᵗ) / (√v + eps), where r = √((ρₜ - 4)(ρₜ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρₜ)) rectifies the variance of v; m̂
 * alone as long as ρₜ is at most 5 (Liu et al. 2020, as torch.optim.RAdam has it); betas 0.9 and 0.999, eps 1e-8. A stage:
 * chain it with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByRadam(), T.tensor([2.5, -0.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [2.5, -0.5]
 */
export const scaleByRadam = (options: RadamOptions = {}): Transform => {
  demandRecord('optim.scaleByRadam', radamOptions, options)
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options
  const longest = 2 / (1 - beta2) - 1
  const stage: Transform = {
    init: (params) => ({ m: zerosOf(params), v: zerosOf(params) }),
    apply: (updates, state, _params, step) => {
      const moments = nextMoments(state as unknown as Moments, updates, beta1, beta2)
      const first = unbiased(beta1, step)
      // An average as short as this is never rectified.
      if (longest <= 5) return [each((_, m) => first(m!), updates, moments.m), { ...moments }]
      const t = countOf(step)
      const length = averageLength(beta2, t)
      const isLong = greater(length, 5)
      const ratio = div(mul(plus(length, -4), plus(length, -2)), length)
      const rectified = root(times(where(isLong, ratio, 0), longest / ((longest - 4) * (longest - 2))))
      const factor = times(rectified, root(correction(beta2, t)))
      const given = each(
        (_, m, v) => {
          const p = first(m!)
          return where(isLong, over(times(p, factor), above(root(v!), eps, v!)), p) as Tensor
        },
        updates,
        moments.m,
        moments.v,
      )
      return [given, { ...moments }]
    },
  }
  return printedCall(stage, 'optim.scaleByRadam', options)
}

/** Settings of Lion. */
export interface LionOptions {
  readonly beta1?: number | undefined
  readonly beta2?: number | undefined
}

export const lionOptions: OptionNames<LionOptions> = { beta1: 'decay', beta2: 'decay' }

/**
 * sign(beta1·m + (1 - beta1)·g), then m = beta2·m + (1 - beta2)·g (Chen et al. 2023); betas 0.9 and 0.99. One moment only.
 * A stage: chain it with `scaleByRate`.
 * @example
 * const [stage, g] = [optim.scaleByLion(), T.tensor([2.5, 0, -0.5])]
 * T.reference(stage.apply(g, stage.init(g), g, T.tensor(0))[0]).data // => [1, 0, -1]
 */
export const scaleByLion = (options: LionOptions = {}): Transform => {
  demandRecord('optim.scaleByLion', lionOptions, options)
  const { beta1 = 0.9, beta2 = 0.99 } = options
  const stage: Transform = {
    init: zerosOf,
    apply: (updates, state) => [
      each((g, m) => sign(moving(beta1, m!, g!)), updates, state),
      each((g, m) => moving(beta2, m!, g!), updates, state) as TensorTree,
    ],
  }
  return printedCall(stage, 'optim.scaleByLion', options)
}
