/** Binary cross-entropy at certainty, with PyTorch's numbers. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { flat } from '../lang/tensor/run.ts'

test('a certain prediction costs at most 100, and its gradient still points away from a mistake', () => {
  const x = T.tensor([0, 1, 0, 1, 1e-30, 0.25], { dtype: 'f32' })
  const y = T.tensor([0, 1, 1, 0, 1, 1], { dtype: 'f32' })
  const each = (v: Tensor): Tensor => nn.binaryCrossEntropy(v, y, { reduction: 'none' }) as Tensor
  const costs = flat(each(x))
  expect(costs.slice(0, 4).map(Math.abs)).toEqual([0, 0, 100, 100])
  expect(costs[4]).toBeCloseTo(69.07755, 4)
  const slopes = flat(T.grad((v: Tensor) => T.sum(each(v)))(x))
  expect(slopes.map((s) => Number(s.toPrecision(4)))).toEqual([0, 0, -1e12, 1e12, -1e12, -4])
  expect(flat(each(T.tensor([-0.5, 1.5, 0, 0, 0, 0], { dtype: 'f32' }))).slice(0, 2)).toEqual([Number.NaN, Number.NaN])
})
