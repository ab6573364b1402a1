/**
 * lgamma, digamma, erfinv. Below 3.5 (2 for digamma) own polynomials that keep the digits at the zeros 1, 2 and 1.4616,
 * above Stirling's series; on the left the reflection at 0. Polynomials: minimax fits for relative error.
 */
import type { KExpr } from '../kernel.ts'
import { type Definitions, ofFloat } from './body.ts'
import {
  abs,
  add,
  and,
  bitsOf,
  div,
  eq,
  floor,
  ge,
  gt,
  horner,
  intOf,
  lt,
  max,
  min,
  mul,
  neg,
  or,
  pick,
  select,
  shiftLeft,
  sqrt,
  sub,
  toFloat,
  xor,
} from './operators.ts'
import {
  absolute,
  infinityBits,
  isNan,
  isNonFinite,
  isTiny,
  nanBits,
  patch,
  signBit,
  signOf,
  slope,
  whereKept,
} from './patch.ts'

/** log Γ(2 + z) / z, z in [-¾, ½]. */
const nearTwo = [
  0.42278433, 0.32246703, -0.067351595, 0.02058162, -0.00739733, 0.0028716647, -0.0011346926, 6.394505e-4,
  -2.6388394e-4, -1.6534046e-4, -2.3910395e-4,
]
/** a·(log Γ(a) - (a - ½)·log a + a - ½·log 2π) as a polynomial of 1/a², a >= 3.5. */
const stirling = [0.08333326, -0.0027732467, 7.0522045e-4]
/** Γ'(x)/Γ(x) / (x - root) as a polynomial of x - 1.5, x in [1, 2]. */
const nearRoot = [
  0.9510559, -0.42362744, 0.2405412, -0.14840275, 0.09502002, -0.061995782, 0.040508855, -0.026120333, 0.018497393,
  -0.015767286, 0.008901655,
]
/** The zero of digamma, as the bits of an f32 and what is left. */
const root = { bits: 0x3fbb16c3, tail: 1.243815e-8 }
/** a²·(Γ'(a)/Γ(a) - log a + 1/(2a)) as a polynomial of 1/a², a >= 2. */
const digammaTail = [-0.08333239, 0.008300086, -0.0035611826, 0.0018283651]
/** sin(π·r) / r as a polynomial of r², |r| <= ½. */
const sinPiTerms = [Math.PI, -5.1677203, 2.550259, -0.599367, 0.07969464]
/** erfinv(x) / x as polynomials of w - 2.5 and √w - 3, w = -log(1 - x²), on both sides of w = 5. */
const inverseNear = [
  1.5014094, 0.24664071, -0.004177694, -0.0012536938, 2.1859708e-4, -4.4005665e-6, -3.528152e-6, 3.440431e-7,
  2.8504221e-8,
]
const inverseFar = [
  2.832977, 1.0016747, 0.009432352, -0.007632938, 0.005783053, -0.0036328826, 0.001254108, 5.9999988e-5, -1.317465e-4,
]

const sinPi = (r: KExpr): KExpr => mul(r, horner(mul(r, r), sinPiTerms))

/** The largest f32 with a finite log Γ is just below. */
const overflow = 4.0850034e36

export type GammaName = 'lgamma' | 'digamma' | 'erfinv'

export const gammaFunctions: Definitions<GammaName> = {
  /**
   * log Γ(a) is `m`, less log q below 1.25, plus log q between 2.5 and 3.5. At -a it is log(π / (a·sin πa)) - log Γ(a), where
   * the logarithms become one, of `share`·π / sin πa.
   */
  lgamma: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const left = f.let('left', and(lt(x, 0), gt(a, 1e-9)))
    const small = f.let('small', lt(a, 0.5))
    const one = f.let('one', lt(a, 1.25))
    const three = f.let('three', and(ge(a, 2.5), lt(a, 3.5)))
    const z = f.let('z', min(select(small, a, sub(a, select(one, 1, pick('f32', three, 3, 2)))), 0.5))
    const near = f.let('near', mul(z, horner(z, nearTwo)))
    const b = f.let('b', max(a, 3.5))
    const v = f.let('v', div(1, b))
    const w = f.let('w', mul(v, v))
    const far = f.let(
      'far',
      add(mul(sub(b, 0.5), sub(f.call('log', b), 1)), add(0.41893853, mul(v, horner(w, stirling)))),
    )
    const m = f.let('m', select(ge(a, 3.5), far, near))
    const h = f.let('h', sub(a, floor(a)))
    const r = f.let('r', min(h, sub(1, h)))
    const sine = f.let('sine', max(sinPi(r), 2 ** -100))
    const less = f.let('less', select(three, sub(a, 1), 1))
    const q = f.let('q', select(small, mul(a, add(1, a)), select(one, a, less)))
    const share = f.let('share', select(small, add(1, a), select(one, 1, div(1, mul(max(a, 1), less)))))
    const l = f.let('l', f.call('log', select(left, div(mul(Math.PI, share), sine), q)))
    const pole = f.let('pole', or(and(left, eq(r, 0)), gt(a, overflow), eq(a, 0)))
    return patch(
      select(left, sub(l, m), select(three, add(m, l), sub(m, l))),
      [or(pole, isNonFinite(x)), infinityBits],
      [isNan(x), bitsOf(x)],
      ...whereKept(f, [isTiny(x), bitsOf(neg(f.call('log', absolute(x))))]),
    )
  }),

  /**
   * Below 1 from the value at a + 1; at -a it is the value at a, and 1/a + π·cot πa more. The distance of z in [1, 2) from
   * the zero is counted in steps of 2^-23: compilers would join the two parts of a difference.
   */
  digamma: ofFloat((f, x) => {
    const u = f.let('u', bitsOf(x))
    const a = f.let('a', abs(x))
    const left = f.let('left', lt(x, 0))
    const small = f.let('small', lt(a, 1))
    const z = f.let('z', min(select(small, add(a, 1), a), 2))
    const c = f.let('c', sub(z, 1.5))
    const steps = f.let('steps', sub(intOf(z), root.bits))
    const near = f.let('near', mul(sub(mul(toFloat(steps), 2 ** -23), root.tail), horner(c, nearRoot)))
    const b = f.let('b', max(a, 2))
    const v = f.let('v', div(1, b))
    const w = f.let('w', mul(v, v))
    const far = f.let('far', sub(f.call('log', b), sub(mul(0.5, v), mul(w, horner(w, digammaTail)))))
    const p = f.let('p', select(ge(a, 2), far, near))
    const h = f.let('h', sub(a, floor(a)))
    const d = f.let('d', min(h, sub(1, h)))
    const e = f.let('e', sub(0.5, d))
    const cotangent = f.let('cotangent', div(mul(Math.PI, sinPi(e)), sinPi(d)))
    const signed = f.let('signed', select(gt(h, 0.5), neg(cotangent), cotangent))
    const reciprocal = f.let('reciprocal', div(1, a))
    const right = f.let('right', sub(p, select(small, reciprocal, 0)))
    const y = f.let('y', select(left, add(p, add(select(small, 0, reciprocal), signed)), right))
    return patch(
      y,
      [or(and(left, eq(d, 0)), isNonFinite(x)), nanBits],
      [eq(u, infinityBits), u],
      [lt(shiftLeft(u, 1), 0x01000000), or(infinityBits, and(xor(u, signBit), signBit))],
      ...whereKept(f, [isTiny(x), bitsOf(f.call('keptDiv', -1, x))]),
    )
  }),

  erfinv: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const w = f.let('w', neg(f.call('log', max(mul(sub(1, a), add(1, a)), 1e-9))))
    const c = f.let('c', sub(w, 2.5))
    const s = f.let('s', sub(sqrt(max(w, 5)), 3))
    const y = f.let('y', mul(x, select(lt(w, 5), horner(c, inverseNear), horner(s, inverseFar))))
    return patch(
      y,
      [eq(a, 1), or(infinityBits, signOf(x))],
      [or(gt(a, 1), isNan(x)), nanBits],
      ...slope(f, x, Math.sqrt(Math.PI) / 2),
    )
  }),
}
