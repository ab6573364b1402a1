/**
 * Rows that a task keeps: what the loop of a reduction computes at each point of its range, and a later loop over a range of
 * the same size would compute again (the exponentials of a softmax), lies in an array that stays in a core's cache.
 */
import { byteSize } from '../../../src/lang/dtype.ts'
import { priceOf } from '../../op-prices.ts'
import type { Bound, Index, LoopValue, Range } from '../ir/cluster.ts'
import { rangeIndex, substituteIndex } from '../ir/index-expression.ts'
import { operandsOf, valuesBelow } from '../ir/values.ts'
import type { Item, Nest, Packed, Placing } from './nest.ts'
import type { Schedule } from './roles.ts'

/** Computing a value again costs at least this much more than reading it. */
const leastPrice = 20
/** Of one value: a core's first cache holds it beside what else the loops read. */
const mostBytes = 16 * 1024

/** `schedule` with the rows that are worth keeping; undefined where there are none. */
export const keepingRows = (schedule: Schedule, place: Placing): Schedule | undefined => {
  const { nest, roles } = schedule
  const kept: Packed[] = []
  const taken = new Set<LoopValue>()
  const isVector = (r: Range): boolean => roles.get(r)?.vector ?? false
  const isWhole = (a: Range, b: Range): boolean => isVector(a) === isVector(b) && (!isVector(a) || a.size % 4 === 0)
  for (const [over, made] of rowsOf(nest, 'reduce'))
    for (const [again, used] of rowsOf(nest, 'loop')) {
      if (over.size !== again.size || !isWhole(over, again)) continue
      const isSame = sameOver(over, again)
      for (const twin of used.toReversed()) {
        if (taken.has(twin) || !twin.ranges.has(again) || workOf(twin, again) < leastPrice) continue
        const value = made.find((v) => v.ranges.has(over) && isSame(v, twin))
        if (!value || over.size * byteSize(value.dtype) > mostBytes) continue
        kept.push({ value, over: [over], twin: { value: twin, over: [again] } })
        for (const v of valuesBelow([twin])) taken.add(v)
      }
    }
  if (kept.length === 0) return undefined
  const made = place(nest.grid, { rows: kept })
  return kept.every((p) => isKeptInTime(made, p)) ? { ...schedule, nest: made } : undefined
}

/** Whether the loop that keeps a row comes before all that read it: loops come in the order in which stores ask for them. */
const isKeptInTime = ({ body }: Nest, { value, twin }: Packed): boolean => {
  const has = (items: readonly Item[], is: (item: Item) => boolean): boolean =>
    items.some((item) => is(item) || ('body' in item && has(item.body.items, is)))
  const at = body.items.findIndex((item) => has([item], (i) => i.kind === 'keep' && i.packed.value === value))
  const readers = body.items.flatMap((item, i) =>
    has([item], (x) => x.kind === 'value' && x.value === twin!.value) ? [i] : [],
  )
  return at >= 0 && readers.every((i) => i > at)
}

/** The outermost loops of a kind over one range, and what they compute for each of its points. */
const rowsOf = ({ body }: Nest, kind: 'reduce' | 'loop'): readonly (readonly [Range, readonly LoopValue[]])[] =>
  body.items.flatMap((item) =>
    item.kind === kind
      ? [[item.body.range!, item.body.items.flatMap((i) => (i.kind === 'value' ? [i.value] : []))] as const]
      : [],
  )

/** What a value costs at each point of a range, all that it is made from there included. */
const workOf = (v: LoopValue, over: Range): number =>
  valuesBelow([v]).reduce((sum, x) => sum + (x.ranges.has(over) && x.kind === 'alu' ? priceOf(x.op) : 0), 0)

/** Whether a value over `a` is that over `b`, point by point. */
const sameOver = (a: Range, b: Range): ((x: LoopValue, y: LoopValue) => boolean) => {
  const moved = (i: Index): string => substituteIndex(i, (r) => (r === b ? rangeIndex(a) : undefined)).key
  const sameBounds = (xs: readonly Bound[], ys: readonly Bound[]): boolean =>
    xs.length === ys.length &&
    xs.every((x, i) => x.low === ys[i]!.low && x.high === ys[i]!.high && x.index.key === moved(ys[i]!.index))
  const isSame = (x: LoopValue, y: LoopValue): boolean => {
    if (x === y) return !y.ranges.has(b)
    if (x.kind !== y.kind || x.dtype !== y.dtype) return false
    switch (x.kind) {
      case 'alu':
        return x.op === (y as typeof x).op && sameOperands(x, y)
      case 'load': {
        const other = y as typeof x
        return (
          x.buffer === other.buffer &&
          x.index.key === moved(other.index) &&
          sameBounds(x.bounds, other.bounds) &&
          isPlain(x)
        )
      }
      case 'guard':
        return sameBounds(x.bounds, (y as typeof x).bounds) && sameOperands(x, y)
      default:
        return false
    }
  }
  const sameOperands = (x: LoopValue, y: LoopValue): boolean => {
    const [xs, ys] = [operandsOf(x), operandsOf(y)]
    return xs.length === ys.length && xs.every((o, i) => isSame(o, ys[i]!))
  }
  return isSame
}

/** No address is computed. */
const isPlain = (v: LoopValue): boolean => operandsOf(v).length === 0
