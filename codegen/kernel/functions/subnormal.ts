/**
 * Arithmetic that keeps subnormal numbers on devices that flush them to zero, as WGSL lets them: ordinary operands take the
 * device's own operation, the rest is done on bits. One rounding, to nearest, ties to even, as IEEE 754 has it.
 */
import * as kernel from '../build-kernel.ts'
import type { KExpr } from '../kernel.ts'
import { type Body, type Definition, type Definitions, lanewise, ofFloat, ofFloats, scalar } from './body.ts'
import {
  abs,
  add,
  all,
  and,
  bitsOf,
  ceil,
  clamp,
  div,
  eq,
  floatOf,
  floor,
  ge,
  gt,
  intOf,
  le,
  leadingZeros,
  lt,
  max,
  min,
  mul,
  neg,
  not,
  or,
  pick,
  rem,
  select,
  shiftLeft,
  shiftRight,
  sub,
  toFloat,
  toWord,
  xor,
} from './operators.ts'
import { infinityBits, isNan, isTiny, isTinyBits, magnitude, patch, signBit, signOf } from './patch.ts'

/** `p · 2^k` for k in [-252, 254], in two exact factors so that only the last product rounds. */
const product = (p: KExpr, k: KExpr, half: KExpr): KExpr =>
  mul(p, floatOf(shiftLeft(add(half, 127), 23)), floatOf(shiftLeft(add(sub(k, half), 127), 23)))

/** `p · 2^k` for p in [2^-20, 2^20] and k in [-160, 254]; `half` is half of k. */
export const scaled = (f: Body, p: KExpr, k: KExpr, half: KExpr): KExpr =>
  f.keep ? f.call('scale', p, k) : product(p, k, half)

/** The mantissa of the bits `u` of a magnitude, with its leading 1 where it has one. */
export const mantissa = (u: KExpr): KExpr => or(and(u, 0x7fffff), pick('u32', ge(u, 0x800000), 0x800000, 0))

/** |x| of 24 bits and its exponent: x is m·2^(e - 150), the first bit of m set by shifting; x is not zero. */
const parts = (f: Body, name: string, x: KExpr): { readonly m: KExpr; readonly e: KExpr } => {
  const u = f.let(`u${name}`, magnitude(x))
  const w = f.let(`w${name}`, mantissa(u))
  const s = f.let(`s${name}`, sub(leadingZeros(w), 8))
  const m = f.let(`m${name}`, shiftLeft(w, and(s, 31)))
  return { m, e: f.let(`e${name}`, sub(intOf(max(shiftRight(u, 23), 1)), intOf(s))) }
}

/** Statements that are skipped where the device's own result is right, as `sure` holds: most often everywhere. */
const unlessAll = (f: Body, sure: KExpr, then: () => void): void => f.if(not(all(sure)), then)

const signOfProduct = (a: KExpr, b: KExpr): KExpr => and(xor(bitsOf(a), bitsOf(b)), signBit)

/** Magnitudes of both operands and the sign of their product; `slow` where they are finite and not zero. */
const operands = (f: Body, a: KExpr, b: KExpr): Record<'u' | 'v' | 'sign' | 'slow', KExpr> => {
  const u = f.let('u', magnitude(a))
  const v = f.let('v', magnitude(b))
  const sign = f.let('s', signOfProduct(a, b))
  const slow = f.let('slow', and(lt(max(u, v), infinityBits), gt(min(u, v), 0)))
  return { u, v, sign, slow }
}

/** False where an operand is NaN. */
const comparison = (op: typeof lt): Definition =>
  lanewise({ a: 'f32', b: 'f32' }, (f, { a, b }) => {
    const nan = f.let('nan', or(isNan(a), isNan(b)))
    return and(op(f.call('order', a), f.call('order', b)), not(nan))
  })

const extreme = (than: typeof lt, zeros: typeof and): Definition =>
  ofFloats((f, a, b) => {
    const p = f.let('p', f.call('order', a))
    const q = f.let('q', f.call('order', b))
    const u = f.let('u', bitsOf(a))
    const v = f.let('v', bitsOf(b))
    const m = f.let('m', select(eq(p, q), zeros(u, v), select(than(p, q), u, v)))
    return floatOf(select(isNan(a), u, select(isNan(b), v, m)))
  })

export type SubnormalName =
  | 'order'
  | 'lift'
  | 'lower'
  | 'pack'
  | 'scale'
  | 'keptAdd'
  | 'keptSub'
  | 'mulBits'
  | 'keptMul'
  | 'divBits'
  | 'keptDiv'
  | 'keptEq'
  | 'keptLt'
  | 'keptLe'
  | 'keptMax'
  | 'keptMin'
  | 'keptFloor'
  | 'keptCeil'

export const subnormalFunctions: Definitions<SubnormalName> = {
  /** Integers in the order of the numbers; both zeros are 0. */
  order: lanewise({ x: 'f32' }, (f, { x }) => {
    const i = f.let('i', intOf(x))
    return select(lt(i, 0), sub(-(2 ** 31), i), i)
  }),

  /** x·2^64 for |x| < 2^-100. */
  lift: ofFloat((f, x) => {
    const u = f.let('u', magnitude(x))
    const y = f.let('y', select(lt(u, 0x00800000), mul(toFloat(u), 2 ** -85), mul(floatOf(u), 2 ** 64)))
    return floatOf(or(bitsOf(y), signOf(x)))
  }),

  /** x·2^-64, where x is a multiple of 2^-85. */
  lower: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const n = f.let('n', toWord(mul(min(a, 2 ** -62), 2 ** 85)))
    const y = f.let('y', select(lt(a, 2 ** -62), n, bitsOf(mul(a, 2 ** -64))))
    return floatOf(or(y, signOf(x)))
  }),

  /** m·2^e, m > 0, as the bits of the nearest number; the lowest bit of m may stand for all below it. */
  pack: scalar({ m: 'u32', e: 'i32' }, (f, { m, e }) => {
    const drop = f.let('drop', max(sub(8, intOf(leadingZeros(m))), sub(-149, e)))
    const within = f.let('within', lt(drop, 32))
    const cut = f.let('cut', bitsOf(max(drop, 0)))
    const q = f.let('q', select(within, shiftRight(m, min(cut, 31)), 0))
    const rest = f.let('rest', select(within, and(m, sub(shiftLeft(kernel.u32(1), min(cut, 31)), 1)), m))
    const half = f.let('half', shiftLeft(kernel.u32(1), min(bitsOf(max(sub(drop, 1), 0)), 31)))
    const up = f.let('up', or(gt(rest, half), and(eq(rest, half), eq(and(q, 1), 1))))
    const rounded = f.let('rounded', select(gt(drop, 32), 0, add(q, pick('u32', up, 1, 0))))
    const whole = f.let('whole', select(le(drop, 0), shiftLeft(m, and(bitsOf(max(neg(drop), 0)), 31)), rounded))
    return min(add(shiftLeft(bitsOf(max(add(e, drop, 149), 0)), 23), whole), infinityBits)
  }),

  /** p·2^k for p in [2^-20, 2^20], k in [-160, 254]. */
  scale: lanewise({ p: 'f32', k: 'i32' }, (f, { p, k }) => {
    const h = f.let('h', shiftRight(k, 1))
    const y = f.let('y', product(p, k, h))
    const n = f.let('n', mul(p, floatOf(shiftLeft(add(clamp(k, -160, -100), 276), 23))))
    const w = f.let('w', floor(n))
    const d = f.let('d', sub(n, w))
    const u = f.let('u', toWord(min(w, 2 ** 23)))
    const up = f.let('up', or(gt(d, 0.5), and(eq(d, 0.5), eq(and(u, 1), 1))))
    const small = f.let('small', and(le(k, -100), lt(n, 2 ** 23)))
    return patch(y, [small, add(u, pick('u32', up, 1, 0))])
  }),

  /** Sums of what is below 2^-100 are taken 2^64 times as large: a larger operand leaves nothing subnormal. */
  keptAdd: ofFloats((f, a, b) => {
    const y = f.var('y', add(a, b))
    unlessAll(f, ge(magnitude(y), 0x0e000000), () => {
      const small = f.let('small', lt(max(magnitude(a), magnitude(b)), 0x0d800000))
      const s = f.let('s', f.call('lower', add(f.call('lift', a), f.call('lift', b))))
      f.set(y, patch(y, [small, bitsOf(s)]))
    })
    return y
  }),

  keptSub: ofFloats((f, a, b) => f.call('keptAdd', a, floatOf(xor(bitsOf(b), signBit)))),

  /** The product of finite numbers that are not zero: 64 bits, of which the lower half is only a sticky bit. */
  mulBits: scalar({ a: 'f32', b: 'f32' }, (f, { a, b }) => {
    const [x, y] = [parts(f, 'a', a), parts(f, 'b', b)]
    const [high, low] = [shiftLeft(x.m, 8), shiftLeft(y.m, 8)]
    const rest = f.let('low', mul(high, low))
    const m = f.let('m', or(f.call('mulHigh', high, low), pick('u32', gt(rest, 0), 1, 0)))
    return floatOf(or(f.call('pack', m, sub(add(x.e, y.e), 284)), signOfProduct(a, b)))
  }),

  /** An operand that is taken for zero gives zero or, with an infinity, NaN. */
  keptMul: ofFloats((f, a, b) => {
    const y = f.var('y', mul(a, b))
    unlessAll(f, le(sub(magnitude(y), 0x01000000), 0x7e800000), () => {
      const { u, v, sign, slow } = operands(f, a, b)
      const infinite = f.let('infinite', and(eq(max(u, v), infinityBits), gt(min(u, v), 0)))
      f.set(y, patch(y, [infinite, or(sign, infinityBits)]))
      f.where(slow, () => [[y, f.call('mulBits', a, b)]])
    })
    return y
  }),

  /** The quotient of finite numbers that are not zero: 29 bits by long division, and a sticky bit. */
  divBits: scalar({ a: 'f32', b: 'f32' }, (f, { a, b }) => {
    const [x, y] = [parts(f, 'a', a), parts(f, 'b', b)]
    const q = f.var('q', div(x.m, y.m))
    const r = f.var('r', rem(x.m, y.m))
    f.times('i', kernel.u32(4), 1, () => {
      f.set(q, or(shiftLeft(q, 7), div(shiftLeft(r, 7), y.m)))
      f.set(r, rem(shiftLeft(r, 7), y.m))
    })
    const m = f.let('m', or(shiftLeft(q, 1), pick('u32', gt(r, 0), 1, 0)))
    return floatOf(or(f.call('pack', m, sub(sub(x.e, y.e), 29)), signOfProduct(a, b)))
  }),

  /** An operand that is taken for zero gives zero, infinity or NaN. */
  keptDiv: ofFloats((f, a, b) => {
    const y = f.var('y', div(a, b))
    unlessAll(f, lt(sub(magnitude(y), 0x01000000), 0x7e800000), () => {
      const { u, v, sign, slow } = operands(f, a, b)
      const over = f.let('over', and(eq(v, 0), gt(u, 0), le(u, infinityBits)))
      const under = f.let('under', and(eq(u, 0), gt(v, 0), le(v, infinityBits)))
      f.set(y, patch(y, [over, or(sign, infinityBits)], [under, sign]))
      f.where(slow, () => [[y, f.call('divBits', a, b)]])
    })
    return y
  }),

  keptEq: comparison(eq),
  keptLt: comparison(lt),
  keptLe: comparison(le),
  /** NaN if either operand is; of two zeros the positive. */
  keptMax: extreme(gt, and),
  /** NaN if either operand is; of two zeros the negative. */
  keptMin: extreme(lt, or),

  keptFloor: ofFloat((f, x) => {
    const below = f.let('below', and(isTiny(x), gt(bitsOf(x), signBit)))
    return patch(floor(x), [below, 0xbf800000])
  }),
  keptCeil: ofFloat((_f, x) => patch(ceil(x), [isTinyBits(bitsOf(x)), 0x3f800000])),
}
