/** What the four lanes of a vector read together, and where they choose alike. */
import { describe, expect, it } from 'vitest'
import type { Index, Range } from '../../../../passes/loop/ir/cluster.ts'
import {
  addIndex,
  constantIndex,
  divIndex,
  modIndex,
  rangeIndex,
  scaleIndex,
  shiftIndex,
  valueIndex,
} from '../../../../passes/loop/ir/index-expression.ts'
import { createValues } from '../../../../passes/loop/ir/values.ts'
import { isUniformBound, lanePattern } from '../../../../passes/loop/schedule/lane-pattern.ts'

const range: Range = { id: 0, size: 16 }
const other: Range = { id: 1, size: 3 }
const r = rangeIndex(range)

describe('how an index moves over the four lanes', () => {
  const values = createValues()
  const computed = values.load({ id: 0, dtype: 'i32', size: 16 }, r, [])
  const fixed = values.load({ id: 0, dtype: 'i32', size: 16 }, rangeIndex(other), [])
  it.each<[string, Index, string]>([
    ['not at all', rangeIndex(other), 'uniform'],
    ['a constant', constantIndex(7), 'uniform'],
    ['one by one', r, 'aligned'],
    ['one by one from a multiple of four', addIndex(shiftIndex(r, 8), scaleIndex(rangeIndex(other), 4)), 'aligned'],
    ['one by one from elsewhere', shiftIndex(r, 1), 'contiguous'],
    ['one by one in rows that are not whole vectors', addIndex(r, scaleIndex(rangeIndex(other), 6)), 'contiguous'],
    ['backwards', shiftIndex(scaleIndex(r, -1), 15), 'strided'],
    ['by twos', scaleIndex(r, 2), 'strided'],
    ['by vectors', scaleIndex(r, 4), 'strided'],
    ['in pairs', divIndex(r, 2), 'strided'],
    ['a quarter', divIndex(r, 4), 'uniform'],
    ['around a multiple of four', modIndex(r, 8), 'aligned'],
    ['around another number', modIndex(r, 6), 'strided'],
    ['where a computed index goes', valueIndex(computed, 16), 'strided'],
    ['where a computed index does not go', valueIndex(fixed, 16), 'uniform'],
  ])('%s', (_, index, pattern) => {
    expect(lanePattern(index, range)).toBe(pattern)
  })
})

describe('a bound is the same for all lanes', () => {
  it.each<[string, Index, number, number, boolean]>([
    ['where the index does not move', rangeIndex(other), 1, 2, true],
    ['between multiples of four', r, 4, 12, true],
    ['not from elsewhere', r, 3, 12, false],
    ['not to elsewhere', r, 4, 13, false],
    ['not where vectors begin elsewhere', shiftIndex(r, 1), 4, 12, false],
  ])('%s', (_, index, low, high, same) => {
    expect(isUniformBound({ index, low, high }, range)).toBe(same)
  })
})
