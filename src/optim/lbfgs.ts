/** L-BFGS: descent along directions that the last steps and the turns of the gradient make, with a line search on the device. */
import { valueAndGrad } from '../../passes/transform/gradient.ts'
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { ShapeEq } from '../lang/shape.ts'
import { demandFunction, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import {
  abs,
  add,
  cast,
  concat,
  div,
  expandDims,
  full,
  greater,
  minimum,
  mul,
  narrow,
  neg,
  scan,
  select,
  sub,
  sum,
  where,
} from '../lang/tensor/index.ts'
import { isRecord, isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { dot, type LineSearchOptions, lineSearch, type Objective, type Point } from './line-search.ts'
import { globalNorm } from './norms.ts'
import { type Packing, packingOf } from './packing.ts'
import { nextStep, requireFloat } from './transform.ts'

/** Settings of `lbfgs`. */
export interface LbfgsOptions extends LineSearchOptions {
  /** How many steps it remembers: 10. */
  readonly history?: number | undefined
}

export const lbfgsOptions: OptionNames<LbfgsOptions> = {
  history: 'count',
  c1: 'fraction',
  c2: 'fraction',
  maxEvaluations: 'count',
}

/** What is remembered, newest last, all parameters in one row: f32[history, n] each; steps are counted in an i32 scalar. */
export interface LbfgsState {
  readonly step: Tensor
  /** The last steps of the parameters. */
  readonly moves: Tensor
  /** How each turned the gradient. */
  readonly turns: Tensor
}

/** Parameters and state after a step, and the loss of these parameters, an f32 scalar. */
export interface LbfgsUpdated<P> {
  readonly params: P
  readonly state: LbfgsState
  readonly loss: Tensor
}

/** A descent that evaluates the loss itself, as often as its line search needs. */
export interface Lbfgs {
  readonly init: (params: unknown) => LbfgsState
  readonly update: <P>(params: P, loss: (params: P) => Tensor, state: LbfgsState) => LbfgsUpdated<P>
}

/** The direction of descent from what is remembered (Nocedal and Wright 2006, algorithm 7.4). Rows of zeros add nothing. */
const directionOf = (gradient: Tensor, { moves, turns }: LbfgsState, history: number): Tensor => {
  const inverse = (x: Tensor): Tensor => where(greater(x, 0), div(1, where(greater(x, 0), x, 1)), 0) as Tensor
  const rows = { move: moves, turn: turns, weight: inverse(sum(mul(moves, turns), { axis: 1 }) as Tensor) }
  const [q, alphas] = scan(
    (g: Tensor, { move, turn, weight }: { [K in keyof typeof rows]: Tensor }): readonly [Tensor, Tensor] => {
      const alpha = mul(weight, dot(move, g))
      return [sub(g, mul(turn, alpha)), alpha]
    },
    gradient,
    rows,
    { reverse: true },
  )
  const [move, turn] = [select(moves, history - 1), select(turns, history - 1)]
  const curvature = dot(turn, turn)
  // The first step is as long as the gradient, and not longer than 1.
  const first = minimum(inverse(sum(abs(gradient)) as Tensor), 1)
  const scale = where(greater(curvature, 0), mul(dot(move, turn), inverse(curvature)), first)
  const [r] = scan(
    (
      x: Tensor,
      row: { [K in keyof typeof rows]: Tensor } & { readonly alpha: Tensor },
    ): readonly [Tensor, readonly []] => {
      const beta = mul(row.weight, dot(row.turn, x))
      return [add(x, mul(row.move, sub(row.alpha, beta))), []]
    },
    mul(q, scale),
    { ...rows, alpha: alphas },
  )
  // What rounding made an ascent starts anew with the gradient.
  const descends = greater(dot(r, gradient), 0)
  return neg(where(descends, r, mul(gradient, first)))
}

const pushed = (rows: Tensor, row: Tensor, history: number): Tensor =>
  concat([narrow(rows, 1, history - 1), expandDims(row, 0)]) as Tensor

/** One step from a point. */
export const advance = (
  f: Objective,
  from: Point,
  state: LbfgsState,
  options: LbfgsOptions,
): readonly [Point, LbfgsState] => {
  const { history = 10 } = options
  const to = lineSearch(f, from, directionOf(from.gradient, state, history), options)
  const [move, turn] = [sub(to.x, from.x), sub(to.gradient, from.gradient)]
  // A pair that says nothing certain about the curvature is left out.
  const isCurved = greater(dot(move, turn), mul(mul(globalNorm(move), globalNorm(turn)), 2 ** -23))
  const keep = (rows: Tensor, row: Tensor): Tensor => where(isCurved, pushed(rows, row, history), rows) as Tensor
  return [to, { step: nextStep(state.step), moves: keep(state.moves, move), turns: keep(state.turns, turn) }]
}

export const firstState = (size: number, history: number): LbfgsState => ({
  step: full([], 0, { dtype: 'i32' }),
  moves: full([history, size], 0),
  turns: full([history, size], 0),
})

export const objectiveOf =
  <P>(name: string, loss: (params: P) => Tensor, { unpack }: Packing<P>): Objective =>
  (x) => {
    demandFunction(name, 'the loss', loss, 'the parameters, which gives a scalar')
    return valueAndGrad((v: Tensor) => cast(loss(unpack(v)), 'f32') as Tensor)(x)
  }

export const pointAt = (f: Objective, x: Tensor): Point => {
  const [value, gradient] = f(x)
  return { x, value, gradient }
}

/** UsageError for a state that remembers other parameters, or more or fewer steps. */
const demandState = (state: LbfgsState, size: number, history: number): void => {
  const { moves } = (isRecord(state) ? state : {}) as Partial<LbfgsState>
  if (isTensor(moves) && (isMistake(moves) || ShapeEq.equals(moves.shape, [history, size]))) return
  raise({
    tag: 'UsageError',
    message: `optim.lbfgs: the state is not one of ${size} parameters and ${history} steps`,
    hint: 'write update(params, loss, state), the state being what init(params) or the last update gave',
  })
}

/**
 * L-BFGS (Nocedal and Wright 2006, algorithm 7.5) with a line search for the strong Wolfe conditions, all of it in the
 * program: `init(params)` gives the state, `update(params, loss, state)` the next parameters, state and loss, where `loss`
 * is a function of parameters to a scalar, of this batch. A step evaluates it and its gradient once and then as often as the
 * search needs, mostly once. Inside, parameters are one f32 vector. For whole minimisations there is `minimise`. UsageError
 * for a parameter that is not a float, or a loss that is no function to a scalar.
 * @example
 * const o = optim.lbfgs({ history: 5 })
 * const loss = (p: { x: T.Tensor }) => T.sum(T.square(T.sub(p.x, 3)))
 * const start = { x: T.tensor([2.5]) }
 * T.reference(o.update(start, loss, o.init(start)).params.x).data // => [3]
 */
export const lbfgs = (options: LbfgsOptions = {}): Lbfgs => {
  demandRecord('optim.lbfgs', lbfgsOptions, options)
  const made: Lbfgs = {
    init: (params) => {
      requireFloat(params)
      return firstState(packingOf(params).size, options.history ?? 10)
    },
    update: (params, loss, state) => {
      const packing = packingOf(params)
      demandState(state, packing.size, options.history ?? 10)
      const f = objectiveOf('optim.lbfgs', loss, packing)
      const [to, after] = advance(f, pointAt(f, packing.pack(params)), state, options)
      return { params: packing.unpack(to.x), state: after, loss: to.value }
    },
  }
  return printedCall(made, 'optim.lbfgs', options)
}
