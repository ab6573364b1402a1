/** Positions: rotations against loops over numbers, what they leave as it was, and waves of every width. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -2, high: 2 })), shape)

/** Rows turned one by one: `pairs` says which feature is whose. */
const turned = (
  x: Tensor,
  positions: readonly number[],
  { base = 10000, interleaved = false, width = x.shape.at(-1)! },
) => {
  const features = x.shape.at(-1)!
  const values = [...flat(x)]
  positions.forEach((p, row) => {
    for (let i = 0; i < width / 2; i++) {
      const [left, right] = interleaved ? [2 * i, 2 * i + 1] : [i, i + width / 2]
      const [a, b] = [values[row * features + left]!, values[row * features + right]!]
      const angle = p * base ** ((-2 * i) / width)
      values[row * features + left] = a * Math.cos(angle) - b * Math.sin(angle)
      values[row * features + right] = b * Math.cos(angle) + a * Math.sin(angle)
    }
  })
  return values
}

describe('rotary', () => {
  const x = some(1, 4, 6)
  test.each([{}, { interleaved: true }, { width: 4 }, { width: 2, interleaved: true, base: 50 }, { width: 0 }])(
    '%o',
    (options) => {
      near(nn.rotary(x, options), turned(x, [0, 1, 2, 3], options))
      const positions = T.tensor([7, 0, 2.5, -3]) as Tensor
      near(nn.rotary(x, { ...options, positions }), turned(x, [7, 0, 2.5, -3], options))
    },
  )

  test('positions for each row of a batch; of one row alone', () => {
    const both = T.stack([x, x]) as Tensor
    const positions = T.tensor([
      [0, 1, 2, 3],
      [3, 4, 5, 6],
    ])
    near(nn.rotary(both, { positions }), [...turned(x, [0, 1, 2, 3], {}), ...turned(x, [3, 4, 5, 6], {})])
    near(nn.rotary(T.select(x, 1), { positions: T.tensor(1) }), turned(x, [0, 1, 2, 3], {}).slice(6, 12))
    expect(nn.rotary(T.zeros([0, 4])).shape).toEqual([0, 4])
  })

  test('turns of one length are one node, however wide', () => {
    const wide = T.ones([3, 300])
    expect(nn.rotary(wide)).toBe(nn.rotary(wide))
  })

  test('far positions keep their precision', () => {
    const far = T.tensor([4096, 8191])
    const y = some(8, 2, 64)
    const want = turned(y, [4096, 8191], {})
    flat(nn.rotary(y, { positions: far })).forEach((v, i) => {
      expect(Math.abs(v - want[i]!)).toBeLessThan(2e-3)
    })
  })

  test('products depend on how far apart two positions are', () => {
    const [a, b] = [some(2, 1, 6), some(3, 1, 6)]
    const at = (x: Tensor, p: number): Tensor => nn.rotary(x, { positions: T.tensor([p]) })
    const product = (p: number, r: number): number => flat(T.sum(T.mul(at(a, p), at(b, r))) as Tensor)[0]!
    expect(product(9, 4)).toBeCloseTo(product(5, 0), 4)
    expect(Math.abs(product(9, 4) - product(9, 3))).toBeGreaterThan(0.01)
  })

  test('in attention it turns queries and keys of every head', () => {
    const params = nn.multiHeadAttentionInit(random.key(4), 8)
    const y = some(5, 3, 8)
    const [q, k] = T.chunk(nn.linear(y, { weight: params.inProjWeight }) as Tensor, 3, { axis: -1 }).map((t) =>
      nn.rotary(T.swapaxes(T.reshape(t, [3, 2, 4]) as Tensor, 0, 1) as Tensor, { interleaved: true }),
    )
    near(
      nn.multiHeadAttentionWeights(y, params, { heads: 2, rotary: { interleaved: true } }),
      flat(nn.attentionWeights(q!, k!)),
    )
  })

  test.each([
    [() => nn.rotary(T.ones([2, 3])), '3 of 3 features are not pairs'],
    [() => nn.rotary(T.ones([2, 4]), { width: 6 }), '6 of 4 features are not pairs'],
    [() => nn.rotary(T.ones([4])), 'not rank 1'],
    [
      () => nn.rotary(T.ones([2, 4]), { positions: T.arange(3) }),
      'positions has shape [3], which does not broadcast to [2]',
    ],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f())).toMatchObject({ op: 'nn.rotary', reason: expect.stringContaining(reason) })
  })

  test('gradients, batches, 16 bits', () => {
    checkGrad((y: Tensor) => [nn.rotary(y, { width: 4 }), nn.rotary(y, { interleaved: true })], [some(6, 2, 6)])
    checkVmap(((y: Tensor, p: Tensor) => nn.rotary(y, { positions: p })) as never, [
      some(7, 3, 2, 4),
      T.tensor([
        [0, 1],
        [5, 6],
        [2, 9],
      ]),
    ])
    expect(nn.rotary(T.ones([2, 4], { dtype: 'bf16' })).dtype).toBe('bf16')
  })
})

describe('sinusoidal', () => {
  test.each([1, 2, 5, 8])('width %i', (width) => {
    const rows = [0, 1, 4.5].map((p) =>
      Array.from({ length: width }, (_, i) => {
        const angle = p * 10000 ** ((-2 * Math.floor(i / 2)) / width)
        return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
      }),
    )
    near(nn.sinusoidal(T.tensor([0, 1, 4.5]), width), rows.flat())
    const halves = rows.map((r) => [...r.filter((_, i) => i % 2 === 0), ...r.filter((_, i) => i % 2 === 1)])
    near(nn.sinusoidal(T.tensor([0, 1, 4.5]), width, { interleaved: false }), halves.flat())
  })

  test('of any rank, empty too', () => {
    expect(nn.sinusoidal(T.zeros([2, 0]), 4).shape).toEqual([2, 0, 4])
    expect(nn.sinusoidal(T.arange(3), 0).shape).toEqual([3, 0])
    const shape: readonly [3, 4] = nn.sinusoidal(T.zeros([3]), 4).shape
    expect(shape).toEqual([3, 4])
  })

  test('a width that is none is refused', () => {
    expect(() => nn.sinusoidal(T.arange(3), 2.5)).toThrow('nn.sinusoidal: the width is 2.5, not a whole number')
  })
})
