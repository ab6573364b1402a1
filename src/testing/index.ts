/**
 * For testing programs and ops of one's own: arbitraries of shapes, tensors and whole well-typed programs, and the laws
 * that hold for all of them. Needs fast-check; works with any test runner.
 */

export type { Eq } from '#fp/Eq'
export type { Monoid } from '#fp/Monoid'
export type { Ord } from '#fp/Ord'
export type { Semigroup } from '#fp/Semigroup'
export type { AxesTree } from '../../passes/transform/axes-tree.ts'
export type { VmapOptions } from '../../passes/transform/vmap.ts'
export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export type { Graph, TensorType } from '../lang/ir.ts'
export type { Value } from '../lang/primitive.ts'
export type { Tensor } from '../lang/types/tensor.ts'
export { type AgreeOptions, agreesWithReference } from './agree.ts'
export { arbGraph, type GraphOptions } from './arb-graph.ts'
export {
  arbDim,
  arbDType,
  arbNumber,
  arbShape,
  arbTensor,
  arbValue,
  type NumberOptions,
  type ShapeOptions,
} from './arbitrary.ts'
export { arbBroadcastable, type Broadcastable, type BroadcastableOptions } from './broadcastable.ts'
export { checkGrad, type GradOptions } from './check-grad.ts'
export { checkShape, checkVmap } from './check-vmap.ts'
export { eqLaws, type Law, monoidLaws, ordLaws, semigroupLaws, semilatticeLaws } from './laws.ts'
export { type Sample, showSample } from './sample.ts'
export { type Discarded, difference, type Expectation, expectation } from './tolerance.ts'
