/** A step applied along an axis of time, its state carried from one to the next. The one place that knows how: here, unrolled. */
import { isMistake } from '../lang/tensor/ask.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types.ts'

/** One step: the state and what arrives at this time, to the next state and what leaves. */
export type Step<S> = (state: S, x: Tensor) => readonly [S, Tensor]

/**
 * The step applied to every slice of `xs` `[time, …]` in order, from the last one backwards when `reverse`: the state
 * after the last step, and what left at each time, `[time, …]` in the order of `xs`.
 */
export const overTime = <S>(step: Step<S>, initial: S, xs: Tensor, reverse = false): readonly [S, Tensor] => {
  if (isMistake(xs)) return [initial, xs]
  if (xs.shape[0] === 0) {
    // No step is taken; one on zeros says which shape its result would have.
    const [, out] = step(initial, T.zeros(xs.shape.slice(1), { dtype: xs.dtype }))
    return [initial, T.narrow(T.expandDims(out, 0), 0, 0)]
  }
  const slices = T.unbind(xs)
  const outputs: Tensor[] = []
  let state = initial
  for (const x of reverse ? slices.toReversed() : slices) {
    const [next, out] = step(state, x)
    state = next
    outputs.push(out)
  }
  return [state, T.stack(reverse ? outputs.toReversed() : outputs)]
}
