/** The clock of a GPU itself: timestamps written before and after a pass of one dispatch. */
import type { Backend } from '../backend.ts'
import { doneAlone, type Stopwatch } from '../stopwatch.ts'
import { encodeDispatches, type Ready } from './backend.ts'

/** Numeric values of GPUBufferUsage and GPUMapMode, which Node does not have as globals. */
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, queryResolve: 512 } as const
const bytes = 16

/** A stopwatch of nanoseconds that the device counts; undefined where it cannot. */
export const timestampStopwatch = (gpu: GPUDevice, backend: Backend): Stopwatch | undefined => {
  if (!gpu.features.has('timestamp-query')) return undefined
  const querySet = gpu.createQuerySet({ type: 'timestamp', count: 2 })
  const resolved = gpu.createBuffer({ size: bytes, usage: usage.queryResolve | usage.copySource })
  const staging = gpu.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyTarget })
  return async (dispatch) => {
    await doneAlone(backend, () => {
      const encoder = gpu.createCommandEncoder()
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
      encodeDispatches(encoder.beginComputePass({ timestampWrites }), [dispatch as Ready])
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes)
      gpu.queue.submit([encoder.finish()])
    })
    await staging.mapAsync(usage.mapRead)
    const [from, to] = new BigUint64Array(staging.getMappedRange())
    staging.unmap()
    return Number(to! - from!) / 1e6
  }
}
