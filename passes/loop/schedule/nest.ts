/**
 * The loop nest of a cluster, which says where each value is computed. Grid ranges are outermost. A value is hoisted to
 * the outermost scope that binds its ranges, so loop-invariant values are not recomputed in inner loops.
 */
import { pointsOf, productOf } from '../../../src/lang/dim.ts'
import { invariant } from '../../../src/lang/errors.ts'
import type { Cluster, LoopValue, Range, Store } from '../ir/cluster.ts'
import { operandsOf, valuesBelow } from '../ir/values.ts'

export type ReduceValue = Extract<LoopValue, { readonly kind: 'reduce' }>

/** One accumulation: the live components of one reduce group. */
export interface Accumulation {
  readonly group: string
  readonly reduce: ReduceValue
}

export type Item =
  | { readonly kind: 'value'; readonly value: LoopValue }
  /** Accumulators are initialised before the loops of `body` and final after them. */
  | { readonly kind: 'reduce'; readonly accumulations: readonly Accumulation[]; readonly body: Scope }
  | { readonly kind: 'loop'; readonly body: Scope }
  /** Executed only where every range of `first` is at its first value: for a store over fewer ranges than the grid. */
  | { readonly kind: 'first'; readonly first: readonly Range[]; readonly body: Scope }
  | { readonly kind: 'accumulate'; readonly accumulations: readonly Accumulation[] }
  /** Puts a value that has just been computed into its array, where the loops after this one find it. */
  | { readonly kind: 'keep'; readonly packed: Packed }
  /** First in a loop: the workgroup computes values for some steps of it at once, where those find them. */
  | { readonly kind: 'stage'; readonly values: readonly LoopValue[] }
  | { readonly kind: 'store'; readonly store: Store }

/** A value that is computed for all points of the ranges `over`, the last of which runs fastest, before other loops read it. */
export interface Packed {
  readonly value: LoopValue
  readonly over: readonly Range[]
  /** The same over another range, which is read there and not computed: `kept-rows.ts`. */
  readonly twin?: { readonly value: LoopValue; readonly over: readonly Range[] }
}

export interface Scope {
  /** The range this scope loops over; none for the grid's body and for `first`. */
  readonly range?: Range
  readonly items: Item[]
  /** Values (and reduce groups) computed in this scope. */
  readonly placed: Set<LoopValue | string>
}

export interface Nest {
  readonly grid: readonly Range[]
  readonly body: Scope
}

const scope = (range?: Range): Scope => ({ items: [], placed: new Set(), ...(range ? { range } : {}) })

const none: ReadonlySet<string> = new Set()

/**
 * The reduce groups that each value depends on, which decide whether reductions may share a loop. Equal sets are shared
 * objects.
 */
const reductionsBelow = (order: readonly LoopValue[]): ReadonlyMap<LoopValue, ReadonlySet<string>> => {
  const below = new Map<LoopValue, ReadonlySet<string>>()
  const withOwn = new Map<string, ReadonlySet<string>>()
  for (const v of order) {
    let all = none
    for (const o of operandsOf(v)) {
      const more = (o.kind === 'reduce' ? withOwn.get(o.group) : below.get(o)) ?? none
      if (more === all || more.size === 0) continue
      all = all.size === 0 ? more : new Set([...all, ...more])
    }
    below.set(v, all)
    if (v.kind === 'reduce') withOwn.set(v.group, new Set([...all, v.group]))
  }
  return below
}

/** Places every value of the cluster in the nest, given the parallel (grid) ranges. */
export const placeCluster = (cluster: Cluster, grid: readonly Range[]): Nest => placing(cluster)(grid)

/** Values that lie in arrays. */
interface InArrays {
  /** Computed for all their points before everything else. */
  readonly packed: readonly Packed[]
  /** Computed by workgroups, in the loop that reduces them. */
  readonly staged: readonly LoopValue[]
  /** Kept by the loop that computes them. */
  readonly rows: readonly Packed[]
}

/** Places the values of a cluster, some of them in arrays. */
export type Placing = (grid: readonly Range[], inArrays?: Partial<InArrays>) => Nest

/** `placeCluster` for several choices of the grid. */
export const placing = (cluster: Cluster): Placing => {
  const order = valuesBelow(cluster.stores.map((s) => s.value).concat(cluster.stores.flatMap((s) => indexValues(s))))
  const below = reductionsBelow(order)
  const reductions = order.filter((v): v is ReduceValue => v.kind === 'reduce')
  const rangesOf = new Map(reductions.map((r) => [r.group, r.ranges]))
  const overOf = new Map(reductions.map((r) => [r.group, r.over]))
  const loads = new Map<string, ReadonlySet<LoopValue>>()
  const loadsOf = (r: ReduceValue): ReadonlySet<LoopValue> => {
    const known = loads.get(r.group) ?? new Set(valuesBelow(r.values).filter((v) => v.kind === 'load'))
    loads.set(r.group, known)
    return known
  }
  const shareLoads = (a: ReduceValue, b: ReduceValue): boolean => [...loadsOf(a)].some((l) => loadsOf(b).has(l))
  return (grid, inArrays = {}) =>
    place(
      cluster,
      grid,
      { packed: [], staged: [], rows: [], ...inArrays },
      { below, reductions, rangesOf, overOf, shareLoads },
    )
}

/** Facts about the reductions of a cluster that do not depend on the grid. */
interface Reductions {
  readonly reductions: readonly ReduceValue[]
  readonly below: ReadonlyMap<LoopValue, ReadonlySet<string>>
  readonly rangesOf: ReadonlyMap<string, ReadonlySet<Range>>
  readonly overOf: ReadonlyMap<string, readonly Range[]>
  /** Whether two reductions read something in common: else one loop for both would only hold more accumulators. */
  readonly shareLoads: (a: ReduceValue, b: ReduceValue) => boolean
}

const place = (
  cluster: Cluster,
  grid: readonly Range[],
  { packed, staged, rows }: InArrays,
  { reductions, below, rangesOf, overOf, shareLoads }: Reductions,
): Nest => {
  const done = new Set<string>()
  /** Reductions whose loops are still open: their results must not be used yet. */
  const open = new Set<string>()
  const body = scope()
  /** Values that loops find in an array. */
  const kept = new Set<LoopValue>([...staged, ...rows.flatMap((p) => p.twin?.value ?? [])])

  /** The depth in the scope chain at which all of `ranges` are bound, grid ranges aside. */
  const depthFor = (ranges: ReadonlySet<Range>, chain: readonly Scope[]): number => {
    for (let i = chain.length - 1; i >= 1; i--) {
      const { range } = chain[i]!
      if (range && ranges.has(range)) return i + 1
    }
    return 1
  }

  const demand = (v: LoopValue, chain: readonly Scope[], floor = 1): void => {
    const key = v.kind === 'reduce' ? v.group : v
    const depth = Math.max(floor, depthFor(v.ranges, chain))
    for (let i = 0; i < depth; i++) if (chain[i]!.placed.has(key)) return
    const outer = chain.slice(0, depth)
    if (v.kind === 'reduce') {
      demandReduce(v, outer, floor)
      return
    }
    const operands = kept.has(v) ? [] : operandsOf(v)
    // Reductions first: what is read only after their loops need not be held through them.
    for (const o of operands) if (isReduced(o)) demand(o, outer, floor)
    for (const o of operands) demand(o, outer, floor)
    const here = outer[depth - 1]!
    here.placed.add(v)
    here.items.push({ kind: 'value', value: v })
  }

  const isReduced = (v: LoopValue): boolean => v.kind === 'reduce' || below.get(v)!.size > 0

  /** Opens the loops of a reduction, and fuses into them every other reduction that can run in the same loops. */
  const demandReduce = (v: ReduceValue, outer: readonly Scope[], floor: number): void => {
    const here = outer[outer.length - 1]!
    const groups = new Map([[v.group, v]])
    let ordered = v
    for (const r of reductions) {
      if (groups.has(r.group) || !inOneOrder(ordered, r) || !canShare(v, r, outer)) continue
      groups.set(r.group, r)
      if (ordered.order === 'any') ordered = r
    }
    const accumulations = [...groups].map(([group, reduce]) => ({ group, reduce }))
    for (const { group } of accumulations) {
      here.placed.add(group)
      done.add(group)
      open.add(group)
    }
    invariant(!v.over.some((r) => outer.some((s) => s.range === r)), 'a reduction inside its own loop')
    const loops = v.over.map((r) => scope(r))
    const chain = [...outer, ...loops]
    const inner = loops[loops.length - 1] ?? here
    const used = new Set(staged.length > 0 ? valuesBelow(accumulations.flatMap((a) => a.reduce.values)) : [])
    const own = staged.filter((s) => used.has(s))
    if (own.length > 0) inner.items.push({ kind: 'stage', values: own })
    for (const { reduce } of accumulations) for (const x of reduce.values) demand(x, chain, floor)
    for (const p of rows) if (inner.placed.has(p.value)) inner.items.push({ kind: 'keep', packed: p })
    inner.items.push({ kind: 'accumulate', accumulations })
    for (let i = loops.length - 2; i >= 0; i--) loops[i]!.items.push({ kind: 'loop', body: loops[i + 1]! })
    here.items.push({ kind: 'reduce', accumulations, body: loops[0]! })
    for (const { group } of accumulations) open.delete(group)
  }

  const canShare = (v: ReduceValue, r: ReduceValue, outer: readonly Scope[]): boolean =>
    !done.has(r.group) &&
    !below.get(v)!.has(r.group) &&
    r.over.length === v.over.length &&
    r.over.every((x, i) => x === v.over[i]) &&
    sameSet(r.ranges, v.ranges) &&
    shareLoads(r, v) &&
    depthFor(r.ranges, outer) === depthFor(v.ranges, outer) &&
    [...below.get(r)!].every(
      (g) => !open.has(g) && (outer.some((s) => s.placed.has(g)) || (isInside(g, v.over) && isFree(g, outer, v.over))),
    )

  /** A fused reduction must not run over a range that an enclosing loop already binds. */
  const isFree = (group: string, outer: readonly Scope[], over: readonly Range[]): boolean =>
    overOf.get(group)!.every((x) => !over.includes(x) && outer.every((s) => s.range !== x))

  /** A reduction per point of `over`: its loops are nested in those. */
  const isInside = (group: string, over: readonly Range[]): boolean => over.some((r) => rangesOf.get(group)?.has(r))

  for (const p of packed) {
    const chain = [body, ...p.over.map((r) => scope(r))]
    demand(p.value, chain)
    chain[p.over.length]!.items.push({ kind: 'keep', packed: p })
    for (let i = p.over.length; i >= 1; i--) chain[i - 1]!.items.push({ kind: 'loop', body: chain[i]! })
    kept.add(p.value)
  }
  for (const stores of byRanges(cluster.stores)) {
    const { ranges } = stores[0]!
    const inner = ranges.filter((r) => !grid.includes(r))
    const first = grid.filter((r) => !ranges.includes(r) && r.size > 1)
    const guard = first.length > 0 ? scope() : undefined
    const loops = inner.map((r) => scope(r))
    const chain = [body, ...(guard ? [guard] : []), ...loops]
    // Values needed only inside a guard are computed inside it: other invocations do not need them.
    const floor = guard ? 2 : 1
    // All loads precede the first store, which may update in place what was loaded.
    for (const store of stores) for (const v of [store.value, ...indexValues(store)]) demand(v, chain, floor)
    for (const store of stores) chain[chain.length - 1]!.items.push({ kind: 'store', store })
    for (let i = loops.length - 1; i >= 1; i--) loops[i - 1]!.items.push({ kind: 'loop', body: loops[i]! })
    if (loops.length > 0) (guard ?? body).items.push({ kind: 'loop', body: loops[0]! })
    if (guard) body.items.push({ kind: 'first', first, body: guard })
  }
  return { grid, body }
}

/** Stores grouped by the ranges they run over, in order. */
const byRanges = (stores: readonly Store[]): readonly (readonly Store[])[] => {
  const groups = new Map<string, Store[]>()
  for (const s of stores) {
    const key = s.ranges.map((r) => r.id).join()
    groups.set(key, [...(groups.get(key) ?? []), s])
  }
  return [...groups.values()]
}

/** Whether one loop can take the elements of both in the order of each. */
const inOneOrder = (a: ReduceValue, b: ReduceValue): boolean =>
  a.order === 'any' || b.order === 'any' || (a.order === b.order && a.runs?.join() === b.runs?.join())

const sameSet = (a: ReadonlySet<Range>, b: ReadonlySet<Range>): boolean =>
  a.size === b.size && [...a].every((x) => b.has(x))

const indexValues = (s: Store): readonly LoopValue[] =>
  s.index.terms.flatMap(({ atom }) => (atom.kind === 'value' ? [atom.value] : []))

/** What `countItems` calls with every item: how often it runs in the whole dispatch, on how many invocations, inside a reduction or not. */
export type ItemVisit = (item: Item, times: number, invocations: number, isReduced: boolean) => void

/** Calls `visit` for every item of a nest. `shareOf` says how many invocations share an outermost loop. */
export const countItems = (nest: Nest, visit: ItemVisit, shareOf: (loop: Item) => number = () => 1): void => {
  const walk = (s: Scope, times: number, invocations: number, isReduced: boolean): void => {
    const here = times * (s.range ? s.range.size : 1)
    for (const item of s.items) {
      if (item.kind === 'first') {
        const share = productOf(item.first, (r) => Math.max(1, r.size))
        walk(item.body, here / share, invocations / share, isReduced)
        continue
      }
      visit(item, here, invocations, isReduced)
      if (item.kind === 'reduce' || item.kind === 'loop')
        walk(item.body, here, invocations * shareOf(item), isReduced || item.kind === 'reduce')
    }
  }
  const invocations = pointsOf(nest.grid)
  walk(nest.body, invocations, invocations, false)
}
