/**
 * sin, cos, tan and their inverses. Arguments are reduced by π/2 in four exact parts up to 1e5 (Cody and Waite), beyond that
 * by the bits of 2/π (Payne and Hanek) in integers, so every finite argument counts. Polynomials: minimax fits.
 */
import { type Helpers, horner, type Lanes, lanewise } from './lanes.ts'
import { isItself, isNanBits, isNonFiniteBits, isTiny, oddSign, patch, whereKept } from './patch.ts'

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

/** The smaller of |x| and |y| over the `most` of them: huge and tiny operands are scaled first, as division promises little there. */
const scaledRatio = (t: Lanes): readonly string[] => [
  'let ax = abs(x);',
  'let ay = abs(y);',
  'let most = max(ax, ay);',
  `let gain = select(select(${t.f(1)}, ${t.f(2 ** 48)}, most < ${t.f(2 ** -60)}), ${t.f(2 ** -48)}, most > ${t.f(2 ** 60)});`,
  `let ratio = (min(ax, ay) * gain) / select(most * gain, ${t.f(1)}, most == ${t.f(0)});`,
  'let swapped = ay > ax;',
]

/** As `scaledRatio`, with subnormal operands and quotients. */
const exactRatio = (t: Lanes): readonly string[] => [
  `let u = bitcast<${t.U}>(x) & ${t.u(0x7fffffff)};`,
  `let v = bitcast<${t.U}>(y) & ${t.u(0x7fffffff)};`,
  `let ax = bitcast<${t.F}>(u);`,
  `let ay = bitcast<${t.F}>(v);`,
  `let most = bitcast<${t.F}>(max(u, v));`,
  `let ratio = ${t.fn('keptDiv')}(bitcast<${t.F}>(min(u, v)), ${patch(t, 'most', [`max(u, v) == ${t.u(0)}`, t.u(0x3f800000)])});`,
  'let swapped = v > u;',
]

/** sin and cos of the reduced angle, and the test of the quadrant's low bit. */
const kernels = (t: Lanes): readonly string[] => [
  `let a = ${t.fn('angle')}(x);`,
  'let z = a.r * a.r;',
  `let s = a.r + a.r * (z * ${horner(t, 'z', sinTail)});`,
  `let c = ${t.k(1)} - (${t.k(0.5)} * z - z * z * ${horner(t, 'z', cosTail)});`,
]

const circular = (t: Lanes, first: string, second: string, turn: number): readonly string[] => [
  `(x: ${t.F}) -> ${t.F}`,
  ...kernels(t),
  `let y = select(${first}, ${second}, (a.q & ${t.i(1)}) == ${t.i(1)});`,
  `let flip = (bitcast<${t.U}>(a.q + ${t.i(turn)}) & ${t.u(2)}) << ${t.u(30)};`,
]

export type TrigName = 'bigAngle' | 'angle' | 'mulHigh' | 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan' | 'atan2'

export const trigHelpers: Helpers<TrigName> = {
  /** x in (-∞, ∞) as q·π/2 + r: one lane, |x| beyond the reach of the exact products. Bits 0, 1 of q count. */
  bigAngle: {
    scalarOnly: true,
    text: (t) => [
      '(x: f32) -> vec2<f32>',
      'var table = array<u32, 7>(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u);',
      'let u = bitcast<u32>(x);',
      'let m = ((u & 0x7fffffu) | 0x800000u) << 8u;',
      'let e = clamp((u >> 23u) & 0xffu, 126u, 254u) - 126u;',
      'let i = e >> 5u;',
      'let s = e & 31u;',
      'let low = table[min(i + 3u, 6u)];',
      'let mid = table[i + 2u];',
      'let high = table[i + 1u];',
      'let top = table[i];',
      'let c = select(low >> (32u - s), 0u, s == 0u);',
      'let d = select(mid >> (32u - s), 0u, s == 0u);',
      'let f = select(high >> (32u - s), 0u, s == 0u);',
      'let w0 = (top << s) | f;',
      'let w1 = (high << s) | d;',
      'let w2 = (mid << s) | c;',
      `let p0 = ${t.fn('mulHigh')}(m, w2);`,
      'let p1 = m * w1;',
      'let sum = p0 + p1;',
      `let p2 = ${t.fn('mulHigh')}(m, w1) + select(0u, 1u, sum < p0) + m * w0;`,
      // 2.62 fixed point: quadrant, then the fraction of π/2, taken to the nearest multiple.
      'let up = (p2 >> 29u) & 1u;',
      'let q = (p2 >> 30u) + up;',
      'let negative = up == 1u;',
      'let fh = p2 & 0x3fffffffu;',
      'let nl = ~sum + 1u;',
      'let nh = (0x40000000u - fh) - select(1u, 0u, sum == 0u);',
      'let rh = select(fh, nh, negative);',
      'let rl = select(sum, nl, negative);',
      'let lead = min(countLeadingZeros(rh), 31u);',
      'let carry = select(rl >> (32u - lead), 0u, lead == 0u);',
      'let bits = (rh << lead) | carry;',
      'let r = f32(bits) * bitcast<f32>((127u - 30u - lead) << 23u) * 0x1.921fb6p+0f;',
      'let flip = (u >> 31u) == 1u;',
      'return vec2<f32>(select(r, -r, negative != flip), f32(select(q, 4u - q, flip)));',
    ],
  },
  /** x = q·π/2 + r, |r| <= π/4 (and a little): r and q. */
  angle: {
    result: (t) => [`r: ${t.F}`, `q: ${t.I}`],
    text: (t) => [
      `(x: ${t.F}) -> ${t.struct}`,
      `let c = select(${t.f(0)}, x, abs(x) <= ${t.f(limit)});`,
      `let k = floor(c * ${t.k(2 / Math.PI)} + ${t.k(0.5)});`,
      `var r = ((c - k * ${t.k(halfPi[0]!)}) - k * ${t.k(halfPi[1]!)} - k * ${t.k(halfPi[2]!)}) - k * ${t.k(halfPi[3]!)};`,
      `var q = ${t.I}(k);`,
      `let big = abs(x) > ${t.f(limit)};`,
      'if any(big) {',
      ...lanewise(t, 'big', (at) => [`let b = ${t.fn('bigAngle')}(x${at});`, `r${at} = b.x;`, `q${at} = i32(b.y);`]),
      '}',
      `return ${t.struct}(r, q);`,
    ],
  },
  mulHigh: {
    scalarOnly: true,
    text: () => [
      '(a: u32, b: u32) -> u32',
      'let al = a & 0xffffu;',
      'let ah = a >> 16u;',
      'let bl = b & 0xffffu;',
      'let bh = b >> 16u;',
      'let mid = ah * bl + ((al * bl) >> 16u);',
      'let rest = al * bh + (mid & 0xffffu);',
      'return ah * bh + (mid >> 16u) + (rest >> 16u);',
    ],
  },
  sin: {
    text: (t) => [
      ...circular(t, 's', 'c', 0),
      `return ${patch(
        t,
        `bitcast<${t.F}>(bitcast<${t.U}>(y) ^ flip)`,
        [`abs(x) < ${t.f(2 ** -12)}`, `bitcast<${t.U}>(x)`],
        [isNonFiniteBits(t, 'x'), t.u(0x7fc00000)],
      )};`,
    ],
  },
  cos: {
    text: (t) => [
      ...circular(t, 'c', 's', 1),
      `return ${patch(t, `bitcast<${t.F}>(bitcast<${t.U}>(y) ^ flip)`, [isNonFiniteBits(t, 'x'), t.u(0x7fc00000)])};`,
    ],
  },
  tan: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      ...kernels(t),
      `let odd = (a.q & ${t.i(1)}) == ${t.i(1)};`,
      'let y = select(s, -c, odd) / select(c, s, odd);',
      `return ${patch(
        t,
        'y',
        [`abs(x) < ${t.f(2 ** -12)}`, `bitcast<${t.U}>(x)`],
        [isNonFiniteBits(t, 'x'), t.u(0x7fc00000)],
      )};`,
    ],
  },
  /** Beyond ½: asin a = π/2 − 2 asin √((1 − a) / 2). */
  asin: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let far = a > ${t.f(0.5)};`,
      `let z = select(a * a, ${t.k(0.5)} * max(${t.k(1)} - a, ${t.f(0)}), far);`,
      'let s = select(a, sqrt(z), far);',
      `let p = s + s * (z * ${horner(t, 'z', asinTail)});`,
      `let y = ${oddSign(t, `select(p, ${t.k(piOver2)} - ${t.k(2)} * p, far)`, 'x')};`,
      `return ${patch(t, 'y', [`a > ${t.f(1)}`, t.u(0x7fc00000)], [isItself(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  acos: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let far = a > ${t.f(0.5)};`,
      `let z = select(a * a, ${t.k(0.5)} * max(${t.k(1)} - a, ${t.f(0)}), far);`,
      'let s = select(x, sqrt(z), far);',
      `let p = s + s * (z * ${horner(t, 'z', asinTail)});`,
      `let outer = select(${t.k(2)} * p, ${t.k(Math.PI)} - (${t.k(2)} * p + ${t.k(8.742278e-8)}), x < ${t.f(0)});`,
      `let y = select(${t.k(piOver2)} - (p + ${t.k(4.371139e-8)}), outer, far);`,
      `return ${patch(t, 'y', [`a > ${t.f(1)}`, t.u(0x7fc00000)], [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  atan: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let far = a > ${t.f(1)};`,
      `let s = select(a, ${t.k(1)} / max(a, ${t.f(1)}), far);`,
      'let z = s * s;',
      `let p = s + s * (z * ${horner(t, 'z', atanTail)});`,
      `let wide = select(${t.k(piOver2)} - p, ${t.f(piOver2)}, a > ${t.f(1e9)});`,
      `return ${patch(t, oddSign(t, 'select(p, wide, far)', 'x'), [isItself(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  /** The octant's quotient is at most 1. */
  atan2: {
    text: (t) => [
      `(y: ${t.F}, x: ${t.F}) -> ${t.F}`,
      ...(t.keep ? exactRatio(t) : scaledRatio(t)),
      `let even = ${isNonFiniteBits(t, 'ax')} & ${isNonFiniteBits(t, 'ay')};`,
      `let s = select(select(ratio, ${t.f(0)}, ${isNonFiniteBits(t, 'most')}), ${t.f(1)}, even);`,
      'let z = s * s;',
      `let p = ${patch(t, `s + s * (z * ${horner(t, 'z', atanTail)})`, ...whereKept(t, [isTiny(t, 's'), `bitcast<${t.U}>(s)`]))};`,
      `let q = select(p, ${t.k(piOver2)} - (p + ${t.k(4.371139e-8)}), swapped);`,
      `let left = bitcast<${t.U}>(x) >= ${t.u(0x80000000)};`,
      `let r = select(q, ${t.k(Math.PI)} - (q + ${t.k(8.742278e-8)}), left);`,
      `return ${patch(t, oddSign(t, 'r', 'y'), [`${isNanBits(t, 'x')} | ${isNanBits(t, 'y')}`, t.u(0x7fc00000)])};`,
    ],
  },
}
