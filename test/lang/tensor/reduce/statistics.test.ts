/** Norms of negative order where an element is 0. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat, nested } from '../run.ts'

test.each([-1, -2, -0.5])('the norm of order %d is 0 where an element is, with gradient 0', (p) => {
  const x = T.tensor(
    [
      [0, 1, -2],
      [0, 0, 0],
      [1, -2, 2],
    ],
    { dtype: 'f32' },
  )
  const norms = flat(T.vectorNorm(x, { p, axis: 1 }))
  expect(norms.slice(0, 2)).toEqual([0, 0])
  expect(norms[2]).toBeCloseTo((1 + 2 * 2 ** p) ** (1 / p), 6)
  const slopes = nested(T.grad((v: Tensor) => T.sum(T.vectorNorm(v, { p, axis: 1 })))(x)) as number[][]
  for (const row of slopes.slice(0, 2)) for (const s of row) expect(s).toBeCloseTo(0, 12)
  expect(slopes[2]!.every((s) => Math.abs(s) > 0.01)).toBe(true)
})

test('variance, std and meanVariance divide by n unless a correction is given, as the array API, NumPy and JAX do', () => {
  const x = T.tensor([
    [1.5, 2.5, 8],
    [-1, 0, 4],
  ])
  const over = { axis: 1 }
  const spreads = (y: Tensor, o: T.VarianceOptions): readonly number[][] =>
    [T.variance(y, o), T.std(y, o), T.meanVariance(y, o)[1]].map((t) => [...flat(t as Tensor)])
  const squares = [49 / 2, 14]
  for (const correction of [undefined, 0, 1, 2, 0.5]) {
    const want = squares.map((s) => Math.fround(s / (3 - (correction ?? 0))))
    const [variance, std, second] = spreads(x, correction === undefined ? over : { ...over, correction })
    for (const [i, w] of want.entries()) {
      expect(variance![i]).toBeCloseTo(w, 5)
      expect(std![i]).toBeCloseTo(Math.sqrt(w), 5)
      expect(second![i]).toBeCloseTo(w, 5)
    }
  }
  expect(spreads(T.tensor([7.5]), {})).toEqual([[0], [0], [0]])
  expect(spreads(T.tensor([7.5]), { correction: 1 })).toEqual([[Number.NaN], [Number.NaN], [Number.NaN]])
})
