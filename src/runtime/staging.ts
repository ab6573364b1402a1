/**
 * Values on their way to the host. All values of a run share one piece of staging memory and are mapped together, at the first read.
 * Values nobody reads must not pile up on the device: the ring keeps the last few runs there and fetches older ones to the
 * host, which also keeps the host from running ahead of the device without bound.
 */
import type { OutputSlot } from '../../codegen/plan/plan.ts'
import { alignUp } from '../lang/dim.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import type { RuntimeError } from '../lang/errors.ts'
import type { Device } from './device.ts'
import type { SlotAt } from './fitted.ts'
import type { Lease } from './memory-pool.ts'
import { copyBytes, decodeAt, download, handleOf, type Value } from './resident.ts'

/** The values of one run. */
export interface Batch {
  /** Undefined when all values are empty. */
  readonly lease: Lease | undefined
  /** Maps at the first call; later calls give the same arrays. */
  readonly fetch: () => Promise<readonly HostArrayOf<DType>[]>
  readonly fetched: () => boolean
}

/** Where each value of a batch lies in staging memory, and the bytes of all. */
export const layoutBatch = (
  slots: readonly OutputSlot[],
): { readonly offsets: readonly number[]; readonly bytes: number } => {
  const offsets: number[] = []
  let bytes = 0
  for (const slot of slots) {
    offsets.push(bytes)
    bytes += alignUp(copyBytes(slot), 8)
  }
  return { offsets, bytes }
}

/** Returns the staging memory of batches nobody can read any more. */
const collected = new FinalizationRegistry<Lease>((l) => l.release())

/** A batch in `staging`, whose copies are submitted; `trouble` is what the device says of them. */
export const batchOf = (
  device: Device,
  slots: readonly SlotAt<OutputSlot>[],
  offsets: readonly number[],
  staging: Lease | undefined,
  trouble: Promise<RuntimeError | undefined>,
): Batch => {
  const take = (mapped: Uint8Array): readonly HostArrayOf<DType>[] =>
    slots.map((slot, i) => decodeAt(slot, mapped, offsets[i]!))
  let result: Promise<readonly HostArrayOf<DType>[]> | undefined
  const batch: Batch = {
    lease: staging,
    fetched: () => result !== undefined,
    fetch: () => {
      if (!result) {
        if (staging) collected.unregister(batch)
        result = staging ? download(device, staging, [trouble], take) : Promise.resolve(take(new Uint8Array()))
      }
      return result
    },
  }
  if (staging) collected.register(batch, staging, batch)
  return batch
}

/** The handle of the `index`-th value of a batch. */
export const valueAt = (slot: OutputSlot, batch: Batch, index: number): Value =>
  handleOf(slot, async () => (await batch.fetch())[index]!) as Value

/** Runs whose unread values may stay on the device. */
const ringLength = 8
/** Bytes of unread values that may stay on the device, beyond the newest batch. */
const ringBytes = 64 * 1024 * 1024

interface Entry {
  readonly batch: WeakRef<Batch>
  readonly lease: Lease
}

/** Batches that may still be unread, oldest first. */
export interface Ring {
  /** Enters a batch and resolves when at most the ring's length of unread ones is left. Never rejects. */
  readonly push: (batch: Batch) => Promise<void>
}

const fetchToHost = async ({ batch, lease }: Entry): Promise<void> => {
  const unread = batch.deref()
  // What went wrong is told to whoever reads the value.
  if (unread) await unread.fetch().catch(() => {})
  else lease.release()
}

/** An empty ring. */
export const createRing = (): Ring => {
  let entries: Entry[] = []
  return {
    push: async (batch) => {
      if (!batch.lease) return
      entries = entries.filter((e) => {
        const unread = e.batch.deref()
        // Collected: its finaliser may run much later, and meanwhile the memory would be missing from the pool.
        if (!unread) e.lease.release()
        return unread?.fetched() === false
      })
      entries.push({ batch: new WeakRef(batch), lease: batch.lease })
      let bytes = entries.reduce((sum, e) => sum + e.lease.bytes, 0)
      const leaving: Promise<void>[] = []
      while (entries.length > ringLength || (entries.length > 1 && bytes > ringBytes)) {
        const oldest = entries.shift()!
        bytes -= oldest.lease.bytes
        leaving.push(fetchToHost(oldest))
      }
      await Promise.all(leaving)
    },
  }
}
