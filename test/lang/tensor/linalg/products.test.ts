/** Inner, vector and other products of tensors of any rank. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const a = T.tensor([
  [1, 2, 3],
  [4, 5, 6.5],
]) as Tensor
const b = T.tensor([
  [-1, 0.5, 2],
  [3, 0, 1],
]) as Tensor

test('inner', () => {
  const want = (nested(a) as number[][]).map((r) =>
    (nested(b) as number[][]).map((s) => r.reduce((t, v, i) => t + v * s[i]!, 0)),
  )
  expect(nested(T.inner(a, b))).toEqual(want)
  const cube = T.reshape(T.arange(12, { dtype: 'f32' }), [2, 2, 3]) as Tensor
  expect(T.inner(cube, b).shape).toEqual([2, 2, 2])
  expect(nested(T.inner(cube, b))).toEqual(nested(T.tensordot(cube, b, { axes: [[2], [1]] })))
  expect(nested(T.inner(T.tensor(2), T.tensor([1, 3])))).toEqual([2, 6])
  expect(flat(T.inner(T.zeros([2, 0]), T.zeros([0])))).toEqual([0, 0])
  for (const bad of [T.inner(a, T.ones([2])), T.inner(a, T.ones([3], { dtype: 'i32' }) as never)])
    expect(mistakeOf(bad)).toMatchObject({ op: 'T.inner' })
  checkGrad(((x: Tensor, y: Tensor) => T.inner(x, y)) as never, [a, b])
})

test('vdot', () => {
  expect(flat(T.vdot(a, b))).toEqual([flat(a).reduce((t, v, i) => t + v * flat(b)[i]!, 0)])
  expect(flat(T.vdot(a, T.reshape(b, [3, 2]) as Tensor))).toEqual(flat(T.vdot(a, b)))
  expect(mistakeOf(T.vdot(a, T.ones([5])))).toMatchObject({ op: 'T.vdot' })
})

test('cross', () => {
  const loop = (x: readonly number[], y: readonly number[]): readonly number[] =>
    [0, 1, 2].map((i) => x[(i + 1) % 3]! * y[(i + 2) % 3]! - x[(i + 2) % 3]! * y[(i + 1) % 3]!)
  const [ra, rb] = [nested(a), nested(b)] as [number[][], number[][]]
  expect(nested(T.cross(a, b))).toEqual(ra.map((r, i) => loop(r, rb[i]!)))
  const columns = T.cross(T.transpose(a) as Tensor, T.transpose(b) as Tensor, { axis: 0 })
  expect(nested(T.transpose(columns))).toEqual(nested(T.cross(a, b)))
  expect(nested(T.cross(a, T.tensor([1, 0, 0])))).toEqual(ra.map((r) => loop(r, [1, 0, 0])))
  expect(T.cross(T.zeros([0, 3]), T.zeros([3])).shape).toEqual([0, 3])
  for (const bad of [T.cross(a, b, { axis: 0 }), T.cross(T.ones([2]), T.ones([2])), T.cross(a, b, { axis: 5 })])
    expect(mistakeOf(bad)).toMatchObject({ op: 'T.cross' })
  checkGrad(((x: Tensor, y: Tensor) => T.cross(x, y)) as never, [a, b])
  checkVmap(((x: Tensor) => T.cross(x, T.tensor([1, 2, 3.5]))) as never, [a])
})
