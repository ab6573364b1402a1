/** The optimisers of the textbooks, each a short chain of stages. Defaults and formulas are PyTorch's. */
import { printedCall } from '../lang/print/call-text.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import type { Rate } from './learning-rate.ts'
import { type CommonOptions, commonOptions, decayed, demand, own } from './optimiser-options.ts'
import {
  type AdadeltaOptions,
  type AdagradOptions,
  adadeltaOptions,
  adagradOptions,
  type RmspropOptions,
  rmspropOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByRmsprop,
} from './scalers.ts'
import { scaleByRate, trackMomentum } from './stages.ts'
import { type Optimiser, optimiser, type Transform } from './transform.ts'

/** Settings of `sgd`. */
export interface SgdOptions extends CommonOptions {
  readonly momentum?: number | undefined
  readonly dampening?: number | undefined
  readonly nesterov?: boolean | undefined
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
  const stages = [...decayed('optim.sgd', options), ...momentumOf(options), scaleByRate(rate)]
  return printedCall(optimiser(...stages), 'optim.sgd', rate, options)
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
  const stages = [...decayed('optim.adagrad', options), scaleByAdagrad(own(options)), scaleByRate(rate)]
  return printedCall(optimiser(...stages), 'optim.adagrad', rate, options)
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
  const stages = [
    ...decayed('optim.rmsprop', options),
    scaleByRmsprop(scaling),
    ...momentumOf({ momentum }),
    scaleByRate(rate),
  ]
  return printedCall(optimiser(...stages), 'optim.rmsprop', rate, options)
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
  const stages = [...decayed('optim.adadelta', options), scaleByAdadelta(own(options)), scaleByRate(rate)]
  return printedCall(optimiser(...stages), 'optim.adadelta', rate, options)
}
