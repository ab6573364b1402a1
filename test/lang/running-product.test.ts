/** Products of more numbers than Float64 has room for. */
import { expect, it } from 'vitest'
import { runningProduct } from '../../src/lang/running-product.ts'

const product = (xs: readonly number[]): number => {
  const p = runningProduct()
  for (const x of xs) p.times(x)
  return p.value()
}
const many = (x: number, n: number): readonly number[] => new Array<number>(n).fill(x)

it.each([
  [[], 1],
  [[2, 3, -4], -24],
  [[...many(1e30, 50), ...many(1e-30, 50)], 1],
  [[...many(1e-30, 50), ...many(1e30, 50)], 1],
  [[...many(1e30, 50), 0], 0],
  [many(1e30, 50), Infinity],
  [[-1, ...many(1e30, 50)], -Infinity],
  [many(1e-30, 50), 0],
  [[Infinity, 2], Infinity],
  [[Infinity, 0], NaN],
  [[NaN, 0], NaN],
  [[2 ** 600, 2 ** -600, 3], 3],
  [[2 ** -600, 2 ** 600, 3], 3],
])('case %#', (xs, expected) => {
  const p = product(xs)
  if (Number.isFinite(expected) && expected !== 0) expect(p / expected).toBeCloseTo(1, 12)
  else expect(p).toBe(expected)
})
