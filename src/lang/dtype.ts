/** Element types, their storage sizes and the promotion lattice. */

/** The element types a tensor can have. `bool` is stored as one 32-bit word (0 or 1) on the device. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool' | 'f16'

/** All dtypes, in promotion-independent listing order. */
export const dtypes: readonly DType[] = ['f32', 'i32', 'u32', 'bool', 'f16']

/** Host arrays that hold the elements of a tensor: Float64Array inside the reference interpreter. */
export type HostArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array

/** True for `f32` and `f16`: the dtypes that have tangents. */
export const isFloat = (d: DType): boolean => d === 'f32' || d === 'f16'

/** True for `i32` and `u32`. */
export const isInteger = (d: DType): boolean => d === 'i32' || d === 'u32'

/** Bytes of one element in device memory. */
export const byteSize = (d: DType): number => (d === 'f16' ? 2 : 4)

/**
 * The promotion table: the least dtype both operands convert to. A join semilattice: bool < i32, u32 < f32 and bool <
 * f16 < f32. `i32` with `u32` gives `i32`, as there is no 64-bit integer; an integer with a float gives that float, as
 * in PyTorch and JAX.
 * @example
 * T.promote('i32', 'f16') // => 'f16'
 * T.promote('bool', 'u32') // => 'u32'
 */
export const promote = (a: DType, b: DType): DType => {
  if (a === b) return a
  if (a === 'f32' || b === 'f32') return 'f32'
  if (a === 'f16' || b === 'f16') return 'f16'
  if (a === 'bool') return b
  if (b === 'bool') return a
  return 'i32'
}

/** An empty host array that can hold `n` elements of `d` with reference (Float64) precision. */
export const allocate = (d: DType, n: number): HostArray => {
  switch (d) {
    case 'f32':
    case 'f16':
      return new Float64Array(n)
    case 'i32':
      return new Int32Array(n)
    case 'u32':
      return new Uint32Array(n)
    case 'bool':
      return new Uint8Array(n)
  }
}
