/** How users write indices of `at` and `setAt`: Python's own notation, so that a list is never taken for a range. */
import * as E from '#fp/Either'
import type { Refusal } from '../../errors.ts'
import { isTensor } from '../../tree.ts'
import { showArgument } from '../arguments.ts'

/** Python's `start:stop:step` in `slice`; null for what is left out, negative numbers from the end. */
export type Range = readonly [start?: number | null, stop?: number | null, step?: number | null]

type Bound = number | ''

/** What stands at one axis in `at` and `setAt`: an integer, a range as Python writes it, null for the whole axis, `'...'` for all axes between. */
export type Index = number | `${Bound}:${Bound}` | `${Bound}:${Bound}:${Bound}` | '...' | null

/** The same with every range as `slice` has it. */
export type Ranged = number | Range | '...' | null

const rangeText = /^(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?$/

/** What does the thing that `at` and `setAt` do not: the names of the functions, which take other arguments. */
export interface Elsewhere {
  readonly list: (shown: string, axis: number) => string
  readonly tensor: string
}

export const whenRead: Elsewhere = {
  list: (shown, axis) => `T.take(x, T.tensor(${shown})${axis === 0 ? '' : `, { axis: ${axis} }`}) picks these`,
  tensor: 'T.take picks along one axis by a tensor of indices, T.atIndices along several',
}

export const whenWritten: Elsewhere = {
  list: (shown, axis) =>
    axis === 0 ? `T.setAtIndices(x, [T.tensor(${shown})], value) sets these` : 'T.setAtIndices sets these',
  tensor: 'T.setAtIndices(x, [i], value) takes tensors of indices',
}

/** A list might be a range to one reader and a choice of items to another, so it is neither: both have names of their own. */
const refusedList = (list: readonly unknown[], axis: number, { list: named }: Elsewhere): Refusal => {
  const shown = `[${list.join(', ')}]`
  const isRange = 0 < list.length && list.length < 4 && list.every((b) => b === null || Number.isInteger(b))
  return {
    reason: `${shown} is a list, not an index`,
    axis,
    hint: `${named(shown, axis)}${isRange ? `; the range is '${list.length === 1 ? `${list[0]}:` : list.join(':')}'` : ''}`,
  }
}

/** Indices as users write them with ranges as `slice` has them, or what is no index. */
export const ranged = (indices: readonly Index[], elsewhere: Elsewhere): E.Either<Refusal, readonly Ranged[]> => {
  const out: Ranged[] = []
  const dots = indices.indexOf('...')
  for (const [i, index] of indices.entries()) {
    const axis = dots >= 0 && i > dots ? i - indices.length : i
    const range = typeof index === 'string' ? rangeText.exec(index) : null
    if (range) out.push(range.slice(1).map((bound) => (bound === undefined ? null : Number(bound))) as unknown as Range)
    else if (index === null || index === '...' || Number.isInteger(index)) out.push(index as number | '...' | null)
    else if (Array.isArray(index)) return E.left(refusedList(index, axis, elsewhere))
    else
      return E.left({
        reason: `${showArgument(index)} is not an index`,
        axis,
        hint: isTensor(index) ? elsewhere.tensor : "use whole numbers, ranges such as '1:3' or '::2', or '...'",
      })
  }
  return E.right(out)
}
