/** Random numbers against JAX's (0.10, partitionable Threefry), and their distributions by statistics. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/lang/tensor/index.ts'
import * as nn from '../../../../src/nn/index.ts'
import * as random from '../../../../src/random/index.ts'
import { flat, nested } from '../run.ts'

const key = random.key(42)

describe("JAX's numbers for key 42", () => {
  test('keys', () => {
    expect(flat(key)).toEqual([0, 42])
    expect(flat(random.key(2 ** 32 + 5))).toEqual([1, 5])
    expect(nested(random.split(key, 3))).toEqual([
      [1832780943, 270669613],
      [64467757, 2916123636],
      [2465931498, 255383827],
    ])
    expect(random.splitList(key, 2).map(flat)).toEqual([
      [1832780943, 270669613],
      [64467757, 2916123636],
    ])
    expect(flat(random.foldIn(key, 7))).toEqual([2547012911, 1371500959])
    expect(flat(random.foldIn(key, T.tensor(7)))).toEqual([2547012911, 1371500959])
  })

  test('bits do not depend on how many are drawn', () => {
    const five = [2098992034, 2919706841, 2646866425, 2409546199, 1935504149]
    expect(flat(random.bits(key, [5]))).toEqual(five)
    expect(nested(random.bits(key, [2, 3]))).toEqual([five.slice(0, 3), [...five.slice(3), 2516274904]])
    expect(flat(random.bits(key, [0]))).toEqual([])
    expect(nested(random.bits(key, []))).toBe(five[0])
  })

  test('distributions', () => {
    expect(flat(random.uniform(key, [4]))).toEqual([
      0.48870956897735596, 0.6797971725463867, 0.6162714958190918, 0.5610160827636719,
    ])
    // erfinv rounds differently in its last bits.
    const normal = [
      -0.02830461598932743, 0.4671318531036377, 0.2957029640674591, 0.15354591608047485, -0.12403281778097153,
    ]
    flat(random.normal(key, [5])).forEach((v, i) => {
      expect(Math.abs(v / normal[i]! - 1)).toBeLessThan(4e-7)
    })
    expect(flat(random.randint(key, [8], { low: -3, high: 10 }))).toEqual([8, 9, 9, 6, -1, 7, 4, -1])
    expect(flat(random.bernoulli(key, [10], { p: 0.3 }))).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    const logits = T.log(
      T.tensor([
        [0.1, 0.2, 0.7],
        [0.5, 0.25, 0.25],
        [1, 1, 1],
      ]),
    )
    expect(flat(random.categorical(key, { logits }))).toEqual([2, 0, 1])
  })
})

const moments = (xs: readonly number[]): readonly [number, number, number, number] => {
  const n = xs.length
  const mean = xs.reduce((a, b) => a + b, 0) / n
  const central = (k: number): number => xs.reduce((a, x) => a + (x - mean) ** k, 0) / n
  const variance = central(2)
  return [mean, variance, central(3) / variance ** 1.5, central(4) / variance ** 2]
}

describe('distributions of 20,000 draws, within five standard errors', () => {
  const n = 20_000
  const se = 5 / Math.sqrt(n)
  test('normal: mean 0, variance 1, skewness 0, kurtosis 3', () => {
    const [mean, variance, skewness, kurtosis] = moments(flat(random.normal(random.key(1), [n])))
    expect(Math.abs(mean)).toBeLessThan(se)
    expect(Math.abs(variance - 1)).toBeLessThan(se * Math.SQRT2)
    expect(Math.abs(skewness)).toBeLessThan(se * Math.sqrt(6))
    expect(Math.abs(kurtosis - 3)).toBeLessThan(se * Math.sqrt(24))
  })

  test('uniform: within bounds, mean in the middle, variance width²/12', () => {
    const xs = flat(random.uniform(random.key(2), [n], { low: -1, high: 3 }))
    const [mean, variance] = moments(xs)
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...xs)).toBeLessThan(3)
    expect(Math.abs(mean - 1)).toBeLessThan(se * Math.sqrt(16 / 12))
    expect(Math.abs(variance - 16 / 12)).toBeLessThan(0.05)
  })

  test('dropout keeps the mean: kept elements are divided by their probability', () => {
    const y = flat(nn.dropout(T.ones([n]), random.key(3), { p: 0.3 }))
    expect([...new Set(y)].sort()).toEqual([0, Math.fround(1 / Math.fround(0.7))])
    expect(Math.abs(moments(y)[0] - 1)).toBeLessThan(0.03)
    expect(nn.dropout(T.ones([3]), key, { training: false })).toBe(T.ones([3]))
  })

  test('initial weights have the variance their names promise', () => {
    const shape = [200, 100] as const
    const variance = (x: Parameters<typeof flat>[0]): number => moments(flat(x))[1]
    expect(variance(nn.xavierUniform(random.key(4), shape))).toBeCloseTo(2 / 300, 3)
    expect(variance(nn.xavierNormal(random.key(5), shape))).toBeCloseTo(2 / 300, 3)
    expect(variance(nn.heUniform(random.key(6), shape))).toBeCloseTo(2 / 100, 3)
    expect(variance(nn.heNormal(random.key(7), shape))).toBeCloseTo(2 / 100, 3)
    const { weight, bias } = nn.linearInit(random.key(8), 100, 50)
    expect([weight.shape, bias.shape]).toEqual([[50, 100], [50]])
    expect(Math.max(...flat(weight).map(Math.abs))).toBeLessThanOrEqual(0.1)
  })
})
