/** The devices that the runtime's own tests run on: each back end, shared by a worker's tests and opened afresh. */
import { openCpu } from '../../src/runtime/cpu/open-cpu.ts'
import type { Device } from '../../src/runtime/device.ts'
import { openGpu, sharedDevice, sharedProcessor } from '../device.ts'

/** A back end under its name. */
export interface TestedDevice {
  readonly name: string
  /** One for all tests; do not destroy it. */
  readonly shared: () => Promise<Device>
  readonly open: () => Promise<Device>
}

export const eachDevice: readonly TestedDevice[] = [
  { name: 'gpu', shared: sharedDevice, open: openGpu },
  { name: 'cpu', shared: sharedProcessor, open: async () => openCpu() },
]
