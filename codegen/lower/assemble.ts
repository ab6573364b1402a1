/**
 * Assembly of kernels: horizontally fused clusters and their places → Kernel IR with bindings. Equal kernels become
 * one.
 */

import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import * as k from '../kernel/build-kernel.ts'
import type { Kernel, KStmt } from '../kernel/kernel.ts'
import type { Place, PlacedValue } from '../plan/plan.ts'
import { bindBuffers } from './bind.ts'
import { emitCluster, threadsOf } from './emit.ts'
import { workgroupSizeFor } from './workgroup-size.ts'

export interface BoundKernel {
  readonly kernel: Kernel
  readonly workgroups: number
  readonly places: readonly Place[]
  readonly reads: readonly PlacedValue[]
  readonly writes: readonly PlacedValue[]
  readonly fused: readonly Fused[]
  /** One dispatch of a routine, which may read what it writes and write in parts. */
  readonly routine?: boolean
  /** A part of a cluster that writes a tensor here and there. */
  readonly inParts?: boolean
}

/** One kernel from horizontally fused clusters: each gets a contiguous range of workgroups. */
export const assembleKernel = (
  fused: readonly Fused[],
  memory: MemoryPlan,
  profile: Profile,
): BoundKernel | LimitError => {
  const bound = bindBuffers(fused, memory, profile)
  if ('tag' in bound) return bound
  const workgroupSize = workgroupSizeFor(Math.max(...fused.map((p) => threadsOf(p.schedule))), profile)
  let names = 0
  const name = (prefix: string): string => `${prefix}${names++}`
  let workgroups = 0
  const branches = fused.map((p) => {
    const threads = threadsOf(p.schedule)
    const first = workgroups
    workgroups += ceilDiv(threads, workgroupSize)
    const id = name('thread')
    const thread = k.add(
      k.mul(k.sub(k.builtin('gridIndex'), k.u32(first)), k.u32(workgroupSize)),
      k.builtin('localIndex'),
    )
    const access = new Map([...p.tensors].map(([b, tensor]) => [b.id, bound.access.get(tensor.id)!]))
    const body = emitCluster(p.cluster, p.schedule, k.ref(id), (b) => access.get(b)!, name)
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
  const ops = fused.flatMap((f) => f.stored.map((n) => (n.op === 'elementwise' ? n.params.name : n.op)))
  const counts = new Map<string, number>()
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  return [...counts]
    .slice(0, 4)
    .map(([op, n]) => (n > 1 ? `${op}${n}` : op))
    .join('_')
}

/** Deduplicates kernels that are equal except for their names. */
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
