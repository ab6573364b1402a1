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

/** The squared difference. */
export const mseLoss: Loss<'mseLoss'> = loss('nn.mseLoss', (x, y) => T.square(T.sub(x, y)))

/** The absolute difference. */
export const l1Loss: Loss<'l1Loss'> = loss('nn.l1Loss', (x, y) => T.abs(T.sub(x, y)))

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  readonly delta?: number
}

/** Half the squared difference below `delta`, linear above. */
export const huberLoss: Loss<'huberLoss', HuberOptions> = loss('nn.huberLoss', (x, y, { delta = 1 }: HuberOptions) => {
  const d = T.sub(x, y)
  const size = T.abs(d)
  return choose(T.less(size, delta), T.mul(T.square(d), 0.5), T.mul(T.sub(size, 0.5 * delta), delta))
})

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  readonly beta?: number
}

/** The absolute difference, rounded off by a parabola below `beta`. */
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

/** `-(y·log x + (1-y)·log(1-x))` for probabilities x; logarithms count at least as -100. */
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

/** Binary cross-entropy of `sigmoid(x)`, computed from the logits so that it is finite for all x. */
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

/** `-x[target]` for log-probabilities `[N, C, …]` and class indices `[N, …]`; the mean is weighted by the classes' weights. */
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
 * Cross-entropy of `softmax(x)` along the class axis of logits `[N, C, …]` (or `[C]`): targets are class indices `[N, …]`
 * (integers) or probabilities of the logits' shape (floats). An index out of range is an error unless it is `ignoreIndex`.
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
