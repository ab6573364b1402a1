/**
 * Memory that comes and goes: staging for reads, homes of kept results. Exact sizes are reused (programs have few distinct
 * ones, and buckets waste memory), so that live bytes stay constant however long a program runs.
 */
import { wholeVectors } from '../../passes/memory/place-bytes.ts'
import { ceilDiv } from '../lang/dim.ts'
import type { Memory, Piece, Use } from './backend.ts'
import type { Device } from './device.ts'

/** Memory on loan, in one stretch where one may be that large; `release` gives it back once, further calls do nothing. */
export interface Lease {
  readonly pieces: readonly Piece[]
  readonly bytes: number
  readonly release: () => void
}

/** The pieces that hold `bytes` bytes from byte `from` on of all pieces in a row. */
export const stretch = (pieces: readonly Piece[], from: number, bytes: number): readonly Piece[] => {
  const found: Piece[] = []
  let start = 0
  for (const p of pieces) {
    const [low, high] = [Math.max(from, start), Math.min(from + bytes, start + p.bytes)]
    if (low < high) found.push({ memory: p.memory, offset: p.offset + low - start, bytes: high - low })
    start += p.bytes
  }
  return found
}

/** Idle bytes a device keeps for reuse; what comes back beyond them is destroyed. */
const idleLimit = 256 * 1024 * 1024

interface Pool {
  readonly idle: Map<string, Memory[]>
  idleBytes: number
}

const pools = new WeakMap<Device, Pool>()

const poolOf = (device: Device): Pool => {
  let pool = pools.get(device)
  if (!pool) pools.set(device, (pool = { idle: new Map(), idleBytes: 0 }))
  return pool
}

/**
 * Borrows memory of at least `bytes` bytes in stretches of at most `most`. The queue keeps order, so it may be released
 * while work that uses it is pending.
 */
export const lease = (device: Device, use: Use, bytes: number, most: number = Number.POSITIVE_INFINITY): Lease => {
  if (bytes <= most) return leaseOne(device, use, bytes)
  const loans = Array.from({ length: ceilDiv(bytes, most) }, (_, i) =>
    leaseOne(device, use, Math.min(most, bytes - i * most)),
  )
  return {
    pieces: loans.flatMap((l) => l.pieces),
    bytes: loans.reduce((sum, l) => sum + l.bytes, 0),
    release: () => {
      for (const l of loans) l.release()
    },
  }
}

const leaseOne = (device: Device, use: Use, bytes: number): Lease => {
  const size = wholeVectors(bytes)
  const pool = poolOf(device)
  const key = `${use} ${size}`
  const reused = pool.idle.get(key)?.pop()
  if (reused) pool.idleBytes -= size
  const memory = reused ?? device.backend.create(size, use)
  let out = true
  return {
    pieces: [{ memory, offset: 0, bytes: size }],
    bytes: size,
    release: () => {
      if (!out) return
      out = false
      if (device.lost() || pool.idleBytes + size > idleLimit) {
        device.backend.destroy(memory)
        return
      }
      pool.idleBytes += size
      const list = pool.idle.get(key)
      if (list) list.push(memory)
      else pool.idle.set(key, [memory])
    },
  }
}
