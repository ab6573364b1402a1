/**
 * The logarithms, their inverse-hyperbolic kin and pow. Arguments are split by bits, so subnormal ones count even where the
 * device flushes them. The kernels of log (s = f / (2 + f)) and pow (a head-and-tail log2) follow Sun's fdlibm in its float form.
 */
import type { KExpr } from '../kernel.ts'
import { type Body, type Definitions, lanewise, ofFloat } from './body.ts'
import {
  abs,
  add,
  and,
  bitsOf,
  clamp,
  div,
  eq,
  floatOf,
  floor,
  ge,
  gt,
  head12,
  horner,
  intOf,
  lt,
  max,
  min,
  mul,
  ne,
  not,
  or,
  pick,
  select,
  shiftLeft,
  shiftRight,
  sqrt,
  sub,
  toFloat,
  trunc,
  wholeToInt,
} from './operators.ts'
import {
  infinityBits,
  isItself,
  isNan,
  isNonFinite,
  isTiny,
  isTinyBits,
  magnitude,
  nanBits,
  oddSign,
  patch,
  signBit,
  signOf,
} from './patch.ts'
import { scaled } from './subnormal.ts'

const ln2Hi = 0.69313812256
const ln2Lo = 9.0580006145e-6
const logTerms = [0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841]
const ln2 = Math.LN2
/** The bits of √½, below which a mantissa is doubled. */
const rootHalf = 0x3f3504f3
const fraction = 0x007fffff

/** x = 2^k·(1 + g) with g in [√½ − 1, √2 − 1]; `u` is the bits of x. */
const split = (f: Body, x: KExpr): { readonly u: KExpr; readonly k: KExpr; readonly g: KExpr } => {
  const u = f.let('u', bitsOf(x))
  const small = f.let('small', lt(u, 0x00800000))
  const v = f.let('v', sub(select(small, bitsOf(toFloat(u)), u), rootHalf))
  const k = f.let('k', sub(toFloat(shiftRight(intOf(v), 23)), pick('f32', small, 149, 0)))
  return { u, k, g: f.let('f', sub(floatOf(add(and(v, fraction), rootHalf)), 1)) }
}

/** log(1 + g) = g − q + w with q = g²/2: gives `q` and `w`. */
const kernel = (f: Body, g: KExpr): { readonly q: KExpr; readonly w: KExpr } => {
  const s = f.let('s', div(g, add(2, g)))
  const z = f.let('z', mul(s, s))
  const q = f.let('q', mul(0.5, g, g))
  return { q, w: f.let('w', mul(s, add(q, mul(z, horner(z, logTerms))))) }
}

/** Infinity and NaN stay, a negative argument gives NaN, a zero −infinity. */
const logSpecials = (y: KExpr, u: KExpr): KExpr =>
  patch(y, [ge(u, infinityBits), u], [gt(u, signBit), nanBits], [eq(shiftLeft(u, 1), 0), 0xff800000])

/** log(1 + g) as head + tail, the head with 12 bits: a product with a 12-bit constant is then exact. */
const headTail = (f: Body, g: KExpr): readonly [KExpr, KExpr] => {
  const { q, w } = kernel(f, g)
  const head = f.let('head', head12(sub(g, q)))
  return [head, f.let('tail', add(sub(sub(g, head), q), w))]
}

const exp2Terms = [0.693147182, 0.240226507, 0.0555040613, 0.0096180886, 0.00133366662, 0.0001545142, 1.46712791e-5]
const cpHead = 0.9619140625
const cpTail = -1.1736857402e-4
const cp = 0.96179670095
const powTerms = [0.60000002384, 0.42857143283, 0.33333334327, 0.27272811532, 0.23066075146, 0.20697501302]

export type LogName = 'log' | 'log2' | 'log10' | 'log1p' | 'asinh' | 'acosh' | 'atanh' | 'pow'

export const logFunctions: Definitions<LogName> = {
  log: ofFloat((f, x) => {
    const { u, k, g } = split(f, x)
    const { q, w } = kernel(f, g)
    const y = f.let('y', add(mul(k, ln2Hi), sub(g, sub(q, add(w, mul(k, ln2Lo))))))
    return logSpecials(y, u)
  }),

  log2: ofFloat((f, x) => {
    const { u, k, g } = split(f, x)
    const [head, tail] = headTail(f, g)
    const low = add(mul(add(head, tail), -1.7605285393e-4), mul(tail, 1.44287109375))
    const y = f.let('y', add(low, mul(head, 1.44287109375), k))
    return logSpecials(y, u)
  }),

  log10: ofFloat((f, x) => {
    const { u, k, g } = split(f, x)
    const [head, tail] = headTail(f, g)
    const low = f.let(
      'low',
      add(mul(k, 7.9034151668e-7), mul(add(head, tail), -3.1689971365e-5), mul(tail, 0.434326171875)),
    )
    const y = f.let('y', add(low, mul(head, 0.434326171875), mul(k, 0.30102920532)))
    return logSpecials(y, u)
  }),

  /**
   * Without a shift of exponent g is x itself; else `c` gives back what the sum 1 + x lost, counted in units of 2^k: the
   * plain `x - ((1 + x) - 1)` is folded to 0 by some compilers.
   */
  log1p: ofFloat((f, x) => {
    const u = f.let('u', bitsOf(x))
    const v = f.let('v', sub(bitsOf(add(1, x)), rootHalf))
    const e = f.let('e', shiftRight(intOf(v), 23))
    const k = f.let('k', toFloat(e))
    const near = f.let('near', eq(k, 0))
    const m = f.let('m', floatOf(add(and(v, fraction), rootHalf)))
    const unit = f.let('unit', floatOf(shiftLeft(sub(127, min(e, 64)), 23)))
    const lost = f.let('lost', select(gt(x, 1), add(sub(mul(x, unit), m), unit), add(sub(unit, m), mul(x, unit))))
    const c = f.let('c', select(or(near, gt(k, 40)), 0, div(lost, m)))
    const g = f.let('f', select(near, x, sub(m, 1)))
    const { q, w } = kernel(f, g)
    const y = f.let('y', add(mul(k, ln2Hi), sub(g, sub(q, add(w, add(mul(k, ln2Lo), c))))))
    return patch(
      y,
      [or(lt(abs(x), 2 ** -26), isNonFinite(x)), u],
      [gt(u, 0xbf800000), nanBits],
      [eq(u, 0xbf800000), 0xff800000],
    )
  }),

  asinh: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const z = f.let('z', mul(a, a))
    const big = f.let('big', gt(a, 2 ** 28))
    const inner = select(big, a, add(a, div(z, add(1, sqrt(add(1, z))))))
    const y = f.let('y', add(f.call('log1p', inner), pick('f32', big, ln2, 0)))
    const itself = f.keep ? or(isNonFinite(x), isTiny(x)) : isNonFinite(x)
    return patch(oddSign(y, x), [itself, bitsOf(x)])
  }),

  acosh: ofFloat((f, x) => {
    const a = f.let('a', max(sub(x, 1), 0))
    const big = f.let('big', gt(x, 2 ** 28))
    const inner = select(big, x, add(a, sqrt(add(mul(2, a), mul(a, a)))))
    const y = f.let('y', add(f.call('log1p', inner), pick('f32', big, ln2, 0)))
    return patch(y, [lt(x, 1), nanBits], [isNan(x), bitsOf(x)])
  }),

  atanh: ofFloat((f, x) => {
    const a = f.let('a', abs(x))
    const inside = f.let('inside', lt(a, 1))
    const y = f.let('y', mul(0.5, f.call('log1p', div(add(a, a), select(inside, sub(1, a), 1)))))
    const edge = f.let('edge', select(eq(a, 1), or(infinityBits, signOf(x)), nanBits))
    return patch(oddSign(select(lt(a, 1e-5), a, y), x), [not(inside), edge], [isItself(f, x), bitsOf(x)])
  }),

  /** C99's pow: pow(1, NaN) = 1, x^0 = 1, a negative base only to an integer, its sign by the integer's parity. */
  pow: lanewise({ x: 'f32', y: 'f32' }, (f, { x, y }) => {
    const a = f.let('a', abs(x))
    const au = f.let('au', magnitude(x))
    const yu = f.let('yu', magnitude(y))
    const small = f.let('small', lt(au, 0x00800000))
    const v = f.let('v', select(small, bitsOf(toFloat(au)), au))
    const j = f.let('j', and(v, fraction))
    const mid = f.let('mid', and(gt(j, 0x1cc471), lt(j, 0x5db3d7)))
    const top = f.let('top', pick('u32', ge(j, 0x5db3d7), 1, 0))
    const n = f.let('n', toFloat(intOf(sub(add(shiftRight(v, 23), top), pick('u32', small, 276, 127)))))
    const mu = f.let('mu', sub(or(j, 0x3f800000), shiftLeft(top, 23)))
    const m = f.let('m', floatOf(mu))
    const base = f.let('base', pick('f32', mid, 1.5, 1))
    const d = f.let('d', sub(m, base))
    const inv = f.let('inv', div(1, add(m, base)))
    const s = f.let('s', mul(d, inv))
    const sh = f.let('sh', head12(s))
    const half = or(and(shiftRight(mu, 1), 0xfffff000), 0x20000000)
    const bh = f.let('bh', floatOf(add(half, pick('u32', mid, 0x00600000, 0x00400000))))
    const sl = f.let('sl', mul(inv, sub(sub(d, mul(sh, bh)), mul(sh, sub(m, sub(bh, base))))))
    const s2 = f.let('s2', mul(s, s))
    const r = f.let('r', add(mul(s2, s2, horner(s2, powTerms)), mul(sl, add(sh, s))))
    const sq = f.let('sq', mul(sh, sh))
    const th = f.let('th', head12(add(3, sq, r)))
    const tl = f.let('tl', sub(r, sub(sub(th, 3), sq)))
    const ph = f.let('ph', mul(sh, th))
    const pl = f.let('pl', add(mul(sl, th), mul(tl, s)))
    const qh = f.let('qh', head12(add(ph, pl)))
    const zh = f.let('zh', mul(qh, cpHead))
    const dh = f.let('dh', pick('f32', mid, 0.584960938, 0))
    const zl = f.let('zl', add(mul(qh, cpTail), mul(sub(pl, sub(qh, ph)), cp), pick('f32', mid, 1.56322085e-6, 0)))
    const lh = f.let('lh', head12(add(add(add(zh, zl), dh), n)))
    const ll = f.let('ll', sub(zl, sub(sub(sub(lh, n), dh), zh)))
    const c = f.let('c', clamp(y, -4e9, 4e9))
    const ch = f.let('ch', head12(c))
    const eh = f.let('eh', mul(ch, lh))
    const el = f.let('el', add(mul(sub(c, ch), lh), mul(c, ll)))
    const e = f.let('e', add(eh, el))
    const b = f.let('b', floor(add(clamp(e, -160, 160), 0.5)))
    const g = f.let('g', add(sub(eh, b), el))
    const p = f.let('p', add(1, mul(g, horner(g, exp2Terms))))
    const k = f.let('k', wholeToInt(b))
    const h = f.let('h', shiftRight(k, 1))
    const even = eq(trunc(y), y)
    const whole = f.let('whole', or(ge(yu, 0x4b800000), f.keep ? and(even, not(isTinyBits(yu))) : even))
    const odd = f.let('odd', and(whole, lt(yu, 0x4b800000), ne(trunc(mul(0.5, y)), mul(0.5, y))))
    const flip = f.let('flip', select(odd, signOf(x), 0))
    const out = f.let('out', bitsOf(scaled(f, p, k, h)))
    const ranged = f.let('ranged', select(lt(e, -151), 0, select(ge(e, 128), infinityBits, out)))
    const grows = f.let('grows', eq(gt(a, 1), lt(bitsOf(y), signBit)))
    const edge = f.let('edge', or(eq(au, 0), eq(au, infinityBits), eq(yu, infinityBits)))
    const value = f.let('value', or(select(edge, pick('u32', grows, infinityBits, 0), ranged), flip))
    const bad = f.let('bad', and(gt(bitsOf(x), signBit), lt(au, infinityBits), not(whole)))
    const nan = f.let('nan', or(gt(au, infinityBits), gt(yu, infinityBits), bad))
    const one = f.let('one', or(eq(bitsOf(x), 0x3f800000), eq(yu, 0), and(eq(au, 0x3f800000), eq(yu, infinityBits))))
    return floatOf(select(one, 0x3f800000, select(nan, nanBits, value)))
  }),
}
