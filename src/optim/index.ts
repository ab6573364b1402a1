/**
 * Optimisers as pure functions: `init(params)` gives a state, `update(params, grads, state)` the next parameters and
 * state, all of them trees of tensors. The named optimisers are chains of stages; `optimiser(…stages)` makes others.
 */

// Types of signatures, so that what is made of functions can be exported where declarations are written.
export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export type { Tensor } from '../lang/types/tensor.ts'
export { cosineDecay, exponentialDecay, type Rate, type Schedule, stepDecay, warmup } from './learning-rate.ts'
export { adadelta, adagrad, adam, adamw, type CommonOptions, rmsprop, type SgdOptions, sgd } from './optimisers.ts'
export {
  type AdadeltaOptions,
  type AdagradOptions,
  type AdamOptions,
  type RmspropOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByAdam,
  scaleByRmsprop,
} from './scalers.ts'
export {
  addWeightDecay,
  centralise,
  clipByGlobalNorm,
  clipByValue,
  globalNorm,
  type MomentumOptions,
  scaleByRate,
  trackMomentum,
} from './stages.ts'
export {
  applyUpdates,
  chain,
  type Optimiser,
  type OptimiserState,
  optimiser,
  stateless,
  type TensorTree,
  type Transform,
  type Updated,
} from './transform.ts'
