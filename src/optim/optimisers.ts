/** The optimisers of the textbooks, each a short chain of stages. Defaults and formulas are PyTorch's. */
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { demandRate, type Rate } from './learning-rate.ts'
import {
  type AdadeltaOptions,
  type AdagradOptions,
  type AdamOptions,
  adadeltaOptions,
  adagradOptions,
  adamOptions,
  type RmspropOptions,
  rmspropOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByAdam,
  scaleByRmsprop,
} from './scalers.ts'
import { addWeightDecay, clipByGlobalNorm, scaleByRate, trackMomentum } from './stages.ts'
import { type Optimiser, optimiser, type Transform } from './transform.ts'

/** What every optimiser takes: gradients are clipped first, if at all; `weightDecay` adds to them (or, for adamw, not). */
export interface CommonOptions {
  readonly weightDecay?: number
  /** Clips the gradients of all parameters together to this norm. */
  readonly clipNorm?: number
}

const commonOptions: OptionNames<CommonOptions> = { weightDecay: 'finite', clipNorm: 'positive' }

/** UsageError for a rate that is none and for options that `names` does not have. */
const demand = <O>(name: string, rate: Rate, names: OptionNames<O>, options: O): void => {
  demandRate(name, rate)
  demandRecord(name, names, options)
}

/** The options of an optimiser's own stage. */
const own = <O extends CommonOptions>({ weightDecay, clipNorm, ...rest }: O): Omit<O, keyof CommonOptions> => rest

const clipped = ({ clipNorm }: CommonOptions): readonly Transform[] =>
  clipNorm === undefined ? [] : [clipByGlobalNorm(clipNorm)]

const decayed = (options: CommonOptions): readonly Transform[] =>
  options.weightDecay ? [...clipped(options), addWeightDecay(options.weightDecay)] : clipped(options)

/** Settings of `sgd`. */
export interface SgdOptions extends CommonOptions {
  readonly momentum?: number
  readonly dampening?: number
  readonly nesterov?: boolean
}

const sgdOptions: OptionNames<SgdOptions> = {
  momentum: 'finite',
  dampening: 'finite',
  nesterov: 'boolean',
  ...commonOptions,
}

const momentumOf = ({ momentum = 0, dampening = 0, nesterov = false }: SgdOptions): readonly Transform[] =>
  momentum === 0 ? [] : [trackMomentum({ momentum, dampening, nesterov })]

/**
 * Stochastic gradient descent: p -= rate · g, with `momentum`, `dampening` and `nesterov` as torch.optim.SGD;
 * `weightDecay` is an L2 penalty, `clipNorm` clips all gradients together first.
 * @example
 * const o = optim.sgd(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.25]
 */
export const sgd = (rate: Rate, options: SgdOptions = {}): Optimiser => {
  demand('optim.sgd', rate, sgdOptions, options)
  return optimiser(...decayed(options), ...momentumOf(options), scaleByRate(rate))
}

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
  return optimiser(...decayed(options), scaleByAdam(own(options)), scaleByRate(rate))
}

/**
 * AdamW (Loshchilov and Hutter 2019): Adam with the decay of weights (0.01) kept out of the moments: p -= rate ·
 * weightDecay · p too. Defaults of torch.optim.AdamW.
 * @example
 * const o = optim.adamw(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.3985]
 */
export const adamw = (rate: Rate = 0.001, options: AdamOptions & CommonOptions = {}): Optimiser => {
  demand('optim.adamw', rate, { ...adamOptions, ...commonOptions }, options)
  const decay = addWeightDecay(options.weightDecay ?? 0.01)
  return optimiser(...clipped(options), scaleByAdam(own(options)), decay, scaleByRate(rate))
}

/**
 * Adagrad (Duchi et al. 2011): p -= rate / (1 + t·rateDecay) · g / (√Σg² + eps), rate 0.01. Defaults of
 * torch.optim.Adagrad.
 * @example
 * const o = optim.adagrad(0.1)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.4]
 */
export const adagrad = (rate: Rate = 0.01, options: AdagradOptions & CommonOptions = {}): Optimiser => {
  demand('optim.adagrad', rate, { ...adagradOptions, ...commonOptions }, options)
  return optimiser(...decayed(options), scaleByAdagrad(own(options)), scaleByRate(rate))
}

/**
 * RMSProp: p -= rate · g / (√s + eps), rate 0.01, alpha 0.99, with `momentum` on the scaled gradient and `centered` as
 * torch.optim.RMSprop.
 * @example
 * const o = optim.rmsprop(0.01)
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.tensor([2.5]) }, o.init(params)).params.w).data // => [1.4]
 */
export const rmsprop = (
  rate: Rate = 0.01,
  options: RmspropOptions & CommonOptions & { readonly momentum?: number } = {},
): Optimiser => {
  demand('optim.rmsprop', rate, { ...rmspropOptions, momentum: 'finite', ...commonOptions }, options)
  const { momentum = 0, ...scaling } = own(options)
  return optimiser(...decayed(options), scaleByRmsprop(scaling), ...momentumOf({ momentum }), scaleByRate(rate))
}

/**
 * Adadelta (Zeiler 2012): p -= rate · √(d + eps) / √(s + eps) · g, rate 1, rho 0.9, eps 1e-6 as torch.optim.Adadelta.
 * @example
 * const o = optim.adadelta()
 * const params = { w: T.tensor([1.5]) }
 * T.reference(o.update(params, { w: T.ones([1]) }, o.init(params)).params.w).data // => [1.496838]
 */
export const adadelta = (rate: Rate = 1, options: AdadeltaOptions & CommonOptions = {}): Optimiser => {
  demand('optim.adadelta', rate, { ...adadeltaOptions, ...commonOptions }, options)
  return optimiser(...decayed(options), scaleByAdadelta(own(options)), scaleByRate(rate))
}
