/**
 * Register copies in a loop: what follows a contraction (an activation, an optimiser's update) would stand in the text once
 * for each register copy of a tile. Where that is long, the accumulators go into an array, and a loop over the copies
 * says it once.
 */
import type { LoopValue, Range } from '../../passes/loop/ir/cluster.ts'
import { operandsOf, valuesOfIndex } from '../../passes/loop/ir/values.ts'
import type { Item, Nest, Scope } from '../../passes/loop/schedule/nest.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import { storePrice, textPrice } from '../../passes/loop/schedule/text-price.ts'

/** Items that run one after another, none of which opens a loop. */
export type Run = readonly Extract<Item, { readonly kind: 'value' | 'store' }>[]

/** A run whose copies of `range` are taken in turn. */
export interface Roll {
  readonly range: Range
  /** What does not move with the range, and what others need of each copy. */
  readonly before: Run
  readonly inside: Run
  /** What `inside` reads of each copy and does not compute. */
  readonly carried: readonly LoopValue[]
}

/** Per value, the items that read it. */
export type Readers = ReadonlyMap<LoopValue, ReadonlySet<Item>>

const valuesReadBy = (item: Item): readonly LoopValue[] => {
  switch (item.kind) {
    case 'value':
      return operandsOf(item.value)
    case 'store':
      return [item.store.value, ...valuesOfIndex(item.store.index)]
    case 'accumulate':
      return item.accumulations.flatMap(({ reduce }) => operandsOf(reduce))
    case 'keep':
      return [item.packed.value]
    case 'reduce':
    case 'loop':
    case 'first':
    case 'stage':
      return []
  }
}

/** The readers of all values of a nest. */
export const readersIn = (nest: Nest): Readers => {
  const readers = new Map<LoopValue, Set<Item>>()
  const walk = (scope: Scope): void => {
    for (const item of scope.items) {
      for (const v of valuesReadBy(item)) readers.set(v, (readers.get(v) ?? new Set()).add(item))
      if ('body' in item) walk(item.body)
    }
  }
  walk(nest.body)
  return readers
}

/** Cuts a scope's items into runs and the items between them. */
export const runsOf = (items: readonly Item[]): readonly (Run | Item)[] => {
  const cut: (Run | Item)[] = []
  let run: Run[number][] = []
  const end = (): void => {
    if (run.length > 0) cut.push(run)
    run = []
  }
  for (const item of items) {
    if (item.kind === 'value' || item.kind === 'store') run.push(item)
    else {
      end()
      cut.push(item)
    }
  }
  end()
  return cut
}

/** Loads' worth of text that a loop must save: below that, it costs a run more than it saves. */
const leastSaving = 12

/** A copy of a value that goes through an array: written and read. */
const carryPrice = 0.5

/** The most vectors in arrays: variables of an invocation may take 8 kB in all. */
const mostCells = 192

const isOver = (item: Run[number], range: Range): boolean =>
  item.kind === 'value' ? item.value.ranges.has(range) : item.store.ranges.includes(range)

const rollOver = (run: Run, range: Range, readers: Readers): Roll => {
  const all = new Set<Item>(run)
  const kept = new Set<Item>()
  // Operands come before their readers, so that one walk from the end finds what must stay outside, and all below it.
  const needed = new Set<LoopValue>()
  for (const item of run.toReversed()) {
    if (item.kind !== 'value') continue
    const isWanted = [...(readers.get(item.value) ?? [])].some((reader) => !all.has(reader))
    if (!isOver(item, range) || isWanted || needed.has(item.value)) {
      kept.add(item)
      for (const v of operandsOf(item.value)) needed.add(v)
    }
  }
  const inside = run.filter((item) => isOver(item, range) && !kept.has(item))
  const made = new Set(inside.flatMap((item) => (item.kind === 'value' ? [item.value] : [])))
  const read = new Set(inside.flatMap(valuesReadBy))
  return {
    range,
    before: run.filter((item) => kept.has(item)),
    inside,
    carried: [...read].filter((v) => v.ranges.has(range) && !made.has(v)),
  }
}

/** How a run is best rolled, over a range of which `copies` says more than one; undefined where that does not pay. */
export const chooseRoll = (
  run: Run,
  { roles }: Schedule,
  copies: (r: Range) => number,
  readers: Readers,
): Roll | undefined => {
  const ranges = new Set(run.flatMap((item) => (item.kind === 'value' ? [...item.value.ranges] : item.store.ranges)))
  let best: { readonly roll: Roll; readonly saved: number } | undefined
  for (const range of ranges) {
    const n = copies(range)
    // A store that does not move with the range has a scope of its own, which runs at the first point alone.
    if (n === 1 || run.some((item) => item.kind === 'store' && !isOver(item, range))) continue
    const roll = rollOver(run, range, readers)
    const others = (rs: Iterable<Range>): number => {
      let times = 1
      for (const r of rs) if (r !== range) times *= copies(r)
      return times
    }
    let saved = 0
    for (const item of roll.inside)
      saved +=
        (n - 1) *
        (item.kind === 'value'
          ? others(item.value.ranges) * textPrice(item.value, roles)
          : others(item.store.ranges) * storePrice(item.store, roles))
    let cells = 0
    for (const v of roll.carried) cells += n * others(v.ranges)
    saved -= cells * carryPrice
    if (cells <= mostCells && saved >= leastSaving && saved > (best?.saved ?? 0)) best = { roll, saved }
  }
  return best?.roll
}
