/**
 * Results of a run. A *resident* stays on the device and can be an argument again; a *value* was copied to staging and can
 * only be read. Neither is ever disposed of by hand: their buffers return to the pool when they are consumed or collected.
 */
import type { Slot } from '../../codegen/plan/plan.ts'
import { sizeOf } from '../lang/dim.ts'
import type { DType, HostArray } from '../lang/dtype.ts'
import { type RuntimeError, raise, TensorloomError } from '../lang/errors.ts'
import type { Commands, Piece } from './backend.ts'
import type { Device } from './device.ts'
import { aware, demandAlive, explain } from './loss.ts'
import { type Lease, lease } from './memory-pool.ts'
import { decode, paddedBytes } from './words.ts'

/** A result that stays on the device. */
export interface Resident {
  readonly kind: 'resident'
  readonly path: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** True once it was given away to a run as a donated argument. */
  readonly consumed: boolean
  /** Copies it to the host (bool as bytes, f16 and bf16 as f32). Rejects with ConsumedHandle, DeviceLost, ValidationError. */
  readonly read: () => Promise<HostArray>
}

/** A result on its way to the host. */
export interface Value {
  readonly kind: 'value'
  readonly path: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** The elements (bool as bytes, f16 and bf16 as f32); the same array each time. Rejects with DeviceLost, ValidationError. */
  readonly read: () => Promise<HostArray>
}

/** A result of a run: one that stays on the device, or one on its way to the host. */
export type Output = Resident | Value

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

/** Makes the handle of a store. */
export const resident = (slot: Slot, store: Store): Resident => {
  const handle: Resident = Object.freeze({
    kind: 'resident' as const,
    path: slot.path,
    shape: slot.shape,
    dtype: slot.dtype,
    get consumed(): boolean {
      return store.home === undefined
    },
    read: () => aware(store.device, () => readStore(slot, store)),
  })
  stores.set(handle, store)
  if (store.home?.lease) own(handle, store, store.home.lease)
  return handle
}

/** Moves a resident to a buffer of its own. */
export const rehome = (handle: Resident, store: Store, home: Home & { readonly lease: Lease }): void => {
  store.home = home
  own(handle, store, home.lease)
}

/** Marks a donated resident as consumed; a buffer of its own is free for the work that is submitted next. */
export const consume = (store: Store): void => {
  const home = store.home
  store.home = undefined
  if (!home?.lease) return
  collected.unregister(store)
  home.lease.release()
}

const readStore = async (slot: Slot, store: Store): Promise<HostArray> => {
  const { device, home, bytes } = store
  demandAlive(device)
  if (!home)
    return raise({
      tag: 'ConsumedHandle',
      path: slot.path,
      hint: 'read it before the run that takes it, or use that run’s result',
    })
  const count = sizeOf(slot.shape)
  if (count === 0) return decode(slot.dtype, new Uint8Array(), 0, 0)
  const staging = lease(device, 'staging', bytes, home.pieces[0]!.bytes)
  const { trouble } = device.backend.guarded(staging.bytes, () => {
    const commands = device.backend.begin()
    copyPieces(commands, home.pieces, staging.pieces, bytes)
    commands.submit()
  })
  return download(device, staging, [store.trouble, trouble], (mapped) => decode(slot.dtype, mapped, 0, count))
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
export const copyBytes = (slot: Slot): number => paddedBytes(slot.dtype, sizeOf(slot.shape))
