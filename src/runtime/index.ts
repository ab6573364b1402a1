/**
 * The runtime: what an emitted module imports beside its plan. No compiler, no dependency; everything that touches a
 * GPUDevice is in `gpu/`. Each function rejects with a TensorloomError; `task.ts` has the same as TaskEither.
 */
export type { RuntimeError } from '../lang/errors.ts'
export { showError, TensorloomError } from '../lang/errors.ts'
export type { Argument } from './argument.ts'
export { countCalls } from './count-calls.ts'
export type { CallCounts, Counter } from './counter.ts'
export type { Device } from './device.ts'
export { type Executable, loadPlan } from './execute.ts'
export type { FoundAdapter } from './gpu/adapter.ts'
export { adoptDevice, type GpuDevice } from './gpu/device.ts'
export type { AdapterPreference, AdapterProvider } from './gpu/find-adapter.ts'
export { foldGrid } from './gpu/fit-device.ts'
export { type DeviceOptions, openDevice, type Preference, profileOf } from './open-device.ts'
export type { Output, Resident, Value } from './resident.ts'
