/** Losses that are 0 once scores or distances are apart by a margin. */
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import { takeCounted, takeCountedAlong } from '../lang/tensor/index/picking.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { logsigmoid } from './activation.ts'
import { type ClassLoss, wrongWeights } from './loss-class.ts'
import {
  type Loss,
  type LossOptions,
  loss,
  lossOptions,
  reduced,
  type TripleLoss,
  tripleLoss,
} from './loss-reduction.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose, counted } from './select.ts'
import { pairwiseDistance } from './similarity.ts'

/** `max(x, 0)` whose gradient passes at 0, as PyTorch's clamp_min. */
const atLeastZero = (x: Tensor): Tensor => T.clamp(x, { min: 0 })

/** Options of `hingeLoss`: whether the distance to the margin is squared. */
export interface HingeOptions extends LossOptions {
  readonly squared?: boolean | undefined
}

const hingeOptions: OptionNames<HingeOptions> = { ...lossOptions, squared: 'boolean' }

/**
 * `max(0, 1 - x·target)` for targets 1 and -1 (Cortes and Vapnik 1995), or its square under `squared`. Reduced as
 * `mseLoss`.
 * @example
 * const y = T.tensor([1, -1], { dtype: 'f32' })
 * T.reference(nn.hingeLoss(T.tensor([0.5, 2.5]), y, { reduction: 'none' })).data // => [0.5, 3.5]
 */
export const hingeLoss: Loss<'hingeLoss', HingeOptions> = loss(
  'nn.hingeLoss',
  hingeOptions,
  (x, y, { squared }: HingeOptions) => {
    const short = T.relu(T.sub(1, T.mul(x, y)))
    return squared ? T.square(short) : short
  },
)

/** The margin of a loss. */
export interface MarginOptions extends LossOptions {
  readonly margin?: number | undefined
}

const marginOptions: OptionNames<MarginOptions> = { ...lossOptions, margin: 'finite' }

/**
 * Distances `x` of pairs that belong together (target 1) as they are, of pairs that do not (target -1) as `max(0, margin
 * - x)`, margin 1. Reduced as `mseLoss`.
 * @example
 * const [x, y] = [T.tensor([0.5, 0.25]), T.tensor([1, -1], { dtype: 'f32' })]
 * T.reference(nn.hingeEmbeddingLoss(x, y, { reduction: 'none' })).data // => [0.5, 0.75]
 */
export const hingeEmbeddingLoss: Loss<'hingeEmbeddingLoss', MarginOptions> = loss(
  'nn.hingeEmbeddingLoss',
  marginOptions,
  (x, y, { margin = 1 }: MarginOptions) =>
    T.add(
      choose(T.notEqual(y, 1), atLeastZero(T.sub(margin, x)), 0),
      // Compared as floats, which hold -1 where a target's own dtype does not.
      choose(T.notEqual(T.cast(y, x.dtype), -1), x, 0),
    ),
)

/**
 * `log(1 + e^(-x·target))` for targets 1 and -1, finite for all finite x. Reduced as `mseLoss`.
 * @example
 * const [x, y] = [T.tensor([0.5, 200.5]), T.tensor([1, -1], { dtype: 'f32' })]
 * T.reference(nn.softMarginLoss(x, y, { reduction: 'none' })).data // => [0.474077, 200.5]
 */
export const softMarginLoss: Loss<'softMarginLoss'> = loss('nn.softMarginLoss', lossOptions, (x, y) =>
  T.neg(logsigmoid(T.mul(x, y))),
)

/**
 * `max(0, -target·(a - b) + margin)`: target 1 asks that `a` be above `b`, -1 the reverse; margin 0. All broadcast.
 * Reduced as `mseLoss`.
 * @example
 * const [a, b] = [T.tensor([1.5, 2]), T.tensor([1, 5.5])]
 * T.reference(nn.marginRankingLoss(a, b, T.tensor([1, 1]), { reduction: 'none' })).data // => [0, 3.5]
 */
export const marginRankingLoss: TripleLoss<MarginOptions> = tripleLoss(
  'nn.marginRankingLoss',
  marginOptions,
  (a, b, y, { margin = 0 }: MarginOptions) => atLeastZero(T.add(T.neg(T.mul(y, T.sub(a, b))), margin)),
)

/** Options of `tripletMarginLoss`: the margin (1), the order of the norm (2), and whether the swapped distance counts. */
export interface TripletOptions extends MarginOptions {
  readonly p?: number | undefined
  readonly eps?: number | undefined
  readonly swap?: boolean | undefined
}

const tripletOptions: OptionNames<TripletOptions> = { ...marginOptions, p: 'number', eps: 'amount', swap: 'boolean' }

/**
 * `max(0, d(anchor, positive) - d(anchor, negative) + margin)` with distances along the last axis (`pairwiseDistance`):
 * `[…, D]` three times → `[…]`. Under `swap` the negative counts at its distance to the positive where that is less
 * (Balntas et al. 2016). Reduced as `mseLoss`.
 * @example
 * const [a, p, n] = [T.tensor([[0, 0.5]]), T.tensor([[3, 4.5]]), T.tensor([[0, 2.5]])]
 * T.reference(nn.tripletMarginLoss(a, p, n, { eps: 0 })).data // => [4]
 */
export const tripletMarginLoss: TripleLoss<TripletOptions> = tripleLoss(
  'nn.tripletMarginLoss',
  tripletOptions,
  (anchor, positive, negative, { margin = 1, p = 2, eps = 1e-6, swap = false }: TripletOptions) => {
    const near = pairwiseDistance(anchor, positive, { p, eps })
    const far = pairwiseDistance(anchor, negative, { p, eps })
    const least = swap ? T.minimum(far, pairwiseDistance(positive, negative, { p, eps })) : far
    return atLeastZero(T.add(T.sub(near, least), margin))
  },
)

/** Options of `multiMarginLoss`: the margin (1), the power of each term (1 or 2), a weight for each class. */
export interface MultiMarginOptions extends MarginOptions {
  readonly p?: 1 | 2 | undefined
  readonly weight?: Tensor | undefined
}

const multiMarginOptions: OptionNames<MultiMarginOptions> = { ...marginOptions, p: 'own', weight: 'tensor' }

/**
 * How far each other class comes within `margin` of the target's score: `Σ_{j≠y} max(0, margin - x[y] + x[j])ᵖ / C` for
 * scores `[N, C]` (or `[C]`) and class indices `[N]` (or a scalar), times `weight[y]` (Crammer and Singer 2001). Reduced
 * as `mseLoss`. ShapeError for other ranks, IndexError for a class out of range.
 * @example
 * T.reference(nn.multiMarginLoss(T.tensor([[0.5, 0.25, 2]]), T.tensor([0]))).data // => [1.083333]
 */
export const multiMarginLoss: ClassLoss<MultiMarginOptions> = dualWith(
  'nn.multiMarginLoss',
  2,
  multiMarginOptions,
  roundedOnce((x: Tensor, target: Tensor, { margin = 1, p = 1, weight, reduction }: MultiMarginOptions = {}) => {
    demandChoice('nn.multiMarginLoss', 'power p', p, [1, 2])
    const mistake = mistakeAmong('nn.multiMarginLoss', { 'operand 1': x, 'the target': target }, { weight })
    if (mistake) return T.neg(mistake)
    if (x.shape.length < 1 || x.shape.length > 2 || target.shape.length !== x.shape.length - 1)
      return tensorOf(
        refuse('nn.multiMarginLoss', [nodeOf(x), nodeOf(target)], {
          reason: `takes scores [N, C] and classes [N] (or [C] and a scalar), not ranks ${x.shape.length} and ${target.shape.length}`,
        }),
      )
    if (target.shape[0] !== undefined && target.shape[0] !== x.shape[0])
      return tensorOf(
        refuse('nn.multiMarginLoss', [nodeOf(x), nodeOf(target)], {
          reason: `${target.shape[0]} targets do not fit ${x.shape[0]} rows of scores`,
          hint: 'give the number of a class for each row',
        }),
      )
    const wrong = wrongWeights('nn.multiMarginLoss', x, weight)
    if (wrong) return wrong
    const classes = x.shape.at(-1)!
    const own = takeCountedAlong(x, T.expandDims(target, -1))
    const factor = weight && takeCounted(weight, target)
    const others = T.logicalNot(T.oneHot(target, classes, { dtype: 'bool' }))
    const gap = choose(others, T.relu(T.add(T.sub(x, own), margin)), 0)
    const short = factor ? counted(gap, T.expandDims(factor, -1)) : gap
    const each = T.div(T.sum(p === 2 ? T.square(short) : short, { axis: -1 }), classes)
    return reduced('nn.multiMarginLoss', factor ? T.mul(each, factor) : each, reduction)
  }),
)
