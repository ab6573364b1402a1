/** How near vectors are: cosines of angles, distances, and the loss that asks for either. */
import { isLeft } from '#fp/Either'
import { broadcastShapes } from '../lang/shape.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type LossOptions, lossOptions, type TripleLoss, tripleLoss } from './loss-reduction.ts'
import { mistakeAmong, overspread } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose, heldAbove } from './select.ts'

/** A dual function of two tensors along one axis, which is gone from the result. */
type Likeness<Options> = {
  (a: Tensor, b: Tensor, options?: Options): Tensor
  (b: Tensor, options?: Options): (a: Tensor) => Tensor
}

/** Options of `cosineSimilarity`: the axis of the vectors (1), the least norm (1e-8). */
export interface CosineOptions {
  readonly axis?: number | undefined
  readonly eps?: number | undefined
}

const cosineOptions: OptionNames<CosineOptions> = { axis: 'own', eps: 'amount' }

/**
 * The cosine of the angle between vectors along `axis` (1): `a·b / (|a| |b|)`, each norm at least `eps` (1e-8). Operands
 * broadcast first, the axis is gone; floats.
 * @example
 * T.reference(nn.cosineSimilarity(T.tensor([[3, 4.5]]), T.tensor([[6, 9]], { dtype: 'f32' }))).data // => [1]
 */
export const cosineSimilarity: Likeness<CosineOptions> = dualWith(
  'nn.cosineSimilarity',
  2,
  cosineOptions,
  roundedOnce((a: Tensor, b: Tensor, { axis = 1, eps = 1e-8 }: CosineOptions = {}) => {
    const [x, y] = T.broadcastArrays([a, b]) as readonly [Tensor, Tensor]
    const norm = (v: Tensor): Tensor => T.sqrt(heldAbove(T.sum(T.square(v), { axis, keepdims: true }), eps * eps))
    const unit = (v: Tensor): Tensor => T.div(v, norm(v))
    return T.sum(T.mul(unit(x), unit(y)), { axis })
  }),
)

/** Options of `pairwiseDistance`: the order of the norm (2), what is added to each difference (1e-6). */
export interface DistanceOptions {
  readonly p?: number | undefined
  readonly eps?: number | undefined
}

const distanceOptions: OptionNames<DistanceOptions> = { p: 'number', eps: 'amount' }

/**
 * The `p`-norm (2) of `a - b + eps` along the last axis: `[…, D]`, `[…, D]` → `[…]`; eps 1e-6, as torch. Operands
 * broadcast; floats.
 * @example
 * const [a, b] = [T.tensor([[0.5, 1]]), T.tensor([[3.5, 5]])]
 * T.reference(nn.pairwiseDistance(a, b, { eps: 0 })).data // => [5]
 */
export const pairwiseDistance: Likeness<DistanceOptions> = dualWith(
  'nn.pairwiseDistance',
  2,
  distanceOptions,
  roundedOnce((a: Tensor, b: Tensor, { p = 2, eps = 1e-6 }: DistanceOptions = {}) =>
    T.vectorNorm(eps === 0 ? T.sub(a, b) : T.add(T.sub(a, b), eps), { p, axis: -1 }),
  ),
)

/** Options of `cosineEmbeddingLoss`: the cosine up to which unlike vectors cost nothing (0). */
export interface CosineEmbeddingOptions extends LossOptions {
  readonly margin?: number | undefined
}

const cosineEmbeddingOptions: OptionNames<CosineEmbeddingOptions> = { ...lossOptions, margin: 'finite' }

/** The refusal of targets that would spread the cosines, or of anything that is a mistake itself. */
const wrongSigns = (a: Tensor, b: Tensor, y: Tensor): Tensor | undefined => {
  const name = 'nn.cosineEmbeddingLoss'
  const mistake = mistakeAmong(name, { 'operand 1': a, 'operand 2': b, 'the target': y })
  if (mistake) return mistake
  const joint = broadcastShapes(a.shape, b.shape)
  return isLeft(joint) ? undefined : overspread(name, a, { 'the target': y }, joint.right.slice(0, -1))
}

/** Keeps the norms of zero vectors off zero; PyTorch's. */
const tiny = 1e-12

/**
 * For vectors along the last axis, `[…, D]` twice, and targets `[…]`: `1 - cos(a, b)` where the target is 1, `max(0,
 * cos(a, b) - margin)` where it is -1. Reduced as `mseLoss`.
 * @example
 * const [a, b] = [T.tensor([[3, 4.5], [1, 0]]), T.tensor([[6, 9], [0, 1.5]])]
 * T.reference(nn.cosineEmbeddingLoss(a, b, T.tensor([1, -1]), { reduction: 'none' })).data // => [0, 0]
 */
export const cosineEmbeddingLoss: TripleLoss<CosineEmbeddingOptions> = tripleLoss(
  'nn.cosineEmbeddingLoss',
  cosineEmbeddingOptions,
  (a, b, y, { margin = 0 }: CosineEmbeddingOptions) => {
    const wrong = wrongSigns(a, b, y)
    if (wrong) return wrong
    const along = (p: Tensor, q: Tensor): Tensor => T.sum(T.mul(p, q), { axis: -1 })
    const sizes = T.mul(T.add(along(a, a), tiny), T.add(along(b, b), tiny))
    const cosine = T.div(along(a, b), T.sqrt(sizes))
    const sign = T.cast(y, cosine.dtype)
    const alike = choose(T.equal(sign, 1), T.sub(1, cosine), 0)
    return T.add(alike, choose(T.equal(sign, -1), T.clamp(T.sub(cosine, margin), { min: 0 }), 0))
  },
)
