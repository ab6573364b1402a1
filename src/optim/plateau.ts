/** A rate that falls when a measure no longer improves: a state machine on the device. */
import type { Shape } from '../lang/dim.ts'
import { raise, showOperand } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandChoice, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { add, cast, full, greater, less, maximum, mul, where } from '../lang/tensor/index.ts'
import { isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** Settings of `plateau`, as torch.optim.lr_scheduler.ReduceLROnPlateau has them. */
export interface PlateauOptions {
  /** Whether less is better, as of a loss, or more. */
  readonly mode?: 'min' | 'max' | undefined
  /** What the rate is multiplied by: 0.1. */
  readonly factor?: number | undefined
  /** How many measures without an improvement are put up with: 10. */
  readonly patience?: number | undefined
  /** By how much the best has to be surpassed: 0.0001. */
  readonly threshold?: number | undefined
  /** Whether the threshold is a part of the best, or a number. */
  readonly thresholdMode?: 'rel' | 'abs' | undefined
  /** How many measures after a fall are not counted: 0. */
  readonly cooldown?: number | undefined
  /** The least that all factors come to: 0. */
  readonly min?: number | undefined
}

const plateauOptions: OptionNames<PlateauOptions> = {
  mode: 'own',
  factor: 'decay',
  patience: 'size',
  threshold: 'amount',
  thresholdMode: 'own',
  cooldown: 'size',
  min: 'fraction',
}

/** What a plateau remembers, four scalars: the factor so far (f32), the best measure (f32), and two counters (i32). */
export interface PlateauState {
  readonly factor: Tensor
  readonly best: Tensor
  /** Measures since the last improvement. */
  readonly bad: Tensor
  /** Measures that are not counted yet. */
  readonly cooling: Tensor
}

/** A factor of the rate that depends on measures. */
export interface Plateau {
  /** The state before the first measure; its factor is 1. */
  readonly init: () => PlateauState
  /** The state after a measure, a scalar, and the factor of the rate from now on. */
  readonly update: (state: PlateauState, measure: Tensor) => { readonly state: PlateauState; readonly factor: Tensor }
}

/** UsageError for what is no scalar: counters would take its shape. */
const demandScalar = (measure: Tensor): void => {
  if (isTensor(measure) && (isMistake(measure) || measure.shape.length === 0)) return
  raise({
    tag: 'UsageError',
    message: `optim.plateau: the measure is ${isTensor(measure) ? showOperand(measure) : showArgument(measure)}, not a scalar tensor`,
    hint: 'write update(state, loss), the loss being one number: T.mean of several',
  })
}

const count = (n: number): Tensor => full([], n, { dtype: 'i32' })

/**
 * A factor, 1 at first, that is multiplied by `factor` whenever `patience` measures in a row and one more have not surpassed
 * the best (torch's ReduceLROnPlateau, in its defaults; `min` is that of the factor). The measure is a loss, or with mode
 * 'max' an accuracy; NaN is no improvement. It is a pure state machine of scalars, so it runs on the device, after every
 * step or once an epoch, in a program of its own. The rate of an optimiser is a function, so that it can be the product:
 * `optim.adam((t) => T.mul(schedule(t), state.plateau.factor))`, made anew in the step.
 * @example
 * const fall = optim.plateau({ factor: 0.5, patience: 1 })
 * const states = [4.5, 4.5, 4.5, 3.5].reduce((s, x) => [...s, fall.update(s.at(-1)!, T.tensor(x)).state], [fall.init()])
 * T.reference(states.map((s) => s.factor)).map((f) => f.data[0]) // => [1, 1, 1, 0.5, 0.5]
 */
export const plateau = (options: PlateauOptions = {}): Plateau => {
  demandRecord('optim.plateau', plateauOptions, options)
  const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options
  const { cooldown = 0, min = 0 } = options
  demandChoice('optim.plateau', 'mode', mode, ['min', 'max'])
  demandChoice('optim.plateau', 'mode of the threshold', thresholdMode, ['rel', 'abs'])
  const sign = mode === 'min' ? -1 : 1
  const isBetter = (x: Tensor, best: Tensor): Tensor<Shape, 'bool'> => {
    const bar = thresholdMode === 'rel' ? mul(best, 1 + sign * threshold) : add(best, sign * threshold)
    return mode === 'min' ? less(x, bar) : greater(x, bar)
  }
  const made: Plateau = {
    init: () => ({
      factor: full([], 1),
      best: full([], -sign * Number.POSITIVE_INFINITY),
      bad: count(0),
      cooling: count(0),
    }),
    update: (state, measure) => {
      demandScalar(measure)
      const x = cast(measure, 'f32')
      const better = isBetter(x, state.best)
      const isCooling = greater(state.cooling, count(0))
      const bad = where(better, count(0), where(isCooling, count(0), add(state.bad, count(1))))
      const falls = greater(bad, count(patience))
      const after: Tensor = where(falls, maximum(mul(state.factor, factor), min), state.factor)
      const next = {
        factor: after,
        best: where(better, x, state.best) as Tensor,
        bad: where(falls, count(0), bad) as Tensor,
        cooling: where(falls, count(cooldown), maximum(add(state.cooling, count(-1)), count(0))) as Tensor,
      }
      return { state: next, factor: after }
    },
  }
  return printedCall(made, 'optim.plateau', options)
}
