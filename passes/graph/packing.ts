/**
 * Packing of narrow dtypes: how elements are extracted from 32-bit words and inserted again, and how a value computed
 * in the wide dtype is brought back into the range and precision of the packed one.
 */
import { build as b, typeOf } from '../../src/lang/build.ts'
import { type Shape, sizeOf } from '../../src/lang/dim.ts'
import { byteSize, integerRange, kernelDType, type PackedDType } from '../../src/lang/dtype.ts'
import type { Node } from '../../src/lang/ir.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import { perWord, wordCount } from '../../src/lang/pack.ts'
import { reshapeTo } from './rules/match.ts'

const like = (n: Node, value: number): Node => fill(b, typeOf(n), value)
const and = (n: Node, mask: number): Node => b.and([n, like(n, mask)], {})
const left = (n: Node, by: number): Node => (by === 0 ? n : b.shiftLeft([n, like(n, by)], {}))
const right = (n: Node, by: number): Node => b.shiftRight([n, like(n, by)], {})
const bits = (n: Node): Node => (typeOf(n).dtype === 'u32' ? n : b.bitcast([n], { dtype: 'u32' }))

/**
 * An f32 rounded to the nearest number of 8 significant bits, ties to even: half a unit is added to the word, and the
 * lower half cut off. A NaN gets its quiet bit instead, as the sum would carry one with a full fraction into the
 * exponent.
 */
const roundedToBf16 = (n: Node): Node => {
  const word = bits(n)
  const half = b.add([like(word, 0x7fff), and(right(word, 16), 1)], {})
  const number = b.le([and(word, 0x7fffffff), like(word, 0x7f800000)], {})
  const kept = b.select([number, b.add([word, half], {}), b.or([word, like(word, 0x400000)], {})], {})
  return b.bitcast([and(kept, 0xffff0000)], { dtype: 'f32' })
}

/** `n`, of the wide dtype, as a value representable in `dtype`: integers wrap modulo 256, bf16 is rounded. */
export const settled = (n: Node, dtype: PackedDType): Node => {
  switch (dtype) {
    case 'i8':
      return right(left(n, 24), 24)
    case 'u8':
      return and(n, 0xff)
    case 'bf16':
      return roundedToBf16(n)
  }
}

/** `n`, an integer converted from a float, saturated to the range of `dtype`. */
export const saturated = (n: Node, dtype: 'i8' | 'u8'): Node => {
  const [low, high] = integerRange[dtype]
  const capped = b.min([n, like(n, high)], {})
  return low === 0 ? capped : b.max([capped, like(n, low)], {})
}

/** The elements of `shape` that lie in `words`, in the wide dtype. */
export const unpacked = (words: Node, shape: Shape, dtype: PackedDType): Node => {
  const [count, each, width] = [sizeOf(shape), perWord(dtype), 8 * byteSize(dtype)]
  const spread: Shape = [wordCount(dtype, count), each]
  const all = b.broadcast([words], { shape: spread, axes: [1] })
  // Shift the element to the top of the word first, then down with sign extension.
  const position = b.iota([], { shape: spread, dtype: 'u32', axis: 1 })
  const above = b.sub([like(position, 32 - width), b.mul([position, like(position, width)], {})], {})
  const top = b.shiftLeft([all, above], {})
  const elements = dtype === 'bf16' ? and(top, 0xffff0000) : dtype === 'u8' ? right(top, 24) : top
  const flat = b.reshape([elements], { shape: [spread[0]! * each] })
  const whole = b.slice([flat], { start: [0], stop: [count], step: [1] })
  const shaped = b.reshape([whole], { shape })
  if (dtype === 'u8') return shaped
  const typed = b.bitcast([shaped], { dtype: kernelDType(dtype) })
  return dtype === 'i8' ? right(typed, 24) : typed
}

/**
 * The words that hold the elements of `n`, which are representable in `dtype`. One invocation assembles a whole word.
 */
export const packed = (n: Node, dtype: PackedDType): Node => {
  const [count, each, width] = [sizeOf(typeOf(n).shape), perWord(dtype), 8 * byteSize(dtype)]
  const words = wordCount(dtype, count)
  const missing = words * each - count
  const flat = reshapeTo(b, n, [count])
  const filled = missing === 0 ? flat : b.pad([flat], { low: [0], high: [missing], interior: [0], value: 0 })
  const parts = Array.from({ length: each }, (_, i) => {
    const stop = words === 0 ? 0 : (words - 1) * each + i + 1
    const part = bits(b.slice([filled], { start: [Math.min(i, stop)], stop: [stop], step: [each] }))
    if (dtype === 'bf16') return i === 0 ? right(part, 16) : and(part, 0xffff0000)
    return left(dtype === 'i8' ? and(part, 0xff) : part, width * i)
  })
  return parts.reduce((x, y) => b.or([x, y], {}))
}
