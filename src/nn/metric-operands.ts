/** What metrics ask of predictions and targets before they count: one for each example, examples along the last axis. */
import { isInteger } from '../lang/dtype.ts'
import { ShapeEq, showShape } from '../lang/shape.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { mistakeAmong } from './operands.ts'
import { choose } from './select.ts'

/** A metric of predictions and targets, dual: predictions come first, as in losses. */
export interface Metric<D extends Tensor['dtype'] = 'f32'> {
  (target: Tensor): (predicted: Tensor) => Tensor<Tensor['shape'], D>
  (predicted: Tensor, target: Tensor): Tensor<Tensor['shape'], D>
}

/** The same with options. */
export interface MetricWith<Options, D extends Tensor['dtype'] = 'f32'> {
  (target: Tensor, options?: Options): (predicted: Tensor) => Tensor<Tensor['shape'], D>
  (predicted: Tensor, target: Tensor, options?: Options): Tensor<Tensor['shape'], D>
}

/** The refusal of operands as a tensor. */
export const refused = (name: string, operands: readonly Tensor[], reason: string, hint: string): Tensor =>
  tensorOf(refuse(name, operands.map(nodeOf), { reason, hint }))

/** The mistake among predictions and targets; else the refusal of two that are not one for each of the same examples. */
export const unpaired = (name: string, predicted: Tensor, target: Tensor): Tensor | undefined => {
  const mistake = mistakeAmong(name, { 'the predictions': predicted, 'the target': target })
  if (mistake) return mistake
  const [own, other] = [predicted, target].map((x) => showShape(x.shape))
  if (!ShapeEq.equals(predicted.shape, target.shape))
    return refused(
      name,
      [predicted, target],
      `predictions of shape ${own} and targets of shape ${other} differ`,
      'give one of each for every example: labels […, N], or of predictions scores […, N, C] of at least 2 classes',
    )
  return predicted.shape.length > 0
    ? undefined
    : refused(name, [predicted, target], 'takes […, examples], not scalars', 'T.reshape(x, [1]) has one example')
}

/** `unpaired`, and the refusal of labels that are no integers. */
export const unlabelled = (name: string, predicted: Tensor, target: Tensor): Tensor | undefined => {
  const wrong = unpaired(name, predicted, target)
  if (wrong) return wrong
  const odd = Object.entries({ predictions: predicted, targets: target }).find(
    ([, x]) => !isInteger(x.dtype) && x.dtype !== 'bool',
  )
  return (
    odd &&
    refused(
      name,
      [predicted, target],
      `${odd[0]} are ${odd[1].dtype}, not labels`,
      'labels are integers: of scores take T.argmax(x, { axis: -1 }), of probabilities T.greater(x, 0.5)',
    )
  )
}

/**
 * Predicted labels: those that are given, or of scores, which have an axis of classes after those of the target, the first of the
 * greatest. Scores of a single class are none: what they predict depends on where they are cut.
 */
export const predictedLabels = (name: string, given: Tensor, target: Tensor): Tensor => {
  if (mistakeAmong(name, { 'the predictions': given, 'the target': target })) return given
  const { length: rank } = target.shape
  const isScores = rank > 0 && given.shape.length === rank + 1 && given.shape[rank]! > 1
  return isScores ? (T.argmax(given, { axis: -1 }) as Tensor) : given
}

/** A bool or an integer as i32. */
export const whole = (x: Tensor): Tensor => T.cast(x, 'i32') as Tensor

/** How many along an axis. i32. */
export const tally = (x: Tensor, axis: number): Tensor => T.sum(whole(x), { axis }) as Tensor

/** The quotient of two counts as f32, `otherwise` where the divisor is 0. */
export const share = (part: Tensor, of: Tensor, otherwise: number): Tensor => {
  const quotient = T.div(T.cast(part, 'f32'), T.cast(T.maximum(of, 1), 'f32')) as Tensor
  return choose(T.equal(of, 0), otherwise, quotient)
}
