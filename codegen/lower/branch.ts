/**
 * Choices between values as branches: of the parts of a concatenation, a point needs one. What only one side of a choice
 * needs is computed inside it where that saves a read. A padded read, which has a constant on the other side, stays a
 * select.
 */
import type { LoopValue } from '../../passes/loop/ir/cluster.ts'
import { operandsOf, valuesOfIndex } from '../../passes/loop/ir/values.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import { textPrice } from '../../passes/loop/schedule/text-price.ts'
import type { Readers, Run } from './roll.ts'

export type Guard = Extract<LoopValue, { readonly kind: 'guard' }>

/** Items that run where a choice is made, or the run itself. */
export interface Block {
  readonly items: Run[number][]
  readonly parent: Block | undefined
  readonly depth: number
}

/** The blocks of a choice. Without one for `outside`, that is computed anyway, and `inside` takes its place. */
export interface Sides {
  readonly inside: Block
  readonly outside: Block | undefined
}

/** The blocks of a run; a guard that is not in `sides` is a select. */
export interface Branches {
  readonly top: Block
  readonly sides: ReadonlyMap<Guard, Sides>
}

/** Two-sided branches inside one another go no deeper: compilers bound the nesting of a text. */
const maxDepth = 16

const meet = (a: Block, b: Block): Block => {
  let [x, y] = [a, b]
  while (x.depth > y.depth) x = x.parent!
  while (y.depth > x.depth) y = y.parent!
  while (x !== y) {
    x = x.parent!
    y = y.parent!
  }
  return x
}

/** Each item where all its readers see it, as deep in branches as that is. */
const place = (run: Run, chosen: ReadonlySet<Guard>, readers: Readers): Branches => {
  const ours = new Set<object>(run)
  const top: Block = { items: [], parent: undefined, depth: 0 }
  const blocks = [top]
  const sides = new Map<Guard, Sides>()
  const homes = new Map<LoopValue, Block>()
  const read = (v: LoopValue, from: Block): void => {
    const known = homes.get(v)
    homes.set(v, known ? meet(known, from) : from)
  }
  const below = (home: Block): Block => {
    const block: Block = { items: [], parent: home, depth: home.depth + 1 }
    blocks.push(block)
    return block
  }
  // Readers come after what they read.
  for (const item of run.toReversed()) {
    if (item.kind === 'store') {
      for (const v of [item.store.value, ...valuesOfIndex(item.store.index)]) read(v, top)
      top.items.push(item)
      continue
    }
    const v = item.value
    const isOurs = [...(readers.get(v) ?? [])].every((reader) => ours.has(reader))
    const home = isOurs ? (homes.get(v) ?? top) : top
    home.items.push(item)
    if (v.kind !== 'guard' || !chosen.has(v)) {
      for (const o of operandsOf(v)) read(o, home)
      continue
    }
    const inside = below(home)
    const outside = home.depth < maxDepth ? below(home) : undefined
    sides.set(v, { inside, outside })
    for (const b of v.bounds) for (const o of valuesOfIndex(b.index)) read(o, home)
    read(v.inside, inside)
    read(v.outside, outside ?? home)
  }
  for (const b of blocks) b.items.reverse()
  return { top, sides }
}

/**
 * The branches of a run, if it has any. `isScalar` says whether a choice is one for all copies and lanes; `readers` are those
 * of the whole nest.
 */
export const branchesOf = (
  run: Run,
  { roles }: Schedule,
  isScalar: (g: Guard) => boolean,
  readers: Readers,
): Branches | undefined => {
  let chosen = new Set(run.flatMap((i) => (i.kind === 'value' && i.value.kind === 'guard' ? [i.value] : [])))
  for (const g of chosen) if (!isScalar(g)) chosen.delete(g)
  while (chosen.size > 0) {
    const { top, sides } = place(run, chosen, readers)
    const weights = new Map<Block, number>()
    const weigh = (block: Block): number => {
      const known = weights.get(block)
      if (known !== undefined) return known
      let weight = 0
      for (const item of block.items) {
        if (item.kind !== 'value') continue
        weight += textPrice(item.value, roles)
        const inner = item.value.kind === 'guard' ? sides.get(item.value) : undefined
        if (inner) weight += weigh(inner.inside) + (inner.outside ? weigh(inner.outside) : 0)
      }
      weights.set(block, weight)
      return weight
    }
    const saves = ({ inside, outside }: Sides): boolean => weigh(inside) >= 1 && (!outside || weigh(outside) >= 1)
    const worth = [...sides].filter(([, s]) => saves(s)).map(([g]) => g)
    if (worth.length === sides.size) return { top, sides }
    // Without a branch, what it held moves up, where it may be worth another's while.
    chosen = new Set(worth)
  }
  return undefined
}
