/** The storage buffers that a kernel binds, and the position of each tensor in them. */

import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow, valuesOfIndex } from '../../passes/loop/ir/values.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import { largestPart } from '../../passes/memory/place-bytes.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { ceilDiv, floorDiv } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import * as k from '../kernel/build-kernel.ts'
import { storageScalar } from '../kernel/element-bytes.ts'
import type { Binding, Scalar } from '../kernel/kernel.ts'
import type { Place, PlacedValue } from '../plan/plan.ts'
import { type Access, vectorBuffers } from './access.ts'
import { numberOf, placeOf } from './buffer-names.ts'

export type Part = { readonly fused: Fused; readonly cluster: Fused['cluster']; readonly schedule: Schedule }

export interface Bound {
  readonly bindings: readonly Binding[]
  readonly places: readonly Place[]
  readonly reads: readonly PlacedValue[]
  readonly writes: readonly PlacedValue[]
  readonly access: ReadonlyMap<number, Access>
}

/**
 * A binding for each tensor; where the profile grants fewer, tensors of one arena share one, with offsets in the
 * kernel. An arena that the kernel writes is bound read-write as a whole: WebGPU forbids both kinds of one buffer in a
 * dispatch.
 */
export const bindBuffers = (parts: readonly Part[], memory: MemoryPlan, profile: Profile): Bound | LimitError => {
  const read = new Set<Buffer>()
  const written = new Set<Buffer>()
  const used = new Map<string, { readonly place: Place; readonly buffers: Buffer[] }>()
  const use = (b: Buffer): void => {
    const place = placeOf(memory, b)
    const key = `${place.arena}:${place.offset}`
    const seen = used.get(key)
    if (!seen) used.set(key, { place, buffers: [b] })
    else if (!seen.buffers.includes(b)) seen.buffers.push(b)
  }
  for (const { cluster, fused } of parts) {
    for (const v of valuesBelow(cluster.stores.flatMap((s) => [s.value, ...valuesOfIndex(s.index)]))) {
      if (v.kind !== 'load') continue
      const b = fused.tensors.get(v.buffer)!
      use(b)
      read.add(b)
    }
    for (const s of cluster.stores) {
      const b = fused.tensors.get(s.buffer)!
      use(b)
      written.add(b)
    }
  }
  const vectors = vectorBuffers(parts.map((p) => p.fused))
  const tensors = [...used.values()].sort((a, b) => a.place.arena - b.place.arena || a.place.offset - b.place.offset)
  const writtenArenas = new Set(tensors.filter((t) => t.buffers.some((b) => written.has(b))).map((t) => t.place.arena))
  // Start with one group per tensor; while there are too many, merge the adjacent groups that are closest in one arena.
  const groups = tensors.map((t) => [t])
  const spanOf = (g: typeof tensors): Place => {
    const end = Math.max(...g.map((t) => t.place.offset + t.place.bytes))
    const { arena, offset } = g[0]!.place
    return { arena, offset, bytes: end - offset }
  }
  // A tensor larger than the profile's largest binding is bound in parts.
  const part = largestPart(profile)
  const partsOf = (g: typeof tensors): number => ceilDiv(spanOf(g).bytes, part)
  const bytes = Math.max(0, ...tensors.map((t) => t.place.bytes))
  if (bytes > part * profile.storageBuffers) return limit('bytes of one tensor', bytes, part * profile.storageBuffers)
  const total = (): number => groups.reduce((n, g) => n + partsOf(g), 0)
  while (total() > profile.storageBuffers) {
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i + 1 < groups.length; i++) {
      const both = [...groups[i]!, ...groups[i + 1]!]
      if (both[0]!.place.arena !== both[both.length - 1]!.place.arena) continue
      if (partsOf(both) >= partsOf(groups[i]!) + partsOf(groups[i + 1]!)) continue
      const span = spanOf(both).bytes
      if (span < least) {
        best = i
        least = span
      }
    }
    if (best < 0) return limit('storage buffers of one kernel', total(), profile.storageBuffers)
    groups.splice(best, 2, [...groups[best]!, ...groups[best + 1]!])
  }
  // In order of first use, so that kernels which alternate between two places of a double buffer are equal.
  const turn = new Map([...used.values()].map((t, i) => [t, i]))
  const firstUse = (g: typeof tensors): number => Math.min(...g.map((t) => turn.get(t)!))
  groups.sort((a, b) => firstUse(a) - firstUse(b))
  const bindings: Binding[] = []
  const places: Place[] = []
  const access = new Map<number, Access>()
  for (const g of groups) {
    const all = g.flatMap((t) => t.buffers)
    const scalars = new Set(all.map((b) => storageScalar(b.dtype)))
    const four = all.every((b) => vectors.has(b))
    const span = spanOf(g)
    const scalar: Scalar = scalars.size === 1 ? [...scalars][0]! : 'u32'
    const own: Binding[] = []
    for (let start = 0; start < span.bytes; start += part) {
      const binding: Binding = {
        name: `b${bindings.length}`,
        element: k.kType(scalar, four ? 4 : 1),
        access: writtenArenas.has(span.arena) ? 'read_write' : 'read',
      }
      own.push(binding)
      bindings.push(binding)
      places.push({ ...span, offset: span.offset + start, bytes: Math.min(part, span.bytes - start) })
    }
    /** From byte `at` of the span on, `bytes` of them, in elements of `size` bytes. */
    const reach = (at: number, bytes: number, size: number): Access => {
      const i = floorDiv(at, part)
      const here = (i + 1) * part - at
      const first = { binding: own[i]!, offset: (at - i * part) / size }
      return bytes <= here
        ? first
        : { ...first, rest: { from: here / size, access: reach(at + here, bytes - here, size) } }
    }
    for (const t of g) {
      for (const b of t.buffers) access.set(b.id, reach(t.place.offset - span.offset, t.place.bytes, byteSize(b.dtype)))
    }
  }
  const placed = (bs: Iterable<Buffer>): readonly PlacedValue[] => [
    ...new Map(
      [...bs].map((b) => [numberOf(memory, b), { value: numberOf(memory, b), place: placeOf(memory, b) }]),
    ).values(),
  ]
  return { bindings, places, access, reads: placed(read), writes: placed(written) }
}

const limit = (what: string, needed: number, allowed: number): LimitError => ({
  tag: 'LimitError',
  what,
  needed,
  limit: allowed,
  hint: 'compile for a profile with higher limits, or split the tensor',
})
