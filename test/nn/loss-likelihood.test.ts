/** Likelihood losses against their formulas, with the options the goldens lack. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const logp = T.tensor([
  [-0.5, -1, -2.5],
  [-1.5, -0.25, -3],
]) as Tensor
const p = T.tensor([
  [0.5, 0.5, 0],
  [0.25, 0.5, 0.25],
]) as Tensor

describe('likelihood losses', () => {
  test('gaussianNllLoss: a variance under eps counts as eps, and its gradient says to grow', () => {
    const loss = (v: Tensor): Tensor => nn.gaussianNllLoss(T.tensor([0.5]), T.tensor([1.5]), v, { eps: 0.25 }) as Tensor
    near(loss(T.tensor([0.125])), [0.5 * (Math.log(0.25) + 4)])
    near(T.grad(loss)(T.tensor([0.125])), [0.5 * (4 - 16)])
  })

  test('klDiv: a target of 0 costs nothing; mean, batchmean and sum differ by their divisors', () => {
    const terms = [0.5 * Math.log(0.5) + 0.25, 0.5 * Math.log(0.5) + 0.5, 0].concat(
      [0.25, 0.5, 0.25].map((q, i) => q * (Math.log(q) - [-1.5, -0.25, -3][i]!)),
    )
    const sum = terms.reduce((a, b) => a + b, 0)
    near(nn.klDiv(logp, p as never, { reduction: 'none' }) as Tensor, terms)
    near(nn.klDiv(logp, p as never) as Tensor, [sum / 6])
    near(nn.klDiv(logp, p as never, { reduction: 'batchmean' }) as Tensor, [sum / 2])
    near(nn.klDiv(T.full([], -1), T.full([], 0.5) as never, { reduction: 'batchmean' }) as Tensor, [
      0.5 * Math.log(0.5) + 0.5,
    ])
  })

  test("poissonNllLoss: rates, Stirling's formula above 1 only", () => {
    const [x, y] = [
      [0.5, 2.25, 1],
      [0, 3, 1],
    ]
    const stirling = [0, 3 * Math.log(3) - 3 + 0.5 * Math.log(6 * Math.PI), 0]
    near(
      nn.poissonNllLoss(T.tensor(x), T.tensor(y, { dtype: 'f32' }) as never, {
        logInput: false,
        full: true,
        reduction: 'none',
      }) as Tensor,
      x.map((v, i) => v - y[i]! * Math.log(v + 1e-8) + stirling[i]!),
    )
  })

  test('gaussianNllLoss: three shapes of variance, held at eps', () => {
    const [x, y] = [T.tensor([[0.5, 1]]) as Tensor, T.tensor([[1.5, 3]]) as Tensor]
    const want = (v: number, w: number): readonly number[] => [0.5 * (Math.log(v) + 1 / v), 0.5 * (Math.log(w) + 4 / w)]
    const none = { reduction: 'none' } as const
    near(nn.gaussianNllLoss(x, y, T.tensor([0.5]), none), want(0.5, 0.5))
    near(nn.gaussianNllLoss(x, y, T.tensor([[0.5]]), none), want(0.5, 0.5))
    near(nn.gaussianNllLoss(x, y, T.tensor([[0.5, 0]]), { ...none, eps: 0.25 }), want(0.5, 0.25))
    near(nn.gaussianNllLoss(x, y, T.tensor([[1, 1]], { dtype: 'f32' }), { full: true }), [
      0.5 * Math.log(2 * Math.PI) + 1.25,
    ])
    expect(mistakeOf(nn.gaussianNllLoss(x, y, T.ones([3]))).hint).toMatch(/expandDims/)
  })

  test('gradients are those of finite differences', () => {
    const inside = T.tensor([[0.25, 0.5, 0.125]]) as Tensor
    checkGrad(
      (x: Tensor, y: Tensor) => [
        nn.klDiv(x, y as never, { reduction: 'batchmean' }),
        nn.klDiv(x, y as never, { logTarget: true }),
        nn.poissonNllLoss(x, y as never),
        nn.poissonNllLoss(y, x as never, { logInput: false }),
        nn.gaussianNllLoss(x, y, T.exp(x), { full: true }),
      ],
      [T.tensor([[-0.5, -1, -2.5]]) as Tensor, inside],
    )
  })
})
