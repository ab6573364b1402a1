/** clamp at its bounds, with bounds that cross, and with bounds that are NaN; lerp at its ends. */
import { expect, test } from 'vitest'
import * as T from '../../../src/index.ts'
import type { Tensor } from '../../../src/lang/types.ts'
import { flat } from './run.ts'

test('clamp passes NaN of the operand and of either bound, and the gradient at the bounds', () => {
  const x = T.tensor([-2, -1, 0, 1, 2, Number.NaN], { dtype: 'f32' })
  expect(flat(T.clamp(x, { min: -1, max: 1 }))).toEqual([-1, -1, 0, 1, 1, Number.NaN])
  expect(flat(T.grad((v: Tensor) => T.sum(T.clamp(v, { min: -1, max: 1 })))(x)).slice(0, 5)).toEqual([0, 1, 1, 1, 0])
  expect(flat(T.clamp(x, { min: 1, max: -1 }))).toEqual([-1, -1, -1, -1, -1, Number.NaN])
  const low = T.tensor([Number.NaN, 0, 1, -5, 0, 0], { dtype: 'f32' })
  expect(flat(T.clamp(x, { min: low }))).toEqual([Number.NaN, 0, 1, 1, 2, Number.NaN])
  expect(flat(T.clamp(x, { max: Number.NaN }))).toEqual(Array.from({ length: 6 }, () => Number.NaN))
})

test('lerp gives both ends exactly, and an infinite one', () => {
  const [a, b] = [T.tensor([1e8, 3, Number.POSITIVE_INFINITY]), T.tensor([1.1, 7, 1], { dtype: 'f32' })]
  expect(flat(T.lerp(a, b, 0))).toEqual([1e8, 3, Number.NaN])
  expect(flat(T.lerp(a, b, 1))).toEqual([Math.fround(1.1), 7, Number.NaN])
  expect(flat(T.lerp(a, b, T.tensor([0, 0.75, 0.75])))).toEqual([1e8, 6, Number.POSITIVE_INFINITY])
})
