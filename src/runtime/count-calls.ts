/** Counts what a program asks of a device, whatever its back end. */

import type { Counter } from './counter.ts'
import { countBackend } from './cpu/count-calls.ts'
import type { Device } from './device.ts'
import type { WebGpuDevice } from './global-types.ts'
import { countGpu } from './gpu/count-calls.ts'

/**
 * Starts counting what is asked of a device, or of a bare GPUDevice by whatever library runs on it, by wrapping its methods.
 * `stop()` takes the wrapping off.
 * @example
 * const double = T.jit((x: T.Tensor) => T.mul(x, 2))
 * const counter = T.countCalls(await T.defaultDevice())
 * await double(T.tensor([1, 2]))
 * const { dispatches, submits } = counter.read()
 * counter.stop()
 * [dispatches, submits] // => [1, 1]
 */
export const countCalls = (device: Device | WebGpuDevice): Counter => {
  const gpu = 'backend' in device ? device.gpu : device
  return gpu ? countGpu(gpu) : countBackend((device as Device).backend)
}
