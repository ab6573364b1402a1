/** Metrics of scores that rank examples of two classes: the ROC curve and the area under it. */
import { isFloat } from '../lang/dtype.ts'
import { dual } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type Metric, refused, tally, unpaired, whole } from './metric-operands.ts'
import { choose } from './select.ts'

type Float = Tensor<Tensor['shape'], 'f32'>

/** Points of a curve `[…, N + 1]`. */
export type RocCurve = readonly [falsePositiveRate: Float, truePositiveRate: Float, thresholds: Float]

type Roc = {
  (labels: Tensor): (scores: Tensor) => RocCurve
  (scores: Tensor, labels: Tensor): RocCurve
}

/** Counts of negatives and positives whose score is at least that of each example, from the greatest score down. i32. */
interface Passed {
  readonly negatives: Tensor
  readonly positives: Tensor
  readonly scores: Tensor
}

const passedOf = (given: Tensor, labels: Tensor): Passed => {
  const scores = T.cast(given, isFloat(given.dtype) ? given.dtype : 'f32') as Tensor
  const order = T.argsort(scores, { descending: true })
  const sorted = T.takeAlongAxis(scores, order) as Tensor
  const isPositive = T.takeAlongAxis(T.greater(whole(labels), 0), order) as Tensor
  const size = sorted.shape.at(-1)!
  const isLast = T.logicalOr(
    T.notEqual(sorted, T.roll(sorted, -1, { axis: -1 })),
    T.equal(T.arange(size), size - 1),
  ) as Tensor
  // All of a tie stand where its last stands: counts grow, so that is the least of those that end a tie.
  const atEnd = (counted: Tensor): Tensor => {
    const running = T.cumsum(whole(counted), { axis: -1 }) as Tensor
    return T.cummin(choose(isLast, running, 2 ** 31 - 1), { axis: -1, reverse: true })[0] as Tensor
  }
  return { negatives: atEnd(T.logicalNot(isPositive) as Tensor), positives: atEnd(isPositive), scores: sorted }
}

/** `x` with one more element before its first along the last axis. */
const preceded = (x: Tensor, first: number): Tensor =>
  T.pad(x, [...x.shape.slice(0, -1).map((): readonly [number, number] => [0, 0]), [1, 0]], { value: first })

/** Counts as shares of the last of them; NaN where there are none. */
const rates = (counts: Tensor, all: Tensor): Tensor => {
  const total = T.expandDims(T.cast(all, 'f32'), -1) as Tensor
  return choose(T.equal(total, 0), Number.NaN, T.div(T.cast(counts, 'f32'), T.maximum(total, 1)) as Tensor)
}

/** `x` where every score is a number, else NaN: one that is none has no rank. */
const ranked = (scores: Tensor, x: Tensor): Tensor =>
  choose(
    T.any(T.isnan(scores), { axis: -1, keepdims: x.shape.length === scores.shape.length }) as Tensor,
    Number.NaN,
    x,
  )

/** What is wrong with scores and labels of two classes. */
const unranked = (name: string, scores: Tensor, labels: Tensor): Tensor | undefined =>
  unpaired(name, scores, labels) ??
  (isFloat(labels.dtype)
    ? refused(name, [scores, labels], `labels are ${labels.dtype}, not integers or bool`, 'as T.greater(y, 0.5) is')
    : undefined)

/**
 * The receiver operating characteristic of scores `[…, N]` and labels `[…, N]` (integers or bool, positive above 0): false
 * and true positive rates and thresholds, f32 `[…, N + 1]` each (roc_curve with drop_intermediate=False). The first point
 * is (0, 0) with threshold Infinity; then one an example, from the greatest score down, where examples of equal score all
 * stand at the last point of their tie, so that the shape does not depend on the data. A rate is NaN where its class is
 * missing, and all are where a score is. ShapeError for unlike shapes and labels that are floats.
 * @example
 * const [fpr, tpr, thresholds] = nn.rocCurve(T.tensor([0.25, 0.5, 0.5, 0.75]), T.tensor([0, 1, 0, 1]))
 * T.reference([fpr, tpr]).map((t) => t.data) // => [[0, 0, 0.5, 0.5, 1], [0, 0.5, 1, 1, 1]]
 * T.reference(thresholds).data // => [Infinity, 0.75, 0.5, 0.5, 0.25]
 */
export const rocCurve: Roc = dual('nn.rocCurve', 2, (scores: Tensor, labels: Tensor) => {
  const wrong = unranked('nn.rocCurve', scores, labels)
  if (wrong) return [wrong, wrong, wrong]
  const { negatives, positives, scores: sorted } = passedOf(scores, labels)
  const isPositive = T.greater(whole(labels), 0) as Tensor
  return [
    ranked(sorted, rates(preceded(negatives, 0), tally(T.logicalNot(isPositive) as Tensor, -1))),
    ranked(sorted, rates(preceded(positives, 0), tally(isPositive, -1))),
    T.cast(preceded(sorted, Number.POSITIVE_INFINITY), 'f32'),
  ]
})

/**
 * The area under the ROC curve: the probability that a positive example scores above a negative one, ties counting half
 * (Mann-Whitney; roc_auc_score). Scores `[…, N]` and labels `[…, N]` (integers or bool, positive above 0) → f32 `[…]`, NaN
 * where a class is missing or a score is NaN. ShapeError for unlike shapes and labels that are floats.
 * @example
 * T.reference(nn.rocAuc(T.tensor([0.25, 0.5, 0.5, 0.75]), T.tensor([0, 1, 0, 1]))).data // => [0.875]
 */
export const rocAuc: Metric = dual('nn.rocAuc', 2, (scores: Tensor, labels: Tensor) => {
  const wrong = unranked('nn.rocAuc', scores, labels)
  if (wrong) return wrong
  const { negatives, positives, scores: sorted } = passedOf(scores, labels)
  const size = negatives.shape.at(-1)!
  const before = (x: Tensor): Tensor => T.narrow(preceded(x, 0), 0, size, { axis: -1 }) as Tensor
  const isPositive = T.greater(whole(labels), 0) as Tensor
  // Trapezoids as wide as negatives are many: whole numbers times heights from 0 to 1 keep the ends 0, ½ and 1 exact.
  const width = T.cast(T.sub(negatives, before(negatives)), 'f32')
  const height = T.mul(
    T.add(rates(positives, tally(isPositive, -1)), rates(before(positives), tally(isPositive, -1))),
    0.5,
  )
  const area = T.sum(T.mul(width, height) as Tensor, { axis: -1 }) as Tensor
  const others = T.cast(tally(T.logicalNot(isPositive) as Tensor, -1), 'f32') as Tensor
  const isMissing = T.logicalOr(T.equal(others, 0), T.logicalNot(T.any(isPositive, { axis: -1 }))) as Tensor
  return ranked(sorted, choose(isMissing, Number.NaN, T.div(area, T.maximum(others, 1)) as Tensor))
})
