/** Which elements are among others. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf } from '../run.ts'

const { POSITIVE_INFINITY: inf, NaN: nan } = Number

test.each([3, 40])('among %d values', (n) => {
  const values = Array.from({ length: n }, (_, i) => ((i * 7) % n) * 2)
  const asked = Array.from({ length: 2 * n + 3 }, (_, i) => i - 1)
  const want = asked.map((v) => Number(values.includes(v)))
  expect(flat(T.isin(T.tensor(asked), T.tensor(values)))).toEqual(want)
  expect(flat(T.isin(T.tensor(asked), T.tensor(values), { invert: true }))).toEqual(want.map((v) => 1 - v))
  const halves = T.isin(
    T.tensor([0.5, 2, nan, inf]),
    T.concat([T.tensor(values, { dtype: 'f32' }), T.tensor([nan, inf])]),
  )
  expect(flat(halves)).toEqual([0, 1, 0, 1])
  checkVmap(((x: Tensor) => T.isin(x, T.tensor(values))) as never, [
    T.tensor([
      [0, 1],
      [4, 3],
    ]),
  ])
})

test('of other shapes and dtypes', () => {
  expect(T.isin(T.zeros([2, 3]), T.zeros([2, 2])).shape).toEqual([2, 3])
  expect(flat(T.isin(T.tensor([1, 2]), 2))).toEqual([0, 1])
  expect(flat(T.isin(3, T.tensor([1, 2])))).toEqual([0])
  expect(flat(T.isin(T.tensor([1, 2]), T.zeros([0], { dtype: 'i32' })))).toEqual([0, 0])
  expect(flat(T.isin(T.tensor([true, false]), T.tensor([true])))).toEqual([1, 0])
  expect(mistakeOf(T.isin(T.tensor([1], { dtype: 'u8' }), 300))).toMatchObject({ op: 'T.isin' })
})
