/** Loads a plan on a device. */
import type { Plan } from '../../codegen/plan/plan.ts'
import type { Device } from './device.ts'
import { type Executable, loadWith } from './executable.ts'
import { type Show, showFlat } from './report-observations.ts'
import { fitRun } from './run-sizes.ts'

export type { Executable }

/**
 * Loads `plan` on `device` and makes it ready to run; `show` is how T.debug shows elements. Rejects (TensorloomError) with LimitError, UnsupportedFeature,
 * OutOfMemory, ValidationError or DeviceLost.
 * @example
 * const { plan } = T.orThrow(T.compile((x) => T.add(x, 1), [T.spec([2])]))
 * const executable = await runtime.loadPlan(await T.defaultDevice(), plan)
 * const [out] = await executable.run([[1, 2]])
 * await out!.read() // => [2, 3]
 */
export const loadPlan = (device: Device, plan: Plan, show: Show = showFlat): Promise<Executable> =>
  loadWith(fitRun, device, plan, show)
