/** Extremes with a number that takes part, so that those of nothing are something. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const { POSITIVE_INFINITY: inf, NaN: nan } = Number

test('an initial number takes part', () => {
  const x = T.tensor([
    [1, 5],
    [7, nan],
  ])
  expect(flat(T.max(x, { axis: 1, initial: 3 }))).toEqual([5, nan])
  expect(flat(T.amin(x, { axis: 0, initial: 3 }))).toEqual([1, nan])
  expect(nested(T.min(T.tensor([[4, 9]]), { axis: 1, keepdims: true, initial: 2 }))).toEqual([[2]])
  expect(flat(T.max(T.tensor([1, 2.5]), { initial: nan }))).toEqual([nan])
  const bits = T.max(T.tensor([false, false]), { initial: 1 })
  expect([bits.dtype, flat(bits)]).toEqual(['bool', [1]])
})

test('the extreme of nothing is it', () => {
  expect(nested(T.max(T.zeros([2, 0]), { axis: 1, initial: -inf }))).toEqual([-inf, -inf])
  expect(nested(T.min(T.zeros([0, 3]), { axis: 0, keepdims: true, initial: inf }))).toEqual([[inf, inf, inf]])
  const whole = T.amax(T.zeros([0], { dtype: 'i32' }), { initial: -(2 ** 31) })
  expect([whole.dtype, flat(whole)]).toEqual(['i32', [-(2 ** 31)]])
  expect(T.max(T.zeros([0, 2]), { axis: 1, initial: 0 }).shape).toEqual([0])
  expect(mistakeOf(T.max(T.zeros([2, 0]), { axis: 1 }) as Tensor)).toMatchObject({ op: 'T.max', axis: 1 })
  expect(mistakeOf(T.max(T.zeros([2], { dtype: 'i32' }), { initial: -inf }) as Tensor)).toMatchObject({ op: 'T.max' })
})

test('the gradient goes to what won', () => {
  const x = T.tensor([
    [1, 5],
    [0.5, -1],
  ])
  checkGrad((y: Tensor) => T.max(y, { axis: 1, initial: 2 }) as never, [x])
  const slope = T.grad((y: Tensor) => T.sum(T.max(y, { axis: 1, initial: 2 }) as Tensor) as never)(x)
  expect(nested(slope)).toEqual([
    [0, 1],
    [0, 0],
  ])
})
