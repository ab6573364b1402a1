/** Targets that do not count, whatever stands where they are. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types.ts'
import * as nn from '../../src/nn/index.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'

const logits = T.tensor(
  [
    [Number.NEGATIVE_INFINITY, 0, 0],
    [1, 2, 3],
  ],
  { dtype: 'f32' },
)
const weight = T.tensor([0.5, 1, 2])
const losses = [
  ['plain', {}],
  ['weighed', { weight }],
  ['smoothed', { labelSmoothing: 0.1 }],
] as const

describe.each(losses)('%s', (name, options) => {
  const loss = (x: Tensor, target: Tensor): Tensor =>
    nn.crossEntropy(x, target, { ...options, ignoreIndex: -1 }) as Tensor
  test('an ignored row leaves no trace', () => {
    const alone = T.narrow(logits, 1, 1)
    const want = flat(nn.crossEntropy(alone, T.tensor([2]), options) as Tensor)[0]!
    expect(flat(loss(logits, T.tensor([-1, 2])))[0]).toBeCloseTo(want, 6)
    const slopes = flat(T.grad((x: Tensor) => loss(x, T.tensor([-1, 2])))(logits))
    if (name !== 'smoothed') expect(slopes.slice(0, 3).every((s) => s === 0)).toBe(true)
  })
  test('of ignored rows alone the mean is NaN and the gradient 0', () => {
    const finite = T.zeros([2, 3])
    expect(flat(loss(finite, T.tensor([-1, -1])))).toEqual([Number.NaN])
    const slopes = flat(T.grad((x: Tensor) => loss(x, T.tensor([-1, -1])))(finite))
    expect(slopes.map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

test('targets that do not fit the scores', () => {
  const [x, y] = [T.zeros([7, 3]), T.tensor([0, 1])]
  for (const [made, op] of [
    [nn.crossEntropy(x, y), 'nn.crossEntropy'],
    [nn.nllLoss(x, y), 'nn.nllLoss'],
  ] as const)
    expect(mistakeOf(made as Tensor)).toMatchObject({
      op,
      reason: 'targets of shape [2] do not fit scores of shape [7, 3]: [7] would',
    })
  expect(mistakeOf(nn.crossEntropy(T.zeros([7, 3]), T.zeros([7])) as Tensor).reason).toContain('[7, 3] would')
})
