/** The storage buffers that a kernel binds, and the position of each tensor in them. */

import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow, valuesOfIndex } from '../../passes/loop/ir/values.ts'
import { isInOneBuffer } from '../../passes/memory/place-bytes.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import { largestBuffer, largestPart, type Profile } from '../../passes/profile.ts'
import { alignDown } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import * as k from '../kernel/build-kernel.ts'
import { storageScalar } from '../kernel/element-bytes.ts'
import type { Binding, Scalar } from '../kernel/kernel.ts'
import type { Place, PlacedValue } from '../plan/plan.ts'
import { type Access, type PlacedCluster, vectorBuffers } from './access.ts'
import { numberOf, placeOf, touchedPlace } from './buffer-names.ts'

export interface Bound {
  readonly bindings: readonly Binding[]
  readonly places: readonly Place[]
  readonly reads: readonly PlacedValue[]
  readonly writes: readonly PlacedValue[]
  readonly access: ReadonlyMap<number, Access>
}

/** A place that a kernel touches, and the tensors that lie there: several where one takes another's place. */
export interface Tenants {
  readonly place: Place
  readonly buffers: readonly Buffer[]
}

/** Tenants in the order of their places, next to one another in one buffer; what they span is bound together. */
export interface Span {
  readonly place: Place
  readonly tenants: readonly Tenants[]
}

/** The tensors of `buffers` by where they lie, in the order of use. */
export const tenantsOf = (buffers: Iterable<Buffer>, memory: MemoryPlan): readonly Tenants[] => {
  const found = new Map<string, { readonly place: Place; readonly buffers: Set<Buffer> }>()
  for (const b of buffers) {
    const place = placeOf(memory, b)
    const key = `${place.arena}:${place.offset}`
    const seen = found.get(key)
    if (seen) seen.buffers.add(b)
    else found.set(key, { place, buffers: new Set([b]) })
  }
  return [...found.values()].map((t) => ({ place: t.place, buffers: [...t.buffers] }))
}

/** The stretches that show `place`: no longer than a binding may be, and each in one buffer of its arena. */
export const partsOf = (place: Place, profile: Profile): readonly Place[] => {
  const [part, buffer] = [largestPart(profile), largestBuffer(profile)]
  const parts: Place[] = []
  const end = place.offset + place.bytes
  for (let offset = place.offset; offset < end; ) {
    const next = Math.min(end, offset + part, alignDown(offset, buffer) + buffer)
    parts.push({ ...place, offset, bytes: next - offset })
    offset = next
  }
  return parts
}

/** Bindings that these spans take. */
export const bindingsOf = (spans: readonly Span[], profile: Profile): number =>
  spans.reduce((n, s) => n + partsOf(s.place, profile).length, 0)

/**
 * A span a place; while they need more bindings than the profile grants, the neighbours that lie closest are joined. The
 * bindings may still be too many.
 */
export const joinNeighbours = (tenants: readonly Tenants[], profile: Profile): readonly Span[] => {
  const buffer = largestBuffer(profile)
  const spans: Span[] = tenants
    .toSorted((a, b) => a.place.arena - b.place.arena || a.place.offset - b.place.offset)
    .map((t) => ({ place: t.place, tenants: [t] }))
  const both = ({ place: a }: Span, { place: b }: Span): Place => ({
    ...a,
    bytes: Math.max(a.offset + a.bytes, b.offset + b.bytes) - a.offset,
  })
  const count = (place: Place): number => partsOf(place, profile).length
  /** Bytes of the two as one; no number where that saves no binding. */
  const spanned = (a: Span, b: Span | undefined): number => {
    if (!b || a.place.arena !== b.place.arena) return Number.POSITIVE_INFINITY
    const place = both(a, b)
    const isFewer = isInOneBuffer(place, buffer) && count(place) < count(a.place) + count(b.place)
    return isFewer ? place.bytes : Number.POSITIVE_INFINITY
  }
  let total = bindingsOf(spans, profile)
  if (total <= profile.storageBuffers) return spans
  const joined = spans.map((s, i) => spanned(s, spans[i + 1]))
  while (total > profile.storageBuffers) {
    let best = 0
    for (let i = 1; i < joined.length; i++) if (joined[i]! < joined[best]!) best = i
    if (!Number.isFinite(joined[best] ?? Number.POSITIVE_INFINITY)) break
    const [a, b] = [spans[best]!, spans[best + 1]!]
    const made: Span = { place: both(a, b), tenants: [...a.tenants, ...b.tenants] }
    total += count(made.place) - count(a.place) - count(b.place)
    spans.splice(best, 2, made)
    joined.splice(best, 2, spanned(made, spans[best + 1]))
    if (best > 0) joined[best - 1] = spanned(spans[best - 1]!, made)
  }
  return spans
}

/** A cluster and the tensors that its buffers stand for, before it is scheduled. */
export type Unscheduled = Pick<PlacedCluster, 'cluster' | 'tensors'>

/** The tensors that the clusters read and write, in the order of use. */
const tensorsOf = (
  clusters: readonly Unscheduled[],
): {
  readonly used: ReadonlySet<Buffer>
  readonly read: ReadonlySet<Buffer>
  readonly written: ReadonlySet<Buffer>
} => {
  const used = new Set<Buffer>()
  const read = new Set<Buffer>()
  const written = new Set<Buffer>()
  for (const { cluster, tensors } of clusters) {
    for (const v of valuesBelow(cluster.stores.flatMap((s) => [s.value, ...valuesOfIndex(s.index)]))) {
      if (v.kind !== 'load') continue
      const b = tensors.get(v.buffer)!
      used.add(b)
      read.add(b)
    }
    for (const s of cluster.stores) {
      const b = tensors.get(s.buffer)!
      used.add(b)
      written.add(b)
    }
  }
  return { used, read, written }
}

/** The bindings that the clusters take as one kernel. */
export const countBindings = (clusters: readonly Unscheduled[], memory: MemoryPlan, profile: Profile): number =>
  bindingsOf(joinNeighbours(tenantsOf(tensorsOf(clusters).used, memory), profile), profile)

/**
 * A binding for each tensor; where the profile grants fewer, tensors of one arena share one, with offsets in the
 * kernel. An arena that the kernel writes is bound read-write as a whole: WebGPU forbids both kinds of one buffer in a
 * dispatch.
 */
export const bindBuffers = (
  clusters: readonly PlacedCluster[],
  memory: MemoryPlan,
  profile: Profile,
): Bound | LimitError => {
  const { used, read, written } = tensorsOf(clusters)
  const vectors = vectorBuffers(clusters)
  const tenants = tenantsOf(used, memory)
  const writtenArenas = new Set(tenants.filter((t) => t.buffers.some((b) => written.has(b))).map((t) => t.place.arena))
  const joined = joinNeighbours(tenants, profile)
  const needed = bindingsOf(joined, profile)
  if (needed > profile.storageBuffers) return tooMany(needed, profile.storageBuffers)
  // In order of first use, so that kernels which alternate between two places of a double buffer are equal.
  const turn = new Map(tenants.map((t, i) => [t, i]))
  const firstUse = (s: Span): number => Math.min(...s.tenants.map((t) => turn.get(t)!))
  const spans = joined.toSorted((a, b) => firstUse(a) - firstUse(b))
  const bindings: Binding[] = []
  const places: Place[] = []
  const access = new Map<number, Access>()
  for (const span of spans) {
    const all = span.tenants.flatMap((t) => t.buffers)
    const scalars = new Set(all.map((b) => storageScalar(b.dtype)))
    const four = all.every((b) => vectors.has(b))
    const scalar: Scalar = scalars.size === 1 ? [...scalars][0]! : 'u32'
    const own = partsOf(span.place, profile).map((place) => {
      const binding: Binding = {
        name: `b${bindings.length}`,
        element: k.kType(scalar, four ? 4 : 1),
        access: writtenArenas.has(place.arena) ? 'read_write' : 'read',
      }
      bindings.push(binding)
      places.push(place)
      return { binding, place }
    })
    /** From byte `at` of the arena on, `bytes` of them, in elements of `size` bytes. */
    const reach = (at: number, bytes: number, size: number): Access => {
      const { binding, place } = own.find((o) => at < o.place.offset + o.place.bytes)!
      const here = place.offset + place.bytes - at
      const first = { binding, offset: (at - place.offset) / size }
      return bytes <= here
        ? first
        : { ...first, rest: { from: here / size, access: reach(at + here, bytes - here, size) } }
    }
    for (const { place, buffers } of span.tenants)
      for (const b of buffers) access.set(b.id, reach(place.offset, place.bytes, byteSize(b.dtype)))
  }
  const placed = (bs: Iterable<Buffer>): readonly PlacedValue[] => [
    ...new Map(
      [...bs].map((b) => [numberOf(memory, b), { value: numberOf(memory, b), place: touchedPlace(memory, b) }]),
    ).values(),
  ]
  return { bindings, places, access, reads: placed(read), writes: placed(written) }
}

/** The refusal of a kernel that binds too much. */
export const tooMany = (needed: number, limit: number): LimitError => ({
  tag: 'LimitError',
  what: 'storage buffers of one kernel',
  needed,
  limit,
  hint: 'compile for a profile with higher limits, or split the tensor',
})
