/** Losses of a prediction and a target of one shape, named and defined as in torch.nn.functional. */
import { isLeft } from '#fp/Either'
import { broadcastShapes } from '../lang/shape.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type Loss, type LossOptions, loss, lossOptions } from './loss-reduction.ts'
import { mistakeAmong, overspread } from './operands.ts'
import { choose, weighed } from './select.ts'

/**
 * The squared difference of a prediction and a target of one shape (or that broadcast): its mean, `reduction: 'sum'` or
 * `'none'`. Floats. ShapeError for shapes that would compare all with all, such as [n, 1] with [n].
 * @example
 * T.reference(nn.mseLoss(T.tensor([0.5, 2]), T.tensor([1.5, 4]))).data // => [2.5]
 */
export const mseLoss: Loss<'mseLoss'> = loss('nn.mseLoss', lossOptions, (x, y) => T.square(T.sub(x, y)))

/**
 * The absolute difference of a prediction and a target: its mean, `reduction: 'sum'` or `'none'`. Floats; the
 * derivative is 0 where they are equal.
 * @example
 * T.reference(nn.l1Loss(T.tensor([0.5, 2]), T.tensor([1.5, 4]), { reduction: 'none' })).data // => [1, 2]
 */
export const l1Loss: Loss<'l1Loss'> = loss('nn.l1Loss', lossOptions, (x, y) => T.abs(T.sub(x, y)))

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  readonly delta?: number | undefined
}

const huberOptions: OptionNames<HuberOptions> = { ...lossOptions, delta: 'positive' }

/**
 * With d = |x - target|: `d²/2` below `delta` (1), `delta·(d - delta/2)` above (Huber 1964). Reduced as `mseLoss`.
 * @example
 * T.reference(nn.huberLoss(T.tensor([0.5, 2]), T.tensor([1, 5.5]), { reduction: 'none' })).data // => [0.125, 3]
 */
export const huberLoss: Loss<'huberLoss', HuberOptions> = loss(
  'nn.huberLoss',
  huberOptions,
  (x, y, { delta = 1 }: HuberOptions) => {
    const d = T.sub(x, y)
    const size = T.abs(d)
    return choose(T.less(size, delta), T.mul(T.square(d), 0.5), T.mul(T.sub(size, 0.5 * delta), delta))
  },
)

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  readonly beta?: number | undefined
}

const smoothL1Options: OptionNames<SmoothL1Options> = { ...lossOptions, beta: 'amount' }

/**
 * With d = |x - target|: `d²/(2·beta)` below `beta` (1), `d - beta/2` above (Girshick 2015). Reduced as `mseLoss`.
 * @example
 * T.reference(nn.smoothL1Loss(T.tensor([0.5, 2]), T.tensor([1, 5.5]), { reduction: 'none' })).data // => [0.125, 3]
 */
export const smoothL1Loss: Loss<'smoothL1Loss', SmoothL1Options> = loss(
  'nn.smoothL1Loss',
  smoothL1Options,
  (x, y, { beta = 1 }: SmoothL1Options) => {
    const d = T.sub(x, y)
    const size = T.abs(d)
    return beta === 0 ? size : choose(T.less(size, beta), T.mul(T.square(d), 0.5 / beta), T.sub(size, 0.5 * beta))
  },
)

/** Options of the binary cross-entropies: a weight for every element. */
export interface BinaryOptions extends LossOptions {
  readonly weight?: Tensor | undefined
}

const binaryOptions: OptionNames<BinaryOptions> = { ...lossOptions, weight: 'tensor' }

const weighted = (x: Tensor, weight: Tensor | undefined): Tensor => (weight ? T.mul(x, weight) : x)

/** The mistake among the operands; else the refusal of factors that would spread the losses. */
const wrongFactors = (
  name: string,
  x: Tensor,
  y: Tensor,
  factors: Readonly<Record<string, Tensor | undefined>>,
): Tensor | undefined => {
  const mistake = mistakeAmong(name, { 'operand 1': x, 'operand 2': y }, factors)
  if (mistake) return mistake
  const joint = broadcastShapes(x.shape, y.shape)
  return isLeft(joint) ? undefined : overspread(name, x, factors, joint.right)
}

/** What `x(1-x)` counts at least as in the derivative of the binary cross-entropy; PyTorch's. */
const leastDivisor = 1e-12

/**
 * `-(y·log x + (1-y)·log(1-x))` for probabilities x in [0, 1] (NaN outside) and targets y; logarithms count at least as
 * -100, and the derivative is `(x-y) / max(x(1-x), 1e-12)`, which still says where to go from 0 and 1 (torch). `weight`
 * multiplies elements. Reduced as `mseLoss`.
 * @example
 * T.reference(nn.binaryCrossEntropy(T.tensor([0.9, 0.2]), T.tensor([1, 0], { dtype: 'f32' }))).data // => [0.164252]
 */
export const binaryCrossEntropy: Loss<'binaryCrossEntropy', BinaryOptions> = loss(
  'nn.binaryCrossEntropy',
  binaryOptions,
  (x, y, { weight }: BinaryOptions) => {
    const wrong = wrongFactors('nn.binaryCrossEntropy', x, y, { 'the weight': weight })
    if (wrong) return wrong
    const isCertain = T.less(T.mul(x, T.sub(1, x)), leastDivisor)
    const log = (p: Tensor): Tensor =>
      choose(isCertain, T.stopGradient(T.clamp(T.log(p), { min: -100 })), T.log(choose(isCertain, 0.5, p)))
    const cost = T.neg(T.add(T.mul(y, log(x)), T.mul(T.sub(1, y), log(T.sub(1, x)))))
    // Worth nothing, but for its slope.
    const pull = T.mul(T.sub(x, T.stopGradient(x)), T.stopGradient(T.div(T.sub(x, y), leastDivisor)))
    return weighted(T.add(cost, choose(isCertain, pull, 0)), weight)
  },
)

/** Options of `binaryCrossEntropyWithLogits`: `posWeight` multiplies the loss of positive targets. */
export interface BinaryLogitsOptions extends BinaryOptions {
  readonly posWeight?: Tensor | undefined
}

const binaryLogitsOptions: OptionNames<BinaryLogitsOptions> = { ...binaryOptions, posWeight: 'tensor' }

/**
 * `binaryCrossEntropy` of `sigmoid(x)`, computed from the logits so that it is finite for all finite x, and 0 for an infinite
 * one that the target agrees with. `weight` multiplies elements, `posWeight` the part of positive targets. Reduced as
 * `mseLoss`.
 * @example
 * const y = T.tensor([1, 0], { dtype: 'f32' })
 * const each = nn.binaryCrossEntropyWithLogits(T.tensor([2, -200.5]), y, { reduction: 'none' })
 * T.reference(each).data // => [0.126928, 0]
 */
export const binaryCrossEntropyWithLogits: Loss<'binaryCrossEntropyWithLogits', BinaryLogitsOptions> = loss(
  'nn.binaryCrossEntropyWithLogits',
  binaryLogitsOptions,
  (x, y, { weight, posWeight }: BinaryLogitsOptions) => {
    const wrong = wrongFactors('nn.binaryCrossEntropyWithLogits', x, y, { 'the weight': weight, posWeight })
    if (wrong) return wrong
    const isPositive = T.greater(x, 0)
    // y·log(1 + e^-x) + (1-y)·log(1 + e^x), through the exponential that cannot overflow, which both have in common
    const tail = T.log1p(T.exp(choose(isPositive, T.neg(x), x)))
    const own = weighted(posWeight ? T.mul(y, posWeight) : y, weight)
    const other = weighted(T.sub(1, y), weight)
    const slack = T.add(weighed(choose(isPositive, 0, T.neg(x)), own), weighed(choose(isPositive, x, 0), other))
    return T.add(slack, weight || posWeight ? T.mul(T.add(own, other), tail) : tail)
  },
)
