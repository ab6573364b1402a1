/** Disjoint stretches of memory by arena and offset: what lies at a place is found without looking at the rest. */

import { overlaps } from '../../passes/memory/place-bytes.ts'
import type { Place } from '../../passes/memory/places.ts'

/** Things that each hold a stretch of memory alone. */
export interface Stretches<T extends { readonly place: Place }> {
  /** Takes the place of what it overlaps; the rest of that stays where it is. */
  readonly put: (x: T) => void
  /** All that overlap `place`. */
  readonly at: (place: Place) => readonly T[]
}

export const createStretches = <T extends { readonly place: Place }>(): Stretches<T> => {
  const arenas = new Map<number, T[]>()
  /** The number of the first stretch that ends behind `offset`. */
  const firstBehind = (list: readonly T[], offset: number): number => {
    let [low, high] = [0, list.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const { place } = list[middle]!
      if (place.offset + place.bytes <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
  const rangeOf = (list: readonly T[], place: Place): readonly [number, number] => {
    const from = firstBehind(list, place.offset)
    let to = from
    while (to < list.length && overlaps(list[to]!.place, place)) to++
    return [from, to]
  }
  return {
    put: (x) => {
      const list = arenas.get(x.place.arena) ?? []
      arenas.set(x.place.arena, list)
      const [from, to] = rangeOf(list, x.place)
      const [first, last] = [list[from], list[to - 1]]
      const [start, end] = [x.place.offset, x.place.offset + x.place.bytes]
      const made = [x]
      if (to > from && first && first.place.offset < start)
        made.unshift({ ...first, place: { ...first.place, bytes: start - first.place.offset } })
      const over = last ? last.place.offset + last.place.bytes - end : 0
      if (to > from && last && over > 0) made.push({ ...last, place: { ...last.place, offset: end, bytes: over } })
      list.splice(from, to - from, ...made)
    },
    at: (place) => {
      const list = arenas.get(place.arena) ?? []
      return list.slice(...rangeOf(list, place))
    },
  }
}
