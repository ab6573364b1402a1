/** Clipping by parts, and steps as long as what they change. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'

type X = T.Tensor
const vector = (...xs: readonly number[]): X => T.tensor(xs as number[], { dtype: 'f32' }) as X

describe('clipping by parts', () => {
  const [a, b] = [vector(3, 4), vector(0.3, 0.4)]
  const clip = (stage: optim.Transform): readonly (readonly number[])[] => {
    const [u] = stage.apply({ a, b }, stage.init({ a, b }), { a, b }, T.tensor(0) as X)
    return (T.reference([u.a, u.b]) as T.HostTensor[]).map((x) => Array.from(x.data))
  }
  const close = (...xs: readonly number[]): readonly unknown[] => xs.map((x) => expect.closeTo(x, 5))
  it('by the norm of each', () => {
    expect(clip(optim.clipByNorm(1))).toEqual([close(0.6, 0.8), close(0.3, 0.4)])
  })
  it('by the root mean square of each', () => {
    expect(clip(optim.clipByBlockRms(1))).toEqual([close(3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)), close(0.3, 0.4)])
  })
  it('by the norm of a part', () => {
    expect(clip(optim.masked(optim.clipByGlobalNorm(0.25), { a: false, b: true }))).toEqual([[3, 4], close(0.15, 0.2)])
  })
  it('of nothing, of zeros, and of what has no square in f32', () => {
    for (const stage of [optim.clipByNorm(1), optim.clipByBlockRms(1), optim.scaleByTrustRatio()]) {
      const u = [T.zeros([0]), vector(0, 0), vector(3e30, -4e30)] as const
      const [got] = stage.apply(u, stage.init(u), u, T.tensor(0) as X)
      const data = (T.reference([...got]) as T.HostTensor[]).map((x) => Array.from(x.data))
      expect(data.flat().every(Number.isFinite)).toBe(true)
      expect(data.map((x) => x.length)).toEqual([0, 2, 2])
    }
  })
})
