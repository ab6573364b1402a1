/**
 * What emitted modules for WebGPU import: the executor, trees, safetensors; no compiler and nothing of Node. The command line
 * bundles this file, so everything it reaches is shipped.
 */
import type { EmittedPlan } from '../../../codegen/export/aot/emitted.ts'
import { gpuOfPlace } from './gpu-of-place.ts'
import { type Load, loadOn, withWeights } from './load-program.ts'

export { TensorloomError } from '../../lang/errors.ts'

/** The `load` of a module for WebGPU: puts `plan` on a device, given or opened. */
export const loader =
  (plan: EmittedPlan): Load =>
  async (on, options = {}) => {
    const complete = withWeights(plan, options.weights)
    return loadOn('webgpu', await gpuOfPlace(on), plan, complete)
  }
