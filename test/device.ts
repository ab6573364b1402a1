/** The one device all GPU tests of a worker share. No adapter is a failure, never a skip. */
import type { GpuDevice } from '../src/runtime/gpu/device.ts'
import { openDevice } from '../src/runtime/open-device.ts'

const holder = globalThis as { tensorloomDevice?: Promise<GpuDevice> }

/** Opens the device at the first call; rejects (so the test goes red) where there is no adapter. Do not destroy it. */
export const sharedDevice = (): Promise<GpuDevice> => (holder.tensorloomDevice ??= openDevice({ quiet: true }))
