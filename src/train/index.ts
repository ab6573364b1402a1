/** Training loops over pure steps. What users import as `tensorloom/train`. */

export type { Source } from '../data/prefetch.ts'
export type { Key } from '../lang/tensor/random/keys.ts'
export type { Tensor } from '../lang/types/tensor.ts'
export type { Optimiser, OptimiserState } from '../optim/transform.ts'
export { type Evaluation, evaluate } from './evaluate.ts'
export { type FitCheckpoints, type FitOptions, type Fitted, fit, type StepReport } from './fit.ts'
export { type EarlyStoppingOptions, type Epoch, earlyStopping, type Goal } from './history.ts'
export {
  type Learned,
  type Learner,
  type LearnerOptions,
  type LearnerStart,
  type LearnerState,
  learner,
  type MakeLearner,
  type RunningLearner,
  type RunningStart,
  type RunningState,
} from './learner.ts'
export type { Measures, Step, Stepped } from './step.ts'
