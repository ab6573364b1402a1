/** Differences of neighbours; closeness of all; the other name of clamp. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const x = T.tensor([
  [1, 4, 9],
  [2, 2, 7],
])

test('diff', () => {
  expect(nested(T.diff(x))).toEqual([
    [3, 5],
    [0, 5],
  ])
  expect(nested(T.diff(x, { axis: 0 }))).toEqual([[1, -2, -2]])
  expect(nested(T.diff(x, { n: 2 }))).toEqual([[2], [5]])
  expect(T.diff(x, { n: 0 })).toBe(x)
  expect(T.diff(x, { n: 9 }).shape).toEqual([2, 0])
  expect(nested(T.diff(x, { prepend: 0, append: T.tensor([[1], [2]]) }))).toEqual([
    [1, 3, 5, -8],
    [2, 0, 5, -5],
  ])
  expect(flat(T.diff(T.tensor([true, true, false])))).toEqual([0, 1])
  expect(flat(T.diff(T.tensor([3, 1], { dtype: 'u32' })))).toEqual([2 ** 32 - 2])
  for (const bad of [
    T.diff(T.tensor(1)),
    T.diff(x, { axis: 2 }),
    T.diff(x, { prepend: T.ones([3, 1]) }),
    T.diff(x, { append: 0.5 }),
  ])
    expect(mistakeOf(bad)).toMatchObject({ op: 'T.diff' })
  checkGrad((y: Tensor) => T.diff(y, { n: 2, append: 1 }) as never, [T.tensor([1.5, 2, -1, 4])])
})

test('allclose', () => {
  const y = T.tensor([1, Number.NaN, Number.POSITIVE_INFINITY])
  expect(flat(T.allclose(y, y))).toEqual([0])
  expect(flat(T.allclose(y, y, { equalNan: true }))).toEqual([1])
  expect(flat(T.allclose(T.tensor([1, 2]), T.tensor([1.1, 2.1]), { atol: 0.2 }))).toEqual([1])
  expect(flat(T.allclose(T.tensor([[1], [2]]), 1))).toEqual([0])
  expect(flat(T.allclose(T.zeros([0]), 1))).toEqual([1])
  expect(T.allclose(x, x).shape).toEqual([])
  expect(mistakeOf(T.allclose(x, T.ones([4])))).toMatchObject({ op: 'T.allclose' })
})

test('clip is clamp, under its own name', () => {
  const bounds = { min: T.tensor([2, 3, 4]), max: 7 }
  expect(T.clip(x, bounds)).toBe(T.clamp(x, bounds))
  expect(mistakeOf(T.clip(x, { min: T.ones([2]) }))).toMatchObject({ op: 'T.clip' })
})
