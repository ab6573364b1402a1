/** Stages that any optimiser can use: learning rate, weight decay, clipping, momentum. */
import { demandNumber, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import {
  add,
  cast,
  clamp,
  div,
  equal,
  full,
  isinf,
  mean,
  minimum,
  mul,
  neg,
  sqrt,
  sum,
  where,
} from '../lang/tensor/index.ts'
import { flattenTree, isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { demandRate, type Rate, rateAt } from './learning-rate.ts'
import { each, stateless, type TensorTree, type Transform } from './transform.ts'

/**
 * -rate · u: the last stage of a descent. The rate is a number or a schedule of the step.
 * @example
 * T.reference(optim.scaleByRate(0.1).apply(T.tensor([2.5]), [], T.ones([1]), T.tensor(0))[0]).data // => [-0.25]
 */
export const scaleByRate = (rate: Rate): Transform => {
  demandRate('optim.scaleByRate', rate)
  return stateless((updates, _params, step) => {
    const r = rateAt(rate, step)
    const factor = typeof r === 'number' ? -r : neg(r)
    return each((u) => mul(u!, factor), updates)
  })
}

/**
 * u + decay · p: before the gradients are scaled this is an L2 penalty, after them decoupled weight decay.
 * @example
 * const [u] = optim.addWeightDecay(0.1).apply(T.tensor([2.5]), [], T.tensor([5.5]), T.tensor(0))
 * T.reference(u).data // => [3.05]
 */
export const addWeightDecay = (decay: number): Transform => {
  demandNumber('optim.addWeightDecay', 'the decay', decay)
  return stateless((updates, params) =>
    decay === 0 ? updates : each((u, p) => add(u!, mul(p!, decay)), updates, params),
  )
}

/** Their squares are numbers for elements up to the largest that f32 holds. */
const shrunk = 2 ** -75

/**
 * The 2-norm of all tensors of a tree together: an f32 scalar, 0 for an empty tree. It is finite where it fits f32, though
 * squares of elements are not.
 * @example
 * T.reference(optim.globalNorm({ a: T.tensor([3]), b: [T.tensor([[4]])] })).data // => [5]
 */
export const globalNorm = (tree: unknown): Tensor => {
  const leaves = flattenTree<Tensor>(tree, isTensor).leaves.map((x) => cast(x, 'f32') as Tensor)
  const ofSquares = (xs: readonly Tensor[]): Tensor =>
    xs.map((x) => sum(mul(x, x)) as Tensor).reduce((p, q) => add(p, q), full([], 0, { dtype: 'f32' }) as Tensor)
  const plain = ofSquares(leaves)
  // One root of what is chosen: that of the other would have no slope.
  const isOver = isinf(plain)
  const squares = where(isOver, ofSquares(leaves.map((x) => mul(x, shrunk))), plain)
  const norm = sqrt(squares)
  return where(isOver, mul(norm, 1 / shrunk), norm)
}

/**
 * u · min(1, max / (norm + 1e-6)) with the norm of all updates together (torch's clip_grad_norm_).
 * @example
 * const u = T.tensor([3, 4], { dtype: 'f32' })
 * T.reference(optim.clipByGlobalNorm(1).apply(u, [], u, T.tensor(0))[0]).data // => [0.6, 0.8]
 */
export const clipByGlobalNorm = (max: number): Transform => {
  demandNumber('optim.clipByGlobalNorm', 'the largest norm', max)
  return stateless((updates) => {
    const factor = minimum(div(max, add(globalNorm(updates), 1e-6)), 1)
    return each((u) => mul(u!, factor), updates)
  })
}

/**
 * Every element of the updates kept within [-max, max].
 * @example
 * const u = T.tensor([-3.5, 0.5])
 * T.reference(optim.clipByValue(1).apply(u, [], u, T.tensor(0))[0]).data // => [-1, 0.5]
 */
export const clipByValue = (max: number): Transform => {
  demandNumber('optim.clipByValue', 'the largest value', max)
  return stateless((updates) => each((u) => clamp(u!, { min: -max, max }), updates))
}

/**
 * u - mean(u) over all axes but the first, for tensors of rank 2 and more; others as they are (gradient centralisation,
 * Yong et al. 2020).
 * @example
 * const u = T.tensor([[1, 3]], { dtype: 'f32' })
 * T.reference(optim.centralise().apply(u, [], u, T.tensor(0))[0]).data // => [-1, 1]
 */
export const centralise = (): Transform =>
  stateless((updates) =>
    each((u) => {
      const rest = u!.shape.map((_, i) => i).slice(1)
      return rest.length === 0 ? u! : add(u!, neg(mean(u!, { axis: rest, keepdims: true })))
    }, updates),
  )

/** Zeros like every parameter. */
export const zerosOf = (params: unknown): TensorTree =>
  each((p) => full(p!.shape, 0, { dtype: p!.dtype }), params) as TensorTree

/** Settings of `trackMomentum`. */
export interface MomentumOptions {
  readonly momentum: number
  readonly dampening?: number
  readonly nesterov?: boolean
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
  return {
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
}
