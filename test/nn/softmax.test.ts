/** softmax and its kin on lines without elements, and normalize over several axes. */
import { expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { evaluated, flat, mistakeOf } from '../lang/tensor/run.ts'

test.each([nn.softmax, nn.logSoftmax, nn.softmin])('of no elements there are none', (f) => {
  const x = T.zeros([3, 0])
  expect(evaluated(f(x, { axis: 1 })).shape).toEqual([3, 0])
  expect(evaluated(f(x, { axis: 0 })).shape).toEqual([3, 0])
  expect(mistakeOf(f(x, { axis: 2 }))).toMatchObject({ tag: 'ShapeError', axis: 2 })
})

test.each(['u8', 'u32', 'i8', 'i32'] as const)('of %s it is that of the same floats', (dtype) => {
  const x = T.tensor([100, 98, 0], { dtype }) as Tensor
  for (const f of [nn.softmax, nn.logSoftmax, nn.softmin] as readonly ((x: Tensor) => Tensor)[])
    expect(flat(f(x))).toEqual(flat(f(T.cast(x, 'f32') as Tensor)))
})

test('normalize takes several axes', () => {
  const x = T.tensor([[[3, 0]], [[0, 4]]], { dtype: 'f32' })
  expect(flat(nn.normalize(x, { axis: [0, 1, 2] }))).toEqual([0.6, 0, 0, 0.8].map(Math.fround))
})

test('prelu of a scalar is a scalar', () => {
  expect(evaluated(nn.prelu(T.tensor(-2.5), T.tensor([0.5])))).toMatchObject({ shape: [] })
  expect(flat(nn.prelu(T.tensor([-2, 2], { dtype: 'f32' }), T.tensor([0.5])))).toEqual([-1, 2])
})
