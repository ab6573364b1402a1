/** The processor as a device of the runtime. */
import type { RuntimeError } from '../../lang/errors.ts'
import { type Device, lostHint, nextGeneration } from '../device.ts'
import { cpuBackend, explainTrap } from './backend.ts'
import { makeLinearMemory } from './linear-memory.ts'
import type { KernelSource } from './plan-module.ts'
import { makeWorkQueue } from './work-queue.ts'

/** A device that works on the processor. */
export interface CpuDevice extends Device {
  readonly kind: 'cpu'
}

/** A device on this processor for the kernels that `source` gives; its memory takes at most `mostBytes`. */
export const cpuDevice = (source: KernelSource, mostBytes?: number): CpuDevice => {
  let loss: RuntimeError | undefined
  let tell: (loss: RuntimeError) => void = () => {}
  const whenLost = new Promise<RuntimeError>((resolve) => {
    tell = resolve
  })
  const queue = makeWorkQueue(explainTrap)
  const linear = makeLinearMemory(mostBytes)
  const backend = cpuBackend(linear, queue, source)
  return {
    kind: 'cpu',
    description: 'cpu, 1 thread',
    generation: nextGeneration(),
    lost: () => loss,
    whenLost,
    refusal: () => undefined,
    liveBytes: backend.liveBytes,
    destroy: () => {
      if (loss) return
      loss = { tag: 'DeviceLost', reason: 'destroyed: by a call of destroy', hint: lostHint }
      queue.stop(loss)
      linear.letGo()
      tell(loss)
    },
    backend,
  }
}
