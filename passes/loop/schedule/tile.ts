/**
 * Contractions in workgroup tiles: the invocations of a workgroup compute a tile of the result, each a register tile of it.
 * They put what they contract into workgroup memory, a slab of the contracted range at a time: memory is read once for
 * the whole tile. The last tile of a range is moved back to its end; what it does a second time is discarded.
 */
import { ceilDiv, productOf } from '../../../src/lang/dim.ts'
import type { Profile } from '../../profile.ts'
import type { Cluster, LoopValue, Range } from '../ir/cluster.ts'
import { operandsOf, valuesBelow } from '../ir/values.ts'
import { isBeside } from './lane-pattern.ts'
import type { Nest, Placing, ReduceValue } from './nest.ts'
import { type Role, type Schedule, type Stage, statementsWith, tileIn } from './roles.ts'
import { bytesOfArrays, type SharedArray } from './shared-arrays.ts'
import { sharedThreads } from './workgroup.ts'

/** Steps of the contracted range in a slab, which divide the runs of its order of summation. */
const slab = 16
/** So many operations of an invocation that do not wait for one another hide as much as that many invocations. */
const mostInFlight = 4
/** There are at least this many invocations, as a part of those that the device needs. */
const leastShare = 1 / 8

/** The one contraction of a nest, outermost but for the grid, where the nest has no other loop. */
const contractionOf = ({ body }: Nest): ReduceValue | undefined => {
  const items = body.items.flatMap((item) => (item.kind === 'first' ? [item, ...item.body.items] : [item]))
  const loops = items.filter((item) => item.kind === 'reduce' || item.kind === 'loop')
  const [only] = loops
  if (loops.length !== 1 || only?.kind !== 'reduce' || !body.items.includes(only)) return undefined
  const all = only.accumulations.map((a) => a.reduce)
  return all.every((r) => r.order === 'blocks' && r.over.length === 1) ? all[0] : undefined
}

/** The range along which results lie in memory. */
const storedAlong = ({ stores }: Cluster, grid: readonly Range[]): Range | undefined =>
  grid.find((r) => stores.every((s) => !s.ranges.includes(r) || isBeside(s.index, r)) && r.size >= slab)

/** The largest parts of what is contracted that move with the contracted range and with one range of the tile; undefined where one cannot be staged. */
const stagesOf = (values: readonly LoopValue[], over: Range, tile: readonly Range[]): readonly Stage[] | undefined => {
  const found = new Map<LoopValue, Stage>()
  // Each value once: where one cannot be staged, the search is over.
  const seen = new Set<LoopValue>()
  const walk = (v: LoopValue): boolean => {
    if (!v.ranges.has(over) || v.kind === 'const' || v.kind === 'index' || seen.has(v)) return true
    seen.add(v)
    if (v.kind === 'reduce') return false
    const along = tile.filter((r) => v.ranges.has(r))
    if (along.length !== 1) return v.kind === 'load' || operandsOf(v).every(walk)
    const below = valuesBelow([v])
    if (below.some((x) => x.kind === 'reduce')) return false
    if (below.some((x) => x.kind === 'load')) found.set(v, { value: v, along: along[0]! })
    return true
  }
  return values.every(walk) ? [...found.values()] : undefined
}

/** The arrays of a tile's slabs. */
export const stageArrays = (schedule: Schedule): readonly SharedArray[] =>
  (schedule.workgroup?.tile?.stages ?? []).map(({ value, along }) => {
    const width = schedule.roles.get(along)?.vector ? 4 : 1
    return { element: `${value.dtype}x${width}`, size: (stageStride(schedule, along) / width) * slab }
  })

/** Elements from one step of a slab to the next. Scalars are written in columns: an odd stride keeps those in different banks. */
export const stageStride = (schedule: Schedule, along: Range): number =>
  tileIn(schedule, along) + (schedule.roles.get(along)?.vector ? 0 : 1)

/** `schedule` in workgroup tiles, where it is a contraction that has enough of them; else as it is. */
export const inTiles = (cluster: Cluster, schedule: Schedule, place: Placing, profile: Profile): Schedule => {
  const { nest, roles } = schedule
  const contraction = contractionOf(nest)
  if (profile.schedule !== 'cooperative' || schedule.workgroup || !contraction) return schedule
  const [over] = contraction.over
  const columns = nest.grid.find((r) => roles.get(r)?.vector) ?? storedAlong(cluster, nest.grid)
  if (!over || over.size < slab || !columns) return schedule
  const loads = valuesBelow(contraction.values).filter((v) => v.kind === 'load' && v.ranges.has(over))
  const rows = nest.grid
    .filter((r) => r !== columns && loads.some((l) => l.ranges.has(r)) && loads.some((l) => !l.ranges.has(r)))
    .reduce<Range | undefined>((a, b) => (a && a.size >= b.size ? a : b), undefined)
  if (!rows || !loads.some((l) => !l.ranges.has(columns))) return schedule
  const reductions = valuesBelow(cluster.stores.map((s) => s.value)).filter(
    (v): v is ReduceValue => v.kind === 'reduce' && v.over.includes(over),
  )
  const stages = stagesOf(
    reductions.flatMap((r) => r.values),
    over,
    [rows, columns],
  )
  if (!stages?.some((s) => s.along === rows) || !stages.some((s) => s.along === columns)) return schedule
  const best = bestTile(cluster, schedule, { rows, columns, over, stages }, profile)
  return best ? { ...best, nest: place(nest.grid, { staged: stages.map((s) => s.value) }) } : schedule
}

interface Choice {
  readonly rows: Range
  readonly columns: Range
  readonly over: Range
  readonly stages: readonly Stage[]
}

const bestTile = (
  cluster: Cluster,
  { nest }: Schedule,
  { rows, columns, over, stages }: Choice,
  profile: Profile,
): Schedule | undefined => {
  const { costs } = profile
  const threads = sharedThreads(profile)
  const values = valuesBelow(cluster.stores.map((s) => s.value))
  let best: { readonly schedule: Schedule; readonly seconds: number } | undefined
  for (let down = 1; down <= threads; down *= 2) {
    for (const [ofRow, ofColumn] of registerTiles) {
      const across = threads / down
      if (down * ofRow > rows.size || across * ofColumn * 4 > columns.size) continue
      const own = new Map<Range, Role>([
        [rows, { unroll: ofRow, vector: false }],
        [columns, { unroll: ofColumn, vector: true }],
      ])
      const along = new Map([
        [rows, down],
        [columns, across],
      ])
      const made: Schedule = { nest, roles: own, workgroup: { threads, tile: { along, over, slab, stages } } }
      const staged = bytesOfArrays(stageArrays(made))
      if (staged > profile.workgroupBytes || statementsWith(values, own) > costs.statements) continue
      const tiles = productOf(nest.grid, (r) => ceilDiv(r.size, tileIn(made, r)))
      if (tiles * threads < costs.threads * leastShare) continue
      const points = down * ofRow * across * ofColumn * 4
      const bytes = (tiles * over.size * staged) / slab
      const inFlight = tiles * threads * Math.min(mostInFlight, ofRow * ofColumn)
      const flops = 2 * tiles * points * over.size
      const waits = 2 * ceilDiv(over.size, slab) * Math.max(1, (tiles * threads) / costs.threads)
      const seconds =
        flops / Math.min(1, inFlight / costs.threads) / costs.flops + bytes / costs.bandwidth + waits * costs.barrier
      if (!best || seconds < best.seconds) best = { schedule: made, seconds }
    }
  }
  return best?.schedule
}

/** Copies of rows, and of vectors along columns, that an invocation computes: sixteen accumulators at most. */
const registerTiles = [8, 4, 2, 1].flatMap((ofRow) => [2, 1].map((ofColumn) => [ofRow, ofColumn] as const))
