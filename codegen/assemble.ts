/** Fused clusters and their places → Kernel IR with bindings → Plan. Kernels that are equal become one. */
import type { Fused, Fusion } from '../passes/loop/fuse.ts'
import type { Buffer } from '../passes/loop/ir.ts'
import type { MemoryPlan } from '../passes/loop/memory.ts'
import type { Schedule } from '../passes/loop/schedule.ts'
import { valuesBelow } from '../passes/loop/values.ts'
import type { Profile } from '../passes/target.ts'
import { byteSize } from '../src/lang/dtype.ts'
import type { LimitError } from '../src/lang/errors.ts'
import { type Access, vectorBuffers } from './access.ts'
import * as k from './build-kernel.ts'
import { emitCluster, threadsOf } from './emit.ts'
import type { Binding, Kernel, KStmt, Scalar } from './kernel.ts'
import type { Place, PlacedValue } from './plan.ts'

export interface BoundKernel {
  readonly kernel: Kernel
  readonly workgroups: number
  readonly places: readonly Place[]
  readonly reads: readonly PlacedValue[]
  readonly writes: readonly PlacedValue[]
  readonly fused: readonly Fused[]
}

/** One kernel of the plan from clusters that lie side by side. */
export const assembleKernel = (
  fused: readonly Fused[],
  memory: MemoryPlan,
  profile: Profile,
): BoundKernel | LimitError => {
  const parts = fused.map((f) => ({
    fused: f,
    cluster: f.cluster,
    schedule: f.schedule,
  }))
  const bound = bindBuffers(parts, memory, profile)
  if ('tag' in bound) return bound
  const workgroupSize = chooseWorkgroup(
    parts.map((p) => threadsOf(p.schedule)),
    profile,
  )
  let names = 0
  const name = (prefix: string): string => `${prefix}${names++}`
  let workgroups = 0
  const branches = parts.map((p) => {
    const threads = threadsOf(p.schedule)
    const first = workgroups
    workgroups += Math.ceil(threads / workgroupSize)
    const id = name('thread')
    const thread = k.add(
      k.mul(k.sub(k.builtin('gridIndex'), k.u32(first)), k.u32(workgroupSize)),
      k.builtin('localIndex'),
    )
    const body = emitCluster(p.cluster, p.schedule, k.ref(id), (b) => bound.access.get(b)!, name)
    const guarded = [k.letStmt(id, thread), k.ifStmt(k.lt(k.ref(id), k.u32(threads)), body)]
    return { end: workgroups, body: guarded }
  })
  const body = branches.reduceRight<readonly KStmt[]>(
    (rest, b) => (rest.length === 0 ? b.body : [k.ifStmt(k.lt(k.builtin('gridIndex'), k.u32(b.end)), b.body, rest)]),
    [],
  )
  const kernel: Kernel = {
    name: kernelName(fused),
    workgroupSize,
    bindings: bound.bindings,
    arrays: [],
    body,
  }
  return { kernel, workgroups, places: bound.places, reads: bound.reads, writes: bound.writes, fused }
}

const kernelName = (fused: readonly Fused[]): string => {
  const ops = fused.flatMap((f) => f.stored.map((n) => n.op))
  const counts = new Map<string, number>()
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  return [...counts]
    .slice(0, 4)
    .map(([op, n]) => (n > 1 ? `${op}${n}` : op))
    .join('_')
}

/** Enough workgroups to go round, none smaller than a subgroup needs. */
const chooseWorkgroup = (threads: readonly number[], profile: Profile): number => {
  const most = Math.max(...threads)
  let size = Math.min(64, profile.workgroupThreads)
  while (size > 8 && most / size < 8) size /= 2
  return size
}

type Part = { readonly fused: Fused; readonly cluster: Fused['cluster']; readonly schedule: Schedule }

interface Bound {
  readonly bindings: readonly Binding[]
  readonly places: readonly Place[]
  readonly reads: readonly PlacedValue[]
  readonly writes: readonly PlacedValue[]
  readonly access: ReadonlyMap<number, Access>
}

const storage = (b: Buffer): Scalar => (b.dtype === 'bool' ? 'u32' : b.dtype)

/**
 * A binding for each tensor; where the profile grants fewer, tensors of one arena share one, with offsets in the kernel.
 * An arena that the kernel writes is bound read-write as a whole: WebGPU forbids both kinds of one buffer in a dispatch.
 */
const bindBuffers = (parts: readonly Part[], memory: MemoryPlan, profile: Profile): Bound | LimitError => {
  const read = new Set<Buffer>()
  const written = new Set<Buffer>()
  const used = new Map<string, { readonly place: Place; readonly buffers: Buffer[] }>()
  const use = (b: Buffer): void => {
    const place = memory.places.get(b)!
    const key = `${place.arena}:${place.offset}`
    const seen = used.get(key)
    if (!seen) used.set(key, { place, buffers: [b] })
    else if (!seen.buffers.includes(b)) seen.buffers.push(b)
  }
  for (const { cluster } of parts) {
    for (const v of valuesBelow(cluster.stores.map((s) => s.value))) {
      if (v.kind !== 'load') continue
      use(v.buffer)
      read.add(v.buffer)
    }
    for (const s of cluster.stores) {
      use(s.buffer)
      written.add(s.buffer)
    }
  }
  const vectors = vectorBuffers(parts)
  const tensors = [...used.values()].sort((a, b) => a.place.arena - b.place.arena || a.place.offset - b.place.offset)
  const writtenArenas = new Set(tensors.filter((t) => t.buffers.some((b) => written.has(b))).map((t) => t.place.arena))
  // Start with one group a tensor; while there are too many, join the neighbours that lie closest in one arena.
  const groups = tensors.map((t) => [t])
  const spanOf = (g: typeof tensors): Place => {
    const end = Math.max(...g.map((t) => t.place.offset + t.place.bytes))
    const { arena, offset } = g[0]!.place
    return { arena, offset, bytes: end - offset }
  }
  while (groups.length > profile.storageBuffers) {
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i + 1 < groups.length; i++) {
      if (groups[i]![0]!.place.arena !== groups[i + 1]![0]!.place.arena) continue
      const span = spanOf([...groups[i]!, ...groups[i + 1]!]).bytes
      if (span < least) {
        best = i
        least = span
      }
    }
    if (best < 0) return limit('storage buffers of one kernel', groups.length, profile.storageBuffers)
    groups.splice(best, 2, [...groups[best]!, ...groups[best + 1]!])
  }
  const bindings: Binding[] = []
  const places: Place[] = []
  const access = new Map<number, Access>()
  for (const g of groups) {
    const all = g.flatMap((t) => t.buffers)
    const scalars = new Set(all.map(storage))
    const four = all.every((b) => vectors.has(b))
    const span = spanOf(g)
    if (span.bytes > profile.maxBindingBytes) return limit('bytes of one binding', span.bytes, profile.maxBindingBytes)
    const scalar: Scalar = scalars.size === 1 ? [...scalars][0]! : 'u32'
    const binding: Binding = {
      name: `b${bindings.length}`,
      element: k.kType(scalar, four ? 4 : 1),
      access: writtenArenas.has(span.arena) ? 'read_write' : 'read',
    }
    bindings.push(binding)
    places.push(span)
    for (const t of g) {
      for (const b of t.buffers)
        access.set(b.id, { binding, offset: (t.place.offset - span.offset) / byteSize(b.dtype) })
    }
  }
  const placed = (bs: Iterable<Buffer>): readonly PlacedValue[] =>
    [...bs].map((b) => ({ value: b.id, place: memory.places.get(b)! }))
  return { bindings, places, access, reads: placed(read), writes: placed(written) }
}

const limit = (what: string, needed: number, allowed: number): LimitError => ({
  tag: 'LimitError',
  what,
  needed,
  limit: allowed,
  hint: 'compile for a profile with higher limits, or split the tensor',
})

/** Equal kernels, their names aside, become one. */
export const deduplicate = (
  kernels: readonly BoundKernel[],
): { readonly distinct: readonly Kernel[]; readonly indexOf: readonly number[] } => {
  const seen = new Map<string, number>()
  const distinct: Kernel[] = []
  const indexOf = kernels.map(({ kernel }) => {
    const key = JSON.stringify({ ...kernel, name: '' }, (_, v) =>
      typeof v === 'number' && !Number.isFinite(v) ? `${v}` : Object.is(v, -0) ? '-0' : v,
    )
    const at = seen.get(key) ?? distinct.length
    if (at === distinct.length) distinct.push(kernel)
    seen.set(key, at)
    return at
  })
  return { distinct, indexOf }
}

export type { Fusion }
