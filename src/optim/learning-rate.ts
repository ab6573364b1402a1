/** Learning rates as functions of the step (an i32 scalar on the device, from 0), so that they cost no recompilation. */
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandNumber, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { add, cast, cos, div, floor, minimum, mul, pow } from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** A learning rate that changes: an f32 scalar for every step. */
export type Schedule = (step: Tensor) => Tensor

/** A learning rate, fixed or not. */
export type Rate = number | Schedule

/** UsageError unless `rate` is a number or a function. */
export const demandRate = (
  name: string,
  rate: unknown,
  hint = `write ${name}(0.1); options follow after the rate`,
): void => {
  if (typeof rate === 'function' || Number.isFinite(rate)) return
  raise({
    tag: 'UsageError',
    message: `${name}: the rate is ${showArgument(rate)}, neither a number nor a function of the step`,
    hint,
  })
}

const asFloat = (step: Tensor): Tensor => cast(step, 'f32')

/** The rate at `step`: a number when it is fixed. */
export const rateAt = (rate: Rate, step: Tensor): Tensor | number => (typeof rate === 'number' ? rate : rate(step))

const times = (x: Tensor, y: Tensor | number): Tensor => mul(x, y)

/** Settings of `stepDecay`: after how many steps the rate falls (each time), and to what part of it. */
type StepDecayOptions = {
  readonly stepSize: number
  readonly gamma?: number
}

const stepDecayOptions: OptionNames<StepDecayOptions> = { stepSize: 'must positive', gamma: 'finite' }

/**
 * The rate · gamma^⌊t / stepSize⌋ at step t (torch's StepLR), gamma 0.1: a function from an i32 scalar to an f32
 * scalar.
 * @example
 * T.reference(optim.stepDecay(0.1, { stepSize: 2 })(T.tensor(5))).data // => [0.001]
 */
export const stepDecay = (rate: Rate, options: StepDecayOptions): Schedule => {
  demandRate('optim.stepDecay', rate)
  demandRecord('optim.stepDecay', stepDecayOptions, options)
  const { stepSize, gamma = 0.1 } = options
  const schedule: Schedule = (t) => {
    // The half keeps a quotient that should be whole from falling below it when divided in f32.
    const reached = floor(div(add(asFloat(t), 0.5), stepSize))
    return times(pow(gamma, reached), rateAt(rate, t))
  }
  return printedCall(schedule, 'optim.stepDecay', rate, options)
}

/** The setting of `exponentialDecay`: the part of the rate that a step leaves. */
type ExponentialDecayOptions = {
  readonly gamma: number
}

const exponentialDecayOptions: OptionNames<ExponentialDecayOptions> = { gamma: 'must finite' }

/**
 * The rate · gammaᵗ at step t (torch's ExponentialLR): a function from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.exponentialDecay(0.1, { gamma: 0.5 })(T.tensor(2))).data // => [0.025]
 */
export const exponentialDecay = (rate: Rate, options: ExponentialDecayOptions): Schedule => {
  demandRate('optim.exponentialDecay', rate)
  demandRecord('optim.exponentialDecay', exponentialDecayOptions, options)
  const schedule: Schedule = (t) => times(pow(options.gamma, asFloat(t)), rateAt(rate, t))
  return printedCall(schedule, 'optim.exponentialDecay', rate, options)
}

/** Settings of `cosineDecay`: the steps down to the least rate, and that rate. */
type CosineDecayOptions = {
  readonly steps: number
  readonly min?: number
}

const cosineDecayOptions: OptionNames<CosineDecayOptions> = { steps: 'must positive', min: 'finite' }

/**
 * min + (rate - min)·(1 + cos(πt / steps)) / 2 at step t, min 0, down to `min` at `steps`, where it stays (torch's
 * CosineAnnealingLR, whose formula would rise again; Loshchilov and Hutter 2017). A function from an i32 scalar to an f32
 * scalar.
 * @example
 * T.reference(optim.cosineDecay(0.1, { steps: 10 })(T.tensor(5))).data // => [0.05]
 * T.reference(optim.cosineDecay(0.1, { steps: 10, min: 0.01 })(T.tensor(15))).data // => [0.01]
 */
export const cosineDecay = (rate: number, options: CosineDecayOptions): Schedule => {
  demandNumber('optim.cosineDecay', 'the rate', rate)
  demandRecord('optim.cosineDecay', cosineDecayOptions, options)
  const { steps, min = 0 } = options
  const schedule: Schedule = (t) => {
    const wave = cos(times(minimum(asFloat(t), steps), Math.PI / steps))
    return add(times(wave, (rate - min) / 2), (rate + min) / 2)
  }
  return printedCall(schedule, 'optim.cosineDecay', rate, options)
}

/** The setting of `warmup`: how many steps the rate rises for. */
type WarmupOptions = {
  readonly steps: number
}

const warmupOptions: OptionNames<WarmupOptions> = { steps: 'must amount' }

/**
 * The rate · min(1, (t + 1) / steps) at step t: rises linearly over the first `steps` steps, then is `rate` itself, which counts
 * from the same step 0: a multiplier. For a schedule that begins when the warm-up is over there is `joined([optim.warmup(rate,
 * { steps }), schedule], [steps])`. A function from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.warmup(0.1, { steps: 4 })(T.tensor(1))).data // => [0.05]
 */
export const warmup = (rate: Rate, options: WarmupOptions): Schedule => {
  demandRate('optim.warmup', rate)
  demandRecord('optim.warmup', warmupOptions, options)
  const schedule: Schedule = (t) => times(minimum(div(add(asFloat(t), 1), options.steps), 1), rateAt(rate, t))
  return printedCall(schedule, 'optim.warmup', rate, options)
}
