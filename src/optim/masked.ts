/** Optimisers and stages for some of the parameters: masks and frozen parts. */
import { printedCall } from '../lang/print/call-text.ts'
import { flattenTensors } from '../lang/tree.ts'
import { partOf, withParts } from './parts.ts'
import { type Mask, mask as maskOf, valuesFor } from './per-leaf.ts'
import { zerosOf } from './stages.ts'
import { demandOptimiser, demandShapes, isStage, type Optimiser, optimiser, type Transform } from './transform.ts'

type FlagsOf = (params: unknown) => readonly boolean[]

/** The stage for the parameters of which `flagsOf` gives true. */
export const maskedStage = (stage: Transform, flagsOf: FlagsOf): Transform => ({
  init: (params) => stage.init(partOf(params, flagsOf(params), true)),
  apply: (updates, state, params, step) => {
    demandShapes('gradient', params, updates)
    const flags = flagsOf(params)
    const [found, after] = stage.apply(partOf(updates, flags, true), state, partOf(params, flags, true), step)
    return [withParts(updates, flags, new Map([[true, found]])), after]
  },
})

const maskedOptimiser = (inner: Optimiser, flagsOf: FlagsOf): Optimiser => ({
  init: (params) => inner.init(partOf(params, flagsOf(params), true)),
  updates: (grads, state, params) => {
    demandShapes('gradient', params, grads)
    const flags = flagsOf(params)
    const [found, after] = inner.updates(partOf(grads, flags, true), state, partOf(params, flags, true))
    return [withParts(zerosOf(params) as typeof params, flags, new Map([[true, found]])), after]
  },
  update: (params, grads, state) => {
    demandShapes('gradient', params, grads)
    const flags = flagsOf(params)
    const moved = inner.update(partOf(params, flags, true), partOf(grads, flags, true), state)
    return { params: withParts(params, flags, new Map([[true, moved.params]])), state: moved.state }
  },
})

/**
 * A stage or an optimiser for the parameters that `mask` is true of: one of true and false for all, a tree of them (one stands
 * for a tensor or a whole part), or a function of path and parameter, such as `byPath` makes. What the mask excludes is left
 * as it is: by a stage its updates, by an optimiser the parameters. There is no state for it. UsageError that names the
 * paths where the mask does not fit the parameters.
 * @example
 * const o = optim.masked(optim.sgd(0.5), (path, p) => p.shape.length > 1)
 * const [params, g] = [{ w: T.ones([1, 2]), b: T.ones([2]) }, { w: T.ones([1, 2]), b: T.ones([2]) }]
 * const next = o.update(params, g, o.init(params)).params
 * T.reference([next.w, next.b]).map((t) => t.data) // => [[0.5, 0.5], [1, 1]]
 */
export function masked(inner: Transform, mask: Mask): Transform
export function masked(inner: Optimiser, mask: Mask): Optimiser
export function masked(inner: Transform | Optimiser, mask: Mask): Transform | Optimiser {
  const flagsOf: FlagsOf = (params) => valuesFor('optim.masked', maskOf, mask, params)
  if (isStage(inner)) return printedCall(maskedStage(inner, flagsOf), 'optim.masked', inner, mask)
  demandOptimiser('optim.masked', inner)
  return printedCall(maskedOptimiser(inner, flagsOf), 'optim.masked', inner, mask)
}

/**
 * An optimiser that leaves the parameters alone that `mask` is true of, keeps no state for them, and does not ask whether they
 * are floats. The mask is one as `masked` takes. Their gradients are not computed where nothing else needs them.
 * @example
 * const o = optim.freeze(optim.sgd(0.5), optim.byPath({ body: true }, false))
 * const params = { body: [T.ones([2])], head: T.ones([1]) }
 * const next = o.update(params, params, o.init(params)).params
 * T.reference([next.body[0]!, next.head]).map((t) => t.data) // => [[1, 1], [0.5]]
 */
export const freeze = (inner: Optimiser, mask: Mask): Optimiser => {
  demandOptimiser('optim.freeze', inner)
  const flagsOf: FlagsOf = (params) => valuesFor('optim.freeze', maskOf, mask, params).map((frozen) => !frozen)
  return printedCall(maskedOptimiser(inner, flagsOf), 'optim.freeze', inner, mask)
}

/**
 * The optimiser that moves nothing: the part of `groups` that stays as it is.
 * @example
 * const [o, p] = [optim.frozen(), T.tensor([1.5])]
 * T.reference(o.update(p, T.ones([1]), o.init(p)).params).data // => [1.5]
 */
export const frozen = (): Optimiser => {
  const none: FlagsOf = (params) => flattenTensors(params).leaves.map(() => false)
  return printedCall(maskedOptimiser(optimiser(), none), 'optim.frozen')
}
