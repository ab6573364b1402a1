/** clamp at its bounds, with bounds that cross, and with bounds that are NaN; lerp at its ends; numbers that do not fit. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat } from '../run.ts'

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

test('a number that does not fit the dtype of the tensor it meets is refused wherever it is taken', () => {
  const x = T.tensor([1, 2, 3])
  const at = T.tensor([0])
  const mask = T.tensor([true, false, true])
  const taken: readonly (readonly [string, (n: number) => Tensor])[] = [
    ['T.add', (n) => T.add(x, n)],
    ['T.where', (n) => T.where(mask, n, x)],
    ['T.maskedFill', (n) => T.maskedFill(x, mask, n)],
    ['T.setAt', (n) => T.setAt(x, [0], n)],
    ['T.setAtIndices', (n) => T.setAtIndices(x, [at], n)],
    ['T.scatter', (n) => T.scatter(x, at, n)],
    ['T.indexAdd', (n) => T.indexAdd(x, at, n)],
    ['T.searchsorted', (n) => T.searchsorted(x, n)],
  ]
  for (const [name, take] of taken) {
    expect(() => T.reference(take(1e12)), name).toThrow(`${name}: 1000000000000 does not fit i32`)
    expect(() => T.reference(take(2 ** 31 - 1)), name).not.toThrow()
  }
})
