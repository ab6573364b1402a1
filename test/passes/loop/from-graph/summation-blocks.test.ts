/** The levels of long reductions: sizes multiply to the axis, none is long where there are divisors, short ones stay whole. */
import { describe, expect, test } from 'vitest'
import { blockAxes, blockSizes, levelsOf } from '../../../../passes/loop/from-graph/summation-blocks.ts'
import type { Range } from '../../../../passes/loop/ir/cluster.ts'

const ranges = (sizes: readonly number[]): readonly Range[] => sizes.map((size, id) => ({ id, size }))
const sizesOf = (levels: readonly (readonly Range[])[]): readonly (readonly number[])[] =>
  levels.map((l) => l.map((r) => r.size))

describe('blocks', () => {
  test.each([
    [1000, [2, 25, 20]],
    [1024, [4, 16, 16]],
    [784, [7, 7, 16]],
    [509, [509]],
    [2 * 509, [1018]],
    [32, [32]],
    [1, [1]],
  ])('of %d', (n, want) => {
    expect(blockSizes(n)).toEqual(want)
  })

  test('whole vectors lie innermost', () => {
    for (let n = 64; n < 3000; n += 4) {
      const sizes = blockSizes(n)
      expect(sizes.reduce((a, b) => a * b, 1)).toBe(n)
      expect(sizes.at(-1)! % 4, `${n} as ${sizes}`).toBe(0)
    }
  })

  test('short reductions stay whole', () => {
    expect(blockAxes([5, 40])).toEqual([[5], [40]])
    expect(blockAxes([5, 80])).toEqual([[5], [5, 16]])
    expect(sizesOf(levelsOf(ranges([5, 40])))).toEqual([[5, 40]])
  })

  test('levels gather small axes', () => {
    expect(sizesOf(levelsOf(ranges([2, 2, 2, 5, 10, 20])))).toEqual([[2], [2, 2, 5], [10], [20]])
    expect(sizesOf(levelsOf(ranges([4, 4, 4, 4])))).toEqual([
      [4, 4],
      [4, 4],
    ])
    expect(sizesOf(levelsOf(ranges([509])))).toEqual([[509]])
  })
})
