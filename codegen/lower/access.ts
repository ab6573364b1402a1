/** How a kernel accesses its tensors: the binding, the offset in it, scalar or vector elements. */
import type { Buffer, Cluster, Range } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../passes/loop/ir/values.ts'
import { isUniformBound, lanePattern } from '../../passes/loop/schedule/lane-pattern.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import type { Binding } from '../kernel/kernel.ts'

/** The position of a buffer within a binding. `offset` is in elements of the tensor, and a multiple of 4. */
export interface Access {
  readonly binding: Binding
  readonly offset: number
  /** For a tensor larger than a binding: where elements from `from` on are. */
  readonly rest?: { readonly from: number; readonly access: Access }
}

/** The vector range (at most one) among `ranges`. */
export const vectorOf = (ranges: Iterable<Range>, schedule: Schedule): Range | undefined => {
  for (const r of ranges) if (schedule.roles.get(r)?.vector) return r
  return undefined
}

/** A scheduled cluster, and the tensors that its buffers stand for. */
export interface PlacedCluster {
  readonly cluster: Cluster
  readonly schedule: Schedule
  readonly tensors: ReadonlyMap<Buffer, Buffer>
}

interface VectorUse {
  readonly four: ReadonlySet<Buffer>
  readonly one: ReadonlySet<Buffer>
}

const uses = new WeakMap<Schedule, VectorUse>()

/** The buffers that some load or store moves four aligned elements of at a time, and those that some store does not. */
const vectorUse = (cluster: Cluster, schedule: Schedule): VectorUse => {
  const known = uses.get(schedule)
  if (known) return known
  const four = new Set<Buffer>()
  const one = new Set<Buffer>()
  for (const v of valuesBelow(cluster.stores.map((s) => s.value))) {
    if (v.kind !== 'load') continue
    const r = vectorOf(v.ranges, schedule)
    const whole = r && lanePattern(v.index, r) === 'aligned' && v.bounds.every((b) => isUniformBound(b, r))
    const byFour = [...v.ranges].some(
      (x) => schedule.roles.get(x)?.unroll === 4 && !r && lanePattern(v.index, x) === 'aligned',
    )
    if (whole || byFour) four.add(v.buffer)
  }
  for (const s of cluster.stores) {
    const r = vectorOf(s.ranges, schedule)
    ;(r && lanePattern(s.index, r) === 'aligned' ? four : one).add(s.buffer)
  }
  const use = { four, one }
  uses.set(schedule, use)
  return use
}

/** The tensors accessed as vec4: some load or store moves four aligned elements at a time, and every store does. */
export const vectorBuffers = (clusters: readonly PlacedCluster[]): ReadonlySet<Buffer> => {
  const four = new Set<Buffer>()
  const one = new Set<Buffer>()
  for (const { cluster, schedule, tensors } of clusters) {
    const use = vectorUse(cluster, schedule)
    for (const b of use.four) four.add(tensors.get(b)!)
    for (const b of use.one) one.add(tensors.get(b)!)
  }
  return new Set([...four].filter((b) => !one.has(b) && b.size % 4 === 0))
}
