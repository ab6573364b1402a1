/** The focal loss against its formula, at its ends, and in its gradient. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const xs = [-3, -0.5, 0, 0.25, 2, 5]
const ys = [0, 1, 1, 0, 1, 0.5]
const [x, y] = [T.tensor(xs, { dtype: 'f32' }) as Tensor, T.tensor(ys) as Tensor]
const none = { reduction: 'none' } as const

const formula = (alpha: number, gamma: number): readonly number[] =>
  xs.map((v, i) => {
    const [p, t] = [1 / (1 + Math.exp(-v)), ys[i]!]
    const cost = -t * Math.log(p) - (1 - t) * Math.log(1 - p)
    const weight = alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t)
    return weight * cost * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
  })

describe('focalLoss', () => {
  test.each([
    [0.25, 2],
    [0.75, 0.5],
    [-1, 1.5],
    [0, 0],
  ])('alpha %f, gamma %f', (alpha, gamma) => {
    near(nn.focalLoss(x, y, { ...none, alpha, gamma }) as Tensor, formula(alpha, gamma))
    checkGrad((t: Tensor) => nn.focalLoss(t, y as never, { alpha, gamma }), [x])
  })

  test('reductions', () => {
    const all = formula(0.25, 2)
    const sum = all.reduce((a, b) => a + b)
    near(nn.focalLoss(x, y, { reduction: 'sum' }) as Tensor, [sum])
    near(nn.focalLoss(x, y) as Tensor, [sum / all.length])
    expect(flat(nn.focalLoss(T.zeros([0]), T.zeros([0])) as Tensor)).toEqual([Number.NaN])
  })

  test.each([0, 0.5, 2])('certain predictions cost nothing where they are right, gamma %f', (gamma) => {
    const sure = T.tensor([200, -200, 200], { dtype: 'f32' }) as Tensor
    const truth = T.tensor([1, 0, 0], { dtype: 'f32' }) as Tensor
    near(nn.focalLoss(sure, truth, { ...none, gamma, alpha: -1 }) as Tensor, [0, 0, 200])
    const slopes = T.grad((t: Tensor) => nn.focalLoss(t, truth as never, { gamma, alpha: -1 }) as never)(sure)
    near(slopes as Tensor, [0, 0, 1 / 3])
  })

  test('shapes that would be compared all with all', () => {
    const mistake = mistakeOf(nn.focalLoss(T.zeros([4, 1]), T.zeros([4]) as never) as Tensor)
    expect([mistake.op, mistake.reason]).toEqual(['nn.focalLoss', expect.stringContaining('all with all')])
  })
})
