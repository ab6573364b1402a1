/** Comparison with expected values, as the goldens' README defines it. */
import type { Value } from '../../src/lang/primitive.ts'
import { dtypeOf, type Entry, type GoldenTensor, numberOf, type Tolerance } from './schema.ts'

const show = (s: readonly number[]): string => `[${s.join(', ')}]`

/** How values are compared beyond a tolerance. */
export interface CompareOptions {
  readonly tol: Tolerance
  /** Compare the sign of zero too. */
  readonly signedZero?: boolean
}

/** Whether `got` counts as `want`: NaN equals NaN, infinities their own sign, zero tolerance means equal as float32. */
export const close = (got: number, want: number, { tol, signedZero }: CompareOptions, float: boolean): boolean => {
  if (Number.isNaN(want)) return Number.isNaN(got)
  if (signedZero && want === 0) return Object.is(got, want)
  const exact = tol.rtol === 0 && tol.atol === 0
  const expected = exact && float ? Math.fround(want) : want
  if (!Number.isFinite(expected) || exact) return got === expected
  return Math.abs(got - expected) <= tol.atol + tol.rtol * Math.abs(expected)
}

/** The first difference of two flat arrays in words, or undefined. */
export const differenceOf = (
  got: ArrayLike<number>,
  want: readonly Entry[],
  options: CompareOptions,
  float: boolean,
): string | undefined => {
  if (got.length !== want.length) return `${got.length} elements, expected ${want.length}`
  let first: string | undefined
  let count = 0
  for (const [i, w] of want.entries()) {
    if (close(got[i]!, numberOf(w), options, float)) continue
    count++
    first ??= `[${i}] is ${showNumber(got[i]!)}, expected ${showNumber(numberOf(w))}`
  }
  return first === undefined ? undefined : `${first}${count > 1 ? ` (and ${count - 1} more of ${want.length})` : ''}`
}

const showNumber = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

/** Why an output is not what was expected (shape, dtype, values), or undefined. int64 and int32 count as equal. */
export const outputDifference = (got: Value, want: GoldenTensor, options: CompareOptions): string | undefined => {
  if (show(got.shape) !== show(want.shape)) return `shape ${show(got.shape)}, expected ${show(want.shape)}`
  const dtype = dtypeOf(want.dtype)
  if (got.dtype !== dtype) return `dtype ${got.dtype}, expected ${dtype} (${want.dtype})`
  return differenceOf(got.data, want.data, options, dtype === 'f32')
}

/** Gradients have the case's tolerance, floored. */
export const gradientTolerance = ({ rtol, atol }: Tolerance): Tolerance => ({
  rtol: Math.max(rtol, 1e-5),
  atol: Math.max(atol, 1e-6),
})
