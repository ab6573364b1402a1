/**
 * The runtime: what an emitted module imports beside its plan. No compiler, no dependency; everything that touches a
 * GPUDevice is in `gpu/`. Each function rejects with a TensorloomError; `task.ts` has the same as TaskEither.
 */
export type { RuntimeError } from '../lang/errors.ts'
export { showError, TensorloomError } from '../lang/errors.ts'
export type { Argument } from './argument.ts'
export type { Device } from './device.ts'
export { type Executable, loadPlan } from './execute.ts'
export type { AdapterProvider, FoundAdapter, Preference } from './gpu/adapter.ts'
export { type CallCounts, type Counter, countCalls } from './gpu/count-calls.ts'
export { adoptDevice, type GpuDevice } from './gpu/device.ts'
export { foldGrid } from './gpu/fit-device.ts'
export { type DeviceOptions, openDevice, profileOf } from './open-device.ts'
export type { Output, Resident, Value } from './resident.ts'
