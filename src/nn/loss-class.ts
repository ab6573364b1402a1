/** Losses of scores and a class for each example: negative log-likelihood, cross-entropy. */

import * as E from '#fp/Either'
import { build } from '../lang/build.ts'
import { sizeOf } from '../lang/dim.ts'
import { isFloat, isInteger } from '../lang/dtype.ts'
import { normaliseAxis, ShapeEq, showShape } from '../lang/shape.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import { takeCounted, takeCountedAlong } from '../lang/tensor/index/picking.ts'
import * as T from '../lang/tensor/index.ts'
import { holds, refuse } from '../lang/tensor/operand.ts'
import type { Only } from '../lang/types/options.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type LossOptions, type LossReduction, lossOptions, type Reduced, reduced } from './loss-reduction.ts'
import { misshapen, mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose, weighed } from './select.ts'
import { logSoftmax } from './softmax.ts'

/** Options of the class losses: a weight for each class, and a target that does not count. */
export interface ClassOptions extends LossOptions {
  readonly weight?: Tensor | undefined
  /** -100 unless given. */
  readonly ignoreIndex?: number | undefined
  /** Where the classes stand: 1 unless given (0 without a batch), -1 for sequences `[N, T, C]`. */
  readonly axis?: number | undefined
}

/** The target that does not count unless another is named: PyTorch's, where labels are padded with it. */
const unlabelled = -100

const classOptions: OptionNames<ClassOptions> = {
  ...lossOptions,
  weight: 'tensor',
  ignoreIndex: 'integer',
  axis: 'integer',
}

/** Where the classes of scores of this rank stand, counted from the front: axis 1, or 0 when there is no batch, unless `axis` says. */
const classAxis = (rank: number, axis: number = rank > 1 ? 1 : 0): number => (axis < 0 ? axis + rank : axis)

/** A weight for each class laid along the class axis. */
const classWeights = (x: Tensor, weight: Tensor, axis: number): Tensor =>
  T.reshape(weight, [-1, ...Array.from({ length: x.shape.length - 1 - axis }, () => 1)])

/** Per-element losses and their weights (undefined: all 1). */
interface Weighed {
  readonly losses: Tensor
  readonly weights: Tensor | undefined
  /** Which of them count; undefined where all do. */
  readonly counts: Tensor | undefined
}

/** Which targets count: all, undefined, where an unsigned target cannot be the -100 that nobody asked for. */
const counting = (target: Tensor, ignoreIndex: number | undefined): Tensor | undefined =>
  ignoreIndex !== undefined || (isInteger(target.dtype) && holds(unlabelled, target.dtype))
    ? T.notEqual(target, ignoreIndex ?? unlabelled)
    : undefined

const picked = (logp: Tensor, target: Tensor, { weight, ignoreIndex, axis: along }: ClassOptions): Weighed => {
  const axis = classAxis(logp.shape.length, along)
  const counts = counting(target, ignoreIndex)
  const safe = counts ? choose(counts, target, 0) : target
  const chosen = T.squeeze(takeCountedAlong(logp, T.expandDims(safe, axis), { axis }), { axis })
  const own = weight ? takeCounted(weight, safe) : undefined
  const losses = T.neg(own ? weighed(chosen, own) : chosen)
  if (!counts) return { losses, weights: own, counts }
  // What does not count may be infinite, or all there is: a choice keeps its value and its slope out, a factor 0 would not.
  return {
    losses: choose(counts, losses, 0),
    weights: own ? choose(counts, own, 0) : T.cast(counts, logp.dtype),
    counts,
  }
}

/** A sum of more f16 numbers than f16 can count. */
const total = (x: Tensor): Tensor => T.sum(T.cast(x, 'f32'))

/**
 * What each target adds to a mean over those that count. Behind a barrier: it is computed once, for the loss and for the slopes
 * of all scores, where a count in each of them would cost a pass over the scores of its own.
 */
const shareOf = (counts: Tensor, weights: Tensor): Tensor => {
  const share = T.div(T.cast(counts, 'f32'), total(weights))
  return tensorOf(build.barrier([nodeOf(share)], {}))
}

const averaged = (name: string, { losses, weights, counts }: Weighed, reduction: LossReduction = 'mean'): Tensor => {
  if (reduction !== 'mean' || !weights) return reduced(name, losses, reduction)
  // Of no targets at all there is no share: the quotient of two sums is NaN, a sum of shares would be 0.
  const mean =
    counts && sizeOf(losses.shape) > 0
      ? total(T.mul(losses, shareOf(counts, weights)))
      : T.div(total(losses), total(weights))
  return T.cast(mean, losses.dtype)
}

/** The refusal of targets that are neither one class an example nor (floats) probabilities of the shape of the scores. */
const wrongTarget = (name: string, x: Tensor, target: Tensor, axis: number): Tensor | undefined => {
  const wanted = isFloat(target.dtype) && name === 'nn.crossEntropy' ? x.shape : x.shape.filter((_, i) => i !== axis)
  if (ShapeEq.equals(target.shape, wanted)) return undefined
  const classes = x.shape.filter((_, i) => i !== axis)
  if (isFloat(target.dtype) && ShapeEq.equals(target.shape, classes))
    return tensorOf(
      refuse(name, [nodeOf(x), nodeOf(target)], {
        reason: `targets of ${target.dtype} are probabilities, of the shape of the scores ${showShape(x.shape)}, not ${showShape(classes)}`,
        hint: "numbers of classes are integers: T.cast(target, 'i32')",
      }),
    )
  const [scores, given, fits] = [x.shape, target.shape, wanted].map(showShape)
  return tensorOf(
    refuse(name, [nodeOf(x), nodeOf(target)], {
      reason: `targets of shape ${given} do not fit scores of shape ${scores}: ${fits} would`,
      hint: 'give the number of a class for each example',
    }),
  )
}

/** The refusal of weights that are not one a class. */
export const wrongWeights = (
  name: string,
  x: Tensor,
  weight: Tensor | undefined,
  axis: number = classAxis(x.shape.length),
): Tensor | undefined =>
  misshapen(name, x, { 'the weight': [weight, [x.shape[axis]!]] }, 'give one number for each class')

/** A mistake among the operands has no shape to be asked for. */
const wrongOperand = (name: string, x: Tensor, target: Tensor, options: ClassOptions): Tensor | undefined =>
  mistakeAmong(name, { 'operand 1': x, 'the target': target }, { weight: options.weight }) ??
  wrongShapes(name, x, target, options)

const wrongShapes = (name: string, x: Tensor, target: Tensor, { weight, axis }: ClassOptions): Tensor | undefined => {
  const along = classAxis(x.shape.length, axis)
  return noClasses(name, x, axis) ?? wrongTarget(name, x, target, along) ?? wrongWeights(name, x, weight, along)
}

/** The refusal of scores that have no axis of classes. */
const noClasses = (name: string, x: Tensor, axis = 0): Tensor | undefined => {
  const rank = x.shape.length
  if (rank === 0) return tensorOf(refuse(name, [nodeOf(x)], { reason: 'takes scores [N, C, …] or [C], not a scalar' }))
  const found = normaliseAxis(axis, rank)
  return E.isRight(found)
    ? undefined
    : tensorOf(
        refuse(name, [nodeOf(x)], {
          reason: found.left,
          axis,
          hint: `classes stand on an axis from ${-rank} to ${rank - 1}`,
        }),
      )
}

/** A loss of scores `[N, C, …]` and targets. */
export interface ClassLoss<Options extends LossOptions> {
  <A extends Tensor, const O extends Options = Options & Record<never, never>>(
    x: A,
    target: Tensor,
    options?: O & Only<O, Options>,
  ): Reduced<Tensor['shape'], A['dtype'], O>
  <const O extends Options = Options & Record<never, never>>(
    target: Tensor,
    options?: O & Only<O, Options>,
  ): <A extends Tensor>(x: A) => Reduced<Tensor['shape'], A['dtype'], O>
}

/**
 * `-x[target]` for log-probabilities `[N, C, …]` (or `[C]`; classes stand where `axis` says, if it does) and class indices `[N, …]`. `weight` `[C]` weighs classes,
 * and the mean is divided by the weights' sum. Targets equal to `ignoreIndex` do not count: -100 unless it is given, as in
 * PyTorch. Other targets out of range are an IndexError where the values are known, and of arguments before their upload; one that the device
 * computes is taken for the last class.
 * @example
 * const logp = T.tensor([[-0.5, -1], [-2, -0.25]])
 * T.reference(nn.nllLoss(logp, T.tensor([0, 1]))).data // => [0.375]
 */
export const nllLoss: ClassLoss<ClassOptions> = dualWith(
  'nn.nllLoss',
  2,
  classOptions,
  roundedOnce((x: Tensor, target: Tensor, options: ClassOptions = {}) => {
    const mistake = wrongOperand('nn.nllLoss', x, target, options)
    return mistake ? T.neg(mistake) : averaged('nn.nllLoss', picked(x, target, options), options.reduction)
  }),
)

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ClassOptions {
  /** How much of each target is spread evenly over the classes. */
  readonly labelSmoothing?: number | undefined
}

const crossEntropyOptions: OptionNames<CrossEntropyOptions> = { ...classOptions, labelSmoothing: 'fraction' }

/** A mean over the batch of distributions: PyTorch divides by the number of targets, not of elements. */
const overTargets = (targets: number, losses: Tensor, reduction: LossReduction = 'mean'): Tensor => {
  if (reduction !== 'mean') return reduced('nn.crossEntropy', losses, reduction)
  return T.div(T.sum(losses), targets)
}

const softTargets = (
  x: Tensor,
  logp: Tensor,
  target: Tensor,
  { weight, labelSmoothing = 0, reduction, axis: along }: CrossEntropyOptions,
): Tensor => {
  const axis = classAxis(x.shape.length, along)
  const classes = x.shape[axis]!
  const smooth = labelSmoothing === 0 ? target : T.add(T.mul(target, 1 - labelSmoothing), labelSmoothing / classes)
  const terms = weighed(logp, weight ? T.mul(smooth, classWeights(x, weight, axis)) : smooth)
  return overTargets(sizeOf(x.shape) / classes, T.neg(T.sum(terms, { axis })), reduction)
}

/**
 * Cross-entropy of `softmax(x)` along the class axis of logits `[N, C, …]` (or `[C]`; of sequences `[N, T, C]` with `axis: -1`):
 * targets are class indices, of the shape without that axis (integers), or probabilities of the logits' shape (floats). Options as `nllLoss`; `labelSmoothing` spreads that
 * part of each target evenly. What is of probability or weight 0 costs nothing, be its logit -Infinity. Class indices equal to `ignoreIndex`, -100 by default, do not count; others out of range are an
 * IndexError as there.
 * @example
 * T.reference(nn.crossEntropy(T.tensor([[2, 0]], { dtype: 'f32' }), T.tensor([0]))).data // => [0.126928]
 * const logits = T.tensor([[[0.5, 2], [3, 1], [0, 0]]])
 * T.reference(nn.crossEntropy(logits, T.tensor([[1, 0, 1]]), { axis: -1, reduction: 'none' })).data // => [0.201413, 0.126928, 0.693147]
 */
export const crossEntropy: ClassLoss<CrossEntropyOptions> = dualWith(
  'nn.crossEntropy',
  2,
  crossEntropyOptions,
  roundedOnce((x: Tensor, target: Tensor, options: CrossEntropyOptions = {}) => {
    const mistake = wrongOperand('nn.crossEntropy', x, target, options)
    if (mistake) return T.neg(mistake)
    const axis = classAxis(x.shape.length, options.axis)
    const logp = logSoftmax(x, { axis })
    if (isFloat(target.dtype)) return softTargets(x, logp, target, options)
    const { labelSmoothing = 0, reduction, weight } = options
    const hard = picked(logp, target, options)
    if (labelSmoothing === 0) return averaged('nn.crossEntropy', hard, reduction)
    const all = T.neg(T.sum(weight ? weighed(logp, classWeights(x, weight, axis)) : logp, { axis }))
    const even = hard.counts ? choose(hard.counts, all, 0) : all
    const spread = T.mul(even, labelSmoothing / x.shape[axis]!)
    const mixed = labelSmoothing === 1 ? spread : T.add(T.mul(hard.losses, 1 - labelSmoothing), spread)
    return averaged('nn.crossEntropy', { ...hard, losses: mixed }, reduction)
  }),
)
