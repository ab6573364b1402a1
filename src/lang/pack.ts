/** How bf16, i8 and u8 lie in memory: two or four elements a 32-bit word, the first in the lowest bits. */

import { fromBfloat16, toBfloat16 } from './bfloat16.ts'
import { ceilDiv, floorDiv } from './dim.ts'
import { byteSize, type HostArrayOf, type PackedDType } from './dtype.ts'

/** Elements that share one word. */
export const perWord = (dtype: PackedDType): number => 4 / byteSize(dtype)

/** Words that `count` elements take; the last one is filled up with zeros. */
export const wordCount = (dtype: PackedDType, count: number): number => ceilDiv(count, perWord(dtype))

/** The words that hold `values`: integers modulo 256, floats rounded to the nearest bf16. */
export const packWords = (dtype: PackedDType, values: ArrayLike<number | boolean>): Uint32Array<ArrayBuffer> => {
  const words = new Uint32Array(wordCount(dtype, values.length))
  const [count, width] = [perWord(dtype), 8 * byteSize(dtype)]
  const bits = dtype === 'bf16' ? toBfloat16 : (x: number): number => x & 0xff
  for (let i = 0; i < values.length; i++) {
    const at = floorDiv(i, count)
    words[at] = words[at]! | (bits(Number(values[i])) << (width * (i % count)))
  }
  return words
}

/** The first `count` elements that `words` hold: bf16 as f32. */
export const unpackWords = (dtype: PackedDType, words: Uint32Array, count: number): HostArrayOf<PackedDType> => {
  const out = dtype === 'bf16' ? new Float32Array(count) : dtype === 'i8' ? new Int8Array(count) : new Uint8Array(count)
  const [each, width] = [perWord(dtype), 8 * byteSize(dtype)]
  for (let i = 0; i < count; i++) {
    const bits = words[floorDiv(i, each)]! >>> (width * (i % each))
    out[i] = dtype === 'bf16' ? fromBfloat16(bits & 0xffff) : bits
  }
  return out
}
