/**
 * What an optimiser is made of: pure transformations of gradients, `(grads, state, params, step) → [updates, state]`, that
 * chain; and the optimiser around them, which counts steps on the device. State is a tree of tensors like any other.
 */
import { isFloat } from '../lang/dtype.ts'
import { raise, showOperand } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { ShapeEq } from '../lang/shape.ts'
import { demandFunction, showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { add, cast, full } from '../lang/tensor/index.ts'
import { isRecord, isTensor, mapTree, type TensorTree, zipTrees } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'

export type { TensorTree }

/** One stage: turns gradients (or what the stage before gave) into updates, keeping `state` between steps. */
export interface Transform {
  /** The state before the first step. */
  readonly init: (params: unknown) => TensorTree
  /** `updates` and `params` are trees of one structure; `step` is an i32 scalar that counts from 0. */
  readonly apply: <P>(updates: P, state: TensorTree, params: P, step: Tensor) => readonly [P, TensorTree]
}

/** The state of an optimiser: how many steps were taken (an i32 scalar), and the state of its stages. */
export interface OptimiserState {
  readonly step: Tensor
  readonly stages: TensorTree
  /** How many of the steps `applyIfFinite` skipped (an i32 scalar); other optimisers have none. */
  readonly skipped?: Tensor
}

/** Parameters and state after a step. */
export interface Updated<P> {
  readonly params: P
  readonly state: OptimiserState
}

/** A complete optimiser: its updates are added to the parameters. */
export interface Optimiser {
  /** The state before the first step. UsageError when a parameter is not a float tensor. */
  readonly init: (params: unknown) => OptimiserState
  /** What to add to the parameters, and the next state. */
  readonly updates: <P>(grads: P, state: OptimiserState, params: P) => readonly [P, OptimiserState]
  /** One step: parameters with the updates added, and the next state. */
  readonly update: <P>(params: P, grads: P, state: OptimiserState) => Updated<P>
}

/** `f` of the tensors that stand at one place of several trees, as a tree of the first one's type. */
export const each = <P>(f: (...leaves: readonly Tensor[]) => Tensor, tree: P, ...others: readonly unknown[]): P =>
  zipTrees((leaves) => f(...leaves), tree, ...others) as unknown as P

/**
 * A stage without state from a function of updates, parameters and the step (an i32 scalar); what it gives has the
 * structure of the updates.
 * @example
 * const flip = optim.stateless((updates) => T.mapTree(updates, (u) => T.neg(u)) as typeof updates)
 * T.reference(flip.apply(T.tensor([2.5]), [], T.ones([1]), T.tensor(0))[0]).data // => [-2.5]
 */
export const stateless = (f: <P>(updates: P, params: P, step: Tensor) => P): Transform => {
  demandFunction('optim.stateless', 'the stage', f)
  const stage: Transform = {
    init: () => [],
    apply: (updates, state, params, step) => [f(updates, params, step), state],
  }
  return printedCall(stage, 'optim.stateless', f)
}

export const isStage = (x: unknown): x is Transform => isRecord(x) && 'init' in x && 'apply' in x

export const isOptimiser = (x: unknown): x is Optimiser => isRecord(x) && 'init' in x && 'updates' in x && 'update' in x

/** UsageError unless `x` is an optimiser. */
export const demandOptimiser = (name: string, x: unknown): void => {
  if (isOptimiser(x)) return
  raise({
    tag: 'UsageError',
    message: `${name}: ${showArgument(x)} stands where an optimiser is needed`,
    hint: isStage(x) ? 'make one of the stage: optim.optimiser(stage)' : 'give one, such as optim.adam(0.001)',
  })
}

/** UsageError for what is no stage. */
const demandStages = (name: string, stages: readonly Transform[]): void => {
  const at = stages.findIndex((s) => !isStage(s))
  if (at < 0) return
  raise({
    tag: 'UsageError',
    message: `${name}: stage ${at + 1} is ${showArgument(stages[at])}, not a stage`,
    hint: `stages stand one after another: ${name}(optim.clipByValue(1), optim.scaleByRate(0.1))`,
  })
}

export const wrongState = (): never =>
  raise({
    tag: 'UsageError',
    message: 'optimiser: the state is not one of this optimiser',
    hint: 'write update(params, grads, state), the state being what init(params) or the last update gave',
  })

const shapeHints = {
  gradient: 'give T.grad of a loss of these parameters, in the order update(params, grads, state)',
  update: 'give what updates(grads, state, params) gave, in the order applyUpdates(params, updates)',
  average: 'give the state that init(params) or the last update gave, in the order update(params, state)',
}

/** UsageError unless every `what` has the shape of its parameter: a broadcast would change the parameter's. */
export const demandShapes = (
  what: keyof typeof shapeHints,
  params: unknown,
  given: unknown,
  name = 'optimiser',
): void => {
  zipTrees(
    ([p, g], path) => {
      if (isMistake(p!) || isMistake(g!) || ShapeEq.equals(p!.shape, g!.shape)) return
      raise({
        tag: 'UsageError',
        message: `${name}: the ${what} of ${path || 'the parameter'} is ${showOperand(g!)}, the parameter ${showOperand(p!)}`,
        hint: shapeHints[what],
      })
    },
    params,
    given,
  )
}

/**
 * The stages one after another, each given what the one before made; their states as a list.
 * @example
 * const stage = optim.chain(optim.clipByValue(1), optim.scaleByRate(0.5))
 * T.reference(stage.apply(T.tensor([3.5]), stage.init(T.ones([1])), T.ones([1]), T.tensor(0))[0]).data // => [-0.5]
 */
export const chain = (...stages: readonly Transform[]): Transform => {
  demandStages('optim.chain', stages)
  const whole: Transform = {
    init: (params) => stages.map((s) => s.init(params)),
    apply: (updates, state, params, step) => {
      const states: TensorTree[] = []
      const before = state as readonly TensorTree[]
      if (!(Array.isArray(state) && state.length === stages.length)) wrongState()
      const result = stages.reduce((u, stage, i) => {
        const [next, after] = stage.apply(u, before[i]!, params, step)
        states.push(after)
        return next
      }, updates)
      return [result, states]
    },
  }
  return printedCall(whole, 'optim.chain', ...stages)
}

/**
 * `params + updates`, leaf by leaf, in the dtype of the parameter. UsageError where structures or shapes differ.
 * @example
 * T.reference(optim.applyUpdates({ w: T.tensor([1.5]) }, { w: T.tensor([-0.5]) }).w).data // => [1]
 */
export const applyUpdates = <P>(params: P, updates: P): P => {
  demandShapes('update', params, updates)
  return each((p, u) => add(p!, cast(u!, p!.dtype)), params, updates)
}

export const requireFloat = (params: unknown): void => {
  mapTree(params, (leaf, path) => {
    if (isFloat(leaf.dtype)) return
    raise({
      tag: 'UsageError',
      message: `optimiser: parameter ${path} is ${leaf.dtype}, which has no gradient`,
      hint: 'keep counters, keys and indices in a tree beside the parameters',
    })
  })
}

/** The step after `step`. */
export const nextStep = (step: Tensor): Tensor => add(step, full([], 1, { dtype: 'i32' }))

/** The optimiser of a first state and of updates, which are added to the parameters. */
export const fromUpdates = (init: Optimiser['init'], updates: Optimiser['updates']): Optimiser => ({
  init,
  updates,
  update: (params, grads, state) => {
    const [found, after] = updates(grads, state, params)
    return { params: applyUpdates(params, found), state: after }
  },
})

/**
 * Stages as an optimiser, with one step counter (i32) for all of them: `init(params)` gives the state, `update(params,
 * grads, state)` parameters and state after a step, both trees of tensors. UsageError for a parameter that is not a
 * float.
 * @example
 * const o = optim.optimiser(optim.clipByValue(1), optim.scaleByRate(0.5))
 * const { params, state } = o.update(T.ones([1]), T.tensor([3.5]), o.init(T.ones([1])))
 * T.reference([params, state.step]).map((t) => t.data) // => [[0.5], [1]]
 */
export const optimiser = (...stages: readonly Transform[]): Optimiser => {
  demandStages('optim.optimiser', stages)
  const whole = chain(...stages)
  const made = fromUpdates(
    (params) => {
      requireFloat(params)
      return { step: full([], 0, { dtype: 'i32' }), stages: whole.init(params) }
    },
    (grads, state, params) => {
      if (!isRecord(state) || !isTensor(state.step)) wrongState()
      demandShapes('gradient', params, grads)
      const [found, after] = whole.apply(grads, state.stages, params, state.step)
      return [found, { step: nextStep(state.step), stages: after }]
    },
  )
  return printedCall(made, 'optim.optimiser', ...stages)
}
