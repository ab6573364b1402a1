/** How elements lie in device memory, and the way there and back: bool as 0/1 words, f16 as halves, bf16, i8 and u8 packed. */
import { alignUp } from '../lang/dim.ts'
import { byteSize, type DType, type HostArray, type HostArrayOf } from '../lang/dtype.ts'
import { fromHalf, toHalf } from '../lang/half.ts'
import { packWords, unpackWords, wordCount } from '../lang/pack.ts'

/** Bytes that `count` elements take in copies, which move whole words. */
export const paddedBytes = (dtype: DType, count: number): number => alignUp(count * byteSize(dtype), 4)

/** What is written to a device. */
export type Words =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>

/** Flat values of any host form; shorts are integers of 32 bits on the device. */
export type HostValues = HostArray | Int16Array | Uint16Array | readonly number[] | readonly boolean[]

/** Whether a device can take `values` as they are: Dawn crashes on memory that is shared between threads. */
const isOwn = (values: HostValues): boolean => ArrayBuffer.isView(values) && values.buffer instanceof ArrayBuffer

/** Device words of `values`; the array itself where it already holds them. Integers are taken modulo 2^32 (2^8). */
export const encode = (dtype: DType, values: HostValues): Words => {
  switch (dtype) {
    case 'f32':
      return values instanceof Float32Array && isOwn(values)
        ? (values as Float32Array<ArrayBuffer>)
        : Float32Array.from(values as ArrayLike<number>)
    case 'i32':
      return values instanceof Int32Array && isOwn(values)
        ? (values as Int32Array<ArrayBuffer>)
        : Int32Array.from(values as ArrayLike<number>)
    case 'u32':
      return values instanceof Uint32Array && isOwn(values)
        ? (values as Uint32Array<ArrayBuffer>)
        : Uint32Array.from(values as ArrayLike<number>)
    case 'bool': {
      const words = new Uint32Array(values.length)
      for (let i = 0; i < words.length; i++) words[i] = values[i] === 0 || values[i] === false ? 0 : 1
      return words
    }
    case 'f16': {
      const halves = new Uint16Array(alignUp(values.length, 2))
      for (let i = 0; i < values.length; i++) halves[i] = toHalf(Number(values[i]))
      return halves
    }
    case 'bf16':
    case 'i8':
    case 'u8':
      return packWords(dtype, values)
  }
}

/** A host array of `count` elements read from `bytes` at `from` (a multiple of 4); shares nothing with `bytes`. */
export const decode = (
  dtype: DType,
  { buffer: bytes, byteOffset }: Uint8Array,
  from: number,
  count: number,
): HostArrayOf<DType> => {
  const offset = byteOffset + from
  switch (dtype) {
    case 'f32':
      return new Float32Array(bytes, offset, count).slice()
    case 'i32':
      return new Int32Array(bytes, offset, count).slice()
    case 'u32':
      return new Uint32Array(bytes, offset, count).slice()
    case 'bool':
      return Uint8Array.from(new Uint32Array(bytes, offset, count))
    case 'f16':
      return Float32Array.from(new Uint16Array(bytes, offset, count), fromHalf)
    case 'bf16':
    case 'i8':
    case 'u8':
      return unpackWords(dtype, new Uint32Array(bytes, offset, wordCount(dtype, count)), count)
  }
}
