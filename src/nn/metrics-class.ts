/** Metrics of predicted classes, with scikit-learn's names and conventions: accuracy, confusion, precision, recall, F1. */

import { isInteger } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { ShapeEq, showShape } from '../lang/shape.ts'
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dual, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import {
  type Metric,
  type MetricWith,
  predictedLabels,
  refused,
  share,
  tally,
  unlabelled,
  whole,
} from './metric-operands.ts'
import { mistakeAmong } from './operands.ts'
import { choose } from './select.ts'

/**
 * The share of labels that are right: predicted and true labels `[…, N]` (integers, bool) → f32 `[…]`, NaN of no examples
 * (accuracy_score; predictions come first here, as in losses). Scores `[…, N, C]`, an axis more than the target has, predict the
 * first of the greatest (torchmetrics). ShapeError for unlike shapes, scores of a single class among
 * them, and for floats as labels.
 * @example
 * T.reference(nn.accuracy(T.tensor([0, 2, 1, 1]), T.tensor([0, 1, 1, 1]))).data // => [0.75]
 * T.reference(nn.accuracy(T.tensor([[0.5, 2.5], [1.5, -1]]), T.tensor([1, 1]))).data // => [0.5]
 */
export const accuracy: Metric = dual('nn.accuracy', 2, (given: Tensor, target: Tensor) => {
  const predicted = predictedLabels('nn.accuracy', given, target)
  const wrong = unlabelled('nn.accuracy', predicted, target)
  return wrong ?? T.mean(T.cast(T.equal(predicted, target), 'f32'), { axis: -1 })
})

/** Options of `topKAccuracy`: how many of the greatest scores count, 2 as in scikit-learn. */
export interface TopKAccuracyOptions {
  readonly k?: number | undefined
}

const topKOptions: OptionNames<TopKAccuracyOptions> = { k: 'count' }

/** The refusal of scores and labels that do not fit. */
const unscored = (name: string, scores: Tensor, target: Tensor): Tensor | undefined => {
  const mistake = mistakeAmong(name, { 'the scores': scores, 'the target': target })
  if (mistake) return mistake
  if (scores.shape.length < 2 || !ShapeEq.equals(scores.shape.slice(0, -1), target.shape))
    return refused(
      name,
      [scores, target],
      `scores of shape ${showShape(scores.shape)} do not fit targets of shape ${showShape(target.shape)}`,
      'give scores […, N, C] and a label for each row, […, N]',
    )
  return isInteger(target.dtype)
    ? undefined
    : refused(name, [scores, target], `targets are ${target.dtype}, not labels`, "cast them: T.cast(y, 'i32')")
}

/**
 * The share of examples whose label is among the `k` (2) greatest scores: scores `[…, N, C]` and labels `[…, N]` → f32
 * `[…]`, NaN of no examples (top_k_accuracy_score). Of equal scores that of the greater label counts as greater, as there;
 * a label that is no class is always wrong. ShapeError where they do not fit.
 * @example
 * const scores = T.tensor([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375]])
 * T.reference(nn.topKAccuracy(scores, T.tensor([1, 2]), { k: 2 })).data // => [0.5]
 */
export const topKAccuracy: MetricWith<TopKAccuracyOptions> = dualWith(
  'nn.topKAccuracy',
  2,
  topKOptions,
  (scores: Tensor, target: Tensor, { k = 2 }: TopKAccuracyOptions = {}) => {
    const wrong = unscored('nn.topKAccuracy', scores, target)
    if (wrong) return wrong
    const labels = T.arange(scores.shape.at(-1)!)
    const given = T.expandDims(whole(target), -1) as Tensor
    const isOwn = T.equal(labels, given) as Tensor
    const own = T.sum(choose(isOwn, scores, 0), { axis: -1, keepdims: true }) as Tensor
    const isAbove = T.logicalOr(
      T.logicalOr(T.greater(scores, own), T.logicalAnd(T.equal(scores, own), T.greater(labels, given))),
      T.isnan(scores),
    ) as Tensor
    const hit = T.logicalAnd(T.less(tally(isAbove, -1), k), T.any(isOwn, { axis: -1 }))
    return T.mean(T.cast(hit, 'f32'), { axis: -1 })
  },
)

/** Options of `confusionMatrix`: how many classes there are, and by what counts are divided (not at all). */
export interface ConfusionOptions {
  readonly classes: number
  readonly normalize?: 'true' | 'pred' | 'all' | undefined
}

const confusionOptions: OptionNames<ConfusionOptions> = { classes: 'must count', normalize: 'own' }

/** The axes over which the counts of a share add up. */
const normalised = { true: [-1], pred: [-2], all: [-2, -1] } as const

type Confusion = {
  (target: Tensor, options: ConfusionOptions): (predicted: Tensor) => Tensor
  (predicted: Tensor, target: Tensor, options: ConfusionOptions): Tensor
}

/**
 * How often each true class (rows) is predicted as each class (columns): labels `[…, N]`, or scores as in `accuracy`, → i32
 * `[…, classes, classes]` (confusion_matrix). Labels below 0 or from `classes` on count nowhere. `normalize` divides by the rows ('true'), the
 * columns ('pred') or everything ('all'), f32, 0 where there is nothing. ShapeError for unlike shapes and floats.
 * @example
 * const m = nn.confusionMatrix(T.tensor([0, 1, 1, 1]), T.tensor([0, 0, 1, 1]), { classes: 2 })
 * T.reference(m).data // => [1, 1, 0, 2]
 */
export const confusionMatrix: Confusion = dualWith(
  'nn.confusionMatrix',
  2,
  confusionOptions,
  (given: Tensor, target: Tensor, { classes, normalize }: ConfusionOptions) => {
    demandChoice('nn.confusionMatrix', 'normalize', normalize, ['true', 'pred', 'all'])
    const predicted = predictedLabels('nn.confusionMatrix', given, target)
    const wrong = unlabelled('nn.confusionMatrix', predicted, target)
    if (wrong) return wrong
    const [row, column] = [whole(target), whole(predicted)]
    const isClass = (x: Tensor): Tensor => T.logicalAnd(T.greaterEqual(x, 0), T.less(x, classes)) as Tensor
    const cells = classes ** 2
    // What counts nowhere goes to a place of its own, which is cut off.
    const cell = choose(
      T.logicalAnd(isClass(row), isClass(column)) as Tensor,
      T.add(T.mul(row, classes), column) as Tensor,
      cells,
    )
    const lead = predicted.shape.slice(0, -1)
    const none = T.zeros([...lead, cells + 1], { dtype: 'i32' }) as Tensor
    const counted = T.scatterAdd(none, cell, 1, { axis: -1 })
    const counts = T.reshape(T.narrow(counted, 0, cells, { axis: -1 }), [...lead, classes, classes]) as Tensor
    return normalize
      ? share(counts, T.sum(counts, { axis: normalised[normalize], keepdims: true }) as Tensor, 0)
      : counts
  },
)

/** What becomes of the scores of single classes; `'binary'` is that of one class alone. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted' | 'none'

/**
 * Options of `precision`, `recall` and `f1Score`: what becomes of the classes ('binary'), how many there are (for all but
 * 'binary'), the class that is positive (1, for 'binary' alone), and what 0 / 0 is (0).
 */
export interface AverageOptions {
  readonly average?: Average | undefined
  readonly classes?: number | undefined
  readonly positive?: number | undefined
  readonly zeroDivision?: number | undefined
}

const averageOptions: OptionNames<AverageOptions> = {
  average: 'own',
  classes: 'count',
  positive: 'integer',
  zeroDivision: 'value',
}

/** Counts for each class `[…, C]`, i32. */
interface Counts {
  /** Predicted, and true. */
  readonly hits: Tensor
  readonly predicted: Tensor
  readonly support: Tensor
}

const countsOf = (predicted: Tensor, target: Tensor, labels: Tensor): Counts => {
  const [p, y] = [predicted, target].map((x) => T.equal(T.expandDims(whole(x), -1), labels) as Tensor) as [
    Tensor,
    Tensor,
  ]
  return { hits: tally(T.logicalAnd(p, y) as Tensor, -2), predicted: tally(p, -2), support: tally(y, -2) }
}

/** The classes that are asked for: the positive one, or all. */
const labelsOf = (name: string, { average = 'binary', classes, positive = 1 }: AverageOptions): Tensor => {
  demandChoice(name, 'average', average, ['binary', 'micro', 'macro', 'weighted', 'none'])
  if (average === 'binary') return T.tensor([positive])
  if (classes !== undefined) return T.arange(classes)
  return raise({
    tag: 'UsageError',
    message: `${name}: average '${average}' needs the number of classes`,
    hint: `write { average: '${average}', classes: 3 }`,
  })
}

/** A score of counts, averaged as asked. */
const averagedScore =
  (name: string, score: (counts: Counts, zero: number) => Tensor) =>
  (given: Tensor, target: Tensor, options: AverageOptions = {}): Tensor => {
    const labels = labelsOf(name, options)
    const predicted = predictedLabels(name, given, target)
    const wrong = unlabelled(name, predicted, target)
    if (wrong) return wrong
    const { average = 'binary', zeroDivision = 0 } = options
    const counts = countsOf(predicted, target, labels)
    const total = (x: Tensor): Tensor => T.sum(x, { axis: -1 }) as Tensor
    if (average === 'micro')
      return score(
        { hits: total(counts.hits), predicted: total(counts.predicted), support: total(counts.support) },
        zeroDivision,
      )
    const each = score(counts, zeroDivision)
    if (average === 'none') return each
    if (average === 'binary') return T.squeeze(each, { axis: -1 }) as Tensor
    if (average === 'macro') return T.nanmean(each, { axis: -1 }) as Tensor
    const isScored = T.logicalNot(T.isnan(each)) as Tensor
    const support = choose(isScored, T.cast(counts.support, 'f32'), 0)
    const all = total(support)
    const mean = T.div(total(T.mul(choose(isScored, each, 0), support) as Tensor), choose(T.equal(all, 0), 1, all))
    return choose(T.equal(all, 0), zeroDivision, mean as Tensor)
  }

/**
 * Of what is predicted as a class, the share that is right, `hits / predicted`: labels `[…, N]`, or scores as in `accuracy`, → f32
 * `[…]`, or `[…, classes]` with `average: 'none'` (precision_score). 'binary' is that of the class `positive` (1); 'macro' the mean over `classes`,
 * 'weighted' weighed by how often each is true, 'micro' that of all counts together. Where nothing is predicted it is
 * `zeroDivision` (0, as scikit-learn); under NaN, means are those of the other classes. UsageError where `classes` is needed,
 * ShapeError for unlike shapes and floats.
 * @example
 * const [p, y] = [T.tensor([1, 1, 0, 1]), T.tensor([1, 0, 0, 0])]
 * T.reference(nn.precision(p, y)).data // => [0.333333]
 * T.reference(nn.precision(p, y, { average: 'none', classes: 3 })).data // => [1, 0.333333, 0]
 */
export const precision: MetricWith<AverageOptions> = dualWith(
  'nn.precision',
  2,
  averageOptions,
  averagedScore('nn.precision', ({ hits, predicted }, zero) => share(hits, predicted, zero)),
)

/**
 * Of what is truly of a class, the share that is found, `hits / support` (recall_score); options, averages and errors as in
 * `precision`. Where nothing is of the class it is `zeroDivision` (0).
 * @example
 * const [p, y] = [T.tensor([1, 0, 0, 1]), T.tensor([1, 1, 0, 1])]
 * T.reference(nn.recall(p, y, { average: 'macro', classes: 2 })).data // => [0.833333]
 */
export const recall: MetricWith<AverageOptions> = dualWith(
  'nn.recall',
  2,
  averageOptions,
  averagedScore('nn.recall', ({ hits, support }, zero) => share(hits, support, zero)),
)

/**
 * The harmonic mean of precision and recall, `2·hits / (predicted + support)` (f1_score); options, averages and errors as
 * in `precision`. Where a class is neither predicted nor true it is `zeroDivision` (0).
 * @example
 * const [p, y] = [T.tensor([1, 0, 0, 1]), T.tensor([1, 1, 0, 1])]
 * T.reference(nn.f1Score(p, y)).data // => [0.8]
 */
export const f1Score: MetricWith<AverageOptions> = dualWith(
  'nn.f1Score',
  2,
  averageOptions,
  averagedScore('nn.f1Score', ({ hits, predicted, support }, zero) =>
    share(T.mul(hits, 2) as Tensor, T.add(predicted, support) as Tensor, zero),
  ),
)
