/** Scalar reference functions in Float64 that JavaScript's Math lacks or defines otherwise: the meaning of the pointwise ops. */
import { roundBfloat16 } from './bfloat16.ts'
import type { DType } from './dtype.ts'
import { roundHalf } from './half.ts'

const view = new DataView(new ArrayBuffer(8))

/** `x` with the low 32 bits of its representation cleared: `x - high(x)` and `high(x)²` are then exact. */
const high = (x: number): number => {
  view.setFloat64(0, x)
  view.setUint32(4, 0)
  return view.getFloat64(0)
}

/** Horner's scheme, coefficients from the constant term up. */
const polynomial = (x: number, c: readonly number[]): number => {
  let sum = 0
  for (let i = c.length - 1; i >= 0; i--) sum = sum * x + c[i]!
  return sum
}

// Rational approximations of erf by interval, from FreeBSD's msun s_erf.c (Sun Microsystems, 1993): error below one ulp.
const near0 = {
  p: [0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -2.3763016656650163e-5],
  q: [1, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164, -3.960228278775368e-6],
}
const near1 = {
  offset: 0.8450629115104675,
  p: [
    -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668,
    0.035478304325618236, -0.002166375594868791,
  ],
  q: [
    1, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905,
    0.011984499846799107,
  ],
}
const middle = {
  p: [
    -0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347,
    -184.60509290671104, -81.2874355063066, -9.814329344169145,
  ],
  q: [
    1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783,
    108.63500554177944, 6.570249770319282, -0.0604244152148581,
  ],
}
const far = {
  p: [
    -0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896,
    -1025.0951316110772, -483.5191916086514,
  ],
  q: [
    1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644,
    474.52854120695537, -22.44095244658582,
  ],
}

const ratio = (x: number, c: { readonly p: readonly number[]; readonly q: readonly number[] }): number =>
  polynomial(x, c.p) / polynomial(x, c.q)

/** erfc for x >= 1.25, where it is small: exp(-x²)/x times a rational function of 1/x², the square split to keep its bits. */
const tail = (x: number): number => {
  const s = 1 / (x * x)
  const z = high(x)
  const r = ratio(s, x < 1 / 0.35 ? middle : far)
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + r)) / x
}

/** The error function 2/√π ∫₀ˣ exp(-t²) dt to about one ulp (s_erf.c). */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a < 0.84375) return a < 2 ** -28 ? x + x * near0.p[0]! : x + x * ratio(x * x, near0)
  const y = a < 1.25 ? near1.offset + ratio(a - 1, near1) : a < 6 ? 1 - tail(a) : 1
  return x < 0 ? -y : y
}

/** 1 - erf(x) with full relative precision in the right tail (s_erf.c). */
export const erfc = (x: number): number => {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a < 0.84375) {
    const y = ratio(x * x, near0)
    return x < 0.25 ? 1 - (x + x * y) : 0.5 - (x - 0.5 + x * y)
  }
  if (a < 1.25) {
    const y = ratio(a - 1, near1)
    return x < 0 ? 1 + (near1.offset + y) : 1 - near1.offset - y
  }
  if (a >= 28) return x < 0 ? 2 : 0
  return x < 0 ? 2 - tail(a) : tail(a)
}

/**
 * The inverse of erf: Halley's steps, which triple the digits, from Winitzki's formula; beyond ½ on erfc, which keeps the
 * digits there. ±∞ at ±1, NaN beyond.
 */
export const erfinv = (x: number): number => {
  const a = Math.abs(x)
  if (!(a <= 1)) return Number.NaN
  if (a === 1) return x * Number.POSITIVE_INFINITY
  if (a < 1e-150) return (x * Math.sqrt(Math.PI)) / 2
  const log = Math.log1p(-a * a)
  const c = 2 / (Math.PI * 0.147) + log / 2
  let y = Math.sqrt(Math.sqrt(c * c - log / 0.147) - c)
  if (a < 0.1) y = (a * Math.sqrt(Math.PI)) / 2
  for (let step = 0; step < 3; step++) {
    const miss = a < 0.5 ? erf(y) - a : 1 - a - erfc(y)
    const newton = miss / ((2 / Math.sqrt(Math.PI)) * Math.exp(-y * y))
    y -= newton / (1 + y * newton)
  }
  return x < 0 ? -y : y
}

/** Rounds to the nearest integer, ties to even; keeps the sign of zero, as IEEE 754 roundToIntegralTiesToEven. */
export const roundHalfEven = (x: number): number => {
  if (!(Math.abs(x) < 2 ** 52)) return x
  const shift = x < 0 || Object.is(x, -0) ? -(2 ** 52) : 2 ** 52
  const y = x + shift - shift
  return y === 0 ? (shift < 0 ? -0 : 0) : y
}

/** `x` as the float dtype `d` stores it; integers and bools are themselves. */
export const roundTo = (d: DType): ((x: number) => number) =>
  d === 'f32' ? Math.fround : d === 'f16' ? roundHalf : d === 'bf16' ? roundBfloat16 : (x) => x

/** C99's pow: JavaScript differs where the base is ±1 and the exponent NaN or infinite. */
export const pow = (x: number, y: number): number => {
  if (x === 1) return 1
  if (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) return 1
  return x ** y
}

/** Integer power modulo 2³², by squaring. A negative exponent gives 0 except for the bases 1 and -1, as in PyTorch. */
export const powInteger = (x: number, y: number): number => {
  if (y < 0) return x === 1 ? 1 : x === -1 ? (y % 2 === 0 ? 1 : -1) : 0
  let result = 1
  let base = x | 0
  for (let n = y >>> 0; n > 0; n >>>= 1) {
    if (n & 1) result = Math.imul(result, base)
    base = Math.imul(base, base)
  }
  return result
}

/** -1, 0 or 1; +0 for both zeros (as PyTorch) and NaN for NaN. */
export const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x)

/** 1 / (1 + exp(-x)) without overflow on either side. */
export const sigmoid = (x: number): number => {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** True for both infinities. */
export const isInfinite = (x: number): boolean => Math.abs(x) === Number.POSITIVE_INFINITY
