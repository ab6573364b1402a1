/** A whole minimisation as one expression: L-BFGS until the gradient is small. */
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import {
  abs,
  amax,
  any,
  concat,
  full,
  greater,
  lessEqual,
  logicalAnd,
  notEqual,
  whileLoop,
} from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { advance, firstState, type LbfgsOptions, lbfgsOptions, objectiveOf, pointAt } from './lbfgs.ts'
import type { Point } from './line-search.ts'
import { packingOf } from './packing.ts'
import { requireFloat } from './transform.ts'

/** Settings of `minimise`: those of `lbfgs`, and when it ends. */
export interface MinimiseOptions extends LbfgsOptions {
  /** How many steps it takes at most: 100. */
  readonly maxIterations?: number | undefined
  /** How large an element of the gradient may be at the end: 0.00001. */
  readonly tolerance?: number | undefined
}

const minimiseOptions: OptionNames<MinimiseOptions> = {
  ...lbfgsOptions,
  maxIterations: 'count',
  tolerance: 'amount',
}

/** Where a minimisation ended. */
export interface Minimum<P> {
  readonly params: P
  /** The loss there, an f32 scalar. */
  readonly loss: Tensor
  /** The largest element of the gradient there by size, an f32 scalar. */
  readonly gradient: Tensor
  /** How many steps it took, an i32 scalar. */
  readonly steps: Tensor
  /** Whether the gradient is within the tolerance, a bool scalar. */
  readonly converged: Tensor
}

/**
 * The parameters from `params` on at which `loss`, a function of them to a scalar, is least: L-BFGS steps until no element of
 * the gradient is larger than `tolerance` (1e-5), a step moves nothing, or there were `maxIterations` (100). One program, without a
 * way back to the host; `vmap` maps it over starts or data. UsageError as of `lbfgs`.
 * @example
 * const rosenbrock = (p: { x: T.Tensor, y: T.Tensor }) =>
 *   T.add(T.square(T.sub(1, p.x)), T.mul(100, T.square(T.sub(p.y, T.square(p.x)))))
 * const end = optim.minimise(rosenbrock, { x: T.tensor(-1.2), y: T.tensor(1.5) })
 * T.reference([end.params.x, end.params.y]).map((t) => Math.round(t.data[0]! * 1e4)) // => [10000, 10000]
 * T.reference(end.converged).data // => [1]
 */
export const minimise = <P>(loss: (params: P) => Tensor, params: P, options: MinimiseOptions = {}): Minimum<P> => {
  demandRecord('optim.minimise', minimiseOptions, options)
  requireFloat(params)
  const { maxIterations = 100, tolerance = 1e-5, history = 10 } = options
  const packing = packingOf(params)
  const f = objectiveOf('optim.minimise', loss, packing)
  const largest = (point: Point): Tensor => amax(abs(concat([point.gradient, full([1], 0)]))) as Tensor
  const start = {
    point: pointAt(f, packing.pack(params)),
    state: firstState(packing.size, history),
    moves: full([], true, { dtype: 'bool' }) as Tensor,
  }
  const { point, state } = whileLoop(
    (now) => logicalAnd(now.moves, greater(largest(now.point), tolerance)),
    (now) => {
      const [to, after] = advance(f, now.point, now.state, options)
      return { point: to, state: after, moves: any(notEqual(to.x, now.point.x)) as Tensor }
    },
    start,
    { maxIterations },
  )
  const gradient = largest(point)
  return {
    params: packing.unpack(point.x),
    loss: point.value,
    gradient,
    steps: state.step,
    converged: lessEqual(gradient, tolerance),
  }
}
