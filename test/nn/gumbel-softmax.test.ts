/** Draws of categories: their frequencies, exact one-hot values, the gradient of the soft draw behind the hard one. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const key = random.key(7)
const logits = T.tensor([0, 1, 2], { dtype: 'f32' })

describe('gumbelSoftmax', () => {
  test('the hard draw comes as often as softmax says', () => {
    const rows = T.broadcastTo(logits, [4000, 3])
    const drawn = nn.gumbelSoftmax(key, rows, { hard: true, tau: 0.5 }) as Tensor
    expect(new Set(flat(drawn))).toEqual(new Set([0, 1]))
    expect(flat(T.sum(drawn, { axis: 1 })).every((v) => v === 1)).toBe(true)
    const shares = flat(T.mean(drawn, { axis: 0 }))
    flat(nn.softmax(logits)).forEach((p, i) => {
      expect(Math.abs(shares[i]! - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 4000))
    })
  })

  test('is softmax of noisy logits along an axis, and soft below hard', () => {
    const x = T.reshape(T.arange(6, { dtype: 'f32' }), [3, 2]) as Tensor
    const noise = random.gumbel(key, [3, 2])
    const soft = nn.softmax(T.div(T.add(x, noise), 2) as Tensor, { axis: 0 })
    near(nn.gumbelSoftmax(key, x, { tau: 2, axis: 0 }), flat(soft))
    const hard = flat(nn.gumbelSoftmax(key, x, { tau: 2, axis: 0, hard: true }))
    expect(hard.map((v, i) => v * i).filter((v) => v > 0).length).toBeLessThanOrEqual(2)
    const greatest = flat(T.argmax(soft, { axis: 0 }))
    expect([0, 1].map((c) => hard[greatest[c]! * 2 + c])).toEqual([1, 1])
  })

  test('the gradient of the hard draw is that of the soft one', () => {
    const weights = T.tensor([0.5, -1, 2])
    const slope = (hard: boolean): Tensor =>
      T.grad((x: Tensor) => T.sum(T.mul(nn.gumbelSoftmax(key, x, { hard }), weights)) as Tensor<readonly []>)(logits)
    expect(flat(slope(true))).toEqual(flat(slope(false)))
    checkGrad((x: Tensor) => nn.gumbelSoftmax(key, x, { tau: 0.7 }), [logits])
  })

  test('half precision keeps its dtype; mistakes have its name', () => {
    expect(nn.gumbelSoftmax(key, T.cast(logits, 'f16')).dtype).toBe('f16')
    expect(mistakeOf(nn.gumbelSoftmax(key, logits, { axis: 1 }) as Tensor).op).toBe('nn.gumbelSoftmax')
    expect(mistakeOf(nn.gumbelSoftmax(key, T.tensor([1, 2])) as Tensor).reason).toContain('logits are i32')
    expect(() => nn.gumbelSoftmax(3 as never, logits)).toThrow('nn.gumbelSoftmax: the key is 3')
    expect(() => nn.gumbelSoftmax(key, logits, { tau: 0 })).toThrow("nn.gumbelSoftmax: the option 'tau' is 0")
  })
})
