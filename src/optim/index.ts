/**
 * Optimisers as pure functions: `init(params)` gives a state, `update(params, grads, state)` the next parameters and
 * state, all of them trees of tensors. The named optimisers are chains of stages; `optimiser(…stages)` makes others.
 */

// Types of signatures, so that what is made of functions can be exported where declarations are written.
export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export type { TreeOfUnknownKeys } from '../lang/tree.ts'
export type { Tensor } from '../lang/types/tensor.ts'
export { adam, adamax, adamw, type DecouplingOptions, lamb, lion, nadam, radam } from './adam.ts'
export {
  type AdamaxOptions,
  type LionOptions,
  type NadamOptions,
  type RadamOptions,
  scaleByAdamax,
  scaleByLion,
  scaleByNadam,
  scaleByRadam,
} from './adam-kin.ts'
export { accumulate, allFinite, applyIfFinite } from './conditional.ts'
export { type Ema, type EmaOptions, type EmaState, ema } from './ema.ts'
export { scaleByFactors, scaleRates } from './factors.ts'
export { groups } from './groups.ts'
export {
  type Lbfgs,
  type LbfgsOptions,
  type LbfgsState,
  type LbfgsUpdated,
  lbfgs,
} from './lbfgs.ts'
export { cosineDecay, exponentialDecay, type Rate, type Schedule, stepDecay, warmup } from './learning-rate.ts'
export type { LineSearchOptions } from './line-search.ts'
export { type LossScale, type LossScaleOptions, type LossScaleState, lossScale } from './loss-scale.ts'
export { freeze, frozen, masked } from './masked.ts'
export { type MinimiseOptions, type Minimum, minimise } from './minimise.ts'
export {
  type Mixed,
  type MixedOptions,
  type MixedState,
  type MixedStep,
  type MixedUpdated,
  mixed,
} from './mixed.ts'
export {
  centralise,
  clipByBlockRms,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  globalNorm,
  scaleByTrustRatio,
  type TrustRatioOptions,
} from './norms.ts'
export type { CommonOptions } from './optimiser-options.ts'
export { adadelta, adagrad, rmsprop, type SgdOptions, sgd } from './optimisers.ts'
export { type ByPath, byPath, type LeafValue, type Mask, type PerLeaf } from './per-leaf.ts'
export { type Plateau, type PlateauOptions, type PlateauState, plateau } from './plateau.ts'
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
export { joined, linear, type OneCycleOptions, oneCycle, polynomial } from './schedules.ts'
export { addWeightDecay, type MomentumOptions, scaleByRate, trackMomentum } from './stages.ts'
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
