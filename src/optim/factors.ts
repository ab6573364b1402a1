/** Rates that differ from parameter to parameter. */
import { printedCall } from '../lang/print/call-text.ts'
import { mul } from '../lang/tensor/index.ts'
import { flattenTensors, unflattenTree } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type PerLeaf, valuesFor, type Wanted } from './per-leaf.ts'
import { demandOptimiser, fromUpdates, type Optimiser, stateless, type Transform } from './transform.ts'

const factor: Wanted<number> = {
  what: 'table of factors',
  kind: 'a finite number',
  example: '0.1',
  holds: (x): x is number => Number.isFinite(x),
}

const scaled = <P>(name: string, updates: P, params: unknown, factors: PerLeaf<number>): P => {
  const numbers = valuesFor(name, factor, factors, params)
  const { leaves, shape } = flattenTensors(updates)
  return unflattenTree(
    shape,
    leaves.map((u, i): Tensor => (numbers[i] === 1 ? u : (mul(u, numbers[i]!) as Tensor))),
  ) as P
}

/**
 * Updates times a factor for each parameter: one number for all, a tree of numbers, or a function of path and parameter. A
 * stage.
 * @example
 * const stage = optim.scaleByFactors({ head: 10, body: 1 })
 * const u = { head: T.tensor([1.5]), body: [T.tensor([2.5])] }
 * T.reference(stage.apply(u, [], u, T.tensor(0))[0].head).data // => [15]
 */
export const scaleByFactors = (factors: PerLeaf<number>): Transform => {
  const stage = stateless((updates, params) => scaled('optim.scaleByFactors', updates, params, factors))
  return printedCall(stage, 'optim.scaleByFactors', factors)
}

/**
 * An optimiser whose rate is times a factor for each parameter, as `scaleByFactors` takes them: rates by path, or by depth. What
 * of weight decay is decoupled goes with the rate, as in torch's parameter groups.
 * @example
 * const o = optim.scaleRates(optim.sgd(0.1), optim.byPath({ head: 5 }, 1))
 * const params = { head: T.ones([1]), body: T.ones([1]) }
 * const next = o.update(params, params, o.init(params)).params
 * T.reference([next.head, next.body]).map((t) => t.data) // => [[0.5], [0.9]]
 */
export const scaleRates = (inner: Optimiser, factors: PerLeaf<number>): Optimiser => {
  demandOptimiser('optim.scaleRates', inner)
  const made = fromUpdates(inner.init, (grads, state, params) => {
    const [found, after] = inner.updates(grads, state, params)
    return [scaled('optim.scaleRates', found, params, factors), after]
  })
  return printedCall(made, 'optim.scaleRates', inner, factors)
}
