/** Metrics of predicted numbers, with scikit-learn's conventions, and of language models. */
import { isFloat } from '../lang/dtype.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dual, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { crossEntropy } from './loss-class.ts'
import { type Metric, type MetricWith, unpaired } from './metric-operands.ts'
import { choose } from './select.ts'

/** A metric of numbers along the last axis, in f32. */
const ofNumbers = (name: string, body: (predicted: Tensor, target: Tensor) => Tensor): Metric =>
  dual(name, 2, (predicted: Tensor, target: Tensor) => {
    const wrong = unpaired(name, predicted, target)
    return wrong ?? body(T.cast(predicted, 'f32') as Tensor, T.cast(target, 'f32') as Tensor)
  })

const over = { axis: -1 } as const

/** The coefficient of determination of two tensors `[…, N]`. */
const determined = (predicted: Tensor, target: Tensor): Tensor => {
  const left = T.sum(T.square(T.sub(target, predicted)), over) as Tensor
  const apart = T.sub(target, T.mean(target, { ...over, keepdims: true })) as Tensor
  const total = T.sum(T.square(apart), over) as Tensor
  const flat = T.equal(total, 0) as Tensor
  const usual = T.sub(1, T.div(left, choose(flat, 1, total))) as Tensor
  const ofEqual = choose(T.equal(left, 0), 1, choose(T.isnan(left), Number.NaN, T.zerosLike(left)))
  return choose(flat, ofEqual, usual)
}

/**
 * The coefficient of determination `1 - Σ(y - ŷ)² / Σ(y - ȳ)²`: predictions and targets `[…, N]` → f32 `[…]` (r2_score;
 * predictions come first here, as in losses). Of equal targets it is 1 where the predictions are right and else 0, as
 * there; NaN of fewer than two examples. ShapeError for unlike shapes.
 * @example
 * T.reference(nn.r2Score(T.tensor([1.5, 2, 2.5]), T.tensor([1, 2, 3]))).data // => [0.75]
 */
export const r2Score: Metric = ofNumbers('nn.r2Score', (predicted, target) => {
  const isFew = T.less(T.sum(T.onesLike(target), over), 2) as Tensor
  return choose(isFew, Number.NaN, determined(predicted, target))
})

/**
 * The root of the mean squared difference: predictions and targets `[…, N]` → f32 `[…]`, NaN of no examples
 * (root_mean_squared_error). ShapeError for unlike shapes.
 * @example
 * T.reference(nn.rmse(T.tensor([1, 5]), T.tensor([2, 12]))).data // => [5]
 */
export const rmse: Metric = ofNumbers(
  'nn.rmse',
  (predicted, target) => T.sqrt(T.mean(T.square(T.sub(predicted, target)), over)) as Tensor,
)

/**
 * The mean absolute difference: predictions and targets `[…, N]` → f32 `[…]`, NaN of no examples (mean_absolute_error;
 * `l1Loss` is the one of all elements). ShapeError for unlike shapes.
 * @example
 * T.reference(nn.meanAbsoluteError(T.tensor([1, 5]), T.tensor([2, 12]))).data // => [4]
 */
export const meanAbsoluteError: Metric = ofNumbers(
  'nn.meanAbsoluteError',
  (predicted, target) => T.mean(T.abs(T.sub(predicted, target)), over) as Tensor,
)

/** Options of `perplexity`: a target that does not count, -100 unless given. */
export interface PerplexityOptions {
  readonly ignoreIndex?: number | undefined
}

const perplexityOptions: OptionNames<PerplexityOptions> = { ignoreIndex: 'integer' }

/**
 * `e` to the mean cross-entropy, over all positions that count: logits `[N, C, …]` (or `[C]`) and classes `[N, …]`, as
 * `crossEntropy` takes them → a scalar, the number of classes among which an even guess would do as well. Of a mean
 * cross-entropy that is there already it is `T.exp(loss)`. NaN of no positions.
 * @example
 * T.reference(nn.perplexity(T.zeros([2, 5]), T.tensor([1, 4]))).data // => [5]
 */
export const perplexity: MetricWith<PerplexityOptions> = dualWith(
  'nn.perplexity',
  2,
  perplexityOptions,
  (logits: Tensor, target: Tensor, options: PerplexityOptions = {}) => {
    const wide = isMistake(logits) || !isFloat(logits.dtype) ? logits : T.cast(logits, 'f32')
    return T.exp(crossEntropy(wide as Tensor, target, options))
  },
)
