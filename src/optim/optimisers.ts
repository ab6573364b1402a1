/** The optimisers of the textbooks, each a short chain of stages. Defaults and formulas are PyTorch's. */
import {
  type AdadeltaOptions,
  type AdagradOptions,
  type AdamOptions,
  type RmspropOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByAdam,
  scaleByRmsprop,
} from './scalers.ts'
import type { Rate } from './schedule.ts'
import { addWeightDecay, clipByGlobalNorm, scaleByRate, trackMomentum } from './stages.ts'
import { type Optimiser, optimiser, type Transform } from './transform.ts'

/** What every optimiser takes: gradients are clipped first, if at all; `weightDecay` adds to them (or, for adamw, not). */
export interface CommonOptions {
  readonly weightDecay?: number
  /** Clips the gradients of all parameters together to this norm. */
  readonly clipNorm?: number
}

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

const momentumOf = ({ momentum = 0, dampening = 0, nesterov = false }: SgdOptions): readonly Transform[] =>
  momentum === 0 ? [] : [trackMomentum({ momentum, dampening, nesterov })]

/** Stochastic gradient descent: p -= rate · g, with heavy-ball or Nesterov momentum. */
export const sgd = (rate: Rate, options: SgdOptions = {}): Optimiser =>
  optimiser(...decayed(options), ...momentumOf(options), scaleByRate(rate))

/** Adam: p -= rate · m̂ / (√v̂ + eps), weight decay as an L2 penalty. */
export const adam = (rate: Rate = 0.001, options: AdamOptions & CommonOptions = {}): Optimiser =>
  optimiser(...decayed(options), scaleByAdam(options), scaleByRate(rate))

/** AdamW: Adam with the decay of weights kept out of the moments (Loshchilov and Hutter 2019): p -= rate · weightDecay · p too. */
export const adamw = (rate: Rate = 0.001, options: AdamOptions & CommonOptions = {}): Optimiser =>
  optimiser(...clipped(options), scaleByAdam(options), addWeightDecay(options.weightDecay ?? 0.01), scaleByRate(rate))

/** Adagrad: p -= rate / (1 + t·rateDecay) · g / (√Σg² + eps). */
export const adagrad = (rate: Rate = 0.01, options: AdagradOptions & CommonOptions = {}): Optimiser =>
  optimiser(...decayed(options), scaleByAdagrad(options), scaleByRate(rate))

/** RMSProp: p -= rate · g / (√s + eps), with momentum on the scaled gradient if asked for. */
export const rmsprop = (
  rate: Rate = 0.01,
  options: RmspropOptions & CommonOptions & { readonly momentum?: number } = {},
): Optimiser =>
  optimiser(
    ...decayed(options),
    scaleByRmsprop(options),
    ...momentumOf({ momentum: options.momentum ?? 0 }),
    scaleByRate(rate),
  )

/** Adadelta: p -= rate · √(d + eps) / √(s + eps) · g. */
export const adadelta = (rate: Rate = 1, options: AdadeltaOptions & CommonOptions = {}): Optimiser =>
  optimiser(...decayed(options), scaleByAdadelta(options), scaleByRate(rate))
