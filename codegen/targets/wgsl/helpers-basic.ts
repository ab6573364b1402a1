/**
 * Guarded forms of operations that WGSL leaves underspecified: non-finite constants, max and min, rem, sign, roots,
 * conversions, shifts.
 */
import type { Helpers, Lanes } from './lanes.ts'
import { isNanBits, isTinyBits, patch, whereKept } from './patch.ts'

export type BasicName =
  | 'bits'
  | 'f32'
  | 'i32'
  | 'u32'
  | 'bool'
  | 'f16'
  | 'halfBits'
  | 'maxConst'
  | 'minConst'
  | 'max'
  | 'min'
  | 'sign'
  | 'round'
  | 'rem'
  | 'sqrt'
  | 'rsqrt'
  | 'toI32'
  | 'toU32'
  | 'shiftLeft'
  | 'shiftRight'
  | 'shiftSigned'
  | 'powU32'
  | 'powI32'
  | 'threefry'

/** The bits `u` of a subnormal number as a number 2^150 times as large. */
const doubled = (t: Lanes): string => `${t.F}(u + u)`

export const basicHelpers: Helpers<BasicName> = {
  /**
   * A float from bits that no constant expression may hold: the parameter keeps compilers from folding it into an
   * error.
   */
  bits: { text: (t) => [`(u: ${t.U}) -> ${t.F}`, `return bitcast<${t.F}>(u);`] },
  /** Stops constant evaluation: a call of a function is never a constant expression. */
  f32: { text: (t) => [`(x: ${t.F}) -> ${t.F}`, 'return x;'] },
  i32: { text: (t) => [`(x: ${t.I}) -> ${t.I}`, 'return x;'] },
  u32: { text: (t) => [`(x: ${t.U}) -> ${t.U}`, 'return x;'] },
  bool: { text: (t) => [`(x: ${t.B}) -> ${t.B}`, 'return x;'] },
  f16: { text: (t) => [`(x: ${t.H}) -> ${t.H}`, 'return x;'] },
  halfBits: { text: (t) => [`(u: ${t.U}) -> ${t.H}`, `return ${t.H}(${t.fn('bits')}(u));`] },
  /** max with a constant `b` that is no NaN and no −0 (min: no +0). */
  maxConst: {
    text: (t) => [`(a: ${t.F}, b: ${t.F}) -> ${t.F}`, `return select(b, a, (a > b) | ${isNanBits(t, 'a')});`],
  },
  minConst: {
    text: (t) => [`(a: ${t.F}, b: ${t.F}) -> ${t.F}`, `return select(b, a, (a < b) | ${isNanBits(t, 'a')});`],
  },
  /** NaN if either operand is; of two zeros the positive. */
  max: {
    text: (t) => [
      `(a: ${t.F}, b: ${t.F}) -> ${t.F}`,
      `let m = select(b, a, (a > b) | ${isNanBits(t, 'a')});`,
      `return ${patch(t, 'm', ['a == b', `bitcast<${t.U}>(a) & bitcast<${t.U}>(b)`], [isNanBits(t, 'b'), `bitcast<${t.U}>(b)`])};`,
    ],
  },
  /** NaN if either operand is; of two zeros the negative. */
  min: {
    text: (t) => [
      `(a: ${t.F}, b: ${t.F}) -> ${t.F}`,
      `let m = select(b, a, (a < b) | ${isNanBits(t, 'a')});`,
      `return ${patch(t, 'm', ['a == b', `bitcast<${t.U}>(a) | bitcast<${t.U}>(b)`], [isNanBits(t, 'b'), `bitcast<${t.U}>(b)`])};`,
    ],
  },
  /** +0 for both zeros, NaN for NaN. */
  sign: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = bitcast<${t.U}>(x);`,
      `let a = u & ${t.u(0x7fffffff)};`,
      `let one = (u & ${t.u(0x80000000)}) | ${t.u(0x3f800000)};`,
      `return bitcast<${t.F}>(select(select(one, ${t.u(0)}, a == ${t.u(0)}), u, a > ${t.u(0x7f800000)}));`,
    ],
  },
  /** Ties to even, by integers: 2^23 and beyond, infinities and NaN are whole already. The sign of zero stays. */
  round: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = bitcast<${t.U}>(x);`,
      'let a = abs(x);',
      'let f = floor(a);',
      'let d = a - f;',
      `let odd = (f * ${t.k(0.5)}) != floor(f * ${t.k(0.5)});`,
      `let y = f + select(${t.f(0)}, ${t.f(1)}, (d > ${t.f(0.5)}) | ((d == ${t.f(0.5)}) & odd));`,
      `let signed = bitcast<${t.U}>(y) | (u & ${t.u(0x80000000)});`,
      `return bitcast<${t.F}>(select(signed, u, (u & ${t.u(0x7fffffff)}) >= ${t.u(0x4b000000)}));`,
    ],
  },
  /** The exact remainder by long division on the mantissas, 8 bits of the quotient a step; the sign is x's. */
  rem: {
    text: (t) => [
      `(x: ${t.F}, y: ${t.F}) -> ${t.F}`,
      `let a = bitcast<${t.U}>(x) & ${t.u(0x7fffffff)};`,
      `let b = bitcast<${t.U}>(y) & ${t.u(0x7fffffff)};`,
      `let e = max(b >> ${t.u(23)}, ${t.u(1)});`,
      `let n = max((b & ${t.u(0x7fffff)}) | select(${t.u(0)}, ${t.u(0x800000)}, b >= ${t.u(0x800000)}), ${t.u(1)});`,
      `var m = (a & ${t.u(0x7fffff)}) | select(${t.u(0)}, ${t.u(0x800000)}, a >= ${t.u(0x800000)});`,
      `var d = select(max(a >> ${t.u(23)}, ${t.u(1)}) - e, ${t.u(0)}, a < b);`,
      'm = m % n;',
      `while any(d > ${t.u(0)}) {`,
      `  let s = min(d, ${t.u(8)});`,
      '  m = (m << s) % n;',
      '  d -= s;',
      '}',
      `let v = bitcast<${t.U}>(${t.F}(m));`,
      `let tiny = (m == ${t.u(0)}) | ((v >> ${t.u(23)}) + e <= ${t.u(150)});`,
      `let r = select(v + ((e - ${t.u(150)}) << ${t.u(23)}), m << min(e - ${t.u(1)}, ${t.u(31)}), tiny);`,
      `let signed = select(r, a, a < b) | (bitcast<${t.U}>(x) & ${t.u(0x80000000)});`,
      `let nan = (a >= ${t.u(0x7f800000)}) | (b == ${t.u(0)}) | (b > ${t.u(0x7f800000)});`,
      `return bitcast<${t.F}>(select(signed, ${t.u(0x7fc00000)}, nan));`,
    ],
  },
  /** Zeros, infinity and NaN stay; below zero NaN. */
  sqrt: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = bitcast<${t.U}>(x);`,
      `return ${patch(
        t,
        `sqrt(abs(x))`,
        ...whereKept(t, [isTinyBits(t, 'u'), `bitcast<${t.U}>(sqrt(${doubled(t)}) * ${t.k(2 ** -75)})`]),
        [`u > ${t.u(0x80000000)}`, t.u(0x7fc00000)],
        [`((u << ${t.u(1)}) == ${t.u(0)}) | ((u >= ${t.u(0x7f800000)}) & (u < ${t.u(0x80000000)}))`, 'u'],
      )};`,
    ],
  },
  /** A zero gives the infinity of its sign, infinity zero; below zero NaN. */
  rsqrt: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = bitcast<${t.U}>(x);`,
      `return ${patch(
        t,
        `${t.k(1)} / sqrt(abs(x))`,
        ...whereKept(t, [isTinyBits(t, 'u'), `bitcast<${t.U}>(${t.k(2 ** 75)} / sqrt(${doubled(t)}))`]),
        [`u > ${t.u(0x80000000)}`, t.u(0x7fc00000)],
        [`(u << ${t.u(1)}) == ${t.u(0)}`, `u | ${t.u(0x7f800000)}`],
        [`u == ${t.u(0x7f800000)}`, t.u(0)],
        [isNanBits(t, 'x'), 'u'],
      )};`,
    ],
  },
  /** Truncates, saturates; NaN gives 0. */
  toI32: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.I}`,
      `let y = ${t.I}(clamp(x, ${t.f(-2147483648)}, ${t.f(2147483520)}));`,
      `return select(select(y, ${t.i(2147483647)}, x >= ${t.f(2147483648)}), ${t.i(0)}, ${isNanBits(t, 'x')});`,
    ],
  },
  toU32: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.U}`,
      `let y = ${t.U}(clamp(x, ${t.f(0)}, ${t.f(4294967040)}));`,
      `return select(select(y, ${t.u(0xffffffff)}, x >= ${t.f(4294967296)}), ${t.u(0)}, ${isNanBits(t, 'x')});`,
    ],
  },
  /** Shifts by 32 and more give 0, or the sign. */
  shiftLeft: {
    text: (t) => [
      `(a: ${t.U}, n: ${t.U}) -> ${t.U}`,
      `return select(${t.u(0)}, a << (n & ${t.u(31)}), n < ${t.u(32)});`,
    ],
  },
  shiftRight: {
    text: (t) => [
      `(a: ${t.U}, n: ${t.U}) -> ${t.U}`,
      `return select(${t.u(0)}, a >> (n & ${t.u(31)}), n < ${t.u(32)});`,
    ],
  },
  shiftSigned: { text: (t) => [`(a: ${t.I}, n: ${t.U}) -> ${t.I}`, `return a >> min(n, ${t.u(31)});`] },
  /** Whole powers by squaring, modulo 2^32. */
  powU32: {
    text: (t) => [
      `(x: ${t.U}, y: ${t.U}) -> ${t.U}`,
      'var b = x;',
      'var n = y;',
      `var r = ${t.u(1)};`,
      `while any(n > ${t.u(0)}) {`,
      `  r = select(r, r * b, (n & ${t.u(1)}) == ${t.u(1)});`,
      '  b = b * b;',
      `  n = n >> ${t.u(1)};`,
      '}',
      'return r;',
    ],
  },
  /** A negative exponent truncates 1 / x^|y| towards zero: ±1 keep their powers, others give 0. */
  powI32: {
    text: (t) => [
      `(x: ${t.I}, y: ${t.I}) -> ${t.I}`,
      `let r = bitcast<${t.I}>(${t.fn('powU32')}(bitcast<${t.U}>(x), bitcast<${t.U}>(abs(y))));`,
      `return select(r, select(${t.i(0)}, r, abs(x) == ${t.i(1)}), y < ${t.i(0)});`,
    ],
  },
  /** Threefry-2x32 with 20 rounds (Salmon et al. 2011), as in JAX. */
  threefry: {
    result: (t) => [`a: ${t.U}`, `b: ${t.U}`],
    text: (t) => [
      `(k0: ${t.U}, k1: ${t.U}, c0: ${t.U}, c1: ${t.U}) -> ${t.struct}`,
      `let k2 = k0 ^ k1 ^ ${t.u(0x1bd11bda)};`,
      'var a = c0 + k0;',
      'var b = c1 + k1;',
      ...[0, 1, 2, 3, 4].flatMap((group) => [
        ...(group % 2 === 0 ? [13, 15, 26, 6] : [17, 29, 16, 24]).flatMap((r) => [
          'a += b;',
          `b = ((b << ${t.u(r)}) | (b >> ${t.u(32 - r)})) ^ a;`,
        ]),
        `a += k${(group + 1) % 3};`,
        `b += k${(group + 2) % 3} + ${t.u(group + 1)};`,
      ]),
      `return ${t.struct}(a, b);`,
    ],
  },
}
