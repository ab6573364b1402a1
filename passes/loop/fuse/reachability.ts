/**
 * Who must wait for whom, kept while clusters are joined: a topological order is maintained, and a question looks only at
 * what lies between the two clusters in it, from both ends at once, where the fewer lie (Pearce and Kelly 2006; labels as
 * in Dietz and Sleator 1987).
 */
import { createOrderList } from './order-list.ts'

/** The graph that order is kept of: direct predecessors and successors now. */
export interface Neighbours<T> {
  readonly before: (x: T) => readonly T[]
  readonly after: (x: T) => readonly T[]
}

/** How two are joined: what has to move in the order so that one place can hold both. */
interface Between<T> {
  readonly first: T
  readonly second: T
  readonly move: 'before' | 'after'
  readonly items: readonly T[]
}

export interface Reachability<T> {
  /** Appends `x`, which nothing that is there waits for. */
  readonly append: (x: T) => void
  /** Whether, through others, one of the two leads to the other; or `b` leads to `a` directly. */
  readonly areApart: (a: T, b: T) => boolean
  /** `by` takes the place of two that are not apart. */
  readonly merge: (a: T, b: T, by: T) => void
  readonly remove: (x: T) => void
  /** Makes the order hold for a new edge from `x` to `y`; false, and nothing is changed, where `y` leads to `x`. */
  readonly connect: (x: T, y: T) => boolean
  /** Clusters looked at and labels written so far. */
  readonly visited: () => number
}

export const createReachability = <T>({ before, after }: Neighbours<T>): Reachability<T> => {
  const order = createOrderList<T>()
  let visited = 0

  /**
   * What lies between `first` and `second` and belongs to one of them: before `second` or after `first`, whichever takes
   * fewer steps to know. Undefined where a way leads from one to the other; `direct` counts an edge between them as one.
   */
  const between = (first: T, second: T, direct: boolean): Between<T> | undefined => {
    const ahead: T[] = []
    const behind: T[] = []
    const seenAhead = new Set<T>([first])
    const seenBehind = new Set<T>([second])
    let [spentAhead, spentBehind] = [0, 0]
    let [nextAhead, nextBehind] = [first, second] as [T | undefined, T | undefined]
    let [a, b] = [0, 0]
    while (nextAhead !== undefined && nextBehind !== undefined) {
      if (spentAhead <= spentBehind) {
        const from = nextAhead
        for (const y of after(from)) {
          spentAhead++
          if (y === second) {
            if (direct || from !== first) return undefined
            continue
          }
          if (seenAhead.has(y) || !order.isBefore(y, second)) continue
          seenAhead.add(y)
          ahead.push(y)
        }
        nextAhead = ahead[a++]
      } else {
        const from = nextBehind
        for (const y of before(from)) {
          spentBehind++
          if (y === first) {
            if (direct || from !== second) return undefined
            continue
          }
          if (seenBehind.has(y) || !order.isBefore(first, y)) continue
          seenBehind.add(y)
          behind.push(y)
        }
        nextBehind = behind[b++]
      }
    }
    visited += spentAhead + spentBehind + 1
    const move = nextAhead === undefined ? 'after' : 'before'
    const items = (move === 'after' ? ahead : behind).sort((x, y) => order.label(x) - order.label(y))
    return { first, second, move, items }
  }

  const apart = (a: T, b: T): Between<T> | undefined =>
    order.isBefore(a, b) ? between(a, b, false) : between(b, a, true)

  return {
    append: (x) => order.append(x),
    areApart: (a, b) => apart(a, b) === undefined,
    merge: (a, b, by) => {
      const found = apart(a, b)!
      const { first, second, move, items } = found
      if (move === 'before') {
        order.moveBefore(items, first)
        order.replace(first, by)
        order.remove(second)
      } else {
        order.moveAfter(items, second)
        order.replace(second, by)
        order.remove(first)
      }
    },
    remove: (x) => order.remove(x),
    connect: (x, y) => {
      if (order.isBefore(x, y)) return true
      const found = between(y, x, true)
      if (!found) return false
      // y comes first in the order: it, and what follows from it before x, goes behind x; or x and what it needs goes before y.
      if (found.move === 'after') order.moveAfter([y, ...found.items], x)
      else order.moveBefore([...found.items, x], y)
      return true
    },
    visited: () => visited + order.work(),
  }
}
