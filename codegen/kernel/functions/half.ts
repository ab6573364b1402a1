/** f16 as storage: the 16 bits of the nearest f16, and the f32 that they stand for. Subnormal numbers must be kept. */
import { type Definitions, lanewise } from './body.ts'
import { add, and, bitsOf, eq, floatOf, ge, gt, lt, mul, or, select, shiftLeft, shiftRight, sub } from './operators.ts'

export type HalfName = 'fromHalf' | 'toHalf'

const infinity = 0x7c00

export const halfFunctions: Definitions<HalfName> = {
  /** The exponent's bias differs by 112, which a product mends for subnormal numbers too. */
  fromHalf: lanewise({ u: 'u32' }, (f, { u }) => {
    const m = f.let('m', shiftLeft(and(u, 0x7fff), 13))
    const finite = f.let('finite', bitsOf(mul(floatOf(m), 2 ** 112)))
    const magnitude = select(eq(and(u, infinity), infinity), or(m, 0x7f800000), finite)
    return floatOf(or(magnitude, shiftLeft(and(u, 0x8000), 16)))
  }),

  /** To nearest, ties to even; below 2^-14 by the sum with ½, whose last bit is 2^-24. */
  toHalf: lanewise({ x: 'f32' }, (f, { x }) => {
    const u = f.let('u', bitsOf(x))
    const a = f.let('a', and(u, 0x7fffffff))
    const normal = f.let('normal', shiftRight(sub(add(a, 0xfff, and(shiftRight(a, 13), 1)), 112 * 2 ** 23), 13))
    const tiny = f.let('tiny', sub(bitsOf(add(floatOf(a), 0.5)), 0x3f000000))
    const finite = f.let('finite', select(lt(a, 0x38800000), tiny, normal))
    const signed = or(select(ge(a, 0x477ff000), infinity, finite), and(shiftRight(u, 16), 0x8000))
    return select(gt(a, 0x7f800000), 0x7e00, signed)
  }),
}
