/**
 * A part of a cluster: one range takes some of its points alone, and tensors are seen through windows. What a target cannot
 * bind at once runs as several such parts.
 */
import { pointsOf } from '../../../src/lang/dim.ts'
import type { Bound, Buffer, Cluster, Index, LoopValue, Range, Store } from '../ir/cluster.ts'
import { rangeIndex, shiftIndex, substituteIndex } from '../ir/index-expression.ts'
import { createValues, valuesBelow, valuesOfIndex } from '../ir/values.ts'

/** Points [from, from + count) of a range. */
export interface Points {
  readonly range: Range
  readonly from: number
  readonly count: number
}

/** Elements of a tensor, both ends included. */
export interface Extent {
  readonly low: number
  readonly high: number
}

/** Elements `from` on of a tensor under a name of their own. */
export interface View {
  readonly buffer: Buffer
  readonly from: number
}

const rootsOf = (stores: readonly Store[]): readonly LoopValue[] =>
  stores.flatMap((s) => [s.value, ...valuesOfIndex(s.index)])

/** The stores of `cluster` at some points of a range. Those that do not run over it belong to its first point. */
export const restrictCluster = (cluster: Cluster, { range, from, count }: Points): Cluster => {
  const own: Range = { id: range.id, size: count }
  const stores = cluster.stores.filter((s) => from === 0 || s.ranges.includes(range))
  const at = shiftIndex(rangeIndex(own), from)
  return remake(
    stores,
    (r) => (r === range ? at : undefined),
    (r) => (r === range ? own : r),
    () => undefined,
  )
}

/** `cluster` on parts of the tensors that `view` names. */
export const viewCluster = (cluster: Cluster, view: (b: Buffer) => View | undefined): Cluster =>
  remake(
    cluster.stores,
    () => undefined,
    (r) => r,
    view,
  )

const remake = (
  stores: readonly Store[],
  replaced: (r: Range) => Index | undefined,
  rangeOf: (r: Range) => Range,
  view: (b: Buffer) => View | undefined,
): Cluster => {
  const values = createValues()
  const made = new Map<LoopValue, LoopValue>()
  const at = (a: Index): Index => substituteIndex(a, replaced, (v) => made.get(v)!)
  const all = (vs: readonly LoopValue[]): readonly LoopValue[] => vs.map((v) => made.get(v)!)
  const bounds = (bs: readonly Bound[]): readonly Bound[] => bs.map((b) => ({ ...b, index: at(b.index) }))
  const seen = (b: Buffer, index: Index): readonly [Buffer, Index] => {
    const part = view(b)
    return part ? [part.buffer, shiftIndex(at(index), -part.from)] : [b, at(index)]
  }
  const make = (v: LoopValue): LoopValue => {
    switch (v.kind) {
      case 'const':
        return values.constant(v.dtype, v.value)
      case 'index':
        return values.index(v.dtype, at(v.index))
      case 'load': {
        const [buffer, index] = seen(v.buffer, v.index)
        return values.load(buffer, index, bounds(v.bounds))
      }
      case 'alu':
        return values.alu(v.op, v.dtype, all(v.args))
      case 'guard':
        return values.guard(bounds(v.bounds), made.get(v.inside)!, made.get(v.outside)!)
      case 'reduce': {
        const { monoid, order, over, runs, position } = v
        const more = { ...(runs ? { runs } : {}), ...(position ? { position: at(position) } : {}) }
        return values.reduce({ monoid, order, over: over.map(rangeOf), values: all(v.values), ...more }, v.component)
      }
      case 'threefry':
        return values.threefry(v.word, all(v.args))
      case 'call':
        return values.call(v.callee, all(v.args))
    }
  }
  for (const v of valuesBelow(rootsOf(stores))) made.set(v, make(v))
  return {
    stores: stores.map((s) => {
      const [buffer, index] = seen(s.buffer, s.index)
      return { buffer, index, ranges: s.ranges.map(rangeOf), value: made.get(s.value)! }
    }),
  }
}

/** Every tensor that `cluster` touches, with the elements it may touch as far as bounds of indices tell. */
export const touchedElements = ({ stores }: Cluster): ReadonlyMap<Buffer, Extent> => {
  const found = new Map<Buffer, Extent>()
  const touch = (b: Buffer, { min, max }: Index): void => {
    const last = Math.max(0, b.size - 1)
    // Beyond the ends nothing is read: a bound does not hold there.
    const [low, high] = [Math.min(Math.max(0, min), last), Math.max(0, Math.min(max, last))]
    const seen = found.get(b)
    found.set(b, seen ? { low: Math.min(seen.low, low), high: Math.max(seen.high, high) } : { low, high })
  }
  for (const v of valuesBelow(rootsOf(stores))) if (v.kind === 'load') touch(v.buffer, v.index)
  for (const s of stores) touch(s.buffer, s.index)
  return found
}

/** Whether `s` writes every element from its lowest to its highest. */
export const isDense = ({ index, ranges }: Store): boolean => index.max - index.min + 1 === pointsOf(ranges)

/** The ranges that stores run over, and no reduction binds. */
export const rangesToCut = (cluster: Cluster): readonly Range[] => {
  const bound = new Set(
    valuesBelow(cluster.stores.map((s) => s.value)).flatMap((v) => (v.kind === 'reduce' ? v.over : [])),
  )
  return [...new Set(cluster.stores.flatMap((s) => s.ranges))].filter((r) => r.size > 1 && !bound.has(r))
}

/** The stores of `cluster` at the first point of their ranges. */
export const firstPoint = (cluster: Cluster): Cluster =>
  rangesToCut(cluster).reduce((c, { id }) => {
    const range = c.stores.flatMap((s) => s.ranges).find((r) => r.id === id)!
    return restrictCluster(c, { range, from: 0, count: 1 })
  }, cluster)
