/** Mantissa and exponent of an f32 by its bits, in any arithmetic that can reinterpret them. */
import type { Arithmetic } from './monoids.ts'

/** How values change their type. */
export interface Conversions<E> {
  readonly cast: (e: E, to: 'i32' | 'u32') => E
  readonly bitcast: (e: E, to: 'f32' | 'u32') => E
}

/** `split` and `scale` of an arithmetic. */
export const floatBits = <E>(
  { apply, constant, hold }: Pick<Arithmetic<E>, 'apply' | 'constant' | 'hold'>,
  { cast, bitcast }: Conversions<E>,
): Pick<Arithmetic<E>, 'split' | 'scale'> => {
  /** Zeros (flushed subnormals included), infinities and NaN have no exponent. */
  const isSpecial = (exponent: E): E =>
    apply(
      'or',
      apply('eq', exponent, constant(0, 'u32', exponent)),
      apply('eq', exponent, constant(255, 'u32', exponent)),
    )
  const exponentOf = (bits: E): E =>
    hold(apply('and', apply('shiftRight', bits, constant(23, 'u32', bits)), constant(255, 'u32', bits)))
  /** 2^e for -126 ≤ e ≤ 127. */
  const powerOfTwo = (e: E): E => {
    const biased = cast(apply('add', e, constant(127, 'i32', e)), 'u32')
    return bitcast(apply('shiftLeft', biased, constant(23, 'u32', biased)), 'f32')
  }
  return {
    split: (x) => {
      const bits = hold(bitcast(x, 'u32'))
      const exponent = exponentOf(bits)
      const special = hold(isSpecial(exponent))
      const sign = apply('and', bits, constant(0x807fffff, 'u32', bits))
      const mantissa = bitcast(apply('or', sign, constant(0x3f800000, 'u32', bits)), 'f32')
      const unbiased = apply('sub', cast(exponent, 'i32'), constant(127, 'i32', exponent))
      return [apply('select', special, x, mantissa), apply('select', special, constant(0, 'i32', exponent), unbiased)]
    },
    scale: (mantissa, exponent) => {
      const high = apply('min', exponent, constant(250, 'i32', exponent))
      const bounded = hold(apply('max', high, constant(-250, 'i32', exponent)))
      const half = hold(apply('div', bounded, constant(2, 'i32', bounded)))
      // In two steps, neither of which leaves the range before the last.
      const rest = apply('sub', bounded, half)
      const scaled = apply('mul', apply('mul', mantissa, powerOfTwo(half)), powerOfTwo(rest))
      const special = isSpecial(exponentOf(bitcast(mantissa, 'u32')))
      return apply('select', special, mantissa, scaled)
    },
  }
}
