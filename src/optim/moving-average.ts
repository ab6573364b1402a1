/** What stages that look back are made of: moving averages, what corrects their start, divisors that are never 0. */
import type { DType } from '../lang/dtype.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { add, cast, div, expm1, isinf, maximum, mul, neg, sqrt, where } from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { each, type TensorTree } from './transform.ts'

export const plus = (x: Tensor, y: Tensor | number): Tensor => add(x, y)
export const times = (x: Tensor, y: Tensor | number): Tensor => mul(x, y)
export const over = (x: Tensor, y: Tensor): Tensor => div(x, y)
export const root = (x: Tensor): Tensor => sqrt(x)

/** The least numbers that tell a divisor from 0: f16 has no 1e-8, and a device takes what is below 2⁻¹²⁶ for 0. */
const least: { readonly [D in DType]?: number } = { f32: 2 ** -126, bf16: 2 ** -126, f16: 2 ** -24 }

/**
 * x + eps, more than 0 for every x from 0 up that was made of `stored` numbers: of a gradient of 0, whose square is 0 too, 0 is
 * left and not NaN.
 */
export const above = (x: Tensor, eps: number, stored: Tensor = x): Tensor =>
  plus(x, isMistake(stored) ? eps : Math.max(eps, least[stored.dtype as DType] ?? 0))

/** decay · average + (1 - decay) · x. */
export const moving = (decay: number, average: Tensor, x: Tensor): Tensor =>
  plus(times(average, decay), times(x, 1 - decay))

/** s - m², rounding of which may leave less than 0; infinite where a square is, not ∞ - ∞. */
export const variance = (s: Tensor, m: Tensor): Tensor => where(isinf(s), s, maximum(plus(s, neg(times(m, m))), 0))

/** The step as a count from 1, in f32. As an integer it is the very value that the next state holds. */
export const countOf = (step: Tensor): Tensor => cast(plus(step, 1), 'f32')

/** 1 - decay^t, as -expm1(t ln decay): no cancellation where decay is close to 1. */
export const correction = (decay: number, t: Tensor): Tensor => neg(expm1(times(t, Math.log(decay))))

/**
 * Averages from zero freed of their start: x / of(1 - decay^t). With decay 0 there is nothing to correct: 0^t = 0, of which
 * the logarithm knows nothing.
 */
export const unbiased = (decay: number, step: Tensor, of = (c: Tensor): Tensor => c): ((x: Tensor) => Tensor) => {
  if (decay === 0) return (x) => x
  const scale = of(correction(decay, countOf(step)))
  return (x) => over(x, scale)
}

/** Moving averages of a gradient and of its square, two trees like the parameters. */
export interface Moments {
  readonly m: TensorTree
  readonly v: TensorTree
}

/** The moments after `updates`. */
export const nextMoments = (before: Moments, updates: unknown, beta1: number, beta2: number): Moments => ({
  m: each((g, old) => moving(beta1, old!, g!), updates, before.m) as TensorTree,
  v: each((g, old) => moving(beta2, old!, times(g!, g!)), updates, before.v) as TensorTree,
})
