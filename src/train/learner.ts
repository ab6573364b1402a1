/** A step of training made of a loss and an optimiser: what `fit`, `compileOn`, `jit` and loops of one's own run. */
import { valueAndGrad } from '../../passes/transform/gradient.ts'
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandFunction, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { type Key, splitList } from '../lang/tensor/random/keys.ts'
import { isRecord, type TreeOf } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { demandOptimiser, type Optimiser, type OptimiserState } from '../optim/transform.ts'

/** What training moves: parameters, the optimiser's state, and the key of the next step where steps draw. */
export interface LearnerState<P> {
  readonly params: P
  readonly optimiser: OptimiserState
  readonly key?: Key
}

/** The same with what steps keep without learning it: running statistics. */
export interface RunningState<P, M> extends LearnerState<P> {
  readonly running: M
}

/** What a step gives: the next state, the loss of the parameters before it, and what the loss gave beside itself. */
export type Learned<S, X = unknown> = { readonly state: S; readonly loss: Tensor } & X

/** What a state begins with besides parameters. */
export interface LearnerStart {
  /** The key that steps draw from: each gives the loss one of its own. */
  readonly key?: Key | undefined
}

/** The same where there are running statistics. */
export interface RunningStart<M> extends LearnerStart {
  readonly running: M
}

/** A batch, which may be left out where the loss does not look at it. */
type Batches<B> = unknown extends B ? readonly [batch?: unknown] : readonly [batch: B]

/** The first state of training and the step from each to the next: pure functions. */
export interface Learner<P, B, X = unknown> {
  readonly init: (params: P, start?: LearnerStart) => LearnerState<P>
  readonly step: (state: LearnerState<P>, ...batch: Batches<B>) => Learned<LearnerState<P>, X>
}

/** A learner with running statistics. */
export interface RunningLearner<P, B, M, X = unknown> {
  readonly init: (params: P, start: RunningStart<M>) => RunningState<P, M>
  readonly step: (state: RunningState<P, M>, ...batch: Batches<B>) => Learned<RunningState<P, M>, X>
}

/** What the loss gives and takes besides a scalar of parameters and a batch. */
export interface LearnerOptions {
  /** Whether it gives `[loss, aux]`, `aux` being a record: each is a result of the step, a scalar so a measure. */
  readonly hasAux?: boolean | undefined
  /** Whether it takes running statistics after the batch and gives `[loss, { running, … }]`, with their next values. */
  readonly running?: boolean | undefined
}

const learnerOptions: OptionNames<LearnerOptions> = { hasAux: 'boolean', running: 'boolean' }

const startOptions: OptionNames<LearnerStart> = { key: 'tensor' }

const runningOptions: OptionNames<RunningStart<unknown>> = { ...startOptions, running: 'must own' }

/** What `learner` is, for the three kinds of loss. */
export interface MakeLearner {
  <P, B>(loss: (params: P, batch: B, key: Key) => Tensor, optimiser: Optimiser): Learner<P, B>
  <P, B, M, X extends { readonly running: TreeOf<M, Tensor> }>(
    loss: (params: P, batch: B, running: M, key: Key) => readonly [Tensor, X],
    optimiser: Optimiser,
    options: LearnerOptions & { readonly running: true },
  ): RunningLearner<P, B, M, Omit<X, 'running'>>
  <P, B, X>(
    loss: (params: P, batch: B, key: Key) => readonly [Tensor, X],
    optimiser: Optimiser,
    options: LearnerOptions & { readonly hasAux: true },
  ): Learner<P, B, X>
}

type Loss = (...args: readonly unknown[]) => Tensor | readonly [Tensor, unknown]

const wrong = (message: string, hint: string): never =>
  raise({ tag: 'UsageError', message: `train.learner: ${message}`, hint })

/** What the loss gave beside itself, by names that nothing else has. */
const demandAux = (aux: unknown, isRunning: boolean): Readonly<Record<string, unknown>> => {
  if (!isRecord(aux))
    return wrong(`the loss gave ${showArgument(aux)} beside itself, not a record`, 'write [loss, { accuracy }]')
  for (const name of ['state', 'loss'])
    if (name in aux) wrong(`the loss gave '${name}' beside itself, which the step gives`, 'give it another name')
  if (isRunning && !('running' in aux))
    wrong('the loss did not give the next running statistics', 'write [loss, { running }]')
  return aux
}

/** UsageError for a state that `init` of the same learner did not begin. */
const demandState = (state: unknown, isRunning: boolean): void => {
  if (isRecord(state) && 'params' in state && 'optimiser' in state && isRunning === 'running' in state) return
  wrong('the state is not one of this learner', 'give step what init(params) or the last step gave')
}

/**
 * Training as two pure functions: `init(params)` gives `{ params, optimiser }`, and `step(state, batch)` the next `state`, after one
 * update by the gradient of `loss(params, batch)`, and the `loss` before it. Compile the step, with `T.jit(step, { donate: [0] })` or
 * `T.compileOn`, and loop, or give it to `fit`. A loss may leave the batch out.
 *
 * Where steps draw (dropout, noise), begin with `init(params, { key })`: each calls `loss(params, batch, key)` with a key of its own,
 * and the state holds the next one. Under `hasAux` the loss gives `[loss, { accuracy, … }]`, which are results of the step as well.
 * Under `running` it takes what it keeps without learning it, and gives the next:
 * `(params, batch, running, key) => [loss, { running, … }]`, begun by `init(params, { running })`. In bf16 learn
 * `mixed({ compute: 'bf16' }).loss(loss)`.
 *
 * UsageError for what is no optimiser, for aux that is no record, and for the state of another learner.
 * @example
 * const loss = (w: T.Tensor, { x }: { x: T.Tensor }) => T.mean(T.square(T.sub(T.mul(x, w), x)))
 * const { init, step } = train.learner(loss, optim.sgd(0.25))
 * const first = step(init(T.tensor(0.5)), { x: T.tensor([1, 2]) })
 * T.reference([first.loss, first.state.params]).map((t) => t.data) // => [[0.625], [1.125]]
 *
 * const noisy = (w: T.Tensor, _: unknown, key: T.Tensor) => [T.square(T.add(w, random.normal(key, []))), { size: T.abs(w) }] as const
 * const drawn = train.learner(noisy, optim.sgd(0.25), { hasAux: true })
 * T.reference(drawn.step(drawn.init(T.tensor(0.5), { key: random.key(0) })).size).data // => [0.5]
 */
export const learner: MakeLearner = ((loss: Loss, optimiser: Optimiser, options: LearnerOptions = {}) => {
  demandFunction('train.learner', 'the loss', loss, 'parameters and a batch')
  demandOptimiser('train.learner', optimiser)
  demandRecord('train.learner', learnerOptions, options)
  const { hasAux = false, running: isRunning = false } = options
  const init = (params: unknown, start: LearnerStart = {}): LearnerState<unknown> => {
    demandRecord('train.learner, init', isRunning ? runningOptions : startOptions, start)
    const { key, ...kept } = start
    return { params, optimiser: optimiser.init(params), ...(key && { key }), ...kept }
  }
  const step = (state: RunningState<unknown, unknown>, batch: unknown): Learned<unknown> => {
    demandState(state, isRunning)
    const [key, now] = state.key ? splitList(state.key) : []
    const given = isRunning ? [batch, state.running, now] : [batch, now]
    const both = (p: unknown): readonly [Tensor, Readonly<Record<string, unknown>>] => {
      const found = loss(p, ...given)
      if (!hasAux && !isRunning) return [found as Tensor, {}]
      const [value, aux] = found as readonly [Tensor, unknown]
      return [value, demandAux(aux, isRunning)]
    }
    const [[value, aux], grads] = valueAndGrad(both, { hasAux: true })(state.params)
    const next = optimiser.update(state.params, grads, state.optimiser)
    const { running, ...others } = aux
    const kept = { ...(key && { key }), ...(isRunning && { running }) }
    const results = isRunning ? others : aux
    return { state: { params: next.params, optimiser: next.state, ...kept }, loss: value, ...results }
  }
  return printedCall({ init, step }, 'train.learner', loss, optimiser, options)
}) as MakeLearner
