/** Batches, shuffles and splits: every row once, rows of one example together, the order fixed by the key. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  batchCount,
  batches,
  type Column,
  shuffled,
  sliceRows,
  split,
  standardiser,
  takeRows,
} from '../../src/data/index.ts'
import { foldIn, key } from '../../src/random/index.ts'

/** `count` rows of two: [i, -i]; labels i. */
const pairs = (count: number): { readonly x: Column<Float32Array>; readonly y: Column<Int32Array> } => ({
  x: {
    shape: [count, 2],
    data: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2)),
  },
  y: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i) },
})

describe('shuffled', () => {
  test('is a permutation of any length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.nat(1000), (count, seed) => {
        expect([...shuffled(count, key(seed))].sort((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, i) => i),
        )
      }),
      { seed: 42, numRuns: 50 },
    )
  })

  test('depends on the key alone', () => {
    expect(shuffled(100, key(7))).toEqual(shuffled(100, key(7)))
    expect(shuffled(100, key(7))).not.toEqual(shuffled(100, key(8)))
  })

  test('every order of four rows comes about equally often', () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 960; i++) {
      const order = shuffled(4, foldIn(key(3), i)).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    // 24 orders, 40 each expected: chi squared with 23 degrees of freedom is below 49.7 in 999 of 1000 cases.
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - 40) ** 2 / 40, 0)
    expect(counts.size).toBe(24)
    expect(chi).toBeLessThan(49.7)
  })
})

describe('batches', () => {
  test('in order, without the rest', () => {
    const found = [...batches(pairs(7), { size: 3 })].map(({ x, y }) => [x.shape, [...x.data], [...y.data]])
    expect(found).toEqual([
      [
        [3, 2],
        [0, -0, 1, -1, 2, -2],
        [0, 1, 2],
      ],
      [
        [3, 2],
        [3, -3, 4, -4, 5, -5],
        [3, 4, 5],
      ],
    ])
  })

  test('the rest as a smaller batch', () => {
    const found = [...batches(pairs(7), { size: 3, rest: 'keep' })]
    expect(found.map(({ y }) => [...y.data])).toEqual([[0, 1, 2], [3, 4, 5], [6]])
    expect(batchCount(pairs(7), { size: 3, rest: 'keep' })).toBe(3)
    expect(batchCount(pairs(7), { size: 3 })).toBe(2)
  })

  test('shuffled, every example keeps its label and comes once', () => {
    const found = [...batches(pairs(11), { size: 4, key: key(1), rest: 'keep' })]
    const labels = found.flatMap(({ y }) => [...y.data])
    expect(labels).not.toEqual([...labels].sort((a, b) => a - b))
    expect([...labels].sort((a, b) => a - b)).toEqual([...pairs(11).y.data])
    for (const { x, y } of found) expect([...x.data]).toEqual([...y.data].flatMap((label) => [label, -label]))
  })

  test('an epoch’s key gives an order of its own', () => {
    const epoch = (n: number): number[] =>
      [...batches(pairs(20), { size: 20, key: foldIn(key(1), n) })].flatMap(({ y }) => [...y.data])
    expect(epoch(0)).not.toEqual(epoch(1))
    expect(epoch(1)).toEqual(epoch(1))
  })

  test('an empty data set has none', () => {
    expect([...batches(pairs(0), { size: 3, rest: 'keep', key: key(1) })]).toEqual([])
  })

  test('mistakes', () => {
    const uneven = { x: pairs(3).x, y: pairs(4).y }
    expect(() => [...batches(uneven, { size: 1 })]).toThrow('y has 4 rows, x has 3')
    expect(() => [...batches(pairs(3), { size: 0 })]).toThrow(
      "batches: the option 'size' is 0, not a whole number above 0",
    )
    expect(() => [...batches(pairs(3), { size: 1.5 })]).toThrow("batches: the option 'size' is 1.5, not a whole number")
  })
})

describe('rows', () => {
  test('taking copies, slicing shares', () => {
    const { x } = pairs(4)
    expect(takeRows(x, [3, 0, 3])).toEqual({ shape: [3, 2], data: Float32Array.of(3, -3, 0, -0, 3, -3) })
    expect(sliceRows(x, 1, 3).data.buffer).toBe(x.data.buffer)
    expect(sliceRows(x, 3, 9).shape).toEqual([1, 2])
    expect(sliceRows(x, 9, 12)).toEqual({ shape: [0, 2], data: new Float32Array(0) })
    expect(() => takeRows(x, [4])).toThrow('there is no row 4 among 4')
    expect(() => takeRows(x, [-1])).toThrow('there is no row -1 among 4')
  })
})

describe('split', () => {
  test('parts of a whole use every row once', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(50), (count, seed) => {
        const parts = split(pairs(count), [0.7, 0.15, 0.15], { key: key(seed) })
        expect(parts.flatMap(({ y }) => [...y.data]).sort((a, b) => a - b)).toEqual([...pairs(count).y.data])
      }),
      { seed: 42, numRuns: 50 },
    )
  })

  test('without a key in order; fractions below a whole leave rows out', () => {
    expect(split(pairs(10), [0.5, 0.2]).map(({ y }) => [...y.data])).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6],
    ])
    expect(() => split(pairs(10), [0.9, 0.2])).toThrow('[0.9, 0.2] are no parts of a whole')
    expect(() => split(pairs(10), [-0.1, 0.2])).toThrow('are no parts of a whole')
  })
})

describe('options', () => {
  test('unknown ones are refused at the call, before the first batch', () => {
    const points = pairs(4)
    expect(() => batches(points, { batchSize: 2 } as never)).toThrow(
      "batches: there is no option 'batchSize'\n  hint: it is called size here",
    )
    expect(() => batches(points, {} as never)).toThrow("batches: the option 'size' is missing")
    expect(() => batches(points, { size: 2, rest: 'pad' as never })).toThrow(
      "batches: the rest is 'pad'\n  hint: it can be 'drop' or 'keep'",
    )
    expect(() => batchCount(points, 2 as never)).toThrow(
      'batchCount: 2 stands where a record of options is needed\n  hint: it knows size and rest',
    )
    expect(() => split(points, 0.8 as never)).toThrow(
      'split takes an array of fractions, not 0.8\n  hint: write split(data, [0.8, 0.2])',
    )
    expect(() => split(points, [1], { seed: 1 } as never)).toThrow("split: there is no option 'seed'")
  })
})

describe('data that do not fit', () => {
  const points = { x: { shape: [3], data: Float32Array.of(1, 2, 3) } }
  test('a batch that no rows fill, a column without the elements of its shape', () => {
    expect(() => [...batches(points, { size: 4 })]).toThrow('batches: 3 rows do not fill a batch of 4')
    expect([...batches(points, { size: 4, rest: 'keep' })]).toHaveLength(1)
    const lie = { x: { shape: [2, 2], data: Float32Array.of(1, 2, 3) } }
    expect(() => [...batches(lie, { size: 1 })]).toThrow('x has 3 elements, its shape [2, 2] 4')
  })
  test('other features than those that were standardised', () => {
    const one = standardiser({ shape: [2, 1], data: Float32Array.of(1, 3) })
    expect(() => one.apply({ shape: [2, 2], data: new Float32Array(4) })).toThrow(
      'standardiser: the column has 2 features, it was made from 1',
    )
  })
})
