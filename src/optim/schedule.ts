/** Learning rates as functions of the step (an i32 scalar on the device, from 0), so that they cost no recompilation. */
import { add, cast, cos, div, floor, minimum, mul, pow } from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types.ts'

/** A learning rate that changes: an f32 scalar for every step. */
export type Schedule = (step: Tensor) => Tensor

/** A learning rate, fixed or not. */
export type Rate = number | Schedule

const asFloat = (step: Tensor): Tensor => cast(step, 'f32')

/** The rate at `step`: a number when it is fixed. */
export const rateAt = (rate: Rate, step: Tensor): Tensor | number => (typeof rate === 'number' ? rate : rate(step))

const times = (x: Tensor, y: Tensor | number): Tensor => mul(x, y)

/**
 * The rate · gamma^⌊t / stepSize⌋ at step t (torch's StepLR), gamma 0.1: a function from an i32 scalar to an f32
 * scalar.
 * @example
 * T.reference(optim.stepDecay(0.1, { stepSize: 2 })(T.tensor(5))).data // => [0.001]
 */
export const stepDecay =
  (rate: Rate, { stepSize, gamma = 0.1 }: { readonly stepSize: number; readonly gamma?: number }): Schedule =>
  (t) => {
    // The half keeps a quotient that should be whole from falling below it when divided in f32.
    const reached = floor(div(add(asFloat(t), 0.5), stepSize))
    return times(pow(gamma, reached), rateAt(rate, t))
  }

/**
 * The rate · gammaᵗ at step t (torch's ExponentialLR): a function from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.exponentialDecay(0.1, { gamma: 0.5 })(T.tensor(2))).data // => [0.025]
 */
export const exponentialDecay =
  (rate: Rate, { gamma }: { readonly gamma: number }): Schedule =>
  (t) =>
    times(pow(gamma, asFloat(t)), rateAt(rate, t))

/**
 * min + (rate - min)·(1 + cos(πt / steps)) / 2 at step t (torch's CosineAnnealingLR), min 0; the formula goes on past
 * `steps`. A function from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.cosineDecay(0.1, { steps: 10 })(T.tensor(5))).data // => [0.05]
 */
export const cosineDecay =
  (rate: number, { steps, min = 0 }: { readonly steps: number; readonly min?: number }): Schedule =>
  (t) => {
    const wave = cos(times(asFloat(t), Math.PI / steps))
    return add(times(wave, (rate - min) / 2), (rate + min) / 2)
  }

/**
 * The rate · min(1, (t + 1) / steps) at step t: rises linearly over the first `steps` steps, then is `rate` itself. A
 * function from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.warmup(0.1, { steps: 4 })(T.tensor(1))).data // => [0.05]
 */
export const warmup =
  (rate: Rate, { steps }: { readonly steps: number }): Schedule =>
  (t) =>
    times(minimum(div(add(asFloat(t), 1), steps), 1), rateAt(rate, t))
