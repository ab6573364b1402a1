/** Neighbours of floats against the bits of a typed array. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/lang/tensor/index.ts'
import { flat, mistakeOf } from '../run.ts'

const words = new Int32Array(1)
const floats = new Float32Array(words.buffer)
const ofBits = (bits: number): number => {
  words[0] = bits
  return floats[0]!
}
const largest = ofBits(0x7f7fffff)
const inf = Number.POSITIVE_INFINITY

test.each([
  [1, 2, ofBits(0x3f800001)],
  [1, 0, ofBits(0x3f7fffff)],
  [-1, 2, -ofBits(0x3f7fffff)],
  [-1, -2, -ofBits(0x3f800001)],
  [3, 3, 3],
  [0, 1, ofBits(1)],
  [0, -1, -ofBits(1)],
  [-0, 1, ofBits(1)],
  [-ofBits(1), 1, -0],
  [ofBits(1), -1, 0],
  [0, -0, -0],
  [largest, inf, inf],
  [inf, 0, largest],
  [-inf, 0, -largest],
  [inf, inf, inf],
  [Number.NaN, 1, Number.NaN],
  [1, Number.NaN, Number.NaN],
])('the float after %d towards %d is %d', (a, b, want) => {
  expect(flat(T.nextafter(T.full([1], a), T.full([1], b)))).toEqual([want])
})

test('16-bit floats are refused', () => {
  expect(mistakeOf(T.nextafter(T.zeros([1], { dtype: 'f16' }), T.zeros([1], { dtype: 'f16' }))).hint).toContain('f32')
})
