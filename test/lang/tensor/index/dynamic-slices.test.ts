/** Blocks at computed places, held where they fit. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const x = T.reshape(T.arange(12, { dtype: 'f32' }), [3, 4]) as Tensor

/** lax.dynamic_slice: counted from the end, then held. */
const held = (start: number, size: number, block: number): number =>
  Math.max(0, Math.min(start < 0 ? start + size : start, size - block))

describe('dynamicSlice', () => {
  test('is the block at the starts, held', () => {
    for (const [i, j] of [
      [0, 0],
      [1, 2],
      [2, 3],
      [9, -1],
      [-1, -9],
      [-2, 1],
    ] as const) {
      const [p, q] = [held(i, 3, 2), held(j, 4, 3)]
      const want = [0, 1].map((r) => [0, 1, 2].map((c) => 4 * (p + r) + q + c))
      for (const starts of [[i, j], [T.tensor(i), j], [T.tensor(i), T.tensor(j, { dtype: 'i32' })], T.tensor([i, j])])
        expect(nested(T.dynamicSlice(x, starts, [2, 3]))).toEqual(want)
    }
  })
  test('of everything, of nothing, of a scalar', () => {
    expect(flat(T.dynamicSlice(x, T.tensor([2, 2]), [3, 4]))).toEqual(flat(x))
    expect(T.dynamicSlice(x, T.tensor([2, 2]), [0, 4]).shape).toEqual([0, 4])
    expect(T.dynamicSlice(T.zeros([0]), [T.tensor(1)], [0]).shape).toEqual([0])
    expect(flat(T.dynamicSlice(T.tensor(5), [], []))).toEqual([5])
    expect(flat(T.dynamicSlice(T.arange(5), [T.tensor(4, { dtype: 'u32' })], [1]))).toEqual([4])
    expect(T.pipe(x, T.dynamicSlice([0, 1], [1, 1]))).toBe(T.dynamicSlice(x, [0, 1], [1, 1]))
  })
  test('what it refuses', () => {
    for (const bad of [
      T.dynamicSlice(x, [0], [1, 1]),
      T.dynamicSlice(x, [0, 0], [4, 1]),
      T.dynamicSlice(x, [0, 0], [1, -1]),
      T.dynamicSlice(x, [0.5, 0], [1, 1]),
      T.dynamicSlice(x, T.tensor([0.5, 0]), [1, 1]),
      T.dynamicSlice(x, [T.tensor([1]), 0], [1, 1]),
      T.dynamicSlice(x, T.tensor(1), [1, 1]),
    ])
      expect(mistakeOf(bad)).toMatchObject({ tag: 'ShapeError', op: 'T.dynamicSlice' })
  })
})

describe('dynamicUpdateSlice', () => {
  const u = T.tensor([
    [-1, -2],
    [-3, -4],
  ])
  test('puts the block there, held', () => {
    for (const [i, j] of [
      [0, 0],
      [1, 1],
      [5, -1],
      [-3, 2],
    ] as const) {
      const [p, q] = [held(i, 3, 2), held(j, 4, 2)]
      const want = [0, 1, 2].map((r) =>
        [0, 1, 2, 3].map((c) => {
          const [a, b] = [r - p, c - q]
          return 0 <= a && a < 2 && 0 <= b && b < 2 ? -(1 + 2 * a + b) : 4 * r + c
        }),
      )
      for (const starts of [[i, j], [T.tensor(i), j], T.tensor([i, j])])
        expect(nested(T.dynamicUpdateSlice(x, u, starts))).toEqual(want)
    }
  })
  test('of everything and nothing; in the dtype of what it changes', () => {
    expect(flat(T.dynamicUpdateSlice(x, T.zeros([3, 4]), [T.tensor(2), 1]))).toEqual(flat(T.zeros([3, 4])))
    expect(T.dynamicUpdateSlice(x, T.zeros([0, 4]), [T.tensor(2), 1])).toBe(x)
    const whole = T.dynamicUpdateSlice(T.arange(3), T.tensor([7.9]), [T.tensor(1)])
    expect([whole.dtype, flat(whole)]).toEqual(['i32', [0, 7, 2]])
  })
  test('what it refuses', () => {
    for (const bad of [
      T.dynamicUpdateSlice(x, T.zeros([4, 1]), [0, 0]),
      T.dynamicUpdateSlice(x, T.zeros([1]), [0, 0]),
      T.dynamicUpdateSlice(x, u, [0]),
    ])
      expect(mistakeOf(bad)).toMatchObject({ tag: 'ShapeError', op: 'T.dynamicUpdateSlice' })
  })
  test('has gradients, and batches', () => {
    const at = T.tensor([1, -1])
    const both = (y: Tensor, v: Tensor): readonly Tensor[] => [
      T.dynamicSlice(y, at, [2, 2]),
      T.dynamicUpdateSlice(y, v, at),
    ]
    checkGrad(both as never, [x, T.ones([2, 2])])
    checkVmap(((i: Tensor) => T.dynamicSlice(x, [i, 1], [1, 2])) as never, [T.tensor([0, 2, 7, -1])])
    checkVmap(((i: Tensor, v: Tensor) => T.dynamicUpdateSlice(x, v, [i, 1])) as never, [
      T.tensor([0, 2, 7]),
      T.ones([3, 1, 2]),
    ])
  })
})
