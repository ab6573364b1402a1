/**
 * Constants as WGSL text. Finite floats are exact: a short decimal that is the number itself, else a hex float. Infinities
 * and NaN have no literal, and a constant expression that yields one is refused; −0.0 becomes +0 in some compilers. These
 * go through `Prelude.bits`.
 */

import type { Scalar } from '../kernel.ts'

const hexFloat = (x: number, mantissaBits: number, minExponent: number): string => {
  const a = Math.abs(x)
  let e = Math.max(Math.floor(Math.log2(a)), minExponent)
  if (a < 2 ** e && e > minExponent) e -= 1
  if (a >= 2 ** (e + 1)) e += 1
  const scaled = a / 2 ** e
  const whole = scaled >= 1 ? 1 : 0
  const digits = Math.ceil(mantissaBits / 4)
  const fraction = Math.round((scaled - whole) * 16 ** digits)
  const text = fraction.toString(16).padStart(digits, '0').replace(/0+$/, '')
  return `0x${whole}${text ? `.${text}` : ''}p${e < 0 ? '' : '+'}${e}`
}

const float = (x: number, suffix: string, mantissaBits: number, minExponent: number): string => {
  const sign = x < 0 ? '-' : ''
  const a = Math.abs(x)
  const decimal = a.toString()
  if (!decimal.includes('e') && decimal.length <= 8)
    return `${sign}${decimal.includes('.') ? decimal : `${decimal}.0`}${suffix}`
  return sign + hexFloat(a, mantissaBits, minExponent) + suffix
}

/** A finite f32 constant, exact; `x` must be an f32 already. */
export const f32Literal = (x: number): string => float(x, 'f', 23, -126)

/** A finite f16 constant, exact; `x` must be an f16 already. */
export const f16Literal = (x: number): string => float(x, 'h', 10, -14)

/** A constant of width 1 whose text is a WGSL constant expression; nothing for infinities, NaN and −0. */
export const literal = (scalar: Scalar, x: number): string | undefined => {
  switch (scalar) {
    case 'f32':
      return Number.isFinite(x) && !Object.is(x, -0) ? f32Literal(x) : undefined
    case 'f16':
      return Number.isFinite(x) && !Object.is(x, -0) ? f16Literal(x) : undefined
    case 'i32':
      return x === -(2 ** 31) ? 'i32(-2147483648)' : `${x}i`
    case 'u32':
      return `${x}u`
    case 'bool':
      return x !== 0 ? 'true' : 'false'
  }
}

const word = new Uint32Array(1)
const view = new Float32Array(word.buffer)

/** The f32 bit pattern, as a u32 literal, of a float that `literal` refuses. NaN is the quiet one. */
export const bitsLiteral = (x: number): string => {
  view[0] = x
  return Number.isNaN(x) ? '0x7fc00000u' : `0x${word[0]!.toString(16).padStart(8, '0')}u`
}
