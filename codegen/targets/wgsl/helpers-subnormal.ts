/**
 * Arithmetic that keeps subnormal numbers on devices that flush them to zero, as WGSL lets them: ordinary operands take the
 * device's own operation, the rest is done on bits. One rounding, to nearest, ties to even, as IEEE 754 has it.
 */
import { type Helpers, type Lanes, lanewise } from './lanes.ts'
import { isNanBits, isTiny, isTinyBits, patch } from './patch.ts'

export type SubnormalName =
  | 'order'
  | 'lift'
  | 'lower'
  | 'pack'
  | 'scale'
  | 'keptAdd'
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

/** The bits of |x|. */
const magnitude = (t: Lanes, x: string): string => `(bitcast<${t.U}>(${x}) & ${t.u(0x7fffffff)})`

const signOf = (t: Lanes, x: string): string => `(bitcast<${t.U}>(${x}) & ${t.u(0x80000000)})`

/** `p · 2^k` for k in [-252, 254], in two exact factors so that only the last product rounds. */
const product = (t: Lanes, p: string, k: string, half: string): string =>
  `${p} * bitcast<${t.F}>((${half} + ${t.i(127)}) << ${t.u(23)}) * bitcast<${t.F}>((${k} - ${half} + ${t.i(127)}) << ${t.u(23)})`

/** `p · 2^k` for p in [2^-20, 2^20] and k in [-160, 254]; `half` is half of k. */
export const scaled = (t: Lanes, p: string, k: string, half: string): string =>
  t.keep ? `${t.fn('scale')}(${p}, ${k})` : product(t, p, k, half)

/** |x| of 24 bits and its exponent: x is `m`·2^(`e` - 150), the first bit of m set by shifting; x is not zero. */
const parts = (x: 'a' | 'b'): readonly string[] => [
  `let u${x} = bitcast<u32>(${x}) & 0x7fffffffu;`,
  `let w${x} = (u${x} & 0x7fffffu) | select(0u, 0x800000u, u${x} >= 0x800000u);`,
  `let s${x} = countLeadingZeros(w${x}) - 8u;`,
  `let m${x} = w${x} << s${x};`,
  `let e${x} = i32(max(u${x} >> 23u, 1u)) - i32(s${x});`,
]

/** The device's own result is right where `sure` holds: most often everywhere. */
const unlessAll = (t: Lanes, sure: string): readonly string[] => [
  `if ${t.width === 1 ? sure : `all(${sure})`} {`,
  '  return y;',
  '}',
]

/** Magnitudes of both operands and the sign of their product; `slow` where they are finite and not zero. */
const operands = (t: Lanes): readonly string[] => [
  `let u = ${magnitude(t, 'a')};`,
  `let v = ${magnitude(t, 'b')};`,
  `let sign = (bitcast<${t.U}>(a) ^ bitcast<${t.U}>(b)) & ${t.u(0x80000000)};`,
  `let slow = (max(u, v) < ${t.u(0x7f800000)}) & (min(u, v) != ${t.u(0)});`,
]

/** Lanes of `y` where `slow` holds are computed by the scalar helper. */
const repaired = (t: Lanes, helper: string): readonly string[] => [
  'if any(slow) {',
  ...lanewise(t, 'slow', (at) => [`y${at} = ${t.fn(helper)}(a${at}, b${at});`]),
  '}',
  'return y;',
]

/** False where an operand is NaN. */
const comparison = (t: Lanes, op: '==' | '<' | '<='): readonly string[] => [
  `(a: ${t.F}, b: ${t.F}) -> ${t.B}`,
  `let nan = ${isNanBits(t, 'a')} | ${isNanBits(t, 'b')};`,
  `return (${t.fn('order')}(a) ${op} ${t.fn('order')}(b)) & !nan;`,
]

const extreme = (t: Lanes, than: '<' | '>', zeros: '&' | '|'): readonly string[] => [
  `(a: ${t.F}, b: ${t.F}) -> ${t.F}`,
  `let p = ${t.fn('order')}(a);`,
  `let q = ${t.fn('order')}(b);`,
  `let u = bitcast<${t.U}>(a);`,
  `let v = bitcast<${t.U}>(b);`,
  `let m = select(select(v, u, p ${than} q), u ${zeros} v, p == q);`,
  `return bitcast<${t.F}>(select(select(m, v, ${isNanBits(t, 'b')}), u, ${isNanBits(t, 'a')}));`,
]

export const subnormalHelpers: Helpers<SubnormalName> = {
  /** Integers in the order of the numbers; both zeros are 0. */
  order: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.I}`,
      `let i = bitcast<${t.I}>(x);`,
      `return select(i, bitcast<${t.I}>(${t.u(0x80000000)}) - i, i < ${t.i(0)});`,
    ],
  },
  /** x·2^64 for |x| < 2^-100. */
  lift: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = ${magnitude(t, 'x')};`,
      `let y = select(bitcast<${t.F}>(u) * ${t.k(2 ** 64)}, ${t.F}(u) * ${t.k(2 ** -85)}, u < ${t.u(0x00800000)});`,
      `return bitcast<${t.F}>(bitcast<${t.U}>(y) | ${signOf(t, 'x')});`,
    ],
  },
  /** x·2^-64, where x is a multiple of 2^-85. */
  lower: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let a = abs(x);`,
      `let n = ${t.U}(min(a, ${t.f(2 ** -62)}) * ${t.k(2 ** 85)});`,
      `let y = select(bitcast<${t.U}>(a * ${t.k(2 ** -64)}), n, a < ${t.f(2 ** -62)});`,
      `return bitcast<${t.F}>(y | ${signOf(t, 'x')});`,
    ],
  },
  /** m·2^e, m > 0, as the bits of the nearest number; the lowest bit of m may stand for all below it. */
  pack: {
    scalarOnly: true,
    text: () => [
      '(m: u32, e: i32) -> u32',
      'let drop = max(8 - i32(countLeadingZeros(m)), -149 - e);',
      'let q = select(0u, m >> u32(clamp(drop, 0, 31)), drop < 32);',
      'let rest = select(m, m & ((1u << u32(clamp(drop, 0, 31))) - 1u), drop < 32);',
      'let half = 1u << u32(clamp(drop - 1, 0, 31));',
      'let up = (rest > half) | ((rest == half) & ((q & 1u) == 1u));',
      'let rounded = select(q + select(0u, 1u, up), 0u, drop > 32);',
      'let whole = select(rounded, m << u32(max(-drop, 0)), drop <= 0);',
      'return min((u32(max(e + drop + 149, 0)) << 23u) + whole, 0x7f800000u);',
    ],
  },
  /** p·2^k for p in [2^-20, 2^20], k in [-160, 254]. */
  scale: {
    text: (t) => [
      `(p: ${t.F}, k: ${t.I}) -> ${t.F}`,
      `let h = k >> ${t.u(1)};`,
      `let y = ${product(t, 'p', 'k', 'h')};`,
      `let n = p * bitcast<${t.F}>((clamp(k, ${t.i(-160)}, ${t.i(-100)}) + ${t.i(276)}) << ${t.u(23)});`,
      'let w = floor(n);',
      'let d = n - w;',
      `let u = ${t.U}(min(w, ${t.f(2 ** 23)}));`,
      `let up = (d > ${t.f(0.5)}) | ((d == ${t.f(0.5)}) & ((u & ${t.u(1)}) == ${t.u(1)}));`,
      `let small = (k <= ${t.i(-100)}) & (n < ${t.f(2 ** 23)});`,
      `return ${patch(t, 'y', ['small', `u + select(${t.u(0)}, ${t.u(1)}, up)`])};`,
    ],
  },
  /** Sums of what is below 2^-100 are taken 2^64 times as large: a larger operand leaves nothing subnormal. */
  keptAdd: {
    text: (t) => [
      `(a: ${t.F}, b: ${t.F}) -> ${t.F}`,
      'let y = a + b;',
      ...unlessAll(t, `${magnitude(t, 'y')} >= ${t.u(0x0e000000)}`),
      `let small = max(${magnitude(t, 'a')}, ${magnitude(t, 'b')}) < ${t.u(0x0d800000)};`,
      `let s = ${t.fn('lower')}(${t.fn('lift')}(a) + ${t.fn('lift')}(b));`,
      `return ${patch(t, 'y', ['small', `bitcast<${t.U}>(s)`])};`,
    ],
  },
  /** The product of finite numbers that are not zero: 64 bits, of which the lower half is only a sticky bit. */
  mulBits: {
    scalarOnly: true,
    text: (t) => [
      '(a: f32, b: f32) -> f32',
      ...parts('a'),
      ...parts('b'),
      'let low = (ma << 8u) * (mb << 8u);',
      `let m = ${t.fn('mulHigh')}(ma << 8u, mb << 8u) | select(0u, 1u, low != 0u);`,
      `return bitcast<f32>(${t.fn('pack')}(m, ea + eb - 284) | ((bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u));`,
    ],
  },
  /** An operand that is taken for zero gives zero or, with an infinity, NaN. */
  keptMul: {
    text: (t) => [
      `(a: ${t.F}, b: ${t.F}) -> ${t.F}`,
      'var y = a * b;',
      ...unlessAll(t, `(${magnitude(t, 'y')} - ${t.u(0x01000000)}) <= ${t.u(0x7e800000)}`),
      ...operands(t),
      `let infinite = (max(u, v) == ${t.u(0x7f800000)}) & (min(u, v) != ${t.u(0)});`,
      `y = ${patch(t, 'y', ['infinite', `sign | ${t.u(0x7f800000)}`])};`,
      ...repaired(t, 'mulBits'),
    ],
  },
  /** The quotient of finite numbers that are not zero: 29 bits by long division, and a sticky bit. */
  divBits: {
    scalarOnly: true,
    text: (t) => [
      '(a: f32, b: f32) -> f32',
      ...parts('a'),
      ...parts('b'),
      'var q = ma / mb;',
      'var r = ma % mb;',
      'for (var i = 0u; i < 4u; i += 1u) {',
      '  q = (q << 7u) | ((r << 7u) / mb);',
      '  r = (r << 7u) % mb;',
      '}',
      'let m = (q << 1u) | select(0u, 1u, r != 0u);',
      `return bitcast<f32>(${t.fn('pack')}(m, ea - eb - 29) | ((bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u));`,
    ],
  },
  /** An operand that is taken for zero gives zero, infinity or NaN. */
  keptDiv: {
    text: (t) => [
      `(a: ${t.F}, b: ${t.F}) -> ${t.F}`,
      'var y = a / b;',
      ...unlessAll(t, `(${magnitude(t, 'y')} - ${t.u(0x01000000)}) < ${t.u(0x7e800000)}`),
      ...operands(t),
      `let over = (v == ${t.u(0)}) & (u != ${t.u(0)}) & (u <= ${t.u(0x7f800000)});`,
      `let under = (u == ${t.u(0)}) & (v != ${t.u(0)}) & (v <= ${t.u(0x7f800000)});`,
      `y = ${patch(t, 'y', ['over', `sign | ${t.u(0x7f800000)}`], ['under', 'sign'])};`,
      ...repaired(t, 'divBits'),
    ],
  },
  keptEq: { text: (t) => comparison(t, '==') },
  keptLt: { text: (t) => comparison(t, '<') },
  keptLe: { text: (t) => comparison(t, '<=') },
  /** NaN if either operand is; of two zeros the positive. */
  keptMax: { text: (t) => extreme(t, '>', '&') },
  /** NaN if either operand is; of two zeros the negative. */
  keptMin: { text: (t) => extreme(t, '<', '|') },
  keptFloor: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let below = ${isTiny(t, 'x')} & (bitcast<${t.U}>(x) > ${t.u(0x80000000)});`,
      `return ${patch(t, 'floor(x)', ['below', t.u(0xbf800000)])};`,
    ],
  },
  keptCeil: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `return ${patch(t, 'ceil(x)', [isTinyBits(t, `bitcast<${t.U}>(x)`), t.u(0x3f800000)])};`,
    ],
  },
}
