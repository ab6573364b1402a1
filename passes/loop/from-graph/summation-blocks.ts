/**
 * Blocked summation of long float reductions: an axis becomes several ranges, each level with its own accumulators, as
 * in a tree. The rounding error of one accumulator grows with n, that of levels of 16 elements with 16·log n.
 */
import { dimMul, pointsOf, sizeOf } from '../../../src/lang/dim.ts'
import type { Range } from '../ir/cluster.ts'

/** Below this many elements a single level is accurate enough. */
const longest = 256
/** The target and the maximum number of elements per level. */
const level = 16
const widest = 32

/**
 * The divisor of `n` nearest to `level`, multiples of four preferred; undefined where no divisor has a suitable size.
 */
const blockOf = (n: number): number | undefined => {
  let best: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (let d = 4; d <= Math.min(widest, n / 2); d++) {
    if (n % d !== 0) continue
    const distance = Math.abs(Math.log(d / level)) + (n % 4 === 0 && d % 4 !== 0 ? 10 : 0)
    if (distance >= least) continue
    best = d
    least = distance
  }
  return best
}

/** Block sizes whose product is `n`, outermost first, none above 32 where `n` has suitable divisors. */
export const blockSizes = (n: number): readonly number[] => {
  const inner: number[] = []
  let rest = n
  while (rest > widest) {
    const block = blockOf(rest)
    if (block === undefined) break
    inner.unshift(block)
    rest /= block
  }
  return [rest, ...inner]
}

/** The block sizes of each reduced axis; axes of a short reduction are not split. */
export const blockAxes = (sizes: readonly number[]): readonly (readonly number[])[] => {
  const count = sizeOf(sizes)
  return sizes.map((n) => (count < longest ? [n] : blockSizes(n)))
}

/**
 * Groups ranges, outermost first, into levels of about 16 elements; the last level is reduced first. A short reduction
 * has one level.
 */
export const levelsOf = (ranges: readonly Range[]): readonly (readonly Range[])[] => {
  if (pointsOf(ranges) < longest) return [ranges]
  const levels: Range[][] = []
  let elements = Number.POSITIVE_INFINITY
  for (const r of ranges.toReversed()) {
    if (dimMul(elements, r.size) > widest) {
      levels.unshift([])
      elements = 1
    }
    levels[0]!.unshift(r)
    elements = dimMul(elements, r.size)
  }
  return levels
}
