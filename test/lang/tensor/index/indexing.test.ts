/** Slices against Python's rules, spelt out element by element; updates against writing into an array. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/lang/tensor/index.ts'
import { flat, nested } from '../run.ts'

/** Python's `range(*slice(start, stop, step).indices(size))`. */
const pythonRange = (size: number, [start, stop, step]: readonly (number | null)[]): readonly number[] => {
  const by = step ?? 1
  const out: number[] = []
  const clampTo = (v: number, low: number, high: number): number => Math.max(low, Math.min(high, v < 0 ? v + size : v))
  if (by > 0) {
    const to = stop === null || stop === undefined ? size : clampTo(stop, 0, size)
    for (let k = start === null || start === undefined ? 0 : clampTo(start, 0, size); k < to; k += by) out.push(k)
  } else {
    const to = stop === null || stop === undefined ? -1 : clampTo(stop, -1, size - 1)
    for (let k = start === null || start === undefined ? size - 1 : clampTo(start, -1, size - 1); k > to; k += by)
      out.push(k)
  }
  return out
}

const bound = fc.option(fc.integer({ min: -9, max: 9 }), { nil: null })
const step = fc.option(
  fc.integer({ min: -4, max: 4 }).filter((s) => s !== 0),
  { nil: null },
)
const range = fc.tuple(bound, bound, step)

describe('indexing', () => {
  test('slices take what Python takes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 7 }),
        fc.integer({ min: 0, max: 5 }),
        range,
        range,
        (rows, columns, a, b) => {
          const x = T.reshape(T.arange(rows * columns), [rows, columns])
          const expected = pythonRange(rows, a).flatMap((r) => pythonRange(columns, b).map((c) => r * columns + c))
          const cut = T.slice(x, [a, b])
          expect(flat(cut)).toEqual(expected)
          expect(cut.shape).toEqual([pythonRange(rows, a).length, pythonRange(columns, b).length])
        },
      ),
      { seed: 42, numRuns: 300 },
    )
  })

  test('setAt writes what at reads, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        range,
        fc.integer({ min: 0, max: 3 }),
        (rows, columns, a, c) => {
          const column = c % columns
          const picked = pythonRange(rows, a)
          const x = T.reshape(T.arange(rows * columns), [rows, columns])
          const written = picked.map((_, k) => -1 - k)
          const y = T.setAt(x, [a, column], T.fromArray(written, [picked.length], { dtype: 'i32' }))
          const expected = Array.from({ length: rows * columns }, (_, k) => k)
          picked.forEach((r, k) => {
            expected[r * columns + column] = written[k]!
          })
          expect(flat(y)).toEqual(expected)
          expect(flat(T.at(y, a, column))).toEqual(written)
        },
      ),
      { seed: 42, numRuns: 200 },
    )
  })

  test.each([
    ['an integer drops its axis', [1], [3, 4, 5]],
    ['from the end', [-1, -1], 5],
    ['the rest', ['...', 0], [0, 3]],
    [
      'all of an axis',
      [':', [1, 3]],
      [
        [1, 2],
        [4, 5],
      ],
    ],
    ['backwards', [[null, null, -1], 1], [4, 1]],
    ['nothing', [[5, 9]], []],
  ] as const)('at: %s', (_, indices, expected) => {
    expect(nested(T.at(T.reshape(T.arange(6), [2, 3]), ...(indices as readonly T.Index[])))).toEqual(expected)
  })

  test('setAt broadcasts a number and keeps the dtype', () => {
    const x = T.zeros([2, 3])
    expect(nested(T.setAt(x, [':', 1], 7))).toEqual([
      [0, 7, 0],
      [0, 7, 0],
    ])
    expect(T.setAt(x, [0, 0], T.tensor(3)).dtype).toBe('f32')
  })

  test('take puts the axes of the indices in the place of the axis', () => {
    const x = T.reshape(T.arange(24), [2, 3, 4])
    const y = T.take(
      x,
      T.tensor([
        [2, 0],
        [1, 1],
      ]),
      { axis: 1 },
    )
    expect(y.shape).toEqual([2, 2, 2, 4])
    expect(nested(T.at(y, 1, 0, 1))).toEqual([12, 13, 14, 15])
    expect(nested(T.at(y, 0, 1))).toEqual([
      [4, 5, 6, 7],
      [4, 5, 6, 7],
    ])
  })

  test("gather and scatterAdd are torch's", () => {
    const x = T.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    const index = T.tensor([
      [2, 0],
      [0, 0],
    ])
    expect(nested(T.gather(x, index))).toEqual([
      [5, 2],
      [1, 2],
    ])
    expect(
      nested(
        T.scatterAdd(
          T.zeros([3, 2], { dtype: 'i32' }),
          index,
          T.tensor([
            [10, 20],
            [30, 40],
          ]),
        ),
      ),
    ).toEqual([
      [30, 60],
      [0, 0],
      [10, 0],
    ])
    expect(
      nested(
        T.indexAdd(
          x,
          T.tensor([0, 0]),
          T.tensor([
            [10, 20],
            [30, 40],
          ]),
        ),
      ),
    ).toEqual([
      [41, 62],
      [3, 4],
      [5, 6],
    ])
  })
})
