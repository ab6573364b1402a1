/** Searches against counting; rows, dtypes, NaN and what is refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const seeded = { seed: 42, numRuns: 100 } as const

const count = (sorted: readonly number[], v: number, right: boolean): number =>
  sorted.filter((s) => (right ? s <= v : s < v)).length

test('counts what comes before, on either side', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (list, values, right) => {
        const sorted = list.sort((a, b) => a - b)
        const got = T.searchsorted(T.fromArray(sorted, [sorted.length], { dtype: 'f32' }), T.tensor(values), {
          side: right ? 'right' : 'left',
        })
        expect(flat(got)).toEqual(values.map((v) => count(sorted, v, right)))
      },
    ),
    seeded,
  )
})

test('rows go with rows; NaN and infinities; weak numbers', () => {
  const sorted = T.tensor([
    [1, 3, 5],
    [2, 4, 6],
  ])
  expect(
    nested(
      T.searchsorted(
        sorted,
        T.tensor([
          [5, 0],
          [5, 6],
        ]),
        { side: 'right' },
      ),
    ),
  ).toEqual([
    [3, 0],
    [2, 3],
  ])
  const ends = T.tensor([0, Number.POSITIVE_INFINITY, Number.NaN], { dtype: 'f32' })
  expect(flat(T.searchsorted(ends, T.tensor([Number.NaN, Number.POSITIVE_INFINITY, 1], { dtype: 'f32' })))).toEqual([
    2, 1, 1,
  ])
  expect(flat(T.searchsorted(T.tensor([1, 2, 3]), 2.5))).toEqual([2])
  expect(T.searchsorted(T.zeros([4, 3]), T.zeros([4, 0])).shape).toEqual([4, 0])
})

test('NaN is the last, and the equal of NaN', () => {
  const line = T.tensor([1, Number.NaN, Number.NaN])
  const values = T.tensor([0, 2, Number.NaN])
  expect(flat(T.searchsorted(line, values))).toEqual([0, 1, 1])
  expect(flat(T.searchsorted(line, values, { side: 'right' }))).toEqual([0, 1, 3])
})

test('both are compared in the dtype that they promote to', () => {
  const halves = T.tensor([0.5, 1.5])
  expect(flat(T.searchsorted(halves, 1, { side: 'right' }))).toEqual([1])
  const [even, odd] = [2 ** 24, 2 ** 24 + 1]
  expect(flat(T.searchsorted(T.tensor([even, odd]), T.tensor([odd])))).toEqual([1])
  expect(flat(T.searchsorted(T.tensor([false, true, true]), T.tensor([true, false])))).toEqual([1, 0])
})

test('what is wrong is named', () => {
  const wrong = (sorted: T.Tensor, values: T.Tensor | number): readonly unknown[] => {
    const { reason, operands } = mistakeOf(T.searchsorted(sorted, values))
    return [reason, operands.map(({ shape }) => shape)]
  }
  const unlike = (values: string, sorted: string): string =>
    `values of shape ${values} do not go with sorted elements of shape ${sorted}`
  expect(wrong(T.zeros([]), 1)).toEqual(['a scalar holds no sorted axis', [[], []]])
  expect(wrong(T.zeros([2, 3]), T.zeros([3, 3]))).toEqual([
    unlike('[3, 3]', '[2, 3]'),
    [
      [2, 3],
      [3, 3],
    ],
  ])
  expect(wrong(T.zeros([2, 3]), T.zeros([2]))[0]).toBe(unlike('[2]', '[2, 3]'))
  expect(wrong(T.zeros([2, 2, 3]), T.zeros([2, 3, 1]))[0]).toBe(unlike('[2, 3, 1]', '[2, 2, 3]'))
  expect(wrong(T.tensor([1, 2]), 1e10)).toEqual(['10000000000 does not fit i32', [[2]]])
})
