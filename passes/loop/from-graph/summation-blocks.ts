/**
 * Blocked order of long float reductions: an axis becomes several ranges, each level of which has its own accumulators, as
 * in a tree. One accumulator over n elements gathers the rounding of n sums; levels of 16 gather that of 16·log n.
 */
import { dimMul, pointsOf, sizeOf } from '../../../src/lang/dim.ts'
import type { Range } from '../ir/cluster.ts'

/** Below this many elements one level is enough. */
const longest = 256
/** About how many elements a level takes, and the most it takes. */
const level = 16
const widest = 32

/** The divisor of `n` nearest to `level`, whole vectors first; undefined where there is none of a fit size. */
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

/** Sizes whose product is `n`, outermost first, none above 32 where `n` has fit divisors. */
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

/** The sizes of each of the axes of a reduction; every axis whole where the reduction is short. */
export const blockAxes = (sizes: readonly number[]): readonly (readonly number[])[] => {
  const count = sizeOf(sizes)
  return sizes.map((n) => (count < longest ? [n] : blockSizes(n)))
}

/** Ranges, outermost first, in levels of about 16 elements: the last level is reduced first. One level where it is short. */
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
