/** Schedules of several pieces, and the shapes between two rates: joined, one-cycle, polynomial, linear. */
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandChoice, demandList, demandNumber, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import {
  add,
  cast,
  cos,
  div,
  full,
  greaterEqual,
  lessEqual,
  maximum,
  minimum,
  mul,
  pow,
  sub,
  where,
} from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { demandRate, type Rate, rateAt, type Schedule } from './learning-rate.ts'

const asRate = (rate: Tensor | number): Tensor => (typeof rate === 'number' ? full([], rate) : rate)

/** The number at this part of the way from one to the other: each of them to the last digit at its end. */
const mixed = (from: number, to: number, part: Tensor): Tensor => add(mul(sub(1, part), from), mul(part, to))

/** The part of `steps` that is done at step t, in f32: from 0 up to 1, where it stays. */
const done = (t: Tensor, steps: number): Tensor => div(minimum(cast(t, 'f32'), steps), steps)

/**
 * Rates one after another: the first up to before step `boundaries[0]`, the next from there up to before `boundaries[1]`,
 * and so on, the last one for ever. Each is a schedule, which counts its own steps from 0, or a number, a rate that stays;
 * so numbers alone are a rate by pieces (torch's SequentialLR, optax.join_schedules). UsageError unless there is one
 * boundary fewer than rates and they are whole numbers that ascend.
 * @example
 * const rate = optim.joined([optim.warmup(0.1, { steps: 2 }), optim.cosineDecay(0.1, { steps: 4 })], [2])
 * const steps = [0, 1, 2, 4, 6]
 * steps.map((t) => T.reference(rate(T.tensor(t))).data[0]) // => [0.05, 0.1, 0.1, 0.05, 0]
 */
export const joined = (rates: readonly Rate[], boundaries: readonly number[]): Schedule => {
  const call = 'optim.joined([optim.warmup(0.1, { steps: 10 }), 0.1], [10])'
  demandList('optim.joined', rates, 'rates', call)
  for (const rate of rates) demandRate('optim.joined', rate, `write ${call}`)
  demandList('optim.joined', boundaries, 'boundaries', call)
  const isOrdered = boundaries.every((b, i) => Number.isInteger(b) && b > (boundaries[i - 1] ?? 0))
  if (!isOrdered || boundaries.length !== rates.length - 1)
    raise({
      tag: 'UsageError',
      message: `optim.joined: ${rates.length} rates and the boundaries [${boundaries.join(', ')}]`,
      hint: `give one boundary fewer than rates, whole numbers above 0 that ascend: ${call}`,
    })
  const schedule: Schedule = (t) => {
    const pieces = rates.map((rate, i) => {
      const first = boundaries[i - 1] ?? 0
      // No piece is asked for a step before its first.
      const own = first === 0 ? t : maximum(add(t, full([], -first, { dtype: 'i32' })), full([], 0, { dtype: 'i32' }))
      return asRate(rateAt(rate, own))
    })
    return pieces.reduce((before, piece, i) => where(greaterEqual(t, boundaries[i - 1]!), piece, before) as Tensor)
  }
  return printedCall(schedule, 'optim.joined', rates, boundaries)
}

/** Settings of `linear`: how many steps it takes. */
type LinearOptions = {
  readonly steps: number
}

const linearOptions: OptionNames<LinearOptions> = { steps: 'must positive' }

/**
 * From one rate to another along a line: from + (to - from)·t / steps at step t, `to` from `steps` on (torch's LinearLR,
 * whose factors are parts of the rate; optax.linear_schedule). A function from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.linear(0.1, 0.5, { steps: 4 })(T.tensor(1))).data // => [0.2]
 */
export const linear = (from: number, to: number, options: LinearOptions): Schedule => {
  demandNumber('optim.linear', 'the first rate', from)
  demandNumber('optim.linear', 'the last rate', to)
  demandRecord('optim.linear', linearOptions, options)
  const schedule: Schedule = (t) => mixed(from, to, done(t, options.steps))
  return printedCall(schedule, 'optim.linear', from, to, options)
}

/** Settings of `polynomial`: the steps down to the least rate, the exponent, and that rate. */
type PolynomialOptions = {
  readonly steps: number
  readonly power?: number
  readonly min?: number
}

const polynomialOptions: OptionNames<PolynomialOptions> = { steps: 'must positive', power: 'positive', min: 'finite' }

/**
 * min + (rate - min)·(1 - t / steps)^power at step t, power 1, min 0, `min` from `steps` on (torch's PolynomialLR). A function
 * from an i32 scalar to an f32 scalar.
 * @example
 * T.reference(optim.polynomial(0.1, { steps: 10, power: 2 })(T.tensor(5))).data // => [0.025]
 */
export const polynomial = (rate: number, options: PolynomialOptions): Schedule => {
  demandNumber('optim.polynomial', 'the rate', rate)
  demandRecord('optim.polynomial', polynomialOptions, options)
  const { steps, power = 1, min = 0 } = options
  const schedule: Schedule = (t) => {
    const left = maximum(sub(1, done(t, steps)), 0)
    return mixed(min, rate, power === 1 ? left : pow(left, power))
  }
  return printedCall(schedule, 'optim.polynomial', rate, options)
}

/** Settings of `oneCycle`, as torch.optim.lr_scheduler.OneCycleLR has them. */
export interface OneCycleOptions {
  /** All steps of the training. */
  readonly steps: number
  /** The part of them in which the rate rises: 0.3. */
  readonly pctStart?: number | undefined
  /** Along a half wave ('cos'), or a line. */
  readonly anneal?: 'cos' | 'linear' | undefined
  /** The first rate is the largest divided by this: 25. */
  readonly divFactor?: number | undefined
  /** The last rate is the first divided by this: 10 000. */
  readonly finalDivFactor?: number | undefined
  /** Whether it falls as it rose before it fades out. */
  readonly threePhase?: boolean | undefined
}

const oneCycleOptions: OptionNames<OneCycleOptions> = {
  steps: 'must count',
  pctStart: 'fraction',
  anneal: 'own',
  divFactor: 'positive',
  finalDivFactor: 'positive',
  threePhase: 'boolean',
}

/** A part of the cycle: up to step `end`, towards the rate `to`. */
interface Phase {
  readonly end: number
  readonly to: number
}

/**
 * One rise from rate / divFactor to `rate` in the first `pctStart` of all `steps`, and one fall far below where it began (Smith
 * and Topin 2018; formula and defaults of torch's OneCycleLR); after the last step the rate stays. With `threePhase` it falls
 * as it rose first. A function from an i32 scalar to an f32 scalar.
 * @example
 * const rate = optim.oneCycle(1, { steps: 11, pctStart: 0.5, anneal: 'linear' })
 * T.reference(rate(T.tensor(0))).data // => [0.04]
 * T.reference(rate(T.tensor(10))).data // => [0.000004]
 */
export const oneCycle = (rate: number, options: OneCycleOptions): Schedule => {
  demandNumber('optim.oneCycle', 'the largest rate', rate)
  demandRecord('optim.oneCycle', oneCycleOptions, options)
  const { steps, pctStart = 0.3, anneal = 'cos', divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options
  demandChoice('optim.oneCycle', 'annealing', anneal, ['cos', 'linear'])
  const first = rate / divFactor
  const fade: Phase = { end: steps - 1, to: first / finalDivFactor }
  const rise: Phase = { end: pctStart * steps - 1, to: rate }
  const phases = threePhase ? [rise, { end: 2 * pctStart * steps - 2, to: first }, fade] : [rise, fade]
  const schedule: Schedule = (t) => {
    const now = minimum(cast(t, 'f32'), steps - 1)
    const rates = phases.map(({ end, to }, i) => {
      const { end: start, to: from } = i === 0 ? { end: 0, to: first } : phases[i - 1]!
      // What lasts no time is over before it is asked.
      const part = div(add(now, -start), end > start ? end - start : 1)
      const moved = anneal === 'linear' ? part : add(mul(cos(mul(part, Math.PI)), -0.5), 0.5)
      return mixed(from, to, moved)
    })
    return rates.reduceRight((later, own, i) => where(lessEqual(now, phases[i]!.end), own, later) as Tensor)
  }
  return printedCall(schedule, 'optim.oneCycle', rate, options)
}
