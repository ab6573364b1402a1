/** The moving average of parameters, which often does better than the parameters themselves. */
import { isFloat, isHalf } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { cast, full, maximum } from '../lang/tensor/index.ts'
import { isRecord } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { correction, moving, over } from './moving-average.ts'
import { demandShapes, each, nextStep } from './transform.ts'

/** Settings of `ema`. */
export interface EmaOptions {
  /** What the average keeps at every step: 0.999. */
  readonly decay?: number | undefined
  /** Whether the average starts at zero, and is freed of that when it is read. */
  readonly debias?: boolean | undefined
}

const emaOptions: OptionNames<EmaOptions> = { decay: 'decay', debias: 'boolean' }

/** The steps that were averaged (an i32 scalar), and the average: a tree like the parameters. */
export interface EmaState<P> {
  readonly step: Tensor
  readonly average: P
}

/** A moving average of trees of one structure. */
export interface Ema {
  readonly init: <P>(params: P) => EmaState<P>
  /** The state after parameters. */
  readonly update: <P>(params: P, state: EmaState<P>) => EmaState<P>
  /** The average as parameters. */
  readonly value: <P>(state: EmaState<P>) => P
}

const isAveraged = (x: Tensor): boolean => !isMistake(x) && isFloat(x.dtype)

const demandState = (state: unknown): void => {
  if (isRecord(state) && 'average' in state) return
  raise({
    tag: 'UsageError',
    message: 'optim.ema: the state is not one of an average',
    hint: 'write update(params, state), the state being what init(params) or the last update gave',
  })
}

/** In 16 bits an average would not feel a step. */
const wide = (x: Tensor): Tensor => (!isMistake(x) && isHalf(x.dtype) ? cast(x, 'f32') : x)

/**
 * The moving average a = decay·a + (1 - decay)·p of parameters, decay 0.999: `init(params)`, `update(params, state)` after
 * every step of the optimiser, `value(state)` to evaluate or save. It starts at the parameters of `init` (torch's
 * AveragedModel), or with `debias` at zero, `value` being a / (1 - decayᵗ) (Kingma and Ba 2015, section 3; optax.ema), and
 * zeros before the first update. Averages of f16 and bf16 are f32; integers are those of the last update.
 * @example
 * const mean = optim.ema({ decay: 0.5 })
 * const state = mean.update({ w: T.tensor([3.5]) }, mean.init({ w: T.tensor([1.5]) }))
 * T.reference(mean.value(state).w).data // => [2.5]
 */
export const ema = (options: EmaOptions = {}): Ema => {
  demandRecord('optim.ema', emaOptions, options)
  const { decay = 0.999, debias = false } = options
  const made: Ema = {
    init: (params) => ({
      step: full([], 0, { dtype: 'i32' }),
      average: each((p) => {
        const start = wide(p!)
        return debias && isAveraged(start) ? full(start.shape, 0, { dtype: start.dtype }) : start
      }, params),
    }),
    update: (params, state) => {
      demandState(state)
      demandShapes('average', params, state.average, 'optim.ema')
      return {
        step: nextStep(state.step),
        average: each((p, a) => (isAveraged(p!) ? moving(decay, a!, wide(p!)) : p!), params, state.average),
      }
    },
    value: (state) => {
      demandState(state)
      if (!debias || decay === 0) return state.average
      // Before the first update zeros stay zeros.
      const scale = correction(decay, maximum(cast(state.step, 'f32'), 1))
      return each((a) => (isAveraged(a!) ? over(a!, scale) : a!), state.average)
    },
  }
  return printedCall(made, 'optim.ema', options)
}
