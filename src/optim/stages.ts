/** Stages that any optimiser can use: learning rate, weight decay, momentum. */
import { printedCall } from '../lang/print/call-text.ts'
import { demandNumber, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { add, equal, full, mul, neg, where } from '../lang/tensor/index.ts'
import { demandRate, type Rate, rateAt } from './learning-rate.ts'
import { each, stateless, type TensorTree, type Transform } from './transform.ts'

/**
 * -rate · u: the last stage of a descent. The rate is a number or a schedule of the step.
 * @example
 * T.reference(optim.scaleByRate(0.1).apply(T.tensor([2.5]), [], T.ones([1]), T.tensor(0))[0]).data // => [-0.25]
 */
export const scaleByRate = (rate: Rate): Transform => {
  demandRate('optim.scaleByRate', rate)
  const stage = stateless((updates, _params, step) => {
    const r = rateAt(rate, step)
    const factor = typeof r === 'number' ? -r : neg(r)
    return each((u) => mul(u!, factor), updates)
  })
  return printedCall(stage, 'optim.scaleByRate', rate)
}

/**
 * u + decay · p: before the gradients are scaled this is an L2 penalty, after them decoupled weight decay.
 * @example
 * const [u] = optim.addWeightDecay(0.1).apply(T.tensor([2.5]), [], T.tensor([5.5]), T.tensor(0))
 * T.reference(u).data // => [3.05]
 */
export const addWeightDecay = (decay: number): Transform => {
  demandNumber('optim.addWeightDecay', 'the decay', decay)
  const stage = stateless((updates, params) =>
    decay === 0 ? updates : each((u, p) => add(u!, mul(p!, decay)), updates, params),
  )
  return printedCall(stage, 'optim.addWeightDecay', decay)
}

/** Zeros like every parameter. */
export const zerosOf = (params: unknown): TensorTree =>
  each((p) => full(p!.shape, 0, { dtype: p!.dtype }), params) as TensorTree

/** Settings of `trackMomentum`. */
export interface MomentumOptions {
  readonly momentum: number
  readonly dampening?: number | undefined
  readonly nesterov?: boolean | undefined
}

const momentumOptions: OptionNames<MomentumOptions> = {
  momentum: 'must finite',
  dampening: 'finite',
  nesterov: 'boolean',
}

/**
 * b = u at the first step, momentum·b + (1 - dampening)·u later; gives b, or with `nesterov` u + momentum·b
 * (torch.optim.SGD).
 * @example
 * const [stage, u] = [optim.trackMomentum({ momentum: 0.9 }), T.tensor([1.5])]
 * const [, state] = stage.apply(u, stage.init(u), u, T.tensor(0))
 * T.reference(stage.apply(u, state, u, T.tensor(1))[0]).data // => [2.85]
 */
export const trackMomentum = (options: MomentumOptions): Transform => {
  demandRecord('optim.trackMomentum', momentumOptions, options)
  const { momentum, dampening = 0, nesterov = false } = options
  const stage: Transform = {
    init: zerosOf,
    apply: (updates, state, _params, step) => {
      const isFirst = equal(step, full([], 0, { dtype: 'i32' }))
      const next = each(
        (u, b) => {
          const kept = add(mul(b!, momentum), mul(u!, 1 - dampening))
          // Without dampening the first step needs no case of its own: b is zero before it.
          return dampening === 0 ? kept : where(isFirst, u!, kept)
        },
        updates,
        state,
      )
      const given = nesterov ? each((u, b) => add(u!, mul(b!, momentum)), updates, next) : next
      return [given, next as TensorTree]
    },
  }
  return printedCall(stage, 'optim.trackMomentum', options)
}
