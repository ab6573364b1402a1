/** Optimisers and stages of several, one for each group of parameters. */
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { showArgument } from '../lang/tensor/arguments.ts'
import { full } from '../lang/tensor/index.ts'
import { isRecord, mapRecord } from '../lang/tree.ts'
import { partOf, withParts } from './parts.ts'
import { type PerLeaf, valuesFor, type Wanted } from './per-leaf.ts'
import {
  demandShapes,
  fromUpdates,
  isOptimiser,
  isStage,
  nextStep,
  type Optimiser,
  type OptimiserState,
  type TensorTree,
  type Transform,
  wrongState,
} from './transform.ts'

type Members<M> = Readonly<Record<string, M>>

type LabelsOf = (params: unknown) => readonly string[]

const demandMembers = (members: Members<Transform | Optimiser>): void => {
  const wrong = isRecord(members)
    ? Object.keys(members).find(
        (name) =>
          isStage(members[name]) !== isStage(Object.values(members)[0]) ||
          !(isStage(members[name]) || isOptimiser(members[name])),
      )
    : ''
  if (wrong === undefined) return
  raise({
    tag: 'UsageError',
    message: isRecord(members)
      ? `optim.groups: the group ${wrong} is ${showArgument(members[wrong])}, where the groups are all optimisers or all stages`
      : `optim.groups: ${showArgument(members)} stands where a record of optimisers is needed`,
    hint: "write optim.groups({ slow: optim.sgd(0.01), fast: optim.adam(0.1) }, optim.byPath({ head: 'fast' }, 'slow'))",
  })
}

const groupNames = (members: Members<unknown>): Wanted<string> => ({
  what: 'grouping',
  kind: `one of ${Object.keys(members).map(showArgument).join(', ')}`,
  example: showArgument(Object.keys(members)[0] ?? 'a'),
  holds: (x): x is string => typeof x === 'string' && Object.hasOwn(members, x),
})

const groupedStages = (members: Members<Transform>, labelsOf: LabelsOf): Transform => ({
  init: (params) => mapRecord(members, (stage, name) => stage.init(partOf(params, labelsOf(params), name))),
  apply: (updates, state, params, step) => {
    demandShapes('gradient', params, updates)
    const labels = labelsOf(params)
    const before = state as Members<TensorTree>
    const done = mapRecord(members, (stage, name) =>
      stage.apply(partOf(updates, labels, name), before[name], partOf(params, labels, name), step),
    )
    const parts = new Map(Object.entries(done).map(([name, [found]]) => [name, found]))
    return [withParts(updates, labels, parts), mapRecord(done, ([, after]) => after)]
  },
})

const groupedOptimisers = (members: Members<Optimiser>, labelsOf: LabelsOf): Optimiser => {
  // An optimiser's updates are a stage that counts for itself.
  const whole = groupedStages(
    mapRecord(members, (inner) => ({
      init: inner.init as (params: unknown) => TensorTree,
      apply: (grads, state, params) => inner.updates(grads, state as unknown as OptimiserState, params),
    })),
    labelsOf,
  )
  return fromUpdates(
    (params) => ({ step: full([], 0, { dtype: 'i32' }), stages: whole.init(params) }),
    (grads, state, params) => {
      if (!isRecord(state) || !isRecord(state.stages)) wrongState()
      const [found, stages] = whole.apply(grads, state.stages, params, state.step)
      return [found, { step: nextStep(state.step), stages }]
    },
  )
}

/**
 * An optimiser of several, one for each group of parameters (torch's parameter groups, optax.partition): `by` gives every
 * parameter the name of its group, as a tree of names (one stands for a tensor or a whole part) or a function of path and
 * parameter, such as `byPath` makes. Each sees the gradients of its own group alone, so clipping by the norm of all is clipping
 * by the norm of the group, and keeps state for them alone. Of stages it makes a stage. UsageError that names the paths where
 * the names do not fit the parameters.
 * @example
 * const o = optim.groups({ slow: optim.sgd(0.1), fast: optim.sgd(0.5), still: optim.frozen() }, { body: 'slow', head: 'fast', table: 'still' })
 * const params = { body: [T.ones([1])], head: T.ones([1]), table: T.ones([1]) }
 * const next = o.update(params, params, o.init(params)).params
 * T.reference([next.body[0]!, next.head, next.table]).map((t) => t.data) // => [[0.9], [0.5], [1]]
 */
export function groups(members: Members<Transform>, by: PerLeaf<string>): Transform
export function groups(members: Members<Optimiser>, by: PerLeaf<string>): Optimiser
export function groups(members: Members<Transform> | Members<Optimiser>, by: PerLeaf<string>): Transform | Optimiser {
  demandMembers(members)
  const names = groupNames(members)
  const labelsOf: LabelsOf = (params) => valuesFor('optim.groups', names, by, params)
  const made = Object.values(members).every(isStage)
    ? groupedStages(members as Members<Transform>, labelsOf)
    : groupedOptimisers(members as Members<Optimiser>, labelsOf)
  return printedCall(made, 'optim.groups', members, by)
}
