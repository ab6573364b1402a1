/** Scaling of the loss, so that gradients in f16 neither vanish nor overflow: a state machine on the device. */
import type { Shape } from '../lang/dim.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { cast, div, full, greaterEqual, lessEqual, logicalAnd, mul, where } from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { each, nextStep } from './transform.ts'

/** Settings of `lossScale`, as torch's GradScaler has them. */
export interface LossScaleOptions {
  /** The first scale: 65536. */
  readonly initial?: number | undefined
  /** What it is multiplied by when it has held: 2. */
  readonly growth?: number | undefined
  /** What it is multiplied by when gradients were not finite: 0.5. */
  readonly backoff?: number | undefined
  /** After how many steps in a row it has held: 2000. */
  readonly interval?: number | undefined
}

const lossScaleOptions: OptionNames<LossScaleOptions> = {
  initial: 'positive',
  growth: 'positive',
  backoff: 'positive',
  interval: 'count',
}

/** The scale (an f32 scalar), and how many steps in a row it has held (i32). */
export interface LossScaleState {
  readonly scale: Tensor
  readonly held: Tensor
}

/** A scale that follows what the gradients can bear. */
export interface LossScale {
  readonly init: () => LossScaleState
  /** The loss to differentiate. */
  readonly scaled: (loss: Tensor, state: LossScaleState) => Tensor
  /** The gradients, of a scaled loss, as they would be. */
  readonly unscaled: <P>(grads: P, state: LossScaleState) => P
  /** The state after a step, whose gradients were all `finite` or not: a bool scalar. */
  readonly update: (state: LossScaleState, finite: Tensor<Shape, 'bool'>) => LossScaleState
}

/** The least and the largest number of f32 that is not subnormal, which a device may take for 0. */
const [least, largest] = [2 ** -126, (2 - 2 ** -23) * 2 ** 127]

/** The scale of checked settings. */
const scaleOf = (options: LossScaleOptions): LossScale => {
  const { initial = 65536, growth = 2, backoff = 0.5, interval = 2000 } = options
  const none = full([], 0, { dtype: 'i32' })
  return {
    init: () => ({ scale: full([], initial), held: none }),
    scaled: (loss, { scale }) => mul(cast(loss, 'f32'), scale),
    unscaled: (grads, { scale }) => each((g) => div(g!, scale), grads),
    update: ({ scale, held }, finite) => {
      const next = nextStep(held)
      const isGrown = logicalAnd(finite, greaterEqual(next, full([], interval, { dtype: 'i32' })))
      const after = where(finite, where(isGrown, mul(scale, growth), scale), mul(scale, backoff)) as Tensor
      // From infinity, and from 0, there is no way back. What is next is compared as it is before it is rounded to f32.
      const isHeld = logicalAnd(lessEqual(after, largest), greaterEqual(after, least))
      return {
        scale: where(isHeld, after, scale) as Tensor,
        held: where(isGrown, none, where(finite, next, none)) as Tensor,
      }
    },
  }
}

/**
 * Dynamic scaling of a loss (Micikevicius et al. 2018; torch's GradScaler, in its defaults): the loss is multiplied before
 * it is differentiated, the gradients are divided after. Gradients that are not finite halve the scale, and their step is to
 * be skipped; after 2000 steps in a row without such it doubles. `mixed` does all this in its step.
 * @example
 * const scaling = optim.lossScale({ initial: 8, interval: 1 })
 * const state = scaling.update(scaling.init(), T.equal(1, 1))
 * T.reference([state.scale, scaling.update(state, T.equal(1, 2)).scale]).map((t) => t.data) // => [[16], [8]]
 */
export const lossScale = (options: LossScaleOptions = {}): LossScale => {
  demandRecord('optim.lossScale', lossScaleOptions, options)
  return printedCall(scaleOf(options), 'optim.lossScale', options)
}

/** The scale that an option of `name` describes. UsageError by that name. */
export const scaleWithin = (name: string, options: LossScaleOptions): LossScale => {
  demandRecord(name, lossScaleOptions, options, 'scaling option')
  return scaleOf(options)
}
