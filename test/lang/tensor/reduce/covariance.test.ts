/** Covariances and correlations against loops in Float64. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const rows = [
  [1.5, 2, -0.5, 4, 3],
  [0, 1, 2.5, -2, 0.25],
  [10, 8, 9, 12, 11],
]
const x = T.tensor(rows) as Tensor
const f = [1, 2, 0, 3, 1]
const a = [0.5, 1, 2, 0.25, 1]

/** numpy.cov, term by term. */
const oracle = (correction: number, fs: readonly number[], as: readonly number[]): readonly number[] => {
  const w = fs.map((v, i) => v * as[i]!)
  const total = w.reduce((p, q) => p + q, 0)
  const taken = w.reduce((p, q, i) => p + q * as[i]!, 0) / total
  const centred = rows.map((r) => {
    const mean = r.reduce((p, q, i) => p + q * w[i]!, 0) / total
    return r.map((v) => v - mean)
  })
  return centred.flatMap((r) =>
    centred.map((s) => r.reduce((p, v, i) => p + v * s[i]! * w[i]!, 0) / (total - correction * taken)),
  )
}
const ones = rows[0]!.map(() => 1)
const close = (got: Tensor, want: readonly number[]): void =>
  flat(got).forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 4)
  })

describe('cov', () => {
  const [fweights, aweights] = [T.tensor(f), T.tensor(a) as Tensor]
  test('with every weight and correction', () => {
    close(T.cov(x), oracle(1, ones, ones))
    close(T.cov(x, { correction: 0 }), oracle(0, ones, ones))
    close(T.cov(x, { fweights }), oracle(1, f, ones))
    close(T.cov(x, { aweights }), oracle(1, ones, a))
    close(T.cov(x, { fweights, aweights, correction: 0 }), oracle(0, f, a))
    close(T.cov(T.matrixTranspose(x) as Tensor, { rowvar: false, aweights }), oracle(1, ones, a))
  })
  test('of a vector, of whole numbers, of one observation', () => {
    expect(nested(T.cov(T.tensor([1, 2, 4])))).toBeCloseTo(7 / 3, 5)
    expect(T.cov(T.tensor([[1, 2]])).shape).toEqual([1, 1])
    expect(T.cov(T.tensor([[1, 2]])).dtype).toBe('f32')
    expect(flat(T.cov(T.tensor([[1], [2]])))).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
    expect(T.cov(T.zeros([0, 3])).shape).toEqual([0, 0])
  })
  test('what it refuses', () => {
    expect(mistakeOf(T.cov(T.zeros([2, 2, 2])))).toMatchObject({ op: 'T.cov' })
    expect(mistakeOf(T.cov(x, { aweights: T.ones([3]) }))).toMatchObject({ op: 'T.cov' })
    expect(mistakeOf(T.cov(x, { fweights: T.ones([5, 1]) }))).toMatchObject({ op: 'T.cov' })
  })
})

describe('corrcoef', () => {
  test('is covariance over deviations', () => {
    const c = oracle(1, ones, ones)
    close(
      T.corrcoef(x),
      c.map((v, k) => v / Math.sqrt(c[4 * Math.floor(k / 3)]! * c[4 * (k % 3)]!)),
    )
    expect(nested(T.corrcoef(T.tensor([3, 5, 9])))).toBeCloseTo(1, 6)
    expect(
      flat(
        T.corrcoef(
          T.tensor([
            [1, 1],
            [1, 2],
          ]),
        ),
      )[0],
    ).toBeNaN()
    const exact = flat(
      T.corrcoef(
        T.tensor([
          [1, 2, 3],
          [-2, -4, -6],
        ]),
      ),
    )
    expect(exact.every((v) => Math.abs(v) <= 1)).toBe(true)
    expect(mistakeOf(T.corrcoef(T.zeros([1, 1, 1])))).toMatchObject({ op: 'T.corrcoef' })
  })
})

test('gradients and batches', () => {
  const w = T.tensor(a) as Tensor
  checkGrad(((y: Tensor, v: Tensor) => [T.cov(y), T.cov(y, { aweights: v }), T.corrcoef(y)]) as never, [x, w])
  checkVmap((y: Tensor) => [T.cov(y), T.corrcoef(y)] as never, [T.stack([x, T.mul(x, x) as Tensor]) as Tensor])
})
