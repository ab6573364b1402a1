/**
 * Constants as WGSL text. Finite floats are exact: a short decimal that is the number itself, else a hex float (for f16 a
 * longer decimal, as naga refuses hex floats with more digits than bits, be they zeros). Infinities
 * and NaN have no literal, and a constant expression that yields one is refused; −0.0 becomes +0 in some compilers. These
 * go through `Prelude.bits`.
 */

import type { Scalar } from '../../kernel/kernel.ts'

const minExponent = -126
const hexDigits = 6

/** A positive f32 in hexadecimal. */
const hexFloat = (a: number): string => {
  let e = Math.max(Math.floor(Math.log2(a)), minExponent)
  if (a < 2 ** e && e > minExponent) e -= 1
  if (a >= 2 ** (e + 1)) e += 1
  const scaled = a / 2 ** e
  const whole = scaled >= 1 ? 1 : 0
  const fraction = Math.round((scaled - whole) * 16 ** hexDigits)
  const text = fraction.toString(16).padStart(hexDigits, '0').replace(/0+$/, '')
  return `0x${whole}${text ? `.${text}` : ''}p${e < 0 ? '' : '+'}${e}`
}

/** Digits with a point or an exponent, so that they are a float's. */
const pointed = (decimal: string): string => (/[.e]/.test(decimal) ? decimal : `${decimal}.0`)

/** A finite f32 constant, exact; `x` must be an f32 already. */
export const f32Literal = (x: number): string => {
  const decimal = Math.abs(x).toString()
  const isShort = !decimal.includes('e') && decimal.length <= 8
  return `${x < 0 ? '-' : ''}${isShort ? pointed(decimal) : hexFloat(Math.abs(x))}f`
}

/** A finite f16 constant, exact; `x` must be an f16 already. */
export const f16Literal = (x: number): string => `${x < 0 ? '-' : ''}${pointed(Math.abs(x).toString())}h`

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
