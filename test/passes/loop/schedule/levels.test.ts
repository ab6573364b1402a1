/** Which loops of a reduction begin states of their own, and how many neighbours go into one. */
import { describe, expect, it } from 'vitest'
import { levelsOf } from '../../../../passes/loop/schedule/levels.ts'
import type { Order } from '../../../../src/lang/monoids.ts'

const levels = (order: Order, sizes: readonly number[], runs?: readonly number[]): readonly string[] =>
  levelsOf({ order, over: sizes.map((size, id) => ({ id, size })), ...(runs ? { runs } : {}) }).map(
    ({ isOwn, run }, i) => (isOwn ? `own ${run}` : run >= sizes[i]! ? 'within' : `within ${run}`),
  )

describe('levels', () => {
  it.each([
    ['any', [5, 70], ['within', 'within']],
    ['tree', [100], ['own 8']],
    ['tree', [3, 100, 1], ['own 8', 'own 8', 'within']],
    ['blocks', [256], ['within']],
    ['blocks', [257], ['own 256']],
    ['blocks', [64, 3, 3], ['own 16', 'within', 'within']],
    ['blocks', [16, 3, 3], ['within', 'within', 'within']],
    ['blocks', [5, 300], ['own 1', 'own 256']],
    ['blocks', [2, 192], ['own 1', 'within']],
    ['blocks', [1, 300], ['within', 'own 256']],
  ] as const)('%s over %j: %j', (order, sizes, expected) => {
    expect(levels(order, sizes)).toEqual(expected)
  })
  it('the runs of a part of a tree are its own', () => {
    expect(levels('tree', [3, 100], [8, 4])).toEqual(['own 8', 'own 4'])
  })
})
