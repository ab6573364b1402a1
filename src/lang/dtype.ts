/** Element types, their storage sizes and the promotion lattice. */

/**
 * The element types a tensor can have. `bool` is stored as one 32-bit word (0 or 1) on the device. `bf16`, `i8` and `u8`
 * are packed into 32-bit words there and computed with as `f32`, `i32` and `u32`; results are rounded to nearest even
 * (bf16) or wrap modulo 256 (i8, u8) after every operation.
 */
export type DType = 'f32' | 'i32' | 'u32' | 'bool' | 'f16' | 'bf16' | 'i8' | 'u8'

/** All dtypes, in promotion-independent listing order. */
export const dtypes: readonly DType[] = ['f32', 'i32', 'u32', 'bool', 'f16', 'bf16', 'i8', 'u8']

/** The dtypes that exist in storage alone: several elements share a word, and kernels compute with a wider dtype. */
export type PackedDType = 'bf16' | 'i8' | 'u8'

/** The dtypes that kernels know. */
export type KernelDType = Exclude<DType, PackedDType>

/** True for `bf16`, `i8` and `u8`. */
export const isPacked = (d: DType): d is PackedDType => d === 'bf16' || d === 'i8' || d === 'u8'

/** The dtype that `d` is computed in: itself unless it is packed. */
export const kernelDType = (d: DType): KernelDType => {
  switch (d) {
    case 'bf16':
      return 'f32'
    case 'i8':
      return 'i32'
    case 'u8':
      return 'u32'
    default:
      return d
  }
}

/** Host arrays that hold the elements of a tensor: Float64Array inside the reference interpreter. */
export type HostArray = Float64Array | Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array

interface HostArrays {
  readonly f32: Float32Array
  readonly f16: Float32Array
  readonly bf16: Float32Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly i8: Int8Array
  readonly u8: Uint8Array
  readonly bool: Uint8Array
}

/** The array that results of a dtype are read into: Float32Array for all floats, Uint8Array (0 or 1) for bool. */
export type HostArrayOf<D extends DType> = HostArrays[D]

/** The dtype of what each typed array holds: shorts count as 32-bit whole numbers, doubles as f32. */
export const arrayDTypes = {
  Int8Array: 'i8',
  Uint8Array: 'u8',
  Uint8ClampedArray: 'u8',
  Int16Array: 'i32',
  Int32Array: 'i32',
  Uint16Array: 'u32',
  Uint32Array: 'u32',
  Float32Array: 'f32',
  Float64Array: 'f32',
} as const

/** True for `f32`, `f16` and `bf16`: the dtypes that have tangents. */
export const isFloat = (d: DType): boolean => d === 'f32' || d === 'f16' || d === 'bf16'

/** The dtypes of whole numbers. */
export type IntegerDType = 'i32' | 'u32' | 'i8' | 'u8'

/** The least and the largest number of each integer dtype. */
export const integerRange: Readonly<Record<IntegerDType, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i8: [-128, 127],
  u8: [0, 255],
}

/** Turns of loops are counted in i32 on every device, and results that are positions are i32: this is the last of them. */
export const lastCount: number = integerRange.i32[1]

/** True for `i32`, `u32`, `i8` and `u8`. */
export const isInteger = (d: DType): d is IntegerDType => d in integerRange

/** True for the dtypes that hold no negative number: `u32`, `u8` and `bool`. */
export const isUnsigned = (d: DType): boolean => d === 'u32' || d === 'u8' || d === 'bool'

/** The floats of 16 bits: what they are reduced to is computed in f32. */
export const isHalf = (d: DType): boolean => d === 'f16' || d === 'bf16'

/** Bytes of one element in device memory. */
export const byteSize = (d: DType): number => (d === 'i8' || d === 'u8' ? 1 : d === 'f16' || d === 'bf16' ? 2 : 4)

/** Each dtype with all that stand above it, in an order that never puts one before what stands below it. */
const above: Readonly<Record<DType, readonly DType[]>> = {
  bool: ['bool', 'u8', 'i8', 'u32', 'i32', 'f16', 'bf16', 'f32'],
  u8: ['u8', 'u32', 'i32', 'f16', 'bf16', 'f32'],
  i8: ['i8', 'i32', 'f16', 'bf16', 'f32'],
  u32: ['u32', 'i32', 'f16', 'bf16', 'f32'],
  i32: ['i32', 'f16', 'bf16', 'f32'],
  f16: ['f16', 'f32'],
  bf16: ['bf16', 'f32'],
  f32: ['f32'],
}

/**
 * The promotion table: the least dtype both operands convert to. A join semilattice, whose order is
 * bool < u8 < u32 < i32, bool < i8 < i32, i32 < f16 < f32 and i32 < bf16 < f32:
 *
 * |      | bool | u8   | i8   | u32  | i32  | f16 | bf16 | f32 |
 * |------|------|------|------|------|------|-----|------|-----|
 * | bool | bool | u8   | i8   | u32  | i32  | f16 | bf16 | f32 |
 * | u8   | u8   | u8   | i32  | u32  | i32  | f16 | bf16 | f32 |
 * | i8   | i8   | i32  | i8   | i32  | i32  | f16 | bf16 | f32 |
 * | u32  | u32  | u32  | i32  | u32  | i32  | f16 | bf16 | f32 |
 * | i32  | i32  | i32  | i32  | i32  | i32  | f16 | bf16 | f32 |
 * | f16  | f16  | f16  | f16  | f16  | f16  | f16 | f32  | f32 |
 * | bf16 | bf16 | bf16 | bf16 | bf16 | bf16 | f32 | bf16 | f32 |
 * | f32  | f32  | f32  | f32  | f32  | f32  | f32 | f32  | f32 |
 *
 * PyTorch and JAX agree on all of it that exists here: an integer with a float gives that float, f16 with bf16 f32.
 * They go to 16- and 64-bit integers where we have none: u8 with i8 gives `i32`, and u32 with a signed integer too.
 * @example
 * T.promote('i32', 'f16') // => 'f16'
 * T.promote('bool', 'u32') // => 'u32'
 * T.promote('u8', 'i8') // => 'i32'
 * T.promote('f16', 'bf16') // => 'f32'
 */
export const promote = (a: DType, b: DType): DType => above[a].find((d) => above[b].includes(d)) ?? 'f32'

/** An empty host array that can hold `n` elements of `d` with reference (Float64) precision. Integer arrays wrap. */
export const allocate = (d: DType, n: number): HostArray => {
  switch (d) {
    case 'f32':
    case 'f16':
    case 'bf16':
      return new Float64Array(n)
    case 'i32':
      return new Int32Array(n)
    case 'u32':
      return new Uint32Array(n)
    case 'i8':
      return new Int8Array(n)
    case 'u8':
    case 'bool':
      return new Uint8Array(n)
  }
}
