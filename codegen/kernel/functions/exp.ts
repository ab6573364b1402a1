/**
 * exp, exp2, expm1, sigmoid, tanh, sinh, cosh by own reduction and polynomials: native ones are off by tens of ULP or wrong
 * at the edges on some devices. Polynomials: minimax fits for relative error. Special values are put in by bits at the end.
 */
import type { KExpr } from '../kernel.ts'
import { type Body, type Definitions, lanewise, ofFloat } from './body.ts'
import {
  abs,
  add,
  bitsOf,
  clamp,
  div,
  eq,
  floatOf,
  floor,
  ge,
  gt,
  horner,
  lt,
  max,
  min,
  mul,
  neg,
  or,
  select,
  shiftLeft,
  shiftRight,
  sub,
  wholeToInt,
} from './operators.ts'
import { infinityBits, isInfinite, isItself, isNan, oddSign, patch, signOf, whereKept } from './patch.ts'
import { scaled } from './subnormal.ts'

const log2e = Math.LOG2E
/** ln 2 in two parts: the first has 10 significant bits, so that n·hi is exact. */
const ln2Hi = 0.693359375
const ln2Lo = -2.1219444005469e-4
const expTail = [0.5, 0.166665152, 0.0416663773, 0.00836939178, 0.00139429222]
const exp2Terms = [0.693147182, 0.240226507, 0.0555035956, 0.00961806253, 0.0013390989, 0.000154628782]
const expm1Tail = [0.5, 0.166666672, 0.0416664816, 0.00833320804, 0.00139335624, 0.000199442657]
const sinhTail = [0.166666672, 0.00833331142, 0.000198426351, 2.78392508e-6]
const tanhTail = [-0.333332837, 0.133314833, -0.0537427738, 0.0206480622, -0.00571406353]

/** c = n·ln 2 + r: gives n and r. */
const reduced = (f: Body, c: KExpr, low?: KExpr): readonly [KExpr, KExpr] => {
  const n = f.let('n', floor(add(mul(c, log2e), 0.5)))
  const rest = sub(sub(c, mul(n, ln2Hi)), mul(n, ln2Lo))
  return [n, f.let('r', low ? add(rest, low) : rest)]
}

/** p·2^k. */
const powered = (f: Body, p: KExpr, k: KExpr): KExpr => {
  const h = f.let('h', shiftRight(k, 1))
  return f.let('y', scaled(f, p, k, h))
}

interface ExpOptions {
  /** What is added to the argument. */
  readonly low?: KExpr
  readonly factor?: KExpr
  /** What is taken from the exponent. */
  readonly shift?: number
}

/** exp(c + low) for c in [-104, 91], `low` small, times 2^-shift and a factor; `c`'s own overflow is the caller's. */
const expCore = (f: Body, c: KExpr, { low, factor, shift = 0 }: ExpOptions = {}): KExpr => {
  const [n, r] = reduced(f, c, low)
  const sum = add(1, add(r, mul(r, r, horner(r, expTail))))
  const p = f.let('p', factor ? mul(sum, factor) : sum)
  const k = f.let('k', sub(wholeToInt(n), shift))
  return powered(f, p, k)
}

const overflow = { exp: 88.7228394, halfExp: 89.4159851 }

export type ExpName = 'exp' | 'halfExp' | 'expTimes' | 'exp2' | 'expm1' | 'sigmoid' | 'tanh' | 'sinh' | 'cosh'

export const expFunctions: Definitions<ExpName> = {
  exp: ofFloat((f, x) => {
    const c = f.let('c', clamp(x, -104, 89))
    const y = expCore(f, c)
    return patch(y, [gt(x, overflow.exp), infinityBits], [isNan(x), bitsOf(x)])
  }),

  /** exp(x) / 2 for x >= 0, finite up to the overflow of cosh. */
  halfExp: ofFloat((f, x) => {
    const c = f.let('c', min(x, 90))
    const y = expCore(f, c, { shift: 1 })
    return patch(y, [gt(x, overflow.halfExp), infinityBits])
  }),

  /** exp(x + low)·f for x <= 0, f in [2^-20, 2^20]. */
  expTimes: lanewise({ x: 'f32', low: 'f32', f: 'f32' }, (f, { x, low, f: factor }) => {
    const c = f.let('c', max(x, -104))
    return expCore(f, c, { low, factor })
  }),

  exp2: ofFloat((f, x) => {
    const c = f.let('c', clamp(x, -151, 128))
    const n = f.let('n', floor(add(c, 0.5)))
    const r = f.let('r', sub(c, n))
    const p = f.let('p', add(1, mul(r, horner(r, exp2Terms))))
    const y = powered(f, p, f.let('k', wholeToInt(n)))
    return patch(y, [ge(x, 128), infinityBits], [isNan(x), bitsOf(x)])
  }),

  /** 2^n·(e^r − 1) + (2^n − 1), halved before the last doubling so that 2^128 is not needed. */
  expm1: ofFloat((f, x) => {
    const c = f.let('c', clamp(x, -20, 89))
    const [n, r] = reduced(f, c)
    const p = f.let('p', add(r, mul(r, r, horner(r, expm1Tail))))
    const s = f.let('s', floatOf(shiftLeft(add(wholeToInt(n), 126), 23)))
    const y = f.let('y', mul(2, add(mul(s, p), sub(s, 0.5))))
    return patch(
      select(eq(n, 0), p, y),
      [gt(x, overflow.exp), infinityBits],
      [or(lt(abs(x), 1e-9), isNan(x)), bitsOf(x)],
    )
  }),

  /** With e = exp(−|x|): 1 / (1 + e), or e / (1 + e) on the left: no overflow on either side. */
  sigmoid: ofFloat((f, x) => {
    const e = f.let('e', f.call('exp', neg(abs(x))))
    const y = f.let('y', div(select(lt(x, 0), e, 1), add(1, e)))
    return patch(y, ...whereKept(f, [lt(x, -20), bitsOf(e)]), [isNan(x), bitsOf(x)])
  }),

  tanh: ofFloat((f, x) => {
    const a = f.let('a', min(abs(x), 10))
    const z = f.let('z', mul(a, a))
    const near = f.let('near', add(a, mul(a, mul(z, horner(z, tanhTail)))))
    const far = f.let('far', sub(1, div(2, add(f.call('exp', add(a, a)), 1))))
    const y = f.let('y', oddSign(select(lt(a, 0.625), near, far), x))
    return patch(y, [isItself(f, x), bitsOf(x)])
  }),

  sinh: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const h = f.let('h', f.call('halfExp', a))
    const c = f.let('c', min(a, 1))
    const z = f.let('z', mul(c, c))
    const near = f.let('near', add(c, mul(c, mul(z, horner(z, sinhTail)))))
    const y = f.let('y', oddSign(select(lt(a, 1), near, sub(h, div(0.25, h))), x))
    const big = f.let('big', or(bitsOf(h), signOf(x)))
    return patch(y, [isInfinite(h), big], [isItself(f, x), bitsOf(x)])
  }),

  cosh: ofFloat((f, x) => {
    const h = f.let('h', f.call('halfExp', abs(x)))
    const y = f.let('y', add(h, div(0.25, h)))
    return patch(y, [isInfinite(h), infinityBits], [isNan(x), bitsOf(x)])
  }),
}
