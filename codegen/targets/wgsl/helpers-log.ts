/**
 * The logarithms, their inverse-hyperbolic kin and pow. Arguments are split by bits, so subnormal ones count even where the
 * device flushes them. The kernels of log (s = f / (2 + f)) and pow (a head-and-tail log2) follow Sun's fdlibm in its float form.
 */
import { scaled } from './helpers-subnormal.ts'
import { type Helpers, horner, type Lanes } from './lanes.ts'
import { isItself, isNanBits, isNonFiniteBits, isTiny, isTinyBits, oddSign, patch } from './patch.ts'

const ln2Hi = 0.69313812256
const ln2Lo = 9.0580006145e-6
const logTerms = [0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841]
const ln2 = Math.LN2

/** `u` (bits of a positive number) into `k` (exponent) and `f` in [√½ − 1, √2 − 1]; `v` and `small` are on the way. */
const split = (t: Lanes): readonly string[] => [
  `let u = bitcast<${t.U}>(x);`,
  `let small = u < ${t.u(0x00800000)};`,
  `let v = select(u, bitcast<${t.U}>(${t.F}(u)), small) - ${t.u(0x3f3504f3)};`,
  `let k = ${t.F}(bitcast<${t.I}>(v) >> ${t.u(23)}) - select(${t.f(0)}, ${t.f(149)}, small);`,
  `let f = bitcast<${t.F}>((v & ${t.u(0x007fffff)}) + ${t.u(0x3f3504f3)}) - ${t.k(1)};`,
]

/** log(1 + f) = f − q + w with q = f²/2: gives `q` and `w`. */
const kernel = (t: Lanes): readonly string[] => [
  `let s = f / (${t.k(2)} + f);`,
  'let z = s * s;',
  `let q = ${t.k(0.5)} * f * f;`,
  `let w = s * (q + z * ${horner(t, 'z', logTerms)});`,
]

/** Infinity and NaN stay, a negative argument gives NaN, a zero −infinity. */
const logSpecials = (t: Lanes, y: string): string =>
  patch(
    t,
    y,
    [`u >= ${t.u(0x7f800000)}`, 'u'],
    [`u > ${t.u(0x80000000)}`, t.u(0x7fc00000)],
    [`(u << ${t.u(1)}) == ${t.u(0)}`, t.u(0xff800000)],
  )

/** log(1 + f) as head + tail, the head with 12 bits: a product with a 12-bit constant is then exact. */
const headTail = (t: Lanes): readonly string[] => [
  `let head = bitcast<${t.F}>(bitcast<${t.U}>(f - q) & ${t.u(0xfffff000)});`,
  'let tail = ((f - head) - q) + w;',
]

/** Truncates to 12 significant bits. */
const head12 = (t: Lanes, x: string): string => `bitcast<${t.F}>(bitcast<${t.U}>(${x}) & ${t.u(0xfffff000)})`

const exp2Terms = [0.693147182, 0.240226507, 0.0555040613, 0.0096180886, 0.00133366662, 0.0001545142, 1.46712791e-5]
const cpHead = 0.9619140625
const cpTail = -1.1736857402e-4
const cp = 0.96179670095
const powTerms = [0.60000002384, 0.42857143283, 0.33333334327, 0.27272811532, 0.23066075146, 0.20697501302]

export type LogName = 'log' | 'log2' | 'log10' | 'log1p' | 'asinh' | 'acosh' | 'atanh' | 'pow'

export const logHelpers: Helpers<LogName> = {
  log: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      ...split(t),
      ...kernel(t),
      `let y = k * ${t.k(ln2Hi)} + (f - (q - (w + k * ${t.k(ln2Lo)})));`,
      `return ${logSpecials(t, 'y')};`,
    ],
  },
  log2: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      ...split(t),
      ...kernel(t),
      ...headTail(t),
      `let y = (head + tail) * ${t.k(-1.7605285393e-4)} + tail * ${t.k(1.44287109375)} + head * ${t.k(1.44287109375)} + k;`,
      `return ${logSpecials(t, 'y')};`,
    ],
  },
  log10: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      ...split(t),
      ...kernel(t),
      ...headTail(t),
      `let low = k * ${t.k(7.9034151668e-7)} + (head + tail) * ${t.k(-3.1689971365e-5)} + tail * ${t.k(0.434326171875)};`,
      `let y = low + head * ${t.k(0.434326171875)} + k * ${t.k(0.30102920532)};`,
      `return ${logSpecials(t, 'y')};`,
    ],
  },
  /**
   * Without a shift of exponent f is x itself; else `c` gives back what the sum 1 + x lost, counted in units of 2^k: the
   * plain `x - ((1 + x) - 1)` is folded to 0 by some compilers.
   */
  log1p: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = bitcast<${t.U}>(x);`,
      `let v = bitcast<${t.U}>(${t.k(1)} + x) - ${t.u(0x3f3504f3)};`,
      `let e = bitcast<${t.I}>(v) >> ${t.u(23)};`,
      `let k = ${t.F}(e);`,
      `let near = k == ${t.f(0)};`,
      `let m = bitcast<${t.F}>((v & ${t.u(0x007fffff)}) + ${t.u(0x3f3504f3)});`,
      `let unit = bitcast<${t.F}>((${t.i(127)} - min(e, ${t.i(64)})) << ${t.u(23)});`,
      `let lost = select((unit - m) + x * unit, (x * unit - m) + unit, x > ${t.f(1)});`,
      `let c = select(lost / m, ${t.f(0)}, near | (k > ${t.f(40)}));`,
      `let f = select(m - ${t.k(1)}, x, near);`,
      ...kernel(t),
      `let y = k * ${t.k(ln2Hi)} + (f - (q - (w + (k * ${t.k(ln2Lo)} + c))));`,
      `return ${patch(
        t,
        'y',
        [`(abs(x) < ${t.f(2 ** -26)}) | ${isNonFiniteBits(t, 'x')}`, 'u'],
        [`u > ${t.u(0xbf800000)}`, t.u(0x7fc00000)],
        [`u == ${t.u(0xbf800000)}`, t.u(0xff800000)],
      )};`,
    ],
  },
  asinh: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      'let z = a * a;',
      `let big = a > ${t.f(2 ** 28)};`,
      `let y = ${t.fn('log1p')}(select(a + z / (${t.k(1)} + sqrt(${t.k(1)} + z)), a, big)) + select(${t.f(0)}, ${t.f(ln2)}, big);`,
      `return ${patch(t, oddSign(t, 'y', 'x'), [`${isNonFiniteBits(t, 'x')}${t.keep ? ` | ${isTiny(t, 'x')}` : ''}`, `bitcast<${t.U}>(x)`])};`,
    ],
  },
  acosh: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let a = max(x - ${t.k(1)}, ${t.f(0)});`,
      `let big = x > ${t.f(2 ** 28)};`,
      `let y = ${t.fn('log1p')}(select(a + sqrt(${t.k(2)} * a + a * a), x, big)) + select(${t.f(0)}, ${t.f(ln2)}, big);`,
      `return ${patch(t, 'y', [`x < ${t.f(1)}`, t.u(0x7fc00000)], [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  atanh: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let inside = a < ${t.f(1)};`,
      `let y = ${t.k(0.5)} * ${t.fn('log1p')}((a + a) / select(${t.f(1)}, ${t.k(1)} - a, inside));`,
      `let edge = select(${t.u(0x7fc00000)}, ${t.u(0x7f800000)} | (bitcast<${t.U}>(x) & ${t.u(0x80000000)}), a == ${t.f(1)});`,
      `return ${patch(
        t,
        oddSign(t, `select(y, a, a < ${t.f(1e-5)})`, 'x'),
        ['!inside', 'edge'],
        [isItself(t, 'x'), `bitcast<${t.U}>(x)`],
      )};`,
    ],
  },
  /** C99's pow: pow(1, NaN) = 1, x^0 = 1, a negative base only to an integer, its sign by the integer's parity. */
  pow: {
    text: (t) => [
      `(x: ${t.F}, y: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let au = bitcast<${t.U}>(x) & ${t.u(0x7fffffff)};`,
      `let yu = bitcast<${t.U}>(y) & ${t.u(0x7fffffff)};`,
      `let small = au < ${t.u(0x00800000)};`,
      `let v = select(au, bitcast<${t.U}>(${t.F}(au)), small);`,
      `let j = v & ${t.u(0x007fffff)};`,
      `let mid = (j > ${t.u(0x1cc471)}) & (j < ${t.u(0x5db3d7)});`,
      `let top = select(${t.u(0)}, ${t.u(1)}, j >= ${t.u(0x5db3d7)});`,
      `let n = ${t.F}(bitcast<${t.I}>((v >> ${t.u(23)}) + top - select(${t.u(127)}, ${t.u(276)}, small)));`,
      `let mu = (j | ${t.u(0x3f800000)}) - (top << ${t.u(23)});`,
      `let m = bitcast<${t.F}>(mu);`,
      `let base = select(${t.f(1)}, ${t.f(1.5)}, mid);`,
      'let d = m - base;',
      `let inv = ${t.k(1)} / (m + base);`,
      'let s = d * inv;',
      `let sh = ${head12(t, 's')};`,
      `let bh = bitcast<${t.F}>((((mu >> ${t.u(1)}) & ${t.u(0xfffff000)}) | ${t.u(0x20000000)}) + select(${t.u(0x00400000)}, ${t.u(0x00600000)}, mid));`,
      'let sl = inv * ((d - sh * bh) - sh * (m - (bh - base)));',
      'let s2 = s * s;',
      `let r = s2 * s2 * ${horner(t, 's2', powTerms)} + sl * (sh + s);`,
      'let sq = sh * sh;',
      `let th = ${head12(t, `${t.k(3)} + sq + r`)};`,
      `let tl = r - ((th - ${t.k(3)}) - sq);`,
      'let ph = sh * th;',
      'let pl = sl * th + tl * s;',
      `let qh = ${head12(t, 'ph + pl')};`,
      `let zh = qh * ${t.k(cpHead)};`,
      `let dh = select(${t.f(0)}, ${t.f(0.584960938)}, mid);`,
      `let zl = qh * ${t.k(cpTail)} + (pl - (qh - ph)) * ${t.k(cp)} + select(${t.f(0)}, ${t.f(1.56322085e-6)}, mid);`,
      `let lh = ${head12(t, '((zh + zl) + dh) + n')};`,
      'let ll = zl - (((lh - n) - dh) - zh);',
      `let c = clamp(y, ${t.f(-4e9)}, ${t.f(4e9)});`,
      `let ch = ${head12(t, 'c')};`,
      'let eh = ch * lh;',
      'let el = (c - ch) * lh + c * ll;',
      'let e = eh + el;',
      `let b = floor(clamp(e, ${t.f(-160)}, ${t.f(160)}) + ${t.k(0.5)});`,
      'let g = (eh - b) + el;',
      `let p = ${t.k(1)} + g * ${horner(t, 'g', exp2Terms)};`,
      `let k = ${t.I}(b);`,
      `let h = k >> ${t.u(1)};`,
      `let whole = (yu >= ${t.u(0x4b800000)}) | ${t.keep ? `((trunc(y) == y) & !${isTinyBits(t, 'yu')})` : '(trunc(y) == y)'};`,
      `let odd = whole & (yu < ${t.u(0x4b800000)}) & (trunc(${t.k(0.5)} * y) != ${t.k(0.5)} * y);`,
      `let flip = select(${t.u(0)}, bitcast<${t.U}>(x) & ${t.u(0x80000000)}, odd);`,
      `let up = ${t.u(0x7f800000)};`,
      `let out = bitcast<${t.U}>(${scaled(t, 'p', 'k', 'h')});`,
      `let ranged = select(select(out, up, e >= ${t.f(128)}), ${t.u(0)}, e < ${t.f(-151)});`,
      `let grows = (a > ${t.f(1)}) == (bitcast<${t.U}>(y) < ${t.u(0x80000000)});`,
      `let edge = (au == ${t.u(0)}) | (au == up) | (yu == up);`,
      `let value = select(ranged, select(${t.u(0)}, up, grows), edge) | flip;`,
      `let bad = (bitcast<${t.U}>(x) > ${t.u(0x80000000)}) & (au < up) & !whole;`,
      `let nan = (au > up) | (yu > up) | bad;`,
      `let one = (bitcast<${t.U}>(x) == ${t.u(0x3f800000)}) | (yu == ${t.u(0)}) | ((au == ${t.u(0x3f800000)}) & (yu == up));`,
      `return bitcast<${t.F}>(select(select(value, ${t.u(0x7fc00000)}, nan), ${t.u(0x3f800000)}, one));`,
    ],
  },
}
