/**
 * Tasks of a processor: an invocation that goes over many tiles of a contraction, one after another. The operand that all of
 * them read is packed once into an array of the task, in the order in which the tiles read it: a strided or computed
 * operand costs as little as one that lies there ready, and no cache line is read for a part of it.
 */
import { ceilDiv, productOf } from '../../../src/lang/dim.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import type { Cluster, LoopValue, Range } from '../ir/cluster.ts'
import { operandsOf, valuesBelow } from '../ir/values.ts'
import type { Packed, Placing, ReduceValue } from './nest.ts'
import { invocationsOf, type Schedule, stepIn, tasksOf } from './roles.ts'

/** A task goes over at least this many tiles: packing is then a small part of its work. */
const leastTiles = 4
/** There are at least this many tasks, where there can be, for threads to share. */
const wantedTasks = 32
/** Packed operands lie in a core's second cache. */
const mostPackedBytes = 256 * 1024

/** `schedule` with tasks, where the cluster is a contraction that gains by them; else as it is. */
export const inTasks = (cluster: Cluster, schedule: Schedule, place: Placing): Schedule => {
  const { nest, roles } = schedule
  const reductions = valuesBelow(cluster.stores.map((s) => s.value)).filter(
    (v): v is ReduceValue => v.kind === 'reduce',
  )
  const contractions = reductions.filter((r) => r.order === 'blocks')
  const reduced = new Set(reductions.flatMap((r) => r.over))
  const stepped = nest.grid.filter((r) => (roles.get(r)?.unroll ?? 1) > 1 && !roles.get(r)?.vector && !reduced.has(r))
  let best: { readonly schedule: Schedule; readonly bytes: number } | undefined
  for (const range of stepped) {
    const grid = nest.grid.filter((r) => r !== range)
    const packed = packable(contractions, grid)
    const bytes = packed.reduce((sum, p) => sum + bytesOf(p, schedule), 0)
    const tiles = ceilDiv(range.size, stepIn(roles, range))
    if (packed.length === 0 || bytes > mostPackedBytes || tiles < leastTiles) continue
    const others = invocationsOf(grid, roles)
    // What does not move with the range is stored by one task.
    const isShared = cluster.stores.every((s) => s.ranges.includes(range))
    const run = isShared ? Math.max(leastTiles, ceilDiv(tiles * others, Math.max(wantedTasks, others))) : tiles
    const made: Schedule = { nest: place(grid, { packed }), roles, task: { range, run: Math.min(run, tiles) } }
    if (!best || bytes > best.bytes) best = { schedule: made, bytes }
  }
  return best && tasksOf(best.schedule) * invocationsOf(best.schedule.nest.grid, roles) > 1 ? best.schedule : schedule
}

/** The largest parts of what is contracted that move with ranges of `grid` and of the contraction alone, and with both. */
const packable = (reductions: readonly ReduceValue[], grid: readonly Range[]): readonly Packed[] => {
  const found = new Map<LoopValue, Packed>()
  const walk = (v: LoopValue, over: readonly Range[], seen: Set<LoopValue>): void => {
    // Values are shared: a search by halves would be walked once for every way through it.
    if (v.kind === 'const' || v.kind === 'index' || seen.has(v)) return
    seen.add(v)
    const own = over.filter((r) => v.ranges.has(r))
    const isWhole = [...v.ranges].every((r) => own.includes(r) || grid.includes(r))
    if (!isWhole) for (const o of operandsOf(v)) walk(o, over, seen)
    else if (own.length > 0 && v.ranges.size > own.length) found.set(v, { value: v, over: own })
  }
  for (const r of reductions) {
    const seen = new Set<LoopValue>()
    for (const v of r.values) walk(v, r.over, seen)
  }
  return [...found.values()]
}

const bytesOf = ({ value, over }: Packed, { roles }: Schedule): number => {
  let points = productOf(over, (r) => r.size)
  for (const r of value.ranges) if (!over.includes(r)) points *= stepIn(roles, r)
  return points * byteSize(value.dtype)
}
