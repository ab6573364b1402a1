/** Differentiable draws of a category. */
import { isLeft } from '#fp/Either'
import { isFloat } from '../lang/dtype.ts'
import { normaliseAxis } from '../lang/shape.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { gumbel } from '../lang/tensor/random/inverse.ts'
import { demandKey } from '../lang/tensor/random/keys.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'
import { softmax } from './softmax.ts'

/** Options of `gumbelSoftmax`: the temperature (1), whether results are one-hot, the axis of the categories (-1). */
export interface GumbelOptions {
  readonly tau?: number | undefined
  readonly hard?: boolean | undefined
  readonly axis?: number | undefined
}

const gumbelOptions: OptionNames<GumbelOptions> = { tau: 'positive', hard: 'boolean', axis: 'own' }

/**
 * A draw from the categories of unnormalised log-probabilities that has a gradient: `softmax((logits + g) / tau)` with
 * Gumbel noise g (Jang et al. 2017), of the shape and dtype of `logits` (floats). With `hard` its value is the one-hot
 * vector of the greatest, its gradient that of the soft one (straight through). The key is explicit: the same key, the same
 * draw. ShapeError for an axis out of range.
 * @example
 * const logits = T.tensor([[0, 40.5, 0]])
 * T.reference(nn.gumbelSoftmax(random.key(0), logits, { hard: true })).data // => [0, 1, 0]
 */
export const gumbelSoftmax = <S extends Tensor['shape'], D extends Tensor['dtype']>(
  key: Tensor,
  logits: Tensor<S, D>,
  options: GumbelOptions = {},
): Tensor<S, D> => {
  demandRecord('nn.gumbelSoftmax', gumbelOptions, options)
  demandKey('nn.gumbelSoftmax', key)
  const mistake = mistakeAmong('nn.gumbelSoftmax', { logits })
  if (mistake) return mistake as Tensor<S, D>
  const { tau = 1, hard = false, axis = -1 } = options
  const fail = (reason: string, hint: string): Tensor<S, D> =>
    tensorOf(refuse('nn.gumbelSoftmax', [nodeOf(logits)], { reason, axis, hint }))
  const at = normaliseAxis(axis, logits.shape.length)
  if (isLeft(at)) return fail(at.left, 'name the axis of the categories')
  if (!isFloat(logits.dtype)) return fail(`logits are ${logits.dtype}, not floats`, "cast them: T.cast(x, 'f32')")
  const noise = gumbel(key, logits.shape) as Tensor
  const places = T.reshape(
    T.arange(logits.shape[at.right]!),
    logits.shape.map((d, i) => (i === at.right ? d : 1)),
  )
  const draw = roundedOnce((x: Tensor): Tensor => {
    const soft = softmax(T.div(T.add(x, noise) as Tensor, tau) as Tensor, { axis })
    if (!hard) return soft
    const isGreatest = T.equal(T.argmax(soft, { axis, keepdims: true }), places) as Tensor
    // 1 or 0 to the last digit, with the slope of the soft draw.
    const slope = T.sub(soft, T.stopGradient(soft)) as Tensor
    return choose(isGreatest, T.add(slope, 1) as Tensor, slope)
  })
  return draw(logits as Tensor) as Tensor<S, D>
}
