/**
 * Buffers that come and go: staging for reads, homes of kept results. Exact sizes are reused (programs have few distinct
 * ones, and buckets waste memory), so that live bytes stay constant however long a program runs.
 */

import { wholeVectors } from '../../../passes/memory/place-bytes.ts'
import type { Device } from './device.ts'

/** What the buffers of a pool are for. */
export type Use = 'staging' | 'home'

/** A buffer on loan; `release` gives it back once, further calls do nothing. */
export interface Lease {
  readonly buffer: GPUBuffer
  readonly bytes: number
  readonly release: () => void
}

/** Numeric values of GPUBufferUsage and GPUMapMode, which Node does not have as globals. */
export const usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const

const usageOf: Readonly<Record<Use, number>> = {
  staging: usage.mapRead | usage.copyTarget,
  home: usage.copySource | usage.copyTarget | usage.storage,
}

/** Idle bytes a device keeps for reuse; what comes back beyond them is destroyed. */
const idleLimit = 256 * 1024 * 1024

interface Pool {
  readonly idle: Map<string, GPUBuffer[]>
  idleBytes: number
}

const pools = new WeakMap<Device, Pool>()

const poolOf = (device: Device): Pool => {
  let pool = pools.get(device)
  if (!pool) pools.set(device, (pool = { idle: new Map(), idleBytes: 0 }))
  return pool
}

/** Borrows a buffer of at least `bytes` bytes. The queue keeps order, so it may be released while work that uses it is pending. */
export const lease = (device: Device, use: Use, bytes: number): Lease => {
  const size = wholeVectors(bytes)
  const pool = poolOf(device)
  const key = `${use} ${size}`
  const reused = pool.idle.get(key)?.pop()
  if (reused) pool.idleBytes -= size
  const buffer = reused ?? device.createBuffer(size, usageOf[use])
  let out = true
  return {
    buffer,
    bytes: size,
    release: () => {
      if (!out) return
      out = false
      if (device.lost() || pool.idleBytes + size > idleLimit) {
        device.destroyBuffer(buffer)
        return
      }
      pool.idleBytes += size
      const list = pool.idle.get(key)
      if (list) list.push(buffer)
      else pool.idle.set(key, [buffer])
    },
  }
}
