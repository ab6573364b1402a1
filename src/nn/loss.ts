/** Losses, named and defined as in torch.nn.functional. */
import { isMistake } from '../lang/tensor/ask.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { ElementwiseCheck } from '../lang/types/broadcast.ts'
import type { Tensor } from '../lang/types.ts'
import { choose } from './choose.ts'
import { logSoftmax } from './softmax.ts'

/** What becomes of the losses of single elements. */
export type LossReduction = 'mean' | 'sum' | 'none'

/** Options of all losses. */
export interface LossOptions {
  readonly reduction?: LossReduction
}

/** A loss of dtype `D` under options `O`: a scalar, or of shape `S` when nothing is reduced. */
type Reduced<S extends Tensor['shape'], D extends Tensor['dtype'], O> = O extends { readonly reduction: 'none' }
  ? Tensor<S, D>
  : O extends { readonly reduction: infer R }
    ? LossReduction extends R
      ? Tensor<Tensor['shape'], D>
      : Tensor<readonly [], D>
    : Tensor<readonly [], D>

/** A loss of a prediction and a target of one shape. */
export interface Loss<Op extends string, Options extends LossOptions = LossOptions> {
  <A extends Tensor, B extends Tensor, const O extends Options = Options & Record<never, never>>(
    x: A,
    target: B & ElementwiseCheck<A, B, Op>,
    options?: O,
  ): Reduced<A['shape'], A['dtype'], O>
  <B extends Tensor, const O extends Options = Options & Record<never, never>>(
    target: B,
    options?: O,
  ): <A extends Tensor>(x: A & ElementwiseCheck<A, B, Op>) => Reduced<A['shape'], A['dtype'], O>
}

const reduced = (x: Tensor, reduction: LossReduction = 'mean'): Tensor =>
  reduction === 'none' ? x : reduction === 'sum' ? T.sum(x) : T.mean(x)

const loss = <F, O extends LossOptions>(name: string, f: (x: Tensor, target: Tensor, options: O) => Tensor): F =>
  dualWith(name, 2, (x: Tensor, target: Tensor, options: O = {} as O) =>
    reduced(f(x, target, options), options.reduction),
  )

/**
 * The squared difference of a prediction and a target of one shape (or that broadcast): its mean, `reduction: 'sum'` or
 * `'none'`. Floats.
 * @example
 * T.reference(nn.mseLoss(T.tensor([0.5, 2]), T.tensor([1.5, 4]))).data // => [2.5]
 */
export const mseLoss: Loss<'mseLoss'> = loss('nn.mseLoss', (x, y) => T.square(T.sub(x, y)))

/**
 * The absolute difference of a prediction and a target: its mean, `reduction: 'sum'` or `'none'`. Floats; the
 * derivative is 0 where they are equal.
 * @example
 * T.reference(nn.l1Loss(T.tensor([0.5, 2]), T.tensor([1.5, 4]), { reduction: 'none' })).data // => [1, 2]
 */
export const l1Loss: Loss<'l1Loss'> = loss('nn.l1Loss', (x, y) => T.abs(T.sub(x, y)))

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  readonly delta?: number
}

/**
 * With d = |x - target|: `d²/2` below `delta` (1), `delta·(d - delta/2)` above (Huber 1964). Reduced as `mseLoss`.
 * @example
 * T.reference(nn.huberLoss(T.tensor([0.5, 2]), T.tensor([1, 5.5]), { reduction: 'none' })).data // => [0.125, 3]
 */
export const huberLoss: Loss<'huberLoss', HuberOptions> = loss('nn.huberLoss', (x, y, { delta = 1 }: HuberOptions) => {
  const d = T.sub(x, y)
  const size = T.abs(d)
  return choose(T.less(size, delta), T.mul(T.square(d), 0.5), T.mul(T.sub(size, 0.5 * delta), delta))
})

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  readonly beta?: number
}

/**
 * With d = |x - target|: `d²/(2·beta)` below `beta` (1), `d - beta/2` above (Girshick 2015). Reduced as `mseLoss`.
 * @example
 * T.reference(nn.smoothL1Loss(T.tensor([0.5, 2]), T.tensor([1, 5.5]), { reduction: 'none' })).data // => [0.125, 3]
 */
export const smoothL1Loss: Loss<'smoothL1Loss', SmoothL1Options> = loss(
  'nn.smoothL1Loss',
  (x, y, { beta = 1 }: SmoothL1Options) => {
    const d = T.sub(x, y)
    const size = T.abs(d)
    return beta === 0 ? size : choose(T.less(size, beta), T.mul(T.square(d), 0.5 / beta), T.sub(size, 0.5 * beta))
  },
)

/** Options of the binary cross-entropies: a weight for every element. */
export interface BinaryOptions extends LossOptions {
  readonly weight?: Tensor
}

/** `log x`, at least -100, with no gradient where it is held. */
const boundedLog = (x: Tensor): Tensor => {
  const none = T.lessEqual(x, 0)
  return choose(none, -100, T.clamp(T.log(choose(none, 1, x)), { min: -100 }))
}

const weighted = (x: Tensor, weight: Tensor | undefined): Tensor => (weight ? T.mul(x, weight) : x)

/**
 * `-(y·log x + (1-y)·log(1-x))` for probabilities x in [0, 1] and targets y; logarithms count at least as -100 (torch).
 * `weight` multiplies elements. Reduced as `mseLoss`.
 * @example
 * T.reference(nn.binaryCrossEntropy(T.tensor([0.9, 0.2]), T.tensor([1, 0], { dtype: 'f32' }))).data // => [0.164252]
 */
export const binaryCrossEntropy: Loss<'binaryCrossEntropy', BinaryOptions> = loss(
  'nn.binaryCrossEntropy',
  (x, y, { weight }: BinaryOptions) => {
    const likely = T.mul(y, boundedLog(x))
    const unlikely = T.mul(T.sub(1, y), boundedLog(T.sub(1, x)))
    return weighted(T.neg(T.add(likely, unlikely)), weight)
  },
)

/** Options of `binaryCrossEntropyWithLogits`: `posWeight` multiplies the loss of positive targets. */
export interface BinaryLogitsOptions extends BinaryOptions {
  readonly posWeight?: Tensor
}

/**
 * `binaryCrossEntropy` of `sigmoid(x)`, computed from the logits so that it is finite for all finite x. `weight`
 * multiplies elements, `posWeight` the part of positive targets. Reduced as `mseLoss`.
 * @example
 * const y = T.tensor([1, 0], { dtype: 'f32' })
 * const each = nn.binaryCrossEntropyWithLogits(T.tensor([2, -200.5]), y, { reduction: 'none' })
 * T.reference(each).data // => [0.126928, 0]
 */
export const binaryCrossEntropyWithLogits: Loss<'binaryCrossEntropyWithLogits', BinaryLogitsOptions> = loss(
  'nn.binaryCrossEntropyWithLogits',
  (x, y, { weight, posWeight }: BinaryLogitsOptions) => {
    const positive = T.greater(x, 0)
    // log(1 + e^-x), through the exponential that cannot overflow
    const tail = T.log1p(T.exp(choose(positive, T.neg(x), x)))
    const softplus = T.add(tail, choose(positive, 0, T.neg(x)))
    const factor = posWeight ? T.add(T.mul(y, T.sub(posWeight, 1)), 1) : undefined
    const base = T.mul(T.sub(1, y), x)
    return weighted(T.add(base, factor ? T.mul(factor, softplus) : softplus), weight)
  },
)

/** Options of the class losses: a weight for each class, and a target that does not count. */
export interface ClassOptions extends LossOptions {
  readonly weight?: Tensor
  readonly ignoreIndex?: number
}

/** Where classes stand: axis 1, or 0 when there is no batch. */
const classAxis = (x: Tensor): number => (x.shape.length > 1 ? 1 : 0)

/** A weight for each class laid along the class axis. */
const classWeights = (x: Tensor, weight: Tensor): Tensor =>
  T.reshape(weight, [-1, ...Array.from({ length: x.shape.length - 1 - classAxis(x) }, () => 1)])

/** Per-element losses and their weights (undefined: all 1). */
interface Weighed {
  readonly losses: Tensor
  readonly weights: Tensor | undefined
}

const picked = (
  logp: Tensor,
  target: Tensor,
  { weight, ignoreIndex }: ClassOptions,
): Weighed & { readonly safe: Tensor } => {
  const axis = classAxis(logp)
  const counts = ignoreIndex === undefined ? undefined : T.notEqual(target, ignoreIndex)
  const safe = counts ? choose(counts, target, 0) : target
  const chosen = T.squeeze(T.takeAlongAxis(logp, T.expandDims(safe, axis), { axis }), { axis })
  const own = weight ? T.take(weight, safe) : undefined
  const mask = counts ? T.cast(counts, logp.dtype) : undefined
  const weights = own && mask ? T.mul(own, mask) : (own ?? mask)
  return { losses: weights ? T.neg(T.mul(chosen, weights)) : T.neg(chosen), weights, safe }
}

const averaged = ({ losses, weights }: Weighed, reduction: LossReduction = 'mean'): Tensor =>
  reduction === 'mean' && weights ? T.div(T.sum(losses), T.sum(weights)) : reduced(losses, reduction)

interface ClassLoss<Options extends LossOptions> {
  <A extends Tensor, const O extends Options = Options & Record<never, never>>(
    x: A,
    target: Tensor,
    options?: O,
  ): Reduced<Tensor['shape'], A['dtype'], O>
  <const O extends Options = Options & Record<never, never>>(
    target: Tensor,
    options?: O,
  ): <A extends Tensor>(x: A) => Reduced<Tensor['shape'], A['dtype'], O>
}

/**
 * `-x[target]` for log-probabilities `[N, C, …]` (or `[C]`) and class indices `[N, …]`. `weight` `[C]` weighs classes,
 * and the mean is divided by the weights' sum; targets equal to `ignoreIndex` do not count. Other indices out of range
 * are an IndexError.
 * @example
 * const logp = T.tensor([[-0.5, -1], [-2, -0.25]])
 * T.reference(nn.nllLoss(logp, T.tensor([0, 1]))).data // => [0.375]
 */
export const nllLoss: ClassLoss<ClassOptions> = dualWith(
  'nn.nllLoss',
  2,
  (x: Tensor, target: Tensor, options: ClassOptions = {}) =>
    isMistake(x) || isMistake(target)
      ? T.neg(isMistake(x) ? x : target)
      : averaged(picked(x, target, options), options.reduction),
)

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ClassOptions {
  /** How much of each target is spread evenly over the classes. */
  readonly labelSmoothing?: number
}

/** A mean over the batch of distributions: PyTorch divides by the number of targets, not of elements. */
const overTargets = (x: Tensor, losses: Tensor, reduction: LossReduction = 'mean'): Tensor => {
  if (reduction !== 'mean') return reduced(losses, reduction)
  const targets = x.shape.reduce((a, b) => a * b, 1) / x.shape[classAxis(x)]!
  return T.div(T.sum(losses), targets)
}

const softTargets = (
  x: Tensor,
  logp: Tensor,
  target: Tensor,
  { weight, labelSmoothing = 0, reduction }: CrossEntropyOptions,
): Tensor => {
  const axis = classAxis(x)
  const classes = x.shape[axis]!
  const smooth = labelSmoothing === 0 ? target : T.add(T.mul(target, 1 - labelSmoothing), labelSmoothing / classes)
  const terms = T.mul(logp, weight ? T.mul(smooth, classWeights(x, weight)) : smooth)
  return overTargets(x, T.neg(T.sum(terms, { axis })), reduction)
}

/**
 * Cross-entropy of `softmax(x)` along the class axis of logits `[N, C, …]` (or `[C]`): targets are class indices `[N,
 * …]` (integers) or probabilities of the logits' shape (floats). Options as `nllLoss`; `labelSmoothing` spreads that
 * part of each target evenly. An index out of range is an IndexError unless it is `ignoreIndex`.
 * @example
 * T.reference(nn.crossEntropy(T.tensor([[2, 0]], { dtype: 'f32' }), T.tensor([0]))).data // => [0.126928]
 */
export const crossEntropy: ClassLoss<CrossEntropyOptions> = dualWith(
  'nn.crossEntropy',
  2,
  (x: Tensor, target: Tensor, options: CrossEntropyOptions = {}) => {
    if (isMistake(x) || isMistake(target)) return T.neg(isMistake(x) ? x : target)
    const axis = classAxis(x)
    const logp = logSoftmax(x, { axis })
    if (target.dtype === 'f32' || target.dtype === 'f16') return softTargets(x, logp, target, options)
    const { labelSmoothing = 0, reduction, weight } = options
    const hard = picked(logp, target, options)
    if (labelSmoothing === 0) return averaged(hard, reduction)
    const all = T.neg(T.sum(weight ? T.mul(logp, classWeights(x, weight)) : logp, { axis }))
    const counts = options.ignoreIndex === undefined ? undefined : T.notEqual(target, options.ignoreIndex)
    const even = counts ? choose(counts, all, 0) : all
    const mixed = T.add(T.mul(hard.losses, 1 - labelSmoothing), T.mul(even, labelSmoothing / x.shape[axis]!))
    return averaged({ losses: mixed, weights: hard.weights }, reduction)
  },
)
