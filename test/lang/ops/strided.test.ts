/** Offsets of strided views against the sum of index times stride, index by index. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stridedOffsets, take } from '../../../src/lang/ops/strided.ts'
import { indices, runs, shapes, type } from './rules.ts'

it('lists base + Σ index·stride in row-major order', () => {
  const cases = shapes.chain((shape) =>
    fc.tuple(
      fc.constant(shape),
      fc.tuple(...shape.map(() => fc.integer({ min: -9, max: 9 }))),
      fc.integer({ min: -5, max: 5 }),
    ),
  )
  fc.assert(
    fc.property(cases, ([shape, strides, base]) => {
      const want = indices(shape).map((i) => i.reduce((sum, k, a) => sum + k * strides[a]!, base))
      expect(Array.from(stridedOffsets(shape, strides, base))).toEqual(want)
    }),
    runs,
  )
})

it('takes into the array of the dtype', () => {
  const taken = take(type([2], 'u32'), Float64Array.of(1, 2, 3), Int32Array.of(2, 0))
  expect(taken).toEqual(Uint32Array.of(3, 1))
})
