/** Optimisers whose steps depend on what happens: gradients of several batches are one, or one is not finite. */
import type { Shape } from '../lang/dim.ts'
import { isHalf } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { add, all, cast, cond, div, equal, full, isfinite, logicalAnd, remainder, where } from '../lang/tensor/index.ts'
import { flattenTensors } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { zerosOf } from './stages.ts'
import {
  demandOptimiser,
  demandShapes,
  each,
  nextStep,
  type Optimiser,
  type OptimiserState,
  type TensorTree,
  type Updated,
  wrongState,
} from './transform.ts'

/** The inner optimiser's updates, or none, as the scalar says: only what is taken is computed. */
const updatesIf = <P>(
  taken: Tensor,
  inner: Optimiser,
  grads: P,
  state: OptimiserState,
  params: P,
): readonly [P, OptimiserState] =>
  cond(
    taken,
    (g: P, s: OptimiserState, p: P): readonly [P, OptimiserState] => {
      const [found, after] = inner.updates(g, s, p)
      return [each((u, x) => cast(u!, x!.dtype), found, p), after]
    },
    (_, s, p) => [zerosOf(p) as P, s],
    grads,
    state,
    params,
  )

/** The inner optimiser's step, or none. */
export const updateIf = <P>(taken: Tensor, inner: Optimiser, params: P, grads: P, state: OptimiserState): Updated<P> =>
  cond(
    taken,
    (p: P, g: P, s: OptimiserState) => inner.update(p, g, s),
    (p, _, s) => ({ params: p, state: s }),
    params,
    grads,
    state,
  )

/** What an optimiser around another one does with gradients before the step that may be taken, and with the state after it. */
interface Around {
  readonly taken: Tensor
  readonly grads: unknown
  readonly inner: OptimiserState
  readonly after: (inner: OptimiserState) => OptimiserState
}

/** The optimiser that takes the inner one's steps when `look` says so. */
const conditional = (
  inner: Optimiser,
  init: (first: OptimiserState, params: unknown) => OptimiserState,
  look: (grads: unknown, state: OptimiserState) => Around,
): Optimiser => {
  const at = (params: unknown, grads: unknown, state: OptimiserState): Around => {
    demandShapes('gradient', params, grads)
    return look(grads, state)
  }
  return {
    init: (params) => init(inner.init(params), params),
    updates: <P>(grads: P, state: OptimiserState, params: P) => {
      const around = at(params, grads, state)
      const [found, next] = updatesIf(around.taken, inner, around.grads as P, around.inner, params)
      return [found, around.after(next)] as const
    },
    update: (params, grads, state) => {
      const around = at(params, grads, state)
      const moved = updateIf(around.taken, inner, params, around.grads as typeof params, around.inner)
      return { params: moved.params, state: around.after(moved.state) }
    },
  }
}

const count = (n: number): Tensor => full([], n, { dtype: 'i32' })

/** Gradients of 16 bits are added up in f32. */
const wide = (g: Tensor): Tensor => (!isMistake(g) && isHalf(g.dtype) ? cast(g, 'f32') : g)

/**
 * An optimiser that moves at every `n`th step only, by the mean of the gradients since (large batches in the memory of small ones);
 * at the others it hands parameters and state on. Its own state is one more tree like the gradients; schedules count the
 * steps that move. UsageError unless n is a whole number above 0.
 * @example
 * const o = optim.accumulate(2, optim.sgd(1))
 * const [p, g] = [T.tensor([1.5]), (x: number) => T.full([1], x)]
 * const first = o.update(p, g(0.5), o.init(p))
 * const second = o.update(first.params, g(1.5), first.state)
 * T.reference([first.params, second.params]).map((t) => t.data) // => [[1.5], [0.5]]
 */
export const accumulate = (n: number, inner: Optimiser): Optimiser => {
  if (!Number.isInteger(n) || n < 1)
    raise({
      tag: 'UsageError',
      message: `optim.accumulate: the number of gradients is ${showArgument(n)}, not a whole number above 0`,
      hint: 'write optim.accumulate(4, optim.adam(0.001))',
    })
  demandOptimiser('optim.accumulate', inner)
  const made = conditional(
    inner,
    (first, params) => ({
      step: count(0),
      stages: { inner: first, sum: each((p) => wide(p!), zerosOf(params)) },
    }),
    (grads, state) => {
      const before = state.stages as { readonly inner: OptimiserState; readonly sum: TensorTree }
      if (!(before?.inner && 'sum' in before)) wrongState()
      const step = nextStep(state.step)
      const taken = equal(remainder(step, count(n)), count(0))
      const sum = each((s, g) => add(s!, wide(g!)), before.sum, grads)
      return {
        taken,
        grads: each((g, s) => cast(div(s!, n), g!.dtype), grads, sum),
        inner: before.inner,
        after: (next) => ({ step, stages: { inner: next, sum: each((s) => where(taken, 0, s!), sum) } }),
      }
    },
  )
  return printedCall(made, 'optim.accumulate', n, inner)
}

/**
 * Whether every element of every tensor of a tree is finite: a bool scalar, true for an empty tree.
 * @example
 * T.reference(optim.allFinite({ a: T.tensor([1.5]), b: [T.tensor([Infinity])] })).data // => [0]
 */
export const allFinite = (tree: unknown): Tensor<Shape, 'bool'> =>
  flattenTensors(tree)
    .leaves.map((x) => all(isfinite(x)) as Tensor<Shape, 'bool'>)
    .reduce((a, b) => logicalAnd(a, b), full([], true, { dtype: 'bool' }) as Tensor<Shape, 'bool'>)

/**
 * An optimiser that skips the steps whose gradients are not all finite: parameters and state stay as they were, and the state's
 * `skipped` counts them (i32; that of the outermost optimiser: put `applyIfFinite` around the others).
 * @example
 * const o = optim.applyIfFinite(optim.sgd(0.5))
 * const p = T.ones([1])
 * const { params, state } = o.update(p, T.tensor([NaN]), o.init(p))
 * T.reference([params, state.skipped!]).map((t) => t.data) // => [[1], [1]]
 */
export const applyIfFinite = (inner: Optimiser): Optimiser => {
  demandOptimiser('optim.applyIfFinite', inner)
  const made = conditional(
    inner,
    (first) => ({ step: count(0), stages: first, skipped: count(0) }),
    (grads, state) => {
      if (!state?.skipped) wrongState()
      const taken = allFinite(grads)
      const skipped = where(taken, state.skipped!, nextStep(state.skipped!)) as Tensor
      return {
        taken,
        grads,
        inner: state.stages as OptimiserState,
        after: (next) => ({ step: nextStep(state.step), stages: next, skipped }),
      }
    },
  )
  return printedCall(made, 'optim.applyIfFinite', inner)
}
