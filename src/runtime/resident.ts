/**
 * Results of a run. A *resident* stays on the device and can be an argument again; a *value* was copied to staging and can
 * only be read. Neither is ever disposed of by hand: their buffers return to the pool when they are consumed or collected.
 */
import type { Slot } from '../../codegen/plan/plan.ts'
import { alignUp, sizeOf } from '../lang/dim.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import { type RuntimeError, raise, showOperand, TensorloomError } from '../lang/errors.ts'
import type { Output } from '../lang/types/output.ts'
import { visible } from '../lang/visible-text.ts'
import type { Commands, Piece } from './backend.ts'
import type { Device } from './device.ts'
import type { Layout, SlotAt } from './fitted.ts'
import { aware, demandAlive, explain } from './loss.ts'
import { type Lease, lease, stretch } from './memory-pool.ts'
import { decode, paddedBytes } from './words.ts'

export type { Output }

/** A result that stays on the device. */
export interface Resident extends Output {
  readonly kind: 'resident'
}

/** A result on its way to the host, whose `read` gives the same array each time. */
export interface Value extends Output {
  readonly kind: 'value'
}

/**
 * Where a resident's bytes are: in the arena of the program that made it, or in buffers of its own; one piece, unless it
 * is larger than a buffer.
 */
export interface Home {
  readonly pieces: readonly Piece[]
  /** The loan of buffers of its own; absent in an arena. */
  readonly lease?: Lease
}

/** The runtime's side of a resident. */
export interface Store {
  readonly device: Device
  readonly bytes: number
  /** Where elements do not lie in a row. */
  readonly layout?: Layout | undefined
  /** Undefined once consumed. */
  home: Home | undefined
  /** Keeps the program, and with it the arena, alive. */
  readonly owner: object
  /** What the device said about the run that made it. */
  readonly trouble: Promise<RuntimeError | undefined>
}

const stores = new WeakMap<Resident, Store>()

/** Returns the buffers of collected residents. Holds leases, never residents. */
const collected = new FinalizationRegistry<Lease>((l) => l.release())

/**
 * Untouched host memory as large as the buffer behind a handle (at most 64 MiB). Garbage collectors see host bytes only:
 * without it a handle weighs nothing, and gigabytes of dropped results wait on the device for a collection that nothing
 * hurries. The system gives no pages for memory that is never written, so this costs addresses alone; Node can leave out the
 * zeros, too.
 */
const ballasts = new WeakMap<Resident, object>()
const ballastFrom = 4096
const ballastLimit = 64 * 1024 * 1024

const { Buffer: node } = globalThis as { readonly Buffer?: { readonly allocUnsafeSlow: (bytes: number) => object } }
const untouched = (bytes: number): object => node?.allocUnsafeSlow(bytes) ?? new ArrayBuffer(bytes)

/** Ties the loan of a buffer to the life of a handle. */
const own = (handle: Resident, store: Store, loan: Lease): void => {
  collected.register(handle, loan, store)
  if (loan.bytes >= ballastFrom) ballasts.set(handle, untouched(Math.min(loan.bytes, ballastLimit)))
}

/** The store of `x`, or undefined when it is no resident of this runtime. */
export const storeOf = (x: object): Store | undefined => stores.get(x as Resident)

/** Freezes a handle; programs that were written ahead of time do no more. */
let finish: (handle: Output) => Output = Object.freeze

/** `dress` is done to each handle from now on, before it is frozen: the compiler has them print themselves. */
export const beforeFreezing = (dress: (handle: Output) => Output): void => {
  finish = (handle) => Object.freeze(dress(handle))
}

/** What users hold of a result; `store` is that of one which stays on the device. */
export const handleOf = ({ path, shape, dtype }: Named, read: Output['read'], store?: Store): Output => {
  const handle = finish({
    kind: store ? 'resident' : 'value',
    path,
    shape,
    dtype,
    get consumed() {
      return !!store && !store.home
    },
    read,
    item: async () => {
      if (sizeOf(shape) !== 1)
        raise({
          tag: 'UsageError',
          message: `item: ${visible(path) || 'the result'} is ${showOperand(handle)}, which is not one element`,
          hint: 'await read() gives all of them',
        })
      return (await handle.read())[0]!
    },
  })
  return handle
}

/** Makes the handle of a store. */
export const resident = (slot: Named, store: Store): Resident => {
  const { device, home } = store
  const read = (): Promise<HostArrayOf<DType>> =>
    aware(device, async () => (await readStores(device, [{ slot, store }]))[0]!)
  const handle = handleOf(slot, read, store) as Resident
  stores.set(handle, store)
  if (home?.lease) own(handle, store, home.lease)
  return handle
}

/** Moves a resident to a buffer of its own. */
export const rehome = (handle: Resident, store: Store, home: Home & { readonly lease: Lease }): void => {
  store.home = home
  own(handle, store, home.lease)
}

/** Marks a donated resident as consumed, and gives the buffer of its own, if it had one: it is the caller's now. */
export const consume = (store: Store): Lease | undefined => {
  const own = store.home?.lease
  store.home = undefined
  if (own) collected.unregister(store)
  return own
}

/** What of a slot its handle knows. */
type Named = Pick<Slot, 'path' | 'shape' | 'dtype'>

/** The elements of a slot in `bytes` at `from`, in a row. */
export const decodeAt = (
  slot: Pick<SlotAt<Slot>, 'shape' | 'dtype' | 'layout'>,
  bytes: Uint8Array,
  from: number,
): HostArrayOf<DType> => {
  const { shape, dtype, layout } = slot
  const held = decode(dtype, bytes, from, sizeOf(layout?.shape ?? shape))
  return layout?.gather(held) ?? held
}

/** Every device has buffers as large. */
const commonBuffer = 64 * 1024 * 1024

/** The elements of residents of one device, in one submission and one piece of staging memory. */
export const readStores = async (
  device: Device,
  residents: readonly { readonly slot: Named; readonly store: Store }[],
): Promise<readonly HostArrayOf<DType>[]> => {
  demandAlive(device)
  const homes = residents.map(
    ({ slot, store }): Home =>
      store.home ??
      raise({
        tag: 'ConsumedHandle',
        path: slot.path,
        hint: 'read it before the run that takes it, or use that run’s result',
      }),
  )
  let bytes = 0
  const offsets = residents.map(({ store }) => {
    const offset = bytes
    bytes += alignUp(store.bytes, 8)
    return offset
  })
  const decoded = (mapped: Uint8Array): readonly HostArrayOf<DType>[] =>
    residents.map(({ slot, store: { layout } }, i) => decodeAt({ ...slot, layout }, mapped, offsets[i]!))
  if (bytes === 0) return decoded(new Uint8Array())
  const most = Math.max(commonBuffer, ...homes.flatMap((h) => h.pieces.map((p) => p.bytes)))
  const staging = lease(device, 'staging', bytes, most)
  const { trouble } = device.backend.guarded(staging.bytes, () => {
    const commands = device.backend.begin()
    residents.forEach(({ store }, i) => {
      copyPieces(commands, homes[i]!.pieces, stretch(staging.pieces, offsets[i]!, store.bytes), store.bytes)
    })
    commands.submit()
  })
  return download(device, staging, [...residents.map(({ store }) => store.trouble), trouble], decoded)
}

/** Copies `bytes` bytes from some pieces in a row to others. */
export const copyPieces = (commands: Commands, from: readonly Piece[], to: readonly Piece[], bytes: number): void => {
  let [i, j, a, b] = [0, 0, 0, 0]
  for (let left = bytes; left > 0; ) {
    const [source, target] = [from[i]!, to[j]!]
    const count = Math.min(left, source.bytes - a, target.bytes - b)
    commands.copy(source.memory, source.offset + a, target.memory, target.offset + b, count)
    left -= count
    a += count
    b += count
    if (a === source.bytes) [i, a] = [i + 1, 0]
    if (b === target.bytes) [j, b] = [j + 1, 0]
  }
}

/** Stretches of bytes in a row. */
const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  if (parts.length === 1) return parts[0]!
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const p of parts) {
    all.set(p, at)
    at += p.length
  }
  return all
}

/**
 * Maps `staging`, hands the bytes to `take` and gives the memory back. Throws what the device said of the work (`troubles`)
 * or its loss: bytes that were never written are not handed out as zeros.
 */
export const download = async <A>(
  device: Device,
  staging: Lease,
  troubles: readonly Promise<RuntimeError | undefined>[],
  take: (mapped: Uint8Array) => A,
): Promise<A> => {
  const { backend } = device
  const memories = staging.pieces.map((p) => p.memory)
  const unmap = (): void => {
    for (const m of memories) backend.unmap(m)
    staging.release()
  }
  try {
    await Promise.all(memories.map(backend.map))
  } catch (e) {
    // It is not given back: the device is gone, or the memory is in a state it should not be in.
    for (const m of memories) backend.destroy(m)
    throw new TensorloomError(await explain(device, e))
  }
  for (const trouble of troubles) {
    const error = await trouble
    if (!error) continue
    unmap()
    throw new TensorloomError(error)
  }
  demandAlive(device)
  const result = take(joined(memories.map(backend.mapped)))
  unmap()
  return result
}

/** The range of `slot` that copies move: its elements, padded to whole words. */
export const copyBytes = ({ shape, dtype, layout }: Pick<SlotAt<Slot>, 'shape' | 'dtype' | 'layout'>): number =>
  paddedBytes(dtype, sizeOf(layout?.shape ?? shape))
