/**
 * sin, cos, tan and their inverses. Arguments are reduced by π/2 in four exact parts up to 1e5 (Cody and Waite), beyond that
 * by the bits of 1/(2π) (Payne and Hanek) in integers, so every finite argument counts. Polynomials: minimax fits.
 */
import * as kernel from '../build-kernel.ts'
import type { KExpr } from '../kernel.ts'
import { type Body, type Definitions, lanewise, ofFloat, scalar } from './body.ts'
import {
  abs,
  add,
  and,
  bitsOf,
  div,
  eq,
  floatOf,
  floor,
  ge,
  gt,
  horner,
  intOf,
  le,
  leadingZeros,
  lt,
  max,
  min,
  mul,
  ne,
  neg,
  not,
  or,
  pick,
  select,
  shiftLeft,
  shiftRight,
  sqrt,
  sub,
  toFloat,
  toInt,
  xor,
} from './operators.ts'
import {
  isItself,
  isNan,
  isNonFinite,
  isTiny,
  magnitude,
  nanBits,
  oddSign,
  patch,
  signBit,
  whereKept,
} from './patch.ts'

const limit = 1e5
const sinTail = [-0.166666552, 0.00833219104, -0.000195186061]
const cosTail = [0.0416666456, -0.00138873013, 2.44306611e-5]
const asinTail = [0.166667536, 0.0749525204, 0.0454760417, 0.0241520926, 0.0422117971]
// biome-ignore format: one polynomial
const atanTail = [
  -0.333333015, 0.199986264, -0.142650917, 0.109566577, -0.0841646045, 0.058178056, -0.0313944407, 0.0110289538, -0.00181871105,
]
/** π/2 in parts of 8, 8 and 8 bits and a rest: k·part is exact for k below 2^16. */
const halfPi = [1.5703125, 4.825592041015625e-4, 1.2665987014770508e-6, 9.92093629470503e-10]
const piOver2 = 1.5707963267948966
/** The words of 1/(2π) after the binary point, most significant first, behind a word of zeros. */
const inverseTurn = [0, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410]

interface Ratio {
  /** The smaller of |x| and |y| over the `most` of them. */
  readonly ratio: KExpr
  readonly most: KExpr
  readonly ax: KExpr
  readonly ay: KExpr
  readonly swapped: KExpr
}

/** Huge and tiny operands are scaled first, as division promises little there. */
const scaledRatio = (f: Body, y: KExpr, x: KExpr): Ratio => {
  const ax = f.let('ax', abs(x))
  const ay = f.let('ay', abs(y))
  const most = f.let('most', max(ax, ay))
  const gain = f.let('gain', select(gt(most, 2 ** 60), 2 ** -48, pick('f32', lt(most, 2 ** -60), 2 ** 48, 1)))
  const ratio = f.let('ratio', div(mul(min(ax, ay), gain), select(eq(most, 0), 1, mul(most, gain))))
  return { ratio, most, ax, ay, swapped: f.let('swapped', gt(ay, ax)) }
}

/** As `scaledRatio`, with subnormal operands and quotients. */
const exactRatio = (f: Body, y: KExpr, x: KExpr): Ratio => {
  const u = f.let('u', magnitude(x))
  const v = f.let('v', magnitude(y))
  const ax = f.let('ax', floatOf(u))
  const ay = f.let('ay', floatOf(v))
  const most = f.let('most', floatOf(max(u, v)))
  const divisor = patch(most, [eq(max(u, v), 0), 0x3f800000])
  const ratio = f.let('ratio', f.call('keptDiv', floatOf(min(u, v)), divisor))
  return { ratio, most, ax, ay, swapped: f.let('swapped', gt(v, u)) }
}

interface Circle {
  readonly sin: KExpr
  readonly cos: KExpr
  /** The quadrant. */
  readonly q: KExpr
}

/** sin and cos of the reduced angle. */
const circle = (f: Body, x: KExpr): Circle => {
  const [r, q] = f.callAll('angle', x)
  const z = f.let('z', mul(r!, r!))
  const sin = f.let('s', add(r!, mul(r!, mul(z, horner(z, sinTail)))))
  const cos = f.let('c', sub(1, sub(mul(0.5, z), mul(z, z, horner(z, cosTail)))))
  return { sin, cos, q: q! }
}

/** `even` or, in odd quadrants, `odd`; the sign changes every second quadrant, `turn` quadrants on. */
const turned = (f: Body, q: KExpr, even: KExpr, odd: KExpr, turn: number): KExpr => {
  const y = f.let('y', select(eq(and(q, 1), 1), odd, even))
  const flip = f.let('flip', shiftLeft(and(bitsOf(add(q, turn)), 2), 30))
  return floatOf(xor(bitsOf(y), flip))
}

/** The upper bits of `low` behind the bits of `high`, shifted left by `s` < 32. */
const shifted = (high: KExpr, low: KExpr, s: KExpr): KExpr =>
  or(shiftLeft(high, and(s, 31)), shiftRight(shiftRight(low, 1), and(not(s), 31)))

export type TrigName = 'reciprocal' | 'bigAngle' | 'angle' | 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan' | 'atan2'

export const trigFunctions: Definitions<TrigName> = {
  /** Word i of 1/(2π). */
  reciprocal: scalar({ i: 'u32' }, (_f, { i }) =>
    inverseTurn.reduce<KExpr>((word, bits, j) => (j === 0 ? word : select(eq(i, j), bits, word)), kernel.u32(0)),
  ),

  /** x in (-∞, ∞) as q·π/2 + r: one lane, |x| beyond the reach of the exact products. Bits 0, 1 of q count. */
  bigAngle: scalar({ x: 'f32' }, (f, { x }) => {
    const u = f.let('u', bitsOf(x))
    const m = f.let('m', shiftLeft(or(and(u, 0x7fffff), 0x800000), 8))
    const e = f.let('e', sub(min(max(and(shiftRight(u, 23), 0xff), 126), 254), 126))
    const i = f.let('i', shiftRight(e, 5))
    const low = f.let('low', f.call('reciprocal', min(add(i, 3), 6)))
    const mid = f.let('mid', f.call('reciprocal', add(i, 2)))
    const high = f.let('high', f.call('reciprocal', add(i, 1)))
    const top = f.let('top', f.call('reciprocal', i))
    const w0 = f.let('w0', shifted(top, high, e))
    const w1 = f.let('w1', shifted(high, mid, e))
    const w2 = f.let('w2', shifted(mid, low, e))
    const p0 = f.let('p0', f.call('mulHigh', m, w2))
    const p1 = f.let('p1', mul(m, w1))
    const sum = f.let('sum', add(p0, p1))
    const p2 = f.let('p2', add(f.call('mulHigh', m, w1), pick('u32', lt(sum, p0), 1, 0), mul(m, w0)))
    // 2.62 fixed point: quadrant, then the fraction of π/2, taken to the nearest multiple.
    const up = f.let('up', and(shiftRight(p2, 29), 1))
    const quadrant = f.let('quadrant', add(shiftRight(p2, 30), up))
    const negative = f.let('negative', eq(up, 1))
    const fh = f.let('fh', and(p2, 0x3fffffff))
    const nl = f.let('nl', add(not(sum), 1))
    const nh = f.let('nh', sub(sub(0x40000000, fh), pick('u32', eq(sum, 0), 0, 1)))
    const rh = f.let('rh', select(negative, nh, fh))
    const rl = f.let('rl', select(negative, nl, sum))
    const lead = f.let('lead', min(leadingZeros(rh), 31))
    const bits = f.let('bits', shifted(rh, rl, lead))
    const size = f.let('size', mul(toFloat(bits), floatOf(shiftLeft(sub(127 - 30, lead), 23)), piOver2))
    const flip = f.let('flip', eq(shiftRight(u, 31), 1))
    const r = f.let('r', select(ne(negative, flip), neg(size), size))
    const q = f.let('q', intOf(select(flip, sub(4, quadrant), quadrant)))
    return [r, q]
  }),

  /** x = q·π/2 + r, |r| <= π/4 (and a little): r and q. */
  angle: lanewise({ x: 'f32' }, (f, { x }) => {
    const c = f.let('c', select(le(abs(x), limit), x, 0))
    const k = f.let('k', floor(add(mul(c, 2 / Math.PI), 0.5)))
    const exact = halfPi.slice(0, 3).reduce((rest, part) => sub(rest, mul(k, part)), c)
    const r = f.var('r', sub(exact, mul(k, halfPi[3]!)))
    const q = f.var('q', toInt(k))
    const big = f.let('big', gt(abs(x), limit))
    f.where(big, () => {
      const [br, bq] = f.callAll('bigAngle', x)
      return [
        [r, br!],
        [q, bq!],
      ]
    })
    return [r, q]
  }),

  sin: ofFloat((f, x) => {
    const { sin, cos, q } = circle(f, x)
    const y = turned(f, q, sin, cos, 0)
    return patch(y, [lt(abs(x), 2 ** -12), bitsOf(x)], [isNonFinite(x), nanBits])
  }),
  cos: ofFloat((f, x) => {
    const { sin, cos, q } = circle(f, x)
    return patch(turned(f, q, cos, sin, 1), [isNonFinite(x), nanBits])
  }),
  tan: ofFloat((f, x) => {
    const { sin, cos, q } = circle(f, x)
    const odd = f.let('odd', eq(and(q, 1), 1))
    const y = f.let('y', div(select(odd, neg(cos), sin), select(odd, sin, cos)))
    return patch(y, [lt(abs(x), 2 ** -12), bitsOf(x)], [isNonFinite(x), nanBits])
  }),

  /** Beyond ½: asin a = π/2 − 2 asin √((1 − a) / 2). */
  asin: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const far = f.let('far', gt(a, 0.5))
    const z = f.let('z', select(far, mul(0.5, max(sub(1, a), 0)), mul(a, a)))
    const s = f.let('s', select(far, sqrt(z), a))
    const p = f.let('p', add(s, mul(s, mul(z, horner(z, asinTail)))))
    const y = f.let('y', oddSign(select(far, sub(piOver2, mul(2, p)), p), x))
    return patch(y, [gt(a, 1), nanBits], [isItself(f, x), bitsOf(x)])
  }),
  acos: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const far = f.let('far', gt(a, 0.5))
    const z = f.let('z', select(far, mul(0.5, max(sub(1, a), 0)), mul(a, a)))
    const s = f.let('s', select(far, sqrt(z), x))
    const p = f.let('p', add(s, mul(s, mul(z, horner(z, asinTail)))))
    const left = sub(Math.PI, add(mul(2, p), 8.742278e-8))
    const outer = f.let('outer', select(lt(x, 0), left, mul(2, p)))
    const y = f.let('y', select(far, outer, sub(piOver2, add(p, 4.371139e-8))))
    return patch(y, [gt(a, 1), nanBits], [isNan(x), bitsOf(x)])
  }),
  atan: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const far = f.let('far', gt(a, 1))
    const s = f.let('s', select(far, div(1, max(a, 1)), a))
    const z = f.let('z', mul(s, s))
    const p = f.let('p', add(s, mul(s, mul(z, horner(z, atanTail)))))
    const wide = f.let('wide', select(gt(a, 1e9), piOver2, sub(piOver2, p)))
    return patch(oddSign(select(far, wide, p), x), [isItself(f, x), bitsOf(x)])
  }),

  /** The octant's quotient is at most 1. */
  atan2: lanewise({ y: 'f32', x: 'f32' }, (f, { y, x }) => {
    const { ratio, most, ax, ay, swapped } = f.keep ? exactRatio(f, y, x) : scaledRatio(f, y, x)
    const even = f.let('even', and(isNonFinite(ax), isNonFinite(ay)))
    const s = f.let('s', select(even, 1, select(isNonFinite(most), 0, ratio)))
    const z = f.let('z', mul(s, s))
    const sum = add(s, mul(s, mul(z, horner(z, atanTail))))
    const p = f.let('p', patch(sum, ...whereKept(f, [isTiny(s), bitsOf(s)])))
    const q = f.let('q', select(swapped, sub(piOver2, add(p, 4.371139e-8)), p))
    const left = f.let('left', ge(bitsOf(x), signBit))
    const r = f.let('r', select(left, sub(Math.PI, add(q, 8.742278e-8)), q))
    return patch(oddSign(r, y), [or(isNan(x), isNan(y)), nanBits])
  }),
}
