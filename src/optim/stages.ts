/** Stages that any optimiser can use: learning rate, weight decay, clipping, momentum. */
import { add, clamp, div, equal, full, mean, minimum, mul, neg, sqrt, sum, where } from '../lang/tensor/index.ts'
import { flattenTree, isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types.ts'
import { type Rate, rateAt } from './schedule.ts'
import { each, stateless, type TensorTree, type Transform } from './transform.ts'

/** -rate · u: the last stage of a descent. */
export const scaleByRate = (rate: Rate): Transform =>
  stateless((updates, _params, step) => {
    const r = rateAt(rate, step)
    const factor = typeof r === 'number' ? -r : neg(r)
    return each((u) => mul(u!, factor), updates)
  })

/** u + decay · p: before the gradients are scaled this is an L2 penalty, after them decoupled weight decay. */
export const addWeightDecay = (decay: number): Transform =>
  stateless((updates, params) => (decay === 0 ? updates : each((u, p) => add(u!, mul(p!, decay)), updates, params)))

/** The 2-norm of all tensors of a tree together: an f32 scalar. */
export const globalNorm = (tree: unknown): Tensor => {
  const { leaves } = flattenTree(tree, isTensor)
  const squares = leaves.map((x) => sum(mul(x, x)))
  return sqrt(squares.reduce((p, q) => add(p, q), full([], 0, { dtype: 'f32' })))
}

/** u · min(1, max / (norm + 1e-6)) with the norm of all updates together (PyTorch's clip_grad_norm_). */
export const clipByGlobalNorm = (max: number): Transform =>
  stateless((updates) => {
    const factor = minimum(div(max, add(globalNorm(updates), 1e-6)), 1)
    return each((u) => mul(u!, factor), updates)
  })

/** Every element kept within [-max, max]. */
export const clipByValue = (max: number): Transform =>
  stateless((updates) => each((u) => clamp(u!, { min: -max, max }), updates))

/** u - mean(u) over all axes but the first, for tensors of rank 2 and more (gradient centralisation, Yong et al. 2020). */
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

/** Settings of `momentum`. */
export interface MomentumOptions {
  readonly momentum: number
  readonly dampening?: number
  readonly nesterov?: boolean
}

/** b = u at the first step, momentum · b + (1 - dampening) u later; gives b, or with `nesterov` u + momentum · b. */
export const trackMomentum = ({ momentum, dampening = 0, nesterov = false }: MomentumOptions): Transform => ({
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
})
