/** A list that items are moved about in, and that tells at once which of two comes first: each has a label, growing along it. */
import { floorDiv } from '../../../src/lang/dim.ts'

interface Slot<T> {
  readonly item: T | undefined
  label: number
  before: Slot<T> | undefined
  after: Slot<T> | undefined
}

/** Labels are integers; between two neighbours there is room for this many halvings. */
const gap = 2 ** 20

/** The order of items; `work` counts the labels that were written. */
export interface OrderList<T> {
  readonly append: (item: T) => void
  readonly isBefore: (a: T, b: T) => boolean
  /** Puts `items`, in their order, right before (or after) `at`, wherever they were. */
  readonly moveBefore: (items: readonly T[], at: T) => void
  readonly moveAfter: (items: readonly T[], at: T) => void
  /** `by` takes the place of `item`. */
  readonly replace: (item: T, by: T) => void
  readonly remove: (item: T) => void
  readonly label: (item: T) => number
  readonly work: () => number
}

export const createOrderList = <T>(): OrderList<T> => {
  const head: Slot<T> = { item: undefined, label: 0, before: undefined, after: undefined }
  let last = head
  let work = 0
  const slots = new Map<T, Slot<T>>()
  const of = (item: T): Slot<T> => slots.get(item)!

  const unlink = (s: Slot<T>): void => {
    s.before!.after = s.after
    if (s.after) s.after.before = s.before
    else last = s.before!
  }
  /** Spreads labels again over more and more neighbours until they have room, so that each costs little in the long run. */
  const makeRoom = (at: Slot<T>): void => {
    let [from, to] = [at, at]
    for (let span = 2, count = 1; ; span *= 2) {
      while (count < span && (from !== head || to.after)) {
        if (from !== head) {
          from = from.before!
          count++
        }
        if (to.after) {
          to = to.after
          count++
        }
      }
      const end = to.after ? to.after.label : from.label + gap * (count + 1)
      const step = floorDiv(end - from.label, count + 1)
      if (step < 2 * Math.sqrt(span) && to.after) continue
      let label = from.label
      for (let s: Slot<T> | undefined = from; s; s = s.after) {
        s.label = label
        label += step
        work++
        if (s === to) break
      }
      return
    }
  }
  const insertAfter = (at: Slot<T>, item: T): Slot<T> => {
    if (at.after && at.after.label - at.label < 2) makeRoom(at)
    const label = at.after ? floorDiv(at.label + at.after.label, 2) : at.label + gap
    const made: Slot<T> = { item, label, before: at, after: at.after }
    if (at.after) at.after.before = made
    else last = made
    at.after = made
    slots.set(item, made)
    work++
    return made
  }
  const place = (items: readonly T[], start: Slot<T>): void => {
    let at = start
    for (const item of items) at = insertAfter(at, item)
  }
  return {
    append: (item) => {
      insertAfter(last, item)
    },
    isBefore: (a, b) => of(a).label < of(b).label,
    moveBefore: (items, at) => {
      for (const item of items) unlink(of(item))
      place(items, of(at).before!)
    },
    moveAfter: (items, at) => {
      for (const item of items) unlink(of(item))
      place(items, of(at))
    },
    replace: (item, by) => {
      const s = of(item)
      unlink(s)
      slots.delete(item)
      insertAfter(s.before!, by)
    },
    remove: (item) => {
      unlink(of(item))
      slots.delete(item)
    },
    label: (item) => of(item).label,
    work: () => work,
  }
}
