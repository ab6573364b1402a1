/**
 * The cost model: bytes/bandwidth + dispatches·t + flops/peak, with a hard limit on the statements of a kernel. It
 * ranks fusion decisions; the figures that a Plan reports are counted from its kernels.
 */
import { pointsOf } from '../../../src/lang/dim.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import { priceOf } from '../../op-prices.ts'
import type { Profile } from '../../profile.ts'
import type { Buffer, Cluster, LoopValue, Range } from '../ir/cluster.ts'
import { keepingRows } from './kept-rows.ts'
import { countItems, type Placing, placing } from './nest.ts'
import { type Schedule, scheduling, stepOf } from './roles.ts'
import { skipping } from './skip.ts'
import { inTasks } from './task.ts'
import { storePrice, textPrice } from './text-price.ts'
import { inTiles } from './tile.ts'
import { inWorkgroups, leastGain, sharingOf } from './workgroup.ts'

export interface Cost {
  readonly flops: number
  readonly bytes: number
  readonly threads: number
  readonly statements: number
  /** What its text takes to compile, in loads: `text-price.ts`. */
  readonly text: number
  /** The time of this cluster as a dispatch of its own. */
  readonly seconds: number
}

export const costOf = (schedule: Schedule, profile: Profile): Cost => {
  const { nest, roles, workgroup } = schedule
  const { costs } = profile
  const sharing = workgroup && sharingOf(schedule, workgroup.threads)
  let flops = 0
  let work = 0
  let statements = 0
  let text = 0
  const touched = new Map<Buffer, number>()
  const touch = (b: Buffer, times: number): void => {
    touched.set(b, (touched.get(b) ?? 0) + times)
  }
  const found = new Set<LoopValue>()
  countItems(
    nest,
    (item, times, invocations) => {
      if (item.kind === 'keep' && item.packed.twin) found.add(item.packed.twin.value)
      /** Processors compute four lanes in the time of one: what has no lanes takes as long as four that do. */
      const spend = (operations: number, v?: LoopValue): void => {
        const isAlone = v && profile.schedule === 'task' && ![...v.ranges].some((r) => roles.get(r)?.vector)
        flops += operations
        work += ((isAlone ? 4 : 1) * operations) / Math.min(1, invocations / costs.threads)
      }
      if (item.kind === 'accumulate') spend(times * item.accumulations.length)
      if (item.kind === 'store') {
        touch(item.store.buffer, times)
        text += storePrice(item.store, roles)
      }
      if (item.kind !== 'loop' && item.kind !== 'reduce') statements += 1
      if (item.kind !== 'value') return
      const v = item.value
      // What is read from an array costs no more than any operand.
      if (found.has(v)) return
      text += textPrice(v, roles)
      if (v.kind === 'load') touch(v.buffer, times)
      // A value is computed once for all register copies and lanes of a range that it does not depend on.
      let shared = 1
      for (const [r, role] of roles) if (!v.ranges.has(r) && nest.grid.includes(r)) shared *= stepOf(role)
      if (v.kind === 'alu') spend((times / shared) * priceOf(v.op), v)
      if (v.kind === 'call') spend((times / shared) * priceOf('elementwise'), v)
      if (v.kind === 'threefry') spend((times / shared) * priceOf('threefry'), v)
    },
    sharing?.pointsOf,
  )
  let bytes = 0
  for (const [b, times] of touched) bytes += Math.min(b.size, times) * byteSize(b.dtype)
  const threads = pointsOf(nest.grid) * (workgroup?.threads ?? 1)
  // So many workgroups wait one after another.
  const waits = sharing ? sharing.barriers * Math.max(1, threads / costs.threads) : 0
  const seconds = costs.dispatch + bytes / costs.bandwidth + work / costs.flops + waits * costs.barrier
  return { flops, bytes, threads, statements, text, seconds }
}

const schedulesOf = (alone: Schedule, place: Placing, profile: Profile): readonly Schedule[] => {
  const other = profile.schedule === 'task' ? keepingRows(alone, place) : inWorkgroups(alone, profile)
  return other ? [alone, other] : [alone]
}

/**
 * The cheapest choice of parallel ranges: all ranges of the largest store, or only those that its reductions depend on.
 * In the second case a row's reductions are computed once, and the rest of the row is a sequential loop.
 */
export const chooseGrid = (
  cluster: Cluster,
  profile: Profile,
): { readonly schedule: Schedule; readonly cost: Cost } => {
  const primary = cluster.stores.reduce((a, s) => (pointsOf(s.ranges) > pointsOf(a.ranges) ? s : a))
  const candidates = new Map<string, readonly Range[]>()
  const add = (rs: readonly Range[]): void => {
    candidates.set(rs.map((r) => r.id).join(), rs)
  }
  add(primary.ranges)
  const place = placing(cluster)
  const scheduleOf = scheduling(cluster, profile)
  const full = place(primary.ranges)
  countItems(full, (item) => {
    if (item.kind !== 'reduce') return
    for (const { reduce } of item.accumulations) {
      for (const grid of [...candidates.values()]) add(grid.filter((r) => reduce.ranges.has(r)))
    }
  })
  for (const s of cluster.stores)
    for (const grid of [...candidates.values()]) add(grid.filter((r) => s.ranges.includes(r)))
  let best: { readonly schedule: Schedule; readonly cost: Cost } | undefined
  for (const grid of candidates.values()) {
    const nest = grid === primary.ranges ? full : place(grid)
    for (const schedule of schedulesOf(scheduleOf(nest), place, profile)) {
      const cost = costOf(schedule, profile)
      const gain = schedule.workgroup ? leastGain(profile.costs) : 0
      if (!best || cost.seconds + gain < best.cost.seconds) best = { schedule, cost }
    }
  }
  const { schedule, cost } = best!
  // What follows does not depend on how it is computed.
  if (profile.schedule === 'task') return { schedule: skipping(cluster, inTasks(cluster, schedule, place)), cost }
  return { schedule: inTiles(cluster, schedule, place, profile), cost }
}
