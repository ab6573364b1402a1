/** Margin losses against their formulas element by element, with sizes and options the goldens lack. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const scores = [0.5, -1.25, 2, 0.75, 0.25, -0.5, 1.5]
const signs = [1, -1, 1, -1, -1, 1, -1]
const x = T.tensor(scores) as Tensor
const y = T.tensor(signs, { dtype: 'f32' }) as Tensor

const each = scores.map((s, i) => [s, signs[i]!] as const)

describe('margin losses', () => {
  test('hinges are their formulas', () => {
    near(
      nn.hingeLoss(x, y as never, { reduction: 'none', squared: true }) as Tensor,
      each.map(([s, t]) => Math.max(0, 1 - s * t) ** 2),
    )
    near(
      nn.hingeEmbeddingLoss(x, y as never, { reduction: 'none', margin: 0.6 }) as Tensor,
      each.map(([s, t]) => (t === 1 ? s : Math.max(0, 0.6 - s))),
    )
    near(
      nn.softMarginLoss(x, y as never, { reduction: 'none' }) as Tensor,
      each.map(([s, t]) => Math.log1p(Math.exp(-s * t))),
    )
  })

  test('soft margins of large scores neither overflow nor lose their gradient', () => {
    const large = T.tensor([90.5, -90.5]) as Tensor
    near(
      nn.softMarginLoss(large, T.tensor([-1, -1], { dtype: 'f32' }) as never, { reduction: 'none' }) as Tensor,
      [90.5, 0],
    )
  })

  test('a ranking broadcasts', () => {
    const a = T.tensor([[0.5], [2.5]]) as Tensor
    const b = T.tensor([1, 2.25, 3]) as Tensor
    const got = nn.marginRankingLoss(a, b, T.tensor(1), { reduction: 'none', margin: 0.5 })
    near(
      got,
      [0.5, 2.5].flatMap((p) => [1, 2.25, 3].map((q) => Math.max(0, q - p + 0.5))),
    )
  })

  test('triplets measure along the last axis, and take the nearer negative under swap', () => {
    const [a, p, n] = [
      [0, 0],
      [3, 4],
      [3, 5],
    ].map((v) => T.tensor([v], { dtype: 'f32' }) as Tensor) as [Tensor, Tensor, Tensor]
    near(nn.tripletMarginLoss(a, p, n, { eps: 0, reduction: 'none' }), [5 - Math.sqrt(34) + 1])
    near(nn.tripletMarginLoss(a, p, n, { eps: 0, swap: true }), [5 - 1 + 1])
    near(nn.tripletMarginLoss(a, p, n, { eps: 0, p: 1 }), [7 - 8 + 1])
  })

  test('classes: powers, weights, no batch, an empty batch', () => {
    const rows = T.tensor([
      [0.5, 0.25, 2],
      [-1, 0.75, 0.5],
    ]) as Tensor
    const weight = T.tensor([0.5, 1, 3]) as Tensor
    const term = (own: number, other: number): number => Math.max(0, 1 - own + other) ** 2
    near(nn.multiMarginLoss(rows, T.tensor([0, 2]), { p: 2, weight, reduction: 'none' }), [
      (0.5 * (term(0.5, 0.25) + term(0.5, 2))) / 3,
      (3 * (term(0.5, -1) + term(0.5, 0.75))) / 3,
    ])
    near(nn.multiMarginLoss(T.tensor([0.5, 0.25, 2]), T.tensor(2), { reduction: 'none' }), [0])
    near(nn.multiMarginLoss(T.zeros([0, 3]), T.zeros([0], { dtype: 'i32' }), { reduction: 'sum' }), [0])
  })

  test('mistakes are named', () => {
    expect(mistakeOf(nn.multiMarginLoss(T.zeros([2, 3]), T.zeros([2, 1], { dtype: 'i32' }))).reason).toContain(
      'takes scores [N, C] and classes [N]',
    )
    expect(() => flat(nn.multiMarginLoss(T.zeros([1, 3]), T.tensor([3])))).toThrow('index 3')
  })

  test('gradients are those of finite differences', () => {
    const [a, b] = [
      T.tensor([
        [0.5, -1.25, 2],
        [0.75, 0.25, -0.5],
      ]) as Tensor,
      T.tensor([
        [1, 0.5, -0.75],
        [2, 1.5, 0.125],
      ]) as Tensor,
    ]
    const labels = T.tensor([2, 0])
    const sign = T.tensor(
      [
        [1, -1, 1],
        [-1, 1, -1],
      ],
      { dtype: 'f32' },
    ) as Tensor
    checkGrad(
      (p: Tensor, q: Tensor) => [
        nn.hingeLoss(p, sign as never, { squared: true }),
        nn.hingeEmbeddingLoss(p, sign as never, { margin: 0.9 }),
        nn.softMarginLoss(p, sign as never),
        nn.marginRankingLoss(p, q, sign, { margin: 0.3 }),
        nn.tripletMarginLoss(p, q, T.mul(q, 1.5), { swap: true, p: 3 }),
        nn.multiMarginLoss(p, labels, { p: 2 }),
      ],
      [a, b],
    )
  })
})
