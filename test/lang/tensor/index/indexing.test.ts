/** Slices against Python's rules, spelt out element by element; updates against writing into an array. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { showError } from '../../../../src/lang/errors.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

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

/** As Python writes it. */
const spelled = ([start, stop, by]: readonly (number | null)[]): T.Index =>
  `${start ?? ''}:${stop ?? ''}${by === null ? '' : `:${by}`}` as T.Index

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
          const y = T.setAt(x, [spelled(a), column], T.fromArray(written, [picked.length], { dtype: 'i32' }))
          const expected = Array.from({ length: rows * columns }, (_, k) => k)
          picked.forEach((r, k) => {
            expected[r * columns + column] = written[k]!
          })
          expect(flat(y)).toEqual(expected)
          expect(flat(T.at(y, spelled(a), column))).toEqual(written)
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
      [':', '1:3'],
      [
        [1, 2],
        [4, 5],
      ],
    ],
    ['backwards', ['::-1', 1], [4, 1]],
    ['nothing', ['5:9'], []],
  ] as const)('at: %s', (_, indices, expected) => {
    expect(nested(T.at(T.reshape(T.arange(6), [2, 3]), ...(indices as readonly T.Index[])))).toEqual(expected)
  })

  test.each([
    [
      () => T.at(T.tensor([10, 20, 30]), [0, 2] as never),
      'T.at: [0, 2] is a list',
      "T.take(x, T.tensor([0, 2])) picks these; the range is '0:2'",
    ],
    [
      () => T.at(T.zeros([3, 4]), ':', [3, 0] as never),
      '[3, 0] is a list',
      'T.take(x, T.tensor([3, 0]), { axis: 1 }) picks',
    ],
    [
      () => T.at(T.zeros([3, 4]), '...', [3, 0, 1, 2] as never),
      'is a list',
      'T.take(x, T.tensor([3, 0, 1, 2]), { axis: -1 }) picks these',
    ],
    [() => T.at(T.zeros([3]), [null, null, -1] as never), 'is a list', "the range is '::-1'"],
    [
      () => T.setAt(T.zeros([3]), [[0, 2] as never], 1),
      'T.setAt: [0, 2] is a list',
      'T.setAtIndices(x, [T.tensor([0, 2])], value) sets these',
    ],
    [() => T.at(T.zeros([3]), T.tensor([0, 2]) as never), 'a tensor is not an index', 'T.take picks along one axis'],
    [
      () => T.setAt(T.zeros([3]), [T.tensor([0]) as never], 1),
      'a tensor is not an index',
      'T.setAtIndices(x, [i], value) takes tensors',
    ],
    [() => T.at(T.zeros([3]), 0.5), '0.5 is not an index', 'use whole numbers, ranges'],
    [() => T.at(T.zeros([3]), '1-2' as never), "'1-2' is not an index", 'use whole numbers, ranges'],
    [() => T.at(T.zeros([3]), '::0'), 'a slice step cannot be 0', ''],
  ])('what is no index is named, and what does it: %#', (call, reason, hint) => {
    const text = showError(mistakeOf(call()))
    expect(text).toContain(reason)
    expect(text).toContain(hint)
  })

  test('a number that integers cannot hold is refused, a tensor is cast as NumPy casts it', () => {
    const x = T.tensor([1, 2, 3])
    for (const made of [
      T.setAt(x, [0], 2.7),
      T.setAtIndices(x, [T.tensor([0])], 2.7),
      T.scatter(x, T.tensor([0]), 2.7 as never),
      T.indexAdd(x, T.tensor([0]), 2.7 as never),
    ])
      expect(mistakeOf(made as never).reason).toBe('2.7 does not fit i32')
    expect(flat(T.setAt(x, [0], T.tensor(2.7)))).toEqual([2, 2, 3])
    expect(flat(T.setAt(x, [0], 2))).toEqual([2, 2, 3])
    expect(flat(T.setAt(T.cast(x, 'f32'), [0], 2.5))).toEqual([2.5, 2, 3])
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
