/** Arithmetic on sizes, at its edges. */
import { expect, it } from 'vitest'
import {
  alignDown,
  alignUp,
  ceilDiv,
  ceilLog2,
  ceilSqrt,
  floorDiv,
  isDim,
  pointsOf,
  productOf,
  sizeAlong,
  sizeOf,
  stepCount,
  windowCount,
} from '../../src/lang/dim.ts'

it('a size is a whole number from 0 on', () => {
  expect([0, 3, -1, 1.5, Number.NaN, '2'].map(isDim)).toEqual([true, true, false, false, false, false])
})

it('products of nothing are 1, and of anything empty 0', () => {
  expect([sizeOf([]), sizeAlong([2, 3], []), pointsOf([]), productOf([], () => 5)]).toEqual([1, 1, 1, 1])
  expect([sizeOf([2, 0, 3]), sizeOf([2, 3, 4]), sizeAlong([2, 3, 4], [2, 0])]).toEqual([0, 24, 8])
  expect([pointsOf([{ size: 3 }, { size: 5 }]), productOf('abc', (c) => c.charCodeAt(0) - 95)]).toEqual([15, 24])
})

it('divides down and up, below zero too', () => {
  expect([7, 8, 9, -1, -8].map((n) => floorDiv(n, 8))).toEqual([0, 1, 1, -1, -1])
  expect([0, 7, 8, 9, -9].map((n) => ceilDiv(n, 8))).toEqual([0, 1, 1, 2, -1])
  expect([0, 7, 8, 9].map((n) => alignUp(n, 8))).toEqual([0, 8, 8, 16])
  expect([0, 7, 8, 9].map((n) => alignDown(n, 8))).toEqual([0, 0, 8, 8])
})

it('rounds logarithms and roots up', () => {
  expect([1, 2, 3, 4, 5, 1024, 1025].map(ceilLog2)).toEqual([0, 1, 2, 2, 3, 10, 11])
  expect([0, 1, 2, 4, 5, 1e6].map(ceilSqrt)).toEqual([0, 1, 2, 2, 3, 1000])
})

it('counts steps as a loop takes them', () => {
  const looped = (from: number, to: number, step: number): number => {
    let count = 0
    for (let i = from; step > 0 ? i < to : i > to; i += step) count++
    return count
  }
  for (const [from, to, step] of [[0, 10, 3], [0, 9, 3], [5, 5, 1], [7, 2, 1], [9, -1, -2], [2, 7, -1]] as const) // biome-ignore format: a table
    expect(stepCount(from, to, step)).toBe(looped(from, to, step))
})

it('a window that is wider than its axis has no position', () => {
  expect([windowCount(5, 3, 1, 1), windowCount(5, 3, 2, 2), windowCount(5, 3, 1, 3)]).toEqual([3, 1, 0])
})
