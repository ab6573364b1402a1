/** Reductions without NaN against loops over what is left. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const { POSITIVE_INFINITY: inf, NaN: nan } = Number

const rows: readonly (readonly number[])[] = [
  [1.5, nan, -2, 4],
  [nan, nan, nan, nan],
  [0.25, 8, -inf, nan],
  [nan, nan, 3, nan],
  [2, 2, 1, 2],
]
const x = T.tensor(rows) as Tensor

const left = (row: readonly number[]): readonly number[] => row.filter((v) => !Number.isNaN(v))
const total = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0)
const mean = (v: readonly number[]): number => total(v) / v.length
const variance = (v: readonly number[], correction: number): number =>
  v.length <= correction ? nan : total(v.map((e) => (e - mean(v)) ** 2)) / (v.length - correction)
const middle = (v: readonly number[], q: number): number => {
  if (v.length === 0) return nan
  const sorted = [...v].sort((a, b) => a - b)
  const at = q * (v.length - 1)
  const [low, weight] = [Math.floor(at), at - Math.floor(at)]
  return weight === 0 ? sorted[low]! : sorted[low]! * (1 - weight) + sorted[low + 1]! * weight
}
const place = (row: readonly number[], best: (...v: number[]) => number): number =>
  left(row).length === 0 ? -1 : row.indexOf(best(...left(row)))

type Case = readonly [name: string, of: (y: Tensor) => Tensor, want: (row: readonly number[]) => number]

const cases: readonly Case[] = [
  ['nansum', (y) => T.nansum(y, { axis: 1 }) as Tensor, (r) => total(left(r))],
  ['nanprod', (y) => T.nanprod(y, { axis: 1 }) as Tensor, (r) => left(r).reduce((a, b) => a * b, 1)],
  ['nanmean', (y) => T.nanmean(y, { axis: 1 }) as Tensor, (r) => mean(left(r))],
  ['nanvariance', (y) => T.nanvariance(y, { axis: 1 }) as Tensor, (r) => variance(left(r), 0)],
  ['nanvariance, 1', (y) => T.nanvariance(y, { axis: 1, correction: 1 }) as Tensor, (r) => variance(left(r), 1)],
  ['nanstd', (y) => T.nanstd(y, { axis: 1 }) as Tensor, (r) => Math.sqrt(variance(left(r), 0))],
  ['nanmax', (y) => T.nanmax(y, { axis: 1 }) as Tensor, (r) => (left(r).length ? Math.max(...left(r)) : nan)],
  ['nanmin', (y) => T.nanmin(y, { axis: 1 }) as Tensor, (r) => (left(r).length ? Math.min(...left(r)) : nan)],
  ['nanargmax', (y) => T.nanargmax(y, { axis: 1 }) as Tensor, (r) => place(r, Math.max)],
  ['nanargmin', (y) => T.nanargmin(y, { axis: 1 }) as Tensor, (r) => place(r, Math.min)],
  ['nanmedian', (y) => T.nanmedian(y, { axis: 1 }), (r) => middle(left(r), 0.5)],
  ['nanquantile', (y) => T.nanquantile(y, 0.3, { axis: 1 }), (r) => middle(left(r), 0.3)],
]

describe.each(cases)('%s', (_, of, want) => {
  test('of rows, and of their columns', () => {
    flat(of(x)).forEach((v, i) => {
      const w = want(rows[i]!)
      if (Number.isFinite(w)) expect(v).toBeCloseTo(w, 5)
      else expect(v).toBe(w)
    })
  })
})

test('of everything, and with axes that stay', () => {
  const finite = T.tensor([
    [1, nan],
    [2, 3.5],
  ]) as Tensor
  expect(flat(T.nanmean(finite))).toEqual([flat(T.mean(T.tensor([1, 2, 3.5])))[0]])
  expect(nested(T.nanmax(finite, { keepdims: true }))).toEqual([[3.5]])
  expect(nested(T.nanvariance(finite, { axis: 0, keepdims: true }))).toEqual([[0.25, 0]])
  expect(flat(T.nanargmax(finite))).toEqual([3])
  expect(nested(T.nanargmin(finite, { axis: 0, keepdims: true }))).toEqual([[0, 1]])
  expect(nested(T.nanquantile(finite, [0, 1], { axis: [0, 1], keepdims: true }))).toEqual([[[1]], [[3.5]]])
})

test('of what has no NaN they are the plain ones', () => {
  const whole = T.tensor([3, 1, 2])
  expect(T.nansum(whole)).toBe(T.sum(whole))
  expect(flat(T.nanmax(whole))).toEqual([3])
  expect(T.nanargmax(whole).dtype).toBe('i32')
  expect(flat(T.nansum(T.tensor([true, true])))).toEqual([2])
  expect(flat(T.nanmean(T.zeros([0])))).toEqual([nan])
  expect(flat(T.nansum(T.zeros([0])))).toEqual([0])
  expect(flat(T.nanmax(T.full([2], nan), { initial: -1 }))).toEqual([-1])
})

test('what they refuse, they refuse by their own names', () => {
  expect(mistakeOf(T.nanmean(T.tensor([1, 2])) as Tensor)).toMatchObject({ op: 'T.nanmean' })
  expect(mistakeOf(T.nanvariance(T.tensor([1, 2])) as Tensor)).toMatchObject({ op: 'T.nanvariance' })
  expect(mistakeOf(T.nanmax(T.zeros([0])) as Tensor)).toMatchObject({ op: 'T.nanmax' })
  expect(mistakeOf(T.nanargmin(T.zeros([2, 0]), { axis: 1 }) as Tensor)).toMatchObject({ op: 'T.nanargmin' })
  expect(mistakeOf(T.nanmedian(T.zeros([0])))).toMatchObject({ op: 'T.nanmedian' })
  expect(mistakeOf(T.nansum(T.zeros([2]), { axis: 1 } as never) as Tensor)).toMatchObject({ op: 'T.nansum', axis: 1 })
})

test('NaN gets no gradient, and spoils none', () => {
  const y = T.tensor([
    [1.5, 0.25, -2, 4],
    [3, -1, 0.5, 2],
  ]) as Tensor
  const holes = T.tensor([
    [false, true, false, false],
    [false, false, false, true],
  ])
  const all = (z: Tensor): readonly Tensor[] => {
    const bad = T.where(holes, nan, z) as Tensor
    return [...cases.filter(([name]) => !name.includes('arg')).map(([, of]) => of(bad))]
  }
  checkGrad(all as never, [y])
  const slope = T.grad((z: Tensor) => T.sum(T.nanvariance(z, { axis: 1 }) as Tensor) as never)(x)
  expect(flat(slope).slice(4, 8)).toEqual([0, 0, 0, 0])
  expect(flat(slope)[1]).toBe(0)
})

test('batched', () => {
  checkVmap(
    (z: Tensor) => cases.map(([, of]) => of(z)) as never,
    [T.tensor([rows.slice(0, 2), rows.slice(3)]) as Tensor],
  )
})
