/** Adam and what was made after it, each a short chain of stages. Defaults and formulas are PyTorch's where it has them. */
import { printedCall } from '../lang/print/call-text.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import {
  type AdamaxOptions,
  adamaxOptions,
  type LionOptions,
  lionOptions,
  type NadamOptions,
  nadamOptions,
  type RadamOptions,
  radamOptions,
  scaleByAdamax,
  scaleByLion,
  scaleByNadam,
  scaleByRadam,
} from './adam-kin.ts'
import type { Rate } from './learning-rate.ts'
import { scaleByTrustRatio } from './norms.ts'
import { type CommonOptions, clipped, commonOptions, decay, decayed, demand, own } from './optimiser-options.ts'
import { type AdamOptions, adamOptions, scaleByAdam } from './scalers.ts'
import { scaleByRate } from './stages.ts'
import { type Optimiser, optimiser, type Transform } from './transform.ts'

/** The decay as a part of the gradient that `stage` sees. */
const coupled = (name: string, stage: Transform, rate: Rate, options: CommonOptions): Optimiser =>
  printedCall(optimiser(...decayed(name, options), stage, scaleByRate(rate)), name, rate, options)

/** The decay beside what `stage` gives. */
const decoupled = (name: string, stage: Transform, rate: Rate, options: CommonOptions, otherwise = 0): Optimiser =>
  printedCall(
    optimiser(...clipped(options), stage, ...decay(name, options, otherwise), scaleByRate(rate)),
    name,
    rate,
    options,
  )

/** Whether `weightDecay` is kept out of the moments, as AdamW does. */
export interface DecouplingOptions {
  readonly decoupledWeightDecay?: boolean | undefined
}

const decouplingOptions: OptionNames<DecouplingOptions> = { decoupledWeightDecay: 'boolean' }

/**
 * Adam (Kingma and Ba 2015): p -= rate · m̂ / (√v̂ + eps), rate 0.001, betas 0.9 and 0.999, eps 1e-8; `weightDecay` is
 * an L2 penalty, `amsgrad` as torch.optim.Adam.
 * @example
 * const o = optim.adam(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.4]
 */
export const adam = (rate: Rate = 0.001, options: AdamOptions & CommonOptions = {}): Optimiser => {
  demand('optim.adam', rate, { ...adamOptions, ...commonOptions }, options)
  return coupled('optim.adam', scaleByAdam(own(options)), rate, options)
}

/**
 * AdamW (Loshchilov and Hutter 2019): Adam with the decay of weights (0.01) kept out of the moments: p -= rate ·
 * weightDecay · p too, for the parameters that `decayMask` is true of. Defaults of torch.optim.AdamW.
 * @example
 * const o = optim.adamw(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.3985]
 */
export const adamw = (rate: Rate = 0.001, options: AdamOptions & CommonOptions = {}): Optimiser => {
  demand('optim.adamw', rate, { ...adamOptions, ...commonOptions }, options)
  return decoupled('optim.adamw', scaleByAdam(own(options)), rate, options, 0.01)
}

/**
 * NAdam (Dozat 2016): Adam with Nesterov's momentum, rate 0.002, betas 0.9 and 0.999, eps 1e-8, momentumDecay 0.004;
 * `weightDecay` is an L2 penalty, or with `decoupledWeightDecay` kept out of the moments. Formula and defaults of
 * torch.optim.NAdam.
 * @example
 * const o = optim.nadam(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.394355]
 */
export const nadam = (
  rate: Rate = 0.002,
  options: NadamOptions & CommonOptions & DecouplingOptions = {},
): Optimiser => {
  demand('optim.nadam', rate, { ...nadamOptions, ...decouplingOptions, ...commonOptions }, options)
  const { decoupledWeightDecay = false, ...scaling } = own(options)
  return (decoupledWeightDecay ? decoupled : coupled)('optim.nadam', scaleByNadam(scaling), rate, options)
}

/**
 * Adamax (Kingma and Ba 2015, section 7.1): p -= rate · m̂ / u with u = max(beta2·u, |g| + eps), rate 0.002, betas 0.9 and
 * 0.999, eps 1e-8; `weightDecay` is an L2 penalty. Formula and defaults of torch.optim.Adamax.
 * @example
 * const o = optim.adamax(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.4]
 */
export const adamax = (rate: Rate = 0.002, options: AdamaxOptions & CommonOptions = {}): Optimiser => {
  demand('optim.adamax', rate, { ...adamaxOptions, ...commonOptions }, options)
  return coupled('optim.adamax', scaleByAdamax(own(options)), rate, options)
}

/**
 * RAdam (Liu et al. 2020): Adam whose steps are rectified for the variance of v, and momentum alone as long as that is not
 * known: rate 0.001, betas 0.9 and 0.999, eps 1e-8; `weightDecay` is an L2 penalty, or with `decoupledWeightDecay` kept out of
 * the moments. Formula and defaults of torch.optim.RAdam.
 * @example
 * const o = optim.radam(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.25]
 */
export const radam = (
  rate: Rate = 0.001,
  options: RadamOptions & CommonOptions & DecouplingOptions = {},
): Optimiser => {
  demand('optim.radam', rate, { ...radamOptions, ...decouplingOptions, ...commonOptions }, options)
  const { decoupledWeightDecay = false, ...scaling } = own(options)
  return (decoupledWeightDecay ? decoupled : coupled)('optim.radam', scaleByRadam(scaling), rate, options)
}

/**
 * Lion (Chen et al. 2023): p -= rate · (sign(beta1·m + (1 - beta1)·g) + weightDecay · p), rate 0.0001, betas 0.9 and 0.99, no
 * decay unless said. One moment, half of Adam's state; its rate is a tenth to a third of Adam's.
 * @example
 * const o = optim.lion(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.4]
 */
export const lion = (rate: Rate = 0.0001, options: LionOptions & CommonOptions = {}): Optimiser => {
  demand('optim.lion', rate, { ...lionOptions, ...commonOptions }, options)
  return decoupled('optim.lion', scaleByLion(own(options)), rate, options)
}

/** Settings of `lamb`. */
type LambOptions = Omit<AdamOptions, 'amsgrad'>

const lambOptions: OptionNames<LambOptions> = { beta1: 'decay', beta2: 'decay', eps: 'amount' }

/**
 * LAMB (You et al. 2020): p -= rate · ‖p‖ / ‖r‖ · r for every parameter, with r = m̂ / (√v̂ + eps) + weightDecay · p, rate 0.001,
 * betas 0.9 and 0.999, eps 1e-6, no decay unless said; the ratio is 1 where a norm is 0.
 * @example
 * const o = optim.lamb(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.35]
 */
export const lamb = (rate: Rate = 0.001, options: LambOptions & CommonOptions = {}): Optimiser => {
  demand('optim.lamb', rate, { ...lambOptions, ...commonOptions }, options)
  const adam = scaleByAdam({ eps: 1e-6, ...own(options) })
  const stages = [...clipped(options), adam, ...decay('optim.lamb', options), scaleByTrustRatio(), scaleByRate(rate)]
  return printedCall(optimiser(...stages), 'optim.lamb', rate, options)
}
