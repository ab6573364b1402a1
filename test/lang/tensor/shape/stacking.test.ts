/** Rows, columns and depth; axes in reverse. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/index.ts'
import { mistakeOf, nested } from '../run.ts'

const [v, w] = [T.tensor([1, 2]), T.tensor([3, 4])]
const m = T.tensor([
  [5, 6],
  [7, 8],
])

test('vstack, hstack, dstack', () => {
  expect(nested(T.vstack([v, m]))).toEqual([
    [1, 2],
    [5, 6],
    [7, 8],
  ])
  expect(nested(T.vstack([T.tensor(1), T.tensor(2)]))).toEqual([[1], [2]])
  expect(nested(T.hstack([v, w, T.tensor(9)]))).toEqual([1, 2, 3, 4, 9])
  expect(nested(T.hstack([m, T.reshape(v, [2, 1])]))).toEqual([
    [5, 6, 1],
    [7, 8, 2],
  ])
  expect(nested(T.dstack([v, w]))).toEqual([
    [
      [1, 3],
      [2, 4],
    ],
  ])
  expect(nested(T.dstack([m, m]))).toEqual([
    [
      [5, 5],
      [6, 6],
    ],
    [
      [7, 7],
      [8, 8],
    ],
  ])
  expect(T.dstack([T.tensor(1), T.tensor(2)]).shape).toEqual([1, 1, 2])
  expect(T.vstack([T.zeros([0, 3]), T.zeros([2, 3])]).shape).toEqual([2, 3])
  for (const [f, op] of [
    [T.vstack, 'T.vstack'],
    [T.hstack, 'T.hstack'],
    [T.dstack, 'T.dstack'],
  ] as const) {
    expect(mistakeOf(f([m, T.zeros([3, 3, 3])] as readonly Tensor[]))).toMatchObject({ op })
    expect(mistakeOf(f([v, T.tensor([0.5, 1])] as readonly Tensor[]))).toMatchObject({
      op,
      reason: 'dtypes i32 and f32 differ',
    })
    expect(mistakeOf(f([]))).toMatchObject({ op })
    expect(() => f(v as never)).toThrow(`${op} takes an array`)
  }
  checkGrad(((a: Tensor, b: Tensor) => [T.vstack([a, b]), T.hstack([a, b]), T.dstack([a, b])]) as never, [
    T.ones([2]),
    T.ones([2]),
  ])
})

test('transpose', () => {
  const x = T.zeros([2, 3, 4])
  const shape: readonly [4, 3, 2] = T.transpose(x).shape
  expect(shape).toEqual([4, 3, 2])
  const other: readonly [4, 2, 3] = T.transpose(x, [2, 0, 1]).shape
  expect(other).toEqual([4, 2, 3])
  expect(nested(T.transpose(m))).toEqual([
    [5, 7],
    [6, 8],
  ])
  expect(T.transpose(T.tensor(1)).shape).toEqual([])
  expect(T.pipe(x, T.transpose)).toBe(T.transpose(x))
  expect(T.pipe(x, T.transpose([0, -1, 1]))).toBe(T.permuteDims(x, [0, 2, 1]))
  for (const bad of [T.transpose(x, [0, 1]), T.transpose(x, [0, 1, 1]), T.transpose(x, [0, 1, 3])])
    expect(mistakeOf(bad)).toMatchObject({ op: 'T.transpose' })
  expect(() => T.transpose(x, 0 as never)).toThrow('T.swapaxes(x, 0, 1)')
})
