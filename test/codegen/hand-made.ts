/** Clusters made by hand as kernels: what the tests of emission look at and run. */

import { runKernel } from '../../codegen/kernel/interp/run-kernel.ts'
import type { KExpr, KStmt } from '../../codegen/kernel/kernel.ts'
import { operandsOf } from '../../codegen/kernel/parts.ts'
import { assembleKernel, type BoundKernel } from '../../codegen/lower/assemble.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer, Cluster } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../passes/loop/ir/values.ts'
import { chooseGrid } from '../../passes/loop/schedule/cost.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import type { Place } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import type { DType, HostArray } from '../../src/lang/dtype.ts'
import { allocate, byteSize } from '../../src/lang/dtype.ts'

/** Buffers that are loaded lie in arena 0, those that are stored in arena 1, each on its own. */
export const placesOf = ({ stores }: Cluster): ReadonlyMap<Buffer, Place> => {
  const places = new Map<Buffer, Place>()
  const ends = [0, 0]
  const put = (b: Buffer, arena: 0 | 1): void => {
    if (places.has(b)) return
    const bytes = Math.max(16, Math.ceil((b.size * byteSize(b.dtype)) / 16) * 16)
    places.set(b, { arena, offset: ends[arena]!, bytes })
    ends[arena]! += Math.ceil(bytes / 256) * 256
  }
  for (const s of stores) put(s.buffer, 1)
  for (const v of valuesBelow(stores.map((s) => s.value))) if (v.kind === 'load') put(v.buffer, 0)
  return places
}

/** The kernel of one cluster; throws where it exceeds the profile. */
export const kernelOf = (cluster: Cluster, profile: Profile = portable, schedule?: Schedule): BoundKernel => {
  const chosen = chooseGrid(cluster, profile)
  const fused: Fused = {
    id: 0,
    stored: [],
    after: new Set(),
    reads: new Set(),
    members: [],
    operands: [],
    cluster,
    tensors: new Map([...placesOf(cluster).keys()].map((b) => [b, b])),
    first: 0,
    ...chosen,
    schedule: schedule ?? chosen.schedule,
  }
  const bound = assembleKernel([fused], { arenas: [], places: placesOf(cluster) }, profile)
  if ('tag' in bound) throw new Error(bound.what)
  return bound
}

const view = (
  buffer: ArrayBuffer,
  dtype: DType,
  offset: number,
  size: number,
): Float32Array | Int32Array | Uint32Array =>
  dtype === 'f32'
    ? new Float32Array(buffer, offset, size)
    : dtype === 'i32'
      ? new Int32Array(buffer, offset, size)
      : new Uint32Array(buffer, offset, size)

/** Runs the kernel of one cluster on `memory` (by buffer id), as `interpretCluster` runs the cluster itself. */
export const runByHand = (
  cluster: Cluster,
  memory: ReadonlyMap<number, HostArray>,
  profile: Profile = portable,
  schedule?: Schedule,
): ReadonlyMap<number, HostArray> => {
  const bound = kernelOf(cluster, profile, schedule)
  const places = placesOf(cluster)
  const ends = [0, 1].map((arena) =>
    Math.max(0, ...[...places.values()].filter((p) => p.arena === arena).map((p) => p.offset + p.bytes)),
  )
  const arenas = ends.map((end) => new Uint8Array(end).fill(0xff).buffer)
  for (const [b, p] of places) if (p.arena === 0) view(arenas[0]!, b.dtype, p.offset, b.size).set(memory.get(b.id)!)
  const bindings = bound.places.map((p) => ({ buffer: arenas[p.arena]!, byteOffset: p.offset, byteLength: p.bytes }))
  runKernel(bound.kernel, bound.workgroups, bindings)
  const results = new Map<number, HostArray>()
  for (const [b, p] of places) {
    if (p.arena === 0) continue
    const data = allocate(b.dtype, b.size)
    data.set(view(arenas[1]!, b.dtype, p.offset, b.size))
    results.set(b.id, data)
  }
  return results
}

/** Every statement, those inside loops and branches included. */
export const statementsOf = (body: readonly KStmt[]): readonly KStmt[] =>
  body.flatMap((s) => [
    s,
    ...(s.kind === 'for' ? statementsOf(s.body) : s.kind === 'if' ? statementsOf([...s.then, ...s.else]) : []),
  ])

/** Every expression in the statements, operands included. */
export const expressionsOf = (body: readonly KStmt[]): readonly KExpr[] => {
  const all: KExpr[] = []
  const visit = (e: KExpr): void => {
    all.push(e)
    operandsOf(e).forEach(visit)
  }
  for (const s of statementsOf(body)) {
    if (s.kind === 'let' || s.kind === 'assign') visit(s.value)
    if (s.kind === 'var' && s.init) visit(s.init)
    if (s.kind === 'store' || s.kind === 'write') [s.index, s.value].forEach(visit)
    if (s.kind === 'for') [s.from, s.to].forEach(visit)
    if (s.kind === 'if') visit(s.cond)
  }
  return all
}
