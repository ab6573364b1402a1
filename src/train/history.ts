/** What a run of training has measured so far, and decisions that depend on nothing else: when to stop, which state was best. */
import { raise } from '../lang/errors.ts'
import { demandChoice, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import type { Measures } from './step.ts'

/** An epoch that is done: the means of what its steps measured, and what `evaluate` found. */
export interface Epoch {
  /** Counted from 0. */
  readonly epoch: number
  /** Steps of the whole run until then. */
  readonly step: number
  readonly measures: Measures
}

/** A measure, and which way it should go. */
export interface Goal {
  /** Its name: `loss` unless given. */
  readonly measure?: string | undefined
  /** `'min'` (the default) for losses, `'max'` for accuracies. */
  readonly mode?: 'min' | 'max' | undefined
}

/** When `earlyStopping` gives up. */
export interface EarlyStoppingOptions extends Goal {
  /** How many epochs may pass without an improvement; 1 unless given. */
  readonly patience?: number | undefined
  /** What counts as an improvement: more than this; 0 unless given. */
  readonly minDelta?: number | undefined
}

export const goalOptions: OptionNames<Goal> = { measure: 'text', mode: 'own' }

const stoppingOptions: OptionNames<EarlyStoppingOptions> = { ...goalOptions, patience: 'count', minDelta: 'amount' }

export const demandMode = (name: string, { mode }: Goal): void => demandChoice(name, 'mode', mode, ['min', 'max'])

/** The measure of an epoch. UsageError where there is none of that name. */
const measureOf = (name: string, { measures }: Epoch, measure: string): number =>
  Object.hasOwn(measures, measure)
    ? measures[measure]!
    : raise({
        tag: 'UsageError',
        message: `${name}: there is no measure '${measure}'`,
        hint: `the steps and 'evaluate' gave ${Object.keys(measures).join(', ') || 'none'}`,
      })

/** Whether `x` is better than `best` by more than `minDelta`; NaN never is, and all else is better than NaN. */
const isBetter = (mode: 'min' | 'max', x: number, best: number, minDelta: number): boolean =>
  !Number.isNaN(x) && (Number.isNaN(best) || (mode === 'min' ? x < best - minDelta : x > best + minDelta))

/** The index of the best epoch: the first of equal ones, of those that improved by more than `minDelta` on the best before. */
export const bestOf = (
  name: string,
  history: readonly Epoch[],
  { measure = 'loss', mode = 'min' }: Goal,
  minDelta = 0,
): number =>
  history.reduce((best, epoch, i) => {
    const [now, before] = [measureOf(name, epoch, measure), measureOf(name, history[best]!, measure)]
    return isBetter(mode, now, before, minDelta) ? i : best
  }, 0)

/**
 * When to end a run: after `patience` epochs in which `measure` did not improve by more than `minDelta` on the best before (as
 * Keras' EarlyStopping). A function of the history alone, so a run that continues from a checkpoint stops where the unbroken one does.
 * UsageError where the epochs have no such measure.
 * @example
 * const epochs = (...losses: readonly number[]) => losses.map((loss, epoch) => ({ epoch, step: epoch, measures: { loss } }))
 * const stop = train.earlyStopping({ patience: 2 })
 * [stop(epochs(3, 2, 2)), stop(epochs(3, 2, 2, 4))] // => [false, true]
 */
export const earlyStopping = (options: EarlyStoppingOptions = {}): ((history: readonly Epoch[]) => boolean) => {
  demandRecord('earlyStopping', stoppingOptions, options)
  demandMode('earlyStopping', options)
  const { patience = 1, minDelta = 0 } = options
  return (history) =>
    history.length > 0 && history.length - 1 - bestOf('earlyStopping', history, options, minDelta) >= patience
}
