/** How numbers of each kernel type round, wrap and convert on the host: shared by constant folding and the interpreter. */
import { roundHalf } from '../../src/lang/half.ts'
import type { Scalar } from './kernel.ts'

const f32 = new Float32Array(1)
const u32 = new Uint32Array(f32.buffer)

/** A number as `scalar` stores it: floats round to nearest, integers wrap modulo 2^32, a bool is 0 or 1. */
export const roundTo = (scalar: Scalar, x: number): number => {
  switch (scalar) {
    case 'f32':
      return Math.fround(x)
    case 'f16':
      return roundHalf(x)
    case 'i32':
      return x | 0
    case 'u32':
      return x >>> 0
    case 'bool':
      return x !== 0 ? 1 : 0
  }
}

/** Conversion by value: float to integer truncates, saturates and takes NaN to 0; integers wrap; NaN is true. */
export const castValue = (from: Scalar, to: Scalar, x: number): number => {
  if (from === 'f32' || from === 'f16') {
    if (to === 'i32') return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1) | 0
    if (to === 'u32') return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), 0), 2 ** 32 - 1) >>> 0
  }
  return roundTo(to, x)
}

/** The 32 bits of a word, as an unsigned number. */
export const wordBits = (scalar: Scalar, x: number): number => {
  if (scalar !== 'f32') return x >>> 0
  f32[0] = x
  return u32[0]!
}

/** The value that 32 bits stand for in `scalar`. */
export const wordValue = (scalar: Scalar, bits: number): number => {
  if (scalar === 'i32') return bits | 0
  if (scalar !== 'f32') return bits >>> 0
  u32[0] = bits
  return f32[0]!
}
