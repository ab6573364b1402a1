/** Initial weights: their moments and bounds, their cases among one another, orthonormal rows or columns. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { flat } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const key = random.key(5)

/** Mean and deviation of the elements, and the greatest of them. */
const moments = (x: Tensor) => {
  const values = flat(x)
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
  return { mean, std, most: Math.max(...values.map(Math.abs)) }
}

describe('varianceScaling', () => {
  const fans = { fanIn: 45, fanOut: 180, fanAvg: 112.5 } as const
  test.each(
    (['fanIn', 'fanOut', 'fanAvg'] as const).flatMap((mode) =>
      (['truncatedNormal', 'normal', 'uniform'] as const).map((distribution) => [mode, distribution] as const),
    ),
  )('%s, %s', (mode, distribution) => {
    const got = moments(nn.varianceScaling(key, [20, 5, 3, 3], { scale: 2, mode, distribution }))
    const deviation = Math.sqrt(2 / fans[mode])
    expect(Math.abs(got.mean)).toBeLessThan(0.15 * deviation)
    expect(got.std / deviation).toBeCloseTo(1, 1)
    const bounds = { truncatedNormal: 2 / 0.8796256610342398, normal: 6, uniform: Math.sqrt(3) }
    expect(got.most).toBeLessThanOrEqual(bounds[distribution] * deviation * (1 + 1e-6))
    expect(got.most).toBeGreaterThan(0.9 * Math.min(2.2, bounds[distribution]) * deviation)
  })

  test('the others are cases of it', () => {
    const shape = [6, 4] as const
    const same = (a: Tensor, b: Tensor): void => near(a, flat(b))
    same(nn.varianceScaling(key, shape, { mode: 'fanAvg', distribution: 'uniform' }), nn.xavierUniform(key, shape))
    same(nn.varianceScaling(key, shape, { scale: 2, distribution: 'normal' }), nn.heNormal(key, shape))
    same(nn.varianceScaling(key, shape), nn.lecunNormal(key, shape))
    same(
      nn.varianceScaling(key, shape, { scale: 9, distribution: 'uniform' }),
      nn.lecunUniform(key, shape, { gain: 3 }),
    )
  })

  test('no units, no choice of that name', () => {
    expect(nn.varianceScaling(key, [3, 0]).shape).toEqual([3, 0])
    expect(flat(nn.lecunNormal(key, [0, 3]))).toEqual([])
    expect(() => nn.varianceScaling(key, [2, 2], { mode: 'fan' as never })).toThrow(
      "nn.varianceScaling: the mode is 'fan'",
    )
    expect(() => nn.lecunNormal(key, 3 as never)).toThrow('nn.lecunNormal: the shape is 3')
  })
})

describe('truncatedNormal', () => {
  test('is cut where it is told to be', () => {
    const x = nn.truncatedNormal(key, [2000], { mean: 1, std: 2, low: -1, high: 4 })
    const values = flat(x)
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...values)).toBeLessThanOrEqual(4)
    // Mean of N(1, 2) given [-1, 4]: 1 + 2·(φ(-1) - φ(1.5)) / (Φ(1.5) - Φ(-1))
    expect(moments(x).mean).toBeCloseTo(1 + (2 * (0.241971 - 0.129518)) / (0.933193 - 0.158655), 1)
    expect(moments(nn.truncatedNormal(key, [2000])).std).toBeCloseTo(0.8796, 1)
  })
  test('no deviation, one end alone, nothing between the ends', () => {
    expect(flat(nn.truncatedNormal(key, [2], { mean: 3, std: 0 }))).toEqual([2, 2])
    expect(
      Math.min(...flat(nn.truncatedNormal(key, [500], { low: 0, high: Number.POSITIVE_INFINITY }))),
    ).toBeGreaterThanOrEqual(0)
    expect(() => nn.truncatedNormal(key, [2], { low: 2, high: 2 })).toThrow('nothing lies between low 2 and high 2')
  })
})

describe('orthogonal', () => {
  test.each([
    [[5, 3], 1],
    [[3, 5], 2],
    [[4, 4], 1],
    [[3, 2, 2, 2], 0.5],
    [[7, 2, 1, 3], 1],
    [[1, 1], 3],
  ] as const)('%j, gain %f', (shape, gain) => {
    const w = nn.orthogonal(key, shape as readonly number[], { gain })
    expect(w.shape).toEqual(shape)
    const [rows, columns] = [shape[0], shape.slice(1).reduce((a: number, b) => a * b, 1)]
    const m = T.reshape(w, [rows, columns]) as Tensor
    const t = T.matrixTranspose(m) as Tensor
    const product = (rows <= columns ? T.matmul(m, t) : T.matmul(t, m)) as Tensor
    near(product, flat(T.mul(T.eye(Math.min(rows, columns)), gain ** 2) as Tensor))
  })
  test('of either sign: uniform over the orthogonal matrices', () => {
    const signs = Array.from({ length: 24 }, (_, i) => Math.sign(flat(nn.orthogonal(random.key(i), [2, 2]))[0]!))
    expect(signs.filter((s) => s > 0).length).toBeGreaterThan(4)
    expect(signs.filter((s) => s < 0).length).toBeGreaterThan(4)
  })
  test('empty ones, and too few axes', () => {
    expect(nn.orthogonal(key, [0, 3]).shape).toEqual([0, 3])
    expect(flat(nn.orthogonal(key, [3, 0]))).toEqual([])
    expect(() => nn.orthogonal(key, [3])).toThrow('nn.orthogonal: the shape [3] has fewer than two axes')
  })
})
