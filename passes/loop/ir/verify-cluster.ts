/**
 * Invariants of clusters and loop nests: ranges are bound where they are used, indices stay within their buffers, a
 * store writes each element of its buffer exactly once, and every value is computed before it is used. Checked in
 * tests.
 */

import { dimMul, floorDiv, pointsOf } from '../../../src/lang/dim.ts'
import { isPositional, stateMonoids } from '../../../src/lang/monoids.ts'
import type { Accumulation, Nest, Scope } from '../schedule/nest.ts'
import type { Bound, Cluster, Index, LoopValue, Range, Store } from './cluster.ts'
import { evaluateIndex, rangesOfIndex } from './index-expression.ts'
import { reboundRanges } from './rebound-ranges.ts'
import { operandsOf, valuesBelow } from './values.ts'

/** The most points that are checked exhaustively; beyond it only bounds are checked. */
const maxPoints = 4096

const name = (v: LoopValue): string => `value ${v.id} (${v.kind === 'alu' ? v.op : v.kind})`
const show = (ranges: Iterable<Range>): string => [...ranges].map((r) => `r${r.id}`).join(', ')
const equalSets = (a: ReadonlySet<Range>, b: ReadonlySet<Range>): boolean =>
  a.size === b.size && [...a].every((r) => b.has(r))

/** Calls `body` at every point of `ranges`. */
const atEveryPoint = (ranges: readonly Range[], body: (point: (r: Range) => number) => void): void => {
  const total = pointsOf(ranges)
  for (let flat = 0; flat < total; flat++) {
    const at = new Map<Range, number>()
    let rest = flat
    for (const r of ranges) {
      at.set(r, rest % r.size)
      rest = floorDiv(rest, r.size)
    }
    body((r) => at.get(r) ?? 0)
  }
}

/** The sizes of the data-dependent atoms of `index`. */
const computed = (index: Index): ReadonlyMap<LoopValue, number> => {
  const sizes = new Map<LoopValue, number>()
  const walk = (a: Index): void => {
    for (const { atom } of a.terms) {
      if (atom.kind === 'value') sizes.set(atom.value, atom.size)
      else if (atom.kind !== 'range') walk(atom.of)
    }
  }
  walk(index)
  return sizes
}

/**
 * The least and greatest value of `index` where all bounds hold, by enumeration; undefined when there are too many
 * points.
 */
const tried = (index: Index, bounds: readonly Bound[]): { readonly low: number; readonly high: number } | undefined => {
  const ranges = new Set<Range>()
  for (const a of [index, ...bounds.map((b) => b.index)]) rangesOfIndex(a, ranges)
  if (pointsOf([...ranges]) > maxPoints) return undefined
  const sizes = computed(index)
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  // A data-dependent index takes any value of its axis; checking both ends suffices.
  for (const end of [0, 1]) {
    const value = (v: LoopValue): number => end * (sizes.get(v) ?? 0) - end
    atEveryPoint([...ranges], (point) => {
      const holds = bounds.every((b) => {
        const x = evaluateIndex(b.index, point, value)
        return b.low <= x && x < b.high
      })
      if (!holds) return
      const x = evaluateIndex(index, point, value)
      low = Math.min(low, x)
      high = Math.max(high, x)
    })
  }
  return { low, high }
}

/** Whether `store` writes every element of its buffer exactly once. */
const coversOnce = ({ index, ranges, buffer }: Store): boolean => {
  if (pointsOf(ranges) !== buffer.size) return false
  if (buffer.size === 0) return true
  // A row-major index over some order of the ranges is recognised directly, at any size.
  const terms = [...index.terms].sort((a, b) => a.coefficient - b.coefficient)
  let stride = 1
  const rowMajor = terms.every(({ atom, coefficient }) => {
    const fits = atom.kind === 'range' && coefficient === stride
    if (fits) stride = dimMul(stride, atom.range.size)
    return fits
  })
  if (rowMajor) return index.constant === 0 && stride === buffer.size
  if (buffer.size > maxPoints || computed(index).size > 0) return false
  const seen = new Set<number>()
  atEveryPoint(ranges, (point) => {
    const x = evaluateIndex(index, point, () => 0)
    if (x >= 0 && x < buffer.size) seen.add(x)
  })
  return seen.size === buffer.size
}

/** The ranges a value must have: those of its operands and indices, less the ranges that it reduces over. */
const expectedRanges = (v: LoopValue): ReadonlySet<Range> => {
  const all = new Set<Range>()
  for (const o of operandsOf(v)) for (const r of o.ranges) all.add(r)
  const indices =
    v.kind === 'index'
      ? [v.index]
      : v.kind === 'load'
        ? [v.index, ...v.bounds.map((b) => b.index)]
        : v.kind === 'guard'
          ? v.bounds.map((b) => b.index)
          : v.kind === 'reduce' && v.position
            ? [v.position]
            : []
  for (const i of indices) rangesOfIndex(i, all)
  if (v.kind === 'reduce') for (const r of v.over) all.delete(r)
  return all
}

const checkValue = (v: LoopValue, stored: ReadonlySet<number>, report: (text: string) => void): void => {
  if (!equalSets(v.ranges, expectedRanges(v)))
    report(`${name(v)} is over ${show(v.ranges)}, its operands over ${show(expectedRanges(v))}`)
  if (v.kind === 'load') {
    const { index, bounds, buffer } = v
    if (stored.has(buffer.id)) report(`${name(v)} reads buffer ${buffer.id}, which the cluster writes`)
    const exact = tried(index, bounds)
    const { low, high } = exact ?? (bounds.length === 0 ? { low: index.min, high: index.max } : { low: 0, high: -1 })
    if (low <= high && (low < 0 || high >= buffer.size))
      report(`${name(v)} reads elements ${low} to ${high} of a buffer of ${buffer.size}`)
  }
  if (v.kind === 'guard' && v.inside.dtype !== v.outside.dtype)
    report(`${name(v)} of ${v.inside.dtype} and ${v.outside.dtype}`)
  if (v.kind === 'reduce') {
    if (v.over.length === 0 || new Set(v.over).size < v.over.length)
      report(`${name(v)} over ${show(v.over) || 'nothing'}`)
    if ((isPositional(v.monoid) && v.values.length === 1) !== (v.position !== undefined))
      report(`${name(v)}: a position belongs to argmax and argmin`)
    const components = stateMonoids[v.monoid].components(v.values[0]!.dtype)
    if (v.values.length !== 1 && v.values.map((x) => x.dtype).join() !== components.join())
      report(`${name(v)} of ${v.values.map((x) => x.dtype).join(', ')}`)
    const rebound = reboundRanges(v)
    if (rebound.size > 0) report(`${name(v)} binds ${show(rebound)}, which a reduction inside binds again`)
  }
}

/** The violations of a cluster, its indices and ranges; none for a legal one. */
export const verifyCluster = (cluster: Cluster): readonly string[] => {
  const problems: string[] = []
  const report = (text: string): void => void problems.push(text)
  const stored = new Set(cluster.stores.map((s) => s.buffer.id))
  if (stored.size < cluster.stores.length) report('a buffer is stored twice')
  for (const v of valuesBelow(cluster.stores.map((s) => s.value))) checkValue(v, stored, report)
  for (const s of cluster.stores) {
    const own = new Set(s.ranges)
    const free = [...s.value.ranges, ...rangesOfIndex(s.index)].filter((r) => !own.has(r))
    if (free.length > 0) report(`the store to buffer ${s.buffer.id} leaves ${show(new Set(free))} unbound`)
    if (own.size < s.ranges.length) report(`the store to buffer ${s.buffer.id} runs over a range twice`)
    if (!coversOnce(s))
      report(`the store to buffer ${s.buffer.id} does not write each of its ${s.buffer.size} elements once`)
    if (s.value.dtype !== s.buffer.dtype)
      report(`the store to buffer ${s.buffer.id} of ${s.buffer.dtype} gets ${s.value.dtype}`)
  }
  return problems
}

/** What is in scope at a point of the nest. */
interface Here {
  /** Ranges of the grid and of the enclosing loops. */
  readonly bound: ReadonlySet<Range>
  /** Values and reduce groups already computed in this scope or an enclosing one. */
  readonly ready: Set<LoopValue | string>
  /** Ranges that are fixed at their first value. */
  readonly first: ReadonlySet<Range>
  /** The accumulations that run in the enclosing loops. */
  readonly filling: readonly Accumulation[]
}

/** The violations of `nest` as a schedule of `cluster`; none for a legal one. */
export const verifyNest = (cluster: Cluster, nest: Nest): readonly string[] => {
  const problems: string[] = []
  const report = (text: string): void => void problems.push(text)
  const done: Store[] = []
  const kept = new Set<LoopValue>()

  const demand = (v: LoopValue, what: string, here: Here): void => {
    const isReady = here.ready.has(v.kind === 'reduce' ? v.group : v)
    if (!isReady) report(`${what} uses ${name(v)} before it is computed`)
  }
  const enter = (scope: Scope, here: Here): void => {
    const { range } = scope
    if (range && here.bound.has(range)) report(`a loop over r${range.id} inside another`)
    const bound = range ? new Set([...here.bound, range]) : here.bound
    const inner: Here = { ...here, bound, ready: new Set(here.ready) }
    for (const item of scope.items) {
      switch (item.kind) {
        case 'value': {
          const { value } = item
          const missing = [...value.ranges].filter((r) => !bound.has(r))
          if (missing.length > 0) report(`${name(value)} needs ${show(missing)}, which no loop around it binds`)
          if (!kept.has(value)) for (const o of operandsOf(value)) demand(o, name(value), inner)
          if (inner.ready.has(value)) report(`${name(value)} is computed twice`)
          inner.ready.add(value)
          break
        }
        case 'reduce': {
          const { accumulations, body } = item
          for (const { reduce } of accumulations) {
            const missing = [...reduce.ranges].filter((r) => !bound.has(r))
            if (missing.length > 0) report(`${name(reduce)} needs ${show(missing)}, which no loop around it binds`)
          }
          enter(body, { ...inner, filling: accumulations })
          for (const { group } of accumulations) inner.ready.add(group)
          break
        }
        case 'accumulate':
          for (const { group, reduce } of item.accumulations) {
            for (const v of reduce.values) demand(v, `the accumulation of ${name(reduce)}`, inner)
            if (!here.filling.some((a) => a.group === group)) report(`${name(reduce)} is accumulated outside its loops`)
            const missing = reduce.over.filter((r) => !bound.has(r))
            if (missing.length > 0) report(`${name(reduce)} is accumulated outside of ${show(missing)}`)
          }
          break
        case 'loop':
          enter(item.body, inner)
          break
        case 'keep':
          demand(item.packed.value, 'an array', inner)
          kept.add(item.packed.twin?.value ?? item.packed.value)
          break
        case 'stage':
          if (item !== scope.items[0]) report('a stage that is not first in its loop')
          for (const v of item.values) kept.add(v)
          break
        case 'first':
          if (!item.first.every((r) => nest.grid.includes(r))) report('a guard on ranges that are not of the grid')
          enter(item.body, { ...inner, first: new Set([...inner.first, ...item.first]) })
          break
        case 'store': {
          const { store } = item
          done.push(store)
          const what = `the store to buffer ${store.buffer.id}`
          for (const v of [store.value, ...computed(store.index).keys()]) demand(v, what, inner)
          const missing = store.ranges.filter((r) => r.size > 1 && !bound.has(r))
          if (missing.length > 0) report(`${what} needs ${show(missing)}, which no loop around it binds`)
          const again = [...bound].filter((r) => r.size > 1 && !store.ranges.includes(r) && !inner.first.has(r))
          if (again.length > 0) report(`${what} is repeated over ${show(again)}`)
          const partly = store.ranges.filter((r) => inner.first.has(r))
          if (partly.length > 0) report(`${what} runs at the first value of ${show(partly)} only`)
        }
      }
    }
  }
  enter(nest.body, { bound: new Set(nest.grid), ready: new Set(), first: new Set(), filling: [] })
  for (const s of cluster.stores) {
    const times = done.filter((d) => d === s).length
    if (times !== 1) report(`the store to buffer ${s.buffer.id} is done ${times} times`)
  }
  return problems
}
