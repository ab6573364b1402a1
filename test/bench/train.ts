/** A loss as a whole training step: gradients and Adam, state in, state out. */
import { valueAndGrad } from '../../passes/transform/gradient.ts'
import { spec } from '../../src/compile/compile.ts'
import type { Spec } from '../../src/compile/tree-types.ts'
import * as T from '../../src/lang/tensor/index.ts'
import { isTensor } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { adam } from '../../src/optim/index.ts'
import type { Params, State, Tree } from './program.ts'

const optimiser = adam(0.001)

/** `(state, …batch)` → the next state and the loss, by Adam (0.9, 0.999, 1e-8) at a rate of 0.001. */
export const trainStep =
  <P = Params>(loss: (params: P, ...batch: readonly never[]) => Tensor) =>
  (state: State<P>, ...batch: readonly never[]): { readonly state: unknown; readonly loss: Tensor } => {
    const [value, grads] = valueAndGrad(loss as (params: P) => Tensor)(state.params, ...(batch as never[] as []))
    const next = optimiser.update(state.params, grads as P, state.optimiser)
    return { state: { params: next.params, optimiser: next.state }, loss: value }
  }

const isSpec = (x: unknown): x is Spec =>
  typeof x === 'object' && x !== null && 'dtype' in x && 'shape' in x && Array.isArray(x.shape)

/** Every leaf of a tree by `f`. */
const mapLeaves = (tree: unknown, isLeaf: (x: unknown) => boolean, f: (leaf: never) => unknown): unknown => {
  if (isLeaf(tree)) return f(tree as never)
  if (Array.isArray(tree)) return tree.map((t) => mapLeaves(t, isLeaf, f))
  return Object.fromEntries(Object.entries(tree as object).map(([k, t]) => [k, mapLeaves(t, isLeaf, f)]))
}

/** The specs of a training state: parameters and Adam's counter and two moments. */
export const trainState = (params: Tree): Tree => {
  const zeros = mapLeaves(params, isSpec, (s: Spec) => T.zeros(s.shape))
  const kept = mapLeaves(optimiser.init(zeros), isTensor, (x: Tensor) => spec(x.shape, x.dtype))
  return { params, optimiser: kept as Tree }
}
