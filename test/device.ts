/** The one device all GPU tests of a worker share. No adapter is a failure, never a skip. */

import type { Device } from '../src/runtime/device.ts'
import { deviceOf, type GpuDevice } from '../src/runtime/gpu/device.ts'
import { findAdapter } from '../src/runtime/gpu/find-adapter.ts'
import { openDevice } from '../src/runtime/open-device.ts'

const holder = globalThis as { tensorloomDevice?: Promise<GpuDevice>; tensorloomProcessor?: Promise<Device> }

/** A GPU of its own: hardware where there is any, else software. */
export const openGpu = async (): Promise<GpuDevice> => deviceOf((await findAdapter('auto', []))!)

/** Opens the device at the first call; rejects (so the test goes red) where there is no adapter. Do not destroy it. */
export const sharedDevice = (): Promise<GpuDevice> => (holder.tensorloomDevice ??= openGpu())

/** The processor as the one device that tests of a worker share. */
export const sharedProcessor = (): Promise<Device> =>
  (holder.tensorloomProcessor ??= openDevice({ prefer: 'cpu', quiet: true }))
