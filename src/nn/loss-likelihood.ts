/** Losses that compare with a distribution: Kullback-Leibler divergence, Poisson and normal likelihoods. */
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import {
  type Loss,
  type LossOptions,
  type LossReduction,
  loss,
  lossOptions,
  reduced,
  spreadMistake,
  type TripleLoss,
} from './loss-reduction.ts'
import { mistakeAmong, overspread } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose, heldAbove, weighed } from './select.ts'

/** Options of `klDiv`: `batchmean` divides the sum by the first size, `logTarget` says that targets are logarithms. */
export interface KlDivOptions {
  readonly reduction?: LossReduction | 'batchmean' | undefined
  readonly logTarget?: boolean | undefined
}

const klDivOptions: OptionNames<KlDivOptions> = { reduction: 'own', logTarget: 'boolean' }

/** `e^y·(y - x)`, 0 where y is -Infinity. */
const divergenceOfLogs = (x: Tensor, y: Tensor): Tensor => {
  const both = T.logicalAnd(T.isinf(y), T.equal(x, y))
  return weighed(T.sub(y, choose(both, 0, x)), T.exp(y))
}

/**
 * The Kullback-Leibler divergence of log-probabilities `x` from probabilities `target`: `target·(log target - x)`, 0
 * where the target is 0, whatever x is; under `logTarget` the targets are logarithms too, -Infinity that of 0. Its mean over elements; `'batchmean'`, the sum
 * over the first size, is the divergence as it is defined; `'sum'`, `'none'`.
 * @example
 * const [x, y] = [T.tensor([[-0.5, -1]]), T.tensor([[0.5, 0.5]])]
 * T.reference(nn.klDiv(x, y, { reduction: 'batchmean' })).data // => [0.056853]
 */
export const klDiv: Loss<'klDiv', KlDivOptions> = dualWith(
  'nn.klDiv',
  2,
  klDivOptions,
  roundedOnce((x: Tensor, y: Tensor, { reduction, logTarget = false }: KlDivOptions = {}) => {
    demandChoice('nn.klDiv', 'reduction', reduction, ['mean', 'batchmean', 'sum', 'none'])
    const wrong = spreadMistake('nn.klDiv', x, y)
    if (wrong) return wrong
    const each = logTarget ? divergenceOfLogs(x, y) : T.sub(T.xlogy(y, y), weighed(x, y))
    if (reduction !== 'batchmean') return reduced('nn.klDiv', each, reduction)
    return isMistake(each) ? each : T.div(T.sum(each), x.shape[0] ?? 1)
  }),
)

/** `count·log rate`, 0 where both are 0. */
const timesLog = (count: Tensor, rate: Tensor): Tensor =>
  T.mul(count, T.log(choose(T.logicalAnd(T.equal(count, 0), T.equal(rate, 0)), 1, rate)))

/** Options of `poissonNllLoss`. `full` adds Stirling's formula for `log target!`. */
export interface PoissonOptions extends LossOptions {
  readonly logInput?: boolean | undefined
  readonly full?: boolean | undefined
  readonly eps?: number | undefined
}

const poissonOptions: OptionNames<PoissonOptions> = {
  ...lossOptions,
  logInput: 'boolean',
  full: 'boolean',
  eps: 'amount',
}

/**
 * The negative log-likelihood of counts under Poisson distributions, without `log target!` unless `full`: `eˣ -
 * target·x` where `x` is the logarithm of the rate (`logInput`, true by default), else `x - target·log(x + eps)`, eps
 * 1e-8; a count of 0 at the rate 0 costs 0. Reduced as `mseLoss`.
 * @example
 * const y = T.tensor([1.5, 2])
 * T.reference(nn.poissonNllLoss(T.tensor([0.5, 1]), y, { reduction: 'none' })).data // => [0.898721, 0.718282]
 */
export const poissonNllLoss: Loss<'poissonNllLoss', PoissonOptions> = loss(
  'nn.poissonNllLoss',
  poissonOptions,
  (x, y, { logInput = true, full = false, eps = 1e-8 }: PoissonOptions) => {
    const each = logInput ? T.sub(T.exp(x), weighed(x, y)) : T.sub(x, timesLog(y, T.add(x, eps)))
    if (!full) return each
    const large = T.greater(y, 1)
    const safe = choose(large, y, 1)
    const stirling = T.add(T.sub(T.mul(safe, T.log(safe)), safe), T.mul(T.log(T.mul(safe, 2 * Math.PI)), 0.5))
    return T.add(each, choose(large, stirling, 0))
  },
)

/** Options of `gaussianNllLoss`: `full` adds the constant ½·log 2π; the least variance is `eps` (1e-6). */
export interface GaussianOptions extends LossOptions {
  readonly full?: boolean | undefined
  readonly eps?: number | undefined
}

const gaussianOptions: OptionNames<GaussianOptions> = { ...lossOptions, full: 'boolean', eps: 'amount' }

/**
 * The negative log-likelihood of `target` under normal distributions of mean `x` and the given variances: `½·(log v + (x
 * - target)² / v)` with v = max(variance, eps). The variance has x's shape, or lacks its last axis, or has size 1 there.
 * Reduced as `mseLoss`; ShapeError for other shapes of the variance.
 * @example
 * const [x, y] = [T.tensor([[0.5, 1]]), T.tensor([[1.5, 3]])]
 * T.reference(nn.gaussianNllLoss(x, y, T.tensor([[1, 0.5]]), { reduction: 'none' })).data // => [0.5, 3.653426]
 */
export const gaussianNllLoss: TripleLoss<GaussianOptions> = dualWith(
  'nn.gaussianNllLoss',
  3,
  gaussianOptions,
  roundedOnce(
    (x: Tensor, y: Tensor, variance: Tensor, { full = false, eps = 1e-6, reduction }: GaussianOptions = {}) => {
      const wrong =
        mistakeAmong('nn.gaussianNllLoss', { 'operand 1': x, 'the target': y, 'the variance': variance }) ??
        overspread('nn.gaussianNllLoss', x, { 'the target': y })
      if (wrong) return wrong
      const gap = T.square(T.sub(x, y))
      const [shape, given] = [x.shape, variance.shape]
      const without = given.length === shape.length - 1 && given.every((d, i) => d === shape[i])
      const laid = without ? T.expandDims(variance, -1) : variance
      const last = shape.length - 1
      if (
        !without &&
        (given.length !== shape.length || given.some((d, i) => d !== shape[i] && !(i === last && d === 1)))
      )
        return tensorOf(
          refuse('nn.gaussianNllLoss', [nodeOf(x), nodeOf(y), nodeOf(variance)], {
            reason: `a variance of shape [${given.join(', ')}] does not fit predictions of shape [${shape.join(', ')}]`,
            hint: 'give one for each prediction, or for each vector along the last axis: T.expandDims(variance, -1)',
          }),
        )
      const v = heldAbove(laid, eps)
      const each = T.mul(T.add(T.log(v), T.div(gap, v)), 0.5)
      return reduced('nn.gaussianNllLoss', full ? T.add(each, 0.5 * Math.log(2 * Math.PI)) : each, reduction)
    },
  ),
)
