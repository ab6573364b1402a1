/** A part of a cluster that is a kernel of its own, and the windows through which it sees tensors. */
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../passes/loop/ir/values.ts'
import { type Extent, touchedElements, type View, viewCluster } from '../../passes/loop/schedule/restrict.ts'
import type { MemoryPlan, Window } from '../../passes/memory/places.ts'
import { largestPart, type Profile } from '../../passes/profile.ts'
import { alignDown, alignUp } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import { countBindings, type Unscheduled } from './bind.ts'
import { placeOf } from './buffer-names.ts'

/** A part of a cluster on windows of the tensors that are larger than a binding. */
export interface Piece extends Unscheduled {
  readonly windows: ReadonlyMap<Buffer, Window>
  readonly bindings: number
  /** Bytes of the windows: what cutting makes less. */
  readonly bytes: number
}

/**
 * A cluster on windows of what is larger than a binding, and of what it writes, so that one can say how much of it: all
 * that lies at one place is seen through one window. A window of a buffer stands for a window of its tensor.
 */
export const pieceOf = ({ cluster, tensors }: Unscheduled, memory: MemoryPlan, profile: Profile): Piece => {
  const part = largestPart(profile)
  const own = touchedElements(cluster)
  const written = new Set(cluster.stores.map((s) => placeKey(memory, tensors.get(s.buffer)!)))
  const touched = new Map<string, { extent: Extent; readonly buffers: Buffer[] }>()
  for (const [b, extent] of own) {
    const tensor = tensors.get(b)!
    const key = placeKey(memory, tensor)
    if (placeOf(memory, tensor).bytes <= part && !written.has(key)) continue
    const seen = touched.get(key)
    if (seen) {
      seen.buffers.push(b)
      const { low, high } = seen.extent
      seen.extent = { low: Math.min(low, extent.low), high: Math.max(high, extent.high) }
    } else touched.set(key, { extent, buffers: [b] })
  }
  const views = new Map<Buffer, View>()
  const shown = new Map([...own.keys()].map((b) => [b, tensors.get(b)!]))
  const windows = new Map<Buffer, Window>()
  let bytes = 0
  for (const { extent, buffers } of touched.values()) {
    for (const b of buffers) {
      const from = alignDown(extent.low, profile.offsetAlignment / byteSize(b.dtype))
      const size = Math.min(b.size, alignUp(extent.high + 1, 4)) - from
      const [buffer, tensor] = [
        { ...b, size },
        { ...shown.get(b)!, size },
      ]
      views.set(b, { buffer, from })
      windows.set(tensor, { of: shown.get(b)!, from, ...own.get(b)! })
      shown.delete(b)
      shown.set(buffer, tensor)
    }
    bytes += (extent.high - extent.low + 1) * byteSize(buffers[0]!.dtype)
  }
  const seen = { cluster: viewCluster(cluster, (b) => views.get(b)), tensors: shown }
  return { ...seen, windows, bytes, bindings: countBindings([seen], { ...memory, windows }, profile) }
}

/** Where a tensor lies: equal keys are one place. */
export const placeKey = (memory: MemoryPlan, tensor: Buffer): string => {
  const { arena, offset } = placeOf(memory, tensor)
  return `${arena}:${offset}`
}

/** Whether some result takes the place of something that is read. */
export const overwrites = ({ cluster, tensors }: Unscheduled, memory: MemoryPlan): boolean => {
  const key = (b: Buffer): string => placeKey(memory, tensors.get(b)!)
  const written = new Set(cluster.stores.map((s) => key(s.buffer)))
  return valuesBelow(cluster.stores.map((s) => s.value)).some((v) => v.kind === 'load' && written.has(key(v.buffer)))
}
