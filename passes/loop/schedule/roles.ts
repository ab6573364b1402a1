/**
 * Register tiling and vectorisation: how many points of each range one invocation computes at once, as register copies
 * (unrolling) or as the four lanes of a vector. The roles of ranges determine those of values, each of which is
 * computed once per point of its own ranges.
 */
import { ceilDiv, pointsOf, productOf } from '../../../src/lang/dim.ts'
import { isPositional, treeRun } from '../../../src/lang/monoids.ts'
import type { Profile } from '../../profile.ts'
import type { Cluster, Index, LoopValue, Range } from '../ir/cluster.ts'
import { operandsOf, valuesBelow } from '../ir/values.ts'
import { isUniformBound, lanePattern } from './lane-pattern.ts'
import type { Nest, ReduceValue } from './nest.ts'
import type { Skips } from './skip.ts'
import { textPrice } from './text-price.ts'

/** An invocation computes `unroll`·(vector ? 4 : 1) consecutive points of the range at once. */
export interface Role {
  readonly unroll: number
  readonly vector: boolean
}

export interface Schedule {
  readonly nest: Nest
  /** Ranges that are not listed advance one point at a time. */
  readonly roles: ReadonlyMap<Range, Role>
  /** Where an invocation is a task that goes over many tiles: `task.ts`. */
  readonly task?: Task
  /** Where a workgroup computes a point of the grid together: `workgroup.ts`. */
  readonly workgroup?: Workgroup
  /** Where loops of reductions add anything: `skip.ts`. */
  readonly skips?: Skips
}

export interface Workgroup {
  readonly threads: number
  /** Where it takes a tile of the grid instead of a point: `tile.ts`. */
  readonly tile?: Tile
}

/** A tile of the grid, whose contraction reads its operands from workgroup memory, a slab of them at a time. */
export interface Tile {
  /** Invocations along ranges of the grid, the last of which runs fastest. */
  readonly along: ReadonlyMap<Range, number>
  /** The contracted range, and the steps of it in a slab. */
  readonly over: Range
  readonly slab: number
  readonly stages: readonly Stage[]
}

/** An operand that the invocations of a workgroup compute together, for the points of the tile along one range. */
export interface Stage {
  readonly value: LoopValue
  readonly along: Range
}

/** A task goes over `run` tiles of a range, which is not of the grid; the last one over what is left. */
export interface Task {
  readonly range: Range
  readonly run: number
}

const single: Role = { unroll: 1, vector: false }
/** Points that an invocation computes at once. */
export const stepOf = (r: Role): number => r.unroll * (r.vector ? 4 : 1)
/** Points of `range` that an invocation computes at once. */
export const stepIn = (roles: Schedule['roles'], range: Range): number => stepOf(roles.get(range) ?? single)
/** Points of `range` that a workgroup computes at once. */
export const tileIn = ({ roles, workgroup }: Schedule, range: Range): number =>
  stepIn(roles, range) * (workgroup?.tile?.along.get(range) ?? 1)
/** The number of invocations of a grid. */
export const invocationsOf = (grid: readonly Range[], roles: Schedule['roles']): number =>
  productOf(grid, (r) => ceilDiv(r.size, stepIn(roles, r)))
/** The number of tasks that share the tiles of a range. */
export const tasksOf = ({ task, roles }: Schedule): number =>
  task ? ceilDiv(ceilDiv(task.range.size, stepIn(roles, task.range)), task.run) : 1

/**
 * From this size on a range that 4 does not divide is taken in vectors where there are reductions, which are shared by their
 * lanes: the last vector is moved back, and what it does a second time is discarded. Its elements are loaded one by one, so
 * maps would gain nothing by it but text.
 */
const leastEdge = 61

/**
 * The benefit of vectorising `range`: loads and stores with a good access pattern, minus those with a bad one. Where lanes
 * choose differently between two values, all four read both.
 */
const vectorScore = (
  cluster: Cluster,
  values: readonly LoopValue[],
  reading: ReadonlySet<LoopValue>,
  packed: ReadonlySet<LoopValue>,
  range: Range,
  isShared: boolean,
): number => {
  // Four terms of a contraction at once are worth a store in four places, of which there is one for all terms.
  let score = isShared ? 2 : 0
  // What is padded to whole blocks (a long sum in stages) ends within a vector.
  const isTree =
    range.size >= leastEdge && values.some((v) => v.kind === 'reduce' && v.order === 'tree' && v.over.includes(range))
  const count = (index: Index, together = true): void => {
    const p = lanePattern(index, range)
    if (p === 'aligned' && together) score += 3
    else if (p !== 'uniform' && p !== 'strided' && (together ? range.size % 4 !== 0 : isTree)) score += 1
    else if (p !== 'uniform') score -= 1
  }
  for (const v of values) {
    if (!v.ranges.has(range) || packed.has(v)) continue
    const together = !('bounds' in v) || v.bounds.every((b) => isUniformBound(b, range))
    if (v.kind === 'load') count(v.index, together)
    // A padded read has a constant on one side.
    if (v.kind === 'guard' && !together && reading.has(v.inside) && reading.has(v.outside)) score -= 3
  }
  for (const s of cluster.stores) if (s.ranges.includes(range)) count(s.index)
  return score
}

/** The values that memory is read for. */
const readingValues = (values: readonly LoopValue[]): ReadonlySet<LoopValue> => {
  const reading = new Set<LoopValue>()
  for (const v of values) if (v.kind === 'load' || operandsOf(v).some((o) => reading.has(o))) reading.add(v)
  return reading
}

export const scheduleCluster = (cluster: Cluster, nest: Nest, profile: Profile): Schedule =>
  scheduling(cluster, profile)(nest)

/** What contractions read, where operands are packed: how it lies in memory does not matter. */
const packedValues = (contractions: readonly ReduceValue[], contracted: ReadonlySet<Range>): ReadonlySet<LoopValue> =>
  new Set(
    valuesBelow(contractions.flatMap((v) => v.values)).filter((v) => [...v.ranges].some((r) => contracted.has(r))),
  )

/** The size of what contractions read along a range: a small operand is packed once for many tiles. */
const bytesAlong = (packed: ReadonlySet<LoopValue>, range: Range): number =>
  [...packed].reduce((sum, v) => sum + (v.kind === 'load' && v.ranges.has(range) ? v.buffer.size : 0), 0)

/** `scheduleCluster` for several nests of one cluster. */
export const scheduling = (cluster: Cluster, profile: Profile): ((nest: Nest) => Schedule) => {
  const values = valuesBelow(cluster.stores.map((s) => s.value))
  const vectors = new Set<Range>()
  const reading = readingValues(values)
  const reductions = values.filter((v): v is ReduceValue => v.kind === 'reduce')
  const inOver = new Set(reductions.flatMap((v) => v.over))
  // Of equal extremes the first is meant: lanes would not know which that is.
  const positional = new Set(reductions.flatMap((v) => (isPositional(v.monoid) ? v.over : [])))
  const contractions = profile.schedule === 'task' ? reductions.filter((v) => v.order === 'blocks') : []
  const contracted = new Set(contractions.flatMap((v) => v.over))
  const packed = packedValues(contractions, contracted)
  const isPackedOver = (r: Range): boolean =>
    !contracted.has(r) && contractions.some((v) => v.ranges.has(r)) && [...packed].some((v) => v.ranges.has(r))
  // No value, store or accumulation has two vector ranges.
  const spans: readonly ReadonlySet<Range>[] = [
    ...values.map((v) => v.ranges),
    ...cluster.stores.map((s) => new Set(s.ranges)),
    ...reductions.map((v) => new Set([...v.values.flatMap((x) => [...x.ranges]), ...v.over])),
  ]
  const alone = (r: Range): boolean =>
    spans.every((rs) => !rs.has(r) || [...vectors].every((o) => o === r || !rs.has(o)))
  const candidates = [...new Set([...cluster.stores.flatMap((s) => s.ranges), ...inOver])]
    .filter(
      (r) => (r.size % 4 === 0 ? r.size >= 4 : reductions.length > 0 && r.size >= leastEdge) && !positional.has(r),
    )
    .map((range) => ({
      range,
      score: vectorScore(cluster, values, reading, packed, range, isPackedOver(range)),
      bytes: bytesAlong(packed, range),
    }))
    .filter((c) => c.score > 0)
    // The order of a contraction is that of its range: lanes of that would be added one after another.
    .sort(
      (a, b) =>
        Number(contracted.has(a.range)) - Number(contracted.has(b.range)) ||
        b.score - a.score ||
        a.bytes - b.bytes ||
        a.range.id - b.range.id,
    )
  for (const { range } of candidates) {
    if (alone(range)) vectors.add(range)
  }
  return (nest) => {
    const roles = new Map<Range, Role>([...vectors].map((r) => [r, { unroll: 1, vector: true }]))
    tileRegisters(nest, values, roles, profile)
    if (profile.schedule === 'task') {
      if (reductions.length === 0) widenMap(nest, values, roles, profile)
      else widenReductions(reductions, roles)
    }
    return { nest, roles }
  }
}

/** Vectors of a map that a processor computes side by side: one alone would wait for itself, operation after operation. */
const mapVectors = 2

const widenMap = (nest: Nest, values: readonly LoopValue[], roles: Map<Range, Role>, { costs }: Profile): void => {
  for (const [r, role] of roles) {
    const unroll = r.size % (4 * mapVectors) === 0 ? mapVectors : 1
    if (unroll === 1 || !role.vector || !nest.grid.includes(r)) continue
    const wide = new Map(roles).set(r, { ...role, unroll })
    if (statementsWith(values, wide) <= costs.statements) roles.set(r, { ...role, unroll })
  }
}

/**
 * Vectors of a reduced range side by side, in a processor: a run of a tree in one step, or four vectors that are joined before
 * they meet the state, which waits for every step.
 */
const widenReductions = (reductions: readonly ReduceValue[], roles: Map<Range, Role>): void => {
  for (const [r, role] of roles) {
    const over = reductions.filter((v) => v.over.includes(r))
    if (!role.vector || role.unroll > 1 || over.length === 0 || over.some((v) => v.order === 'blocks')) continue
    const unroll = over.every((v) => v.order === 'any') ? 4 : treeRun / 4
    if (r.size % (4 * unroll) === 0) roles.set(r, { ...role, unroll })
  }
}

/** Unrolling may exceed the statement limit of fusion by this factor. */
const copyAllowance = 1.5

const copiesOf = (v: LoopValue, roles: ReadonlyMap<Range, Role>): number => {
  let copies = 1
  for (const r of v.ranges) copies *= roles.get(r)?.unroll ?? 1
  return copies
}

/** The number of statements: each value counts once per combination of the register copies of its ranges. */
export const statementsWith = (values: readonly LoopValue[], roles: ReadonlyMap<Range, Role>): number => {
  let total = 0
  for (const v of values) total += copiesOf(v, roles)
  return total
}

/**
 * The most accumulators per reduction and invocation, vectors counting once. A processor has sixteen registers, for operands
 * too; an engine that runs out of them moves accumulators to memory and back at every step.
 */
const mostAccumulators = ({ schedule }: Profile): number => (schedule === 'task' ? 8 : 16)

/** A load inside a reduction costs about this many operations. */
const loadPrice = 2

/** The values that reductions compute at each of their points: their text grows with every register copy. */
const valuesInReductions = (values: readonly LoopValue[]): readonly LoopValue[] => {
  const reductions = values.filter((v) => v.kind === 'reduce')
  const over = new Set(reductions.flatMap((v) => v.over))
  return valuesBelow(reductions.flatMap((v) => operandsOf(v))).filter((v) => [...v.ranges].some((r) => over.has(r)))
}

/** Loads inside reductions, each with the number of points at which it is needed. */
const reducedLoads = (values: readonly LoopValue[]): ReadonlyMap<LoopValue, number> => {
  const loads = new Map<LoopValue, number>()
  for (const v of values) {
    if (v.kind !== 'reduce') continue
    const points = pointsOf([...new Set([...v.values.flatMap((x) => [...x.ranges]), ...v.over])])
    for (const l of valuesBelow(v.values)) if (l.kind === 'load') loads.set(l, Math.max(points, loads.get(l) ?? 0))
  }
  return loads
}

/** Takes several points of a grid range at once where loads inside a reduction do not depend on it and are thus shared. */
const tileRegisters = (nest: Nest, values: readonly LoopValue[], roles: Map<Range, Role>, profile: Profile): void => {
  const loads = reducedLoads(values)
  if (loads.size < 2 || nest.grid.length === 0) return
  const { costs } = profile
  // What rows share lies in a processor's first cache: only a contraction reads enough of it.
  const isContraction = values.some((v) => v.kind === 'reduce' && v.order === 'blocks')
  if (profile.schedule === 'task' && !isContraction) return
  const all = [...loads.keys()]
  const shared = nest.grid.filter(
    (r) => r.size > 1 && all.some((l) => !l.ranges.has(r)) && all.some((l) => l.ranges.has(r)),
  )
  const most = costs.statements * copyAllowance
  const inner = valuesInReductions(values)
  const textWith = (tile: ReadonlyMap<Range, Role>): number =>
    inner.reduce((sum, v) => sum + copiesOf(v, tile) * textPrice(v, tile), 0)
  /** What a tile costs: its loads, each once for the points that share it, and the text of its copies. */
  const costOf = (tile: ReadonlyMap<Range, Role>): number => {
    let work = 0
    for (const [l, points] of loads) {
      let sharing = 1
      for (const r of shared) if (!l.ranges.has(r)) sharing *= stepOf(tile.get(r) ?? single)
      work += points / sharing
    }
    return (work * loadPrice) / costs.flops + textWith(tile) * costs.text
  }
  let invocations = invocationsOf(nest.grid, roles)
  let registers = shared.some((r) => roles.get(r)?.vector) ? 1 : 0
  const mostRegisters = mostAccumulators(profile)
  // Scalar ranges first: a vector range is four wide already. Where registers are few, two vectors and few scalars make do
  // with the fewest loads.
  const vectorsFirst = profile.schedule === 'task' ? -1 : 1
  const isVector = (r: Range): number => Number(roles.get(r)?.vector ?? false)
  for (const r of [...shared].sort((a, b) => vectorsFirst * (isVector(a) - isVector(b)))) {
    const role = roles.get(r) ?? single
    const points = ceilDiv(r.size, role.vector ? 4 : 1)
    const isEdge = role.vector && r.size % 4 !== 0
    const widest = role.vector ? 2 : 8
    let best = { unroll: 1, cost: costOf(roles) }
    for (let unroll = widest; unroll > 1; unroll--) {
      const exact = points % unroll === 0 && !isEdge
      if (points < unroll || (!exact && ((role.vector && !isEdge) || points < 4 * unroll))) continue
      if (invocations / unroll < costs.threads || Math.max(1, registers) * unroll > mostRegisters) continue
      const tile = new Map(roles).set(r, { ...role, unroll })
      if (statementsWith(values, tile) > most) continue
      const cost = costOf(tile)
      if (cost < best.cost) best = { unroll, cost }
    }
    if (best.unroll === 1) continue
    roles.set(r, { ...role, unroll: best.unroll })
    invocations /= best.unroll
    registers = Math.max(1, registers) * best.unroll
  }
  // A contracted range is unrolled by four where a load along it can use a whole vector.
  for (const r of new Set(values.flatMap((v) => (v.kind === 'reduce' && !isPositional(v.monoid) ? v.over : [])))) {
    if (roles.has(r) || r.size % 4 !== 0 || r.size < 8 || registers < 2) continue
    const steps = new Map(roles).set(r, { unroll: 4, vector: false })
    if (statementsWith(values, steps) > most) continue
    const moved = all.filter(
      (l) => l.kind === 'load' && l.ranges.has(r) && lanePattern(l.index, r) === 'aligned' && !isVectorLoad(l, roles),
    )
    const share = 1 - costs.vectorLoad / 4
    const saved = moved.reduce((n, l) => n + loads.get(l)!, 0) * share * (loadPrice / costs.flops)
    if (saved > (textWith(steps) - textWith(roles)) * costs.text) roles.set(r, steps.get(r)!)
  }
}

const isVectorLoad = (l: LoopValue, roles: ReadonlyMap<Range, Role>): boolean =>
  [...l.ranges].some((r) => roles.get(r)?.vector)
