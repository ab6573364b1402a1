/** Activations of numbers so great that a formula's parts overflow, on the interpreter and in WGSL. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'

const great = [3e38, -3e38, 1e13, -1e13, 40, -40]

test.each(['tanh', 'none'] as const)('gelu is x or 0, its slope 1 or 0: %s', async (approximate) => {
  const f = (x: Tensor): Tensor => nn.gelu(x, { approximate }) as Tensor
  const x = T.tensor(great, { dtype: 'f32' }) as Tensor
  const both = [f(x), T.grad((v: Tensor) => T.sum(f(v)) as Tensor)(x)]
  for (const [value, slope] of [T.reference(both), await T.evaluate(both)] as readonly (readonly T.HostTensor[])[])
    great.forEach((v, i) => {
      expect(value!.data[i]! / v).toBeCloseTo(v > 0 ? 1 : 0, 6)
      expect(slope!.data[i]).toBeCloseTo(v > 0 ? 1 : 0, 6)
    })
})

test('gelu by tanh in f16, whose cubes end at 40', async () => {
  const x = T.cast(T.tensor([100, -100, 0.5]), 'f16') as Tensor
  const slope = T.grad((v: Tensor) => T.sum(nn.gelu(v, { approximate: 'tanh' })) as Tensor)(x)
  const got = Array.from((await T.evaluate(T.cast(slope, 'f32'))).data)
  expect(got[0]).toBeCloseTo(1, 3)
  expect(got[1]).toBeCloseTo(0, 3)
  expect(got[2]).toBeCloseTo(0.8675, 2)
})
