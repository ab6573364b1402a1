/** Cosines and distances: zero vectors, axes, broadcasting. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'

const f = (rows: readonly (readonly number[])[]): Tensor => T.tensor(rows as number[][], { dtype: 'f32' })

describe('similarity', () => {
  test('a zero vector is at right angles to everything', () => {
    expect(
      flat(
        nn.cosineSimilarity(
          f([
            [0, 0],
            [3, 4],
          ]),
          f([
            [1, 2],
            [4, -3],
          ]),
        ),
      ),
    ).toEqual([0, 0])
  })

  test('operands broadcast, the axis may be negative', () => {
    const got = flat(
      nn.cosineSimilarity(
        f([
          [3, 4],
          [0, 2],
        ]),
        f([[0, 1]]),
        { axis: -1 },
      ),
    )
    expect(got[0]).toBeCloseTo(0.8, 6)
    expect(got[1]).toBeCloseTo(1, 6)
    expect(nn.cosineSimilarity(T.zeros([0, 3]), T.zeros([0, 3])).shape).toEqual([0])
  })

  test('operands of different rank broadcast before the axis is counted', () => {
    const [a, b] = [T.ones([3, 1, 4]), T.ones([2, 4])]
    expect(nn.cosineSimilarity(a, b, { axis: 2 }).shape).toEqual([3, 2])
    expect(
      flat(
        nn.cosineSimilarity(
          f([[1], [2]]),
          f([
            [3, 3],
            [1, 1],
          ]),
        ),
      ),
    ).toEqual([1, 1].map((x) => expect.closeTo(x, 6)))
  })

  test('the gradient passes a norm that is held, as in PyTorch', () => {
    const [a, b] = [f([[1.507]]), f([[-0.072]])]
    const cosine = (x: Tensor): Tensor => T.sum(nn.cosineSimilarity(a, x, { eps: 0.5 }))
    expect(flat(cosine(b))[0]).toBeCloseTo(-0.144, 6)
    expect(flat(T.grad(cosine)(b))[0]).toBeCloseTo(2.8398657 / 1.45, 5)
  })

  test('distances take any order', () => {
    const [a, b] = [f([[1, 2, 3]]), f([[2, 4, 0]])]
    expect(flat(nn.pairwiseDistance(a, b, { p: 1, eps: 0 }))).toEqual([6])
    expect(flat(nn.pairwiseDistance(a, b, { p: Number.POSITIVE_INFINITY, eps: 0 }))).toEqual([3])
  })

  test('the embedding loss of single vectors', () => {
    const [a, b] = [T.tensor([3, 4], { dtype: 'f32' }), T.tensor([4, 3], { dtype: 'f32' })]
    expect(flat(nn.cosineEmbeddingLoss(a, b, T.tensor(1)))[0]).toBeCloseTo(1 - 0.96, 5)
    expect(flat(nn.cosineEmbeddingLoss(a, b, T.tensor(-1), { margin: 0.5 }))[0]).toBeCloseTo(0.46, 5)
  })

  test('mistakes pass through', () => {
    expect(mistakeOf(nn.cosineSimilarity(f([[1, 2]]), f([[1, 2, 3]]))).reason).toContain('do not broadcast')
  })

  test('gradients are those of finite differences', () => {
    checkGrad(
      (a: Tensor, b: Tensor) => [
        nn.cosineSimilarity(a, b),
        nn.cosineSimilarity(a, b, { axis: 0 }),
        nn.pairwiseDistance(a, b),
        nn.cosineEmbeddingLoss(a, b, T.tensor([1, -1])),
      ],
      [
        f([
          [1, 2, -0.5],
          [0.25, 1, 2],
        ]),
        f([
          [2, -1, 1.5],
          [0.5, 3, 1],
        ]),
      ],
    )
  })
})
