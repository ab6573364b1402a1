/** Several tensors at once between host and device: uploads that give handles, and handles read together. */
import type { Slot } from '../../codegen/plan/plan.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import { TensorloomError } from '../lang/errors.ts'
import type { Output } from '../lang/types/output.ts'
import type { Device } from './device.ts'
import { writePieces } from './load.ts'
import { aware, demandAlive } from './loss.ts'
import { lease } from './memory-pool.ts'
import { copyBytes, type Resident, readStores, resident, type Store, storeOf } from './resident.ts'
import type { Words } from './words.ts'

/** A tensor on its way to a device. */
export interface Sent extends Pick<Slot, 'path' | 'shape' | 'dtype'> {
  readonly words: Words
}

/**
 * Puts tensors on `device`, each in memory of its own, in pieces of `largest` bytes at most. Rejects with OutOfMemory, ValidationError or DeviceLost; nothing stays behind.
 */
export const upload = (device: Device, sent: readonly Sent[], largest: number): Promise<readonly Resident[]> =>
  aware(device, async () => {
    demandAlive(device)
    const total = sent.reduce((sum, slot) => sum + copyBytes(slot), 0)
    const { value, trouble } = device.backend.guarded(total, () =>
      sent.map((slot) => {
        const own = lease(device, 'storage', copyBytes(slot), largest)
        if (copyBytes(slot) > 0) writePieces(device.backend, own.pieces, slot.words)
        return own
      }),
    )
    const refused = await trouble
    if (refused) {
      for (const own of value) own.release()
      throw new TensorloomError(refused)
    }
    return sent.map(({ path, shape, dtype }, i) => {
      const own = value[i]!
      const home = { pieces: own.pieces, lease: own }
      const bytes = copyBytes({ shape, dtype })
      return resident({ path, shape, dtype }, { device, bytes, home, owner: device, trouble })
    })
  })

/** The elements of results, those that are on one device together. Rejects as their `read` does. */
export const readOutputs = async (outputs: readonly Output[]): Promise<readonly HostArrayOf<DType>[]> => {
  const found = new Map<Output, HostArrayOf<DType>>()
  const byDevice = new Map<Device, { readonly slot: Output; readonly store: Store }[]>()
  const others: Output[] = []
  for (const slot of new Set(outputs)) {
    const store = storeOf(slot)
    if (!store) others.push(slot)
    else byDevice.set(store.device, [...(byDevice.get(store.device) ?? []), { slot, store }])
  }
  await Promise.all([
    ...[...byDevice].map(([device, residents]) =>
      aware(device, async () => {
        const arrays = await readStores(device, residents)
        for (const [i, { slot }] of residents.entries()) found.set(slot, arrays[i]!)
      }),
    ),
    ...others.map(async (o) => found.set(o, await o.read())),
  ])
  return outputs.map((o) => found.get(o)!)
}
