/** Piecewise linear functions against a loop. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf } from '../run.ts'

const { POSITIVE_INFINITY: inf, NaN: nan } = Number
const [px, py] = [
  [-1, 0, 0.5, 2, 5],
  [3, -1, 4, 4, 10],
]
const [xp, fp] = [T.tensor(px), T.tensor(py, { dtype: 'f32' })] as [Tensor, Tensor]

/** numpy.interp at one place. */
const oracle = (x: number, left = py[0]!, right = py.at(-1)!): number => {
  if (Number.isNaN(x)) return nan
  if (x < px[0]!) return left
  if (x > px.at(-1)!) return right
  const i = Math.max(
    1,
    px.findIndex((p) => p >= x),
  )
  return py[i - 1]! + ((py[i]! - py[i - 1]!) / (px[i]! - px[i - 1]!)) * (x - px[i - 1]!)
}

const places = [-2, -1, -0.25, 0, 0.2, 0.5, 1, 2, 3.3, 5, 6, inf, -inf, nan]

test('between, at and beyond the points', () => {
  const got = flat(T.interp(T.tensor(places), xp, fp))
  const told = flat(T.interp(T.tensor(places), xp, fp, { left: -100, right: T.tensor(7.5) }))
  places.forEach((x, i) => {
    for (const [v, want] of [
      [got[i]!, oracle(x)],
      [told[i]!, oracle(x, -100, 7.5)],
    ] as const)
      if (Number.isNaN(want)) expect(v).toBeNaN()
      else expect(v, `at ${x}`).toBeCloseTo(want, 5)
  })
  px.forEach((x, i) => {
    expect(flat(T.interp(x, xp, fp))).toEqual([py[i]])
  })
})

test('one point, points at one place, other shapes', () => {
  expect(flat(T.interp(T.tensor([0, 1, 2]), T.tensor([1]), T.tensor([9])))).toEqual([9, 9, 9])
  const jump = T.interp(T.tensor([0.5, 1, 1.5]), T.tensor([0, 1, 1, 2]), T.tensor([0, 1, 5, 6]))
  expect(flat(jump)).toEqual([0.5, 5, 5.5])
  expect(T.interp(T.zeros([2, 0, 3]), xp, fp).shape).toEqual([2, 0, 3])
})

test('what it refuses', () => {
  for (const bad of [
    T.interp(1, xp, T.ones([4])),
    T.interp(1, T.zeros([0]), T.zeros([0])),
    T.interp(1, T.ones([2, 2]), T.ones([2, 2])),
    T.interp(T.ones([2]), xp, fp, { left: T.ones([3]) }),
  ])
    expect(mistakeOf(bad)).toMatchObject({ op: 'T.interp' })
})

test('gradients of all, and batches', () => {
  const x = T.tensor([-0.3, 0.2, 1.1, 4, 9.5]) as Tensor
  checkGrad(((a: Tensor, b: Tensor, c: Tensor) => T.interp(a, b, c, { left: 1 })) as never, [x, xp, fp])
  checkVmap(((a: Tensor) => T.interp(a, xp, fp)) as never, [x])
})
