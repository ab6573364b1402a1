/** Jacobi rotations on plain arrays, and the order and signs of their results: what eigh and svd share of their meaning. */
import type { HostArray } from '../dtype.ts'

/** Rounds over all pairs: convergence is quadratic, so that many more than are ever needed cost nothing. */
export const mostSweeps = 60

/** Cosine and sine of the rotation that makes the off-diagonal of [[p, r], [r, q]] zero, by the smaller angle. */
export const rotation = (p: number, q: number, r: number): readonly [number, number] => {
  if (r === 0) return [1, 0]
  const theta = (q - p) / (2 * r)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(1, theta))
  const c = 1 / Math.hypot(1, t)
  return [c, t * c]
}

/** Turns the lines of `count` elements that start at `p` and `q`, their elements `step` apart. */
export const rotate = (
  a: HostArray,
  p: number,
  q: number,
  step: number,
  count: number,
  [c, s]: readonly [number, number],
): void => {
  for (let i = 0; i < count; i++) {
    const [x, y] = [a[p + i * step]!, a[q + i * step]!]
    a[p + i * step] = c * x - s * y
    a[q + i * step] = s * x + c * y
  }
}

/** The numbers' positions in ascending (1) or descending (-1) order, equals as they come, NaN last. */
export const sortedOrder = (values: ArrayLike<number>, direction: 1 | -1): readonly number[] =>
  Array.from(values, (_, i) => i).sort((i, j) => {
    const [a, b] = [values[i]!, values[j]!]
    const nans = Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return nans !== 0 || Number.isNaN(a) ? nans || i - j : direction * (a - b) || i - j
  })

/** 1, or -1 where the first of the largest elements of column `j` is negative. */
export const signOfColumn = (v: ArrayLike<number>, n: number, j: number): 1 | -1 => {
  let best = 0
  for (let i = 0; i < n; i++) if (Math.abs(v[i * n + j]!) > Math.abs(best)) best = v[i * n + j]!
  return best < 0 ? -1 : 1
}
