/** Functions that count in integers: shifts by any amount, whole powers, the remainder of floats, Threefry. */
import * as k from '../build-kernel.ts'
import type { KExpr } from '../kernel.ts'
import { type Definitions, lanewise, scalar } from './body.ts'
import {
  abs,
  add,
  and,
  bitsOf,
  eq,
  floatOf,
  ge,
  gt,
  intOf,
  le,
  leadingZeros,
  lt,
  max,
  min,
  mul,
  or,
  rem,
  select,
  shiftLeft,
  shiftRight,
  sub,
  toFloat,
  xor,
} from './operators.ts'
import { infinityBits, magnitude, nanBits, signOf } from './patch.ts'
import { mantissa } from './subnormal.ts'

/** The largest of the lanes. */
const largest = (x: KExpr): KExpr =>
  Array.from({ length: x.type.width }, (_, i) => k.lane(x, i)).reduce((a, b) => max(a, b))

const rotated = (x: KExpr, by: number): KExpr => or(shiftLeft(x, by), shiftRight(x, 32 - by))

export type IntegerName =
  | 'shiftLeft'
  | 'shiftLeftSigned'
  | 'shiftRight'
  | 'shiftRightSigned'
  | 'powU32'
  | 'powI32'
  | 'rem'
  | 'mulHigh'
  | 'threefry'

export const integerFunctions: Definitions<IntegerName> = {
  /** Shifts by 32 and more give 0, or the sign. */
  shiftLeft: lanewise({ a: 'u32', n: 'u32' }, (_f, { a, n }) => select(lt(n, 32), shiftLeft(a, and(n, 31)), 0)),
  shiftLeftSigned: lanewise({ a: 'i32', n: 'i32' }, (f, { a, n }) => intOf(f.call('shiftLeft', bitsOf(a), bitsOf(n)))),
  shiftRight: lanewise({ a: 'u32', n: 'u32' }, (_f, { a, n }) => select(lt(n, 32), shiftRight(a, and(n, 31)), 0)),
  shiftRightSigned: lanewise({ a: 'i32', n: 'i32' }, (_f, { a, n }) => shiftRight(a, intOf(min(bitsOf(n), 31)))),

  /** Whole powers by squaring, modulo 2^32. */
  powU32: lanewise({ x: 'u32', y: 'u32' }, (f, { x, y }) => {
    const b = f.var('b', x)
    const n = f.var('n', y)
    const r = f.var('r', k.splat(k.u32(1), f.width))
    const length = f.let('length', sub(32, leadingZeros(largest(y))))
    f.times('i', length, 1, () => {
      f.set(r, select(eq(and(n, 1), 1), mul(r, b), r))
      f.set(b, mul(b, b))
      f.set(n, shiftRight(n, 1))
    })
    return r
  }),

  /** A negative exponent truncates 1 / x^|y| towards zero: ±1 keep their powers, others give 0. */
  powI32: lanewise({ x: 'i32', y: 'i32' }, (f, { x, y }) => {
    const r = f.let('r', intOf(f.call('powU32', bitsOf(x), bitsOf(abs(y)))))
    return select(lt(y, 0), select(eq(abs(x), 1), r, 0), r)
  }),

  /** The exact remainder by long division on the mantissas, 8 bits of the quotient a step; the sign is x's. */
  rem: lanewise({ x: 'f32', y: 'f32' }, (f, { x, y }) => {
    const a = f.let('a', magnitude(x))
    const b = f.let('b', magnitude(y))
    const e = f.let('e', max(shiftRight(b, 23), 1))
    const n = f.let('n', max(mantissa(b), 1))
    const m = f.var('m', mantissa(a))
    const d = f.var('d', select(lt(a, b), 0, sub(max(shiftRight(a, 23), 1), e)))
    const far = f.let('far', largest(d))
    f.set(m, rem(m, n))
    f.times('i', far, 8, () => {
      f.set(m, rem(shiftLeft(m, min(d, 8)), n))
      f.set(d, sub(d, min(d, 8)))
    })
    const v = f.let('v', bitsOf(toFloat(m)))
    const tiny = f.let('tiny', or(eq(m, 0), le(add(shiftRight(v, 23), e), 150)))
    const r = f.let('r', select(tiny, shiftLeft(m, min(sub(e, 1), 31)), add(v, shiftLeft(sub(e, 150), 23))))
    const signed = f.let('signed', or(select(lt(a, b), a, r), signOf(x)))
    const nan = f.let('nan', or(ge(a, infinityBits), eq(b, 0), gt(b, infinityBits)))
    return floatOf(select(nan, nanBits, signed))
  }),

  /** The upper half of the product. */
  mulHigh: scalar({ a: 'u32', b: 'u32' }, (f, { a, b }) => {
    const al = f.let('al', and(a, 0xffff))
    const ah = f.let('ah', shiftRight(a, 16))
    const bl = f.let('bl', and(b, 0xffff))
    const bh = f.let('bh', shiftRight(b, 16))
    const mid = f.let('mid', add(mul(ah, bl), shiftRight(mul(al, bl), 16)))
    const rest = f.let('rest', add(mul(al, bh), and(mid, 0xffff)))
    return add(mul(ah, bh), shiftRight(mid, 16), shiftRight(rest, 16))
  }),

  /** Threefry-2x32 with 20 rounds (Salmon et al. 2011), as in JAX. */
  threefry: lanewise({ k0: 'u32', k1: 'u32', c0: 'u32', c1: 'u32' }, (f, { k0, k1, c0, c1 }) => {
    const k2 = f.let('k2', xor(k0, k1, 0x1bd11bda))
    const keys = [k0, k1, k2]
    const a = f.var('a', add(c0, k0))
    const b = f.var('b', add(c1, k1))
    for (const group of [0, 1, 2, 3, 4]) {
      for (const r of group % 2 === 0 ? [13, 15, 26, 6] : [17, 29, 16, 24]) {
        f.set(a, add(a, b))
        f.set(b, xor(rotated(b, r), a))
      }
      f.set(a, add(a, keys[(group + 1) % 3]!))
      f.set(b, add(b, keys[(group + 2) % 3]!, group + 1))
    }
    return [a, b]
  }),
}
