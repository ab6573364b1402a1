/** Workgroup memory of clusters side by side: as much as the largest of them needs, array by array. */
import { expect, it } from 'vitest'
import { bytesOfArrays, eitherOf } from '../../../../passes/loop/schedule/shared-arrays.ts'

const f32 = (size: number) => ({ element: 'f32x1', size })
const vec = (size: number) => ({ element: 'f32x4', size })

it('arrays of equal elements serve both clusters, the others are added', () => {
  expect(eitherOf([], [f32(3)])).toEqual([f32(3)])
  expect(eitherOf([f32(8), vec(2)], [vec(6), f32(1)])).toEqual([f32(8), vec(6)])
  expect(eitherOf([f32(8)], [f32(1), f32(9)])).toEqual([f32(8), f32(9)])
  expect(bytesOfArrays(eitherOf([f32(8), vec(2)], [vec(6), f32(1)]))).toBe(8 * 4 + 6 * 16)
  expect(
    bytesOfArrays([
      { element: 'f16x4', size: 2 },
      { element: 'i32x1', size: 3 },
    ]),
  ).toBe(28)
})
