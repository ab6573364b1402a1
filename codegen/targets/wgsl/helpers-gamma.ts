/**
 * lgamma, digamma, erfinv. Below 3.5 (2 for digamma) own polynomials that keep the digits at the zeros 1, 2 and 1.4616,
 * above Stirling's series; on the left the reflection at 0. Polynomials: minimax fits for relative error.
 */
import { type Helpers, horner, type Lanes } from './lanes.ts'
import { absolute, isNanBits, isNonFiniteBits, isTiny, patch, slope, whereKept } from './patch.ts'

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

const sinPi = (t: Lanes, r: string): string => `${r} * ${horner(t, `(${r} * ${r})`, sinPiTerms)}`

/** The largest f32 with a finite log Γ is just below. */
const overflow = 4.0850034e36

export type GammaName = 'lgamma' | 'digamma' | 'erfinv'

export const gammaHelpers: Helpers<GammaName> = {
  /**
   * log Γ(a) is `m`, less log q below 1.25, plus log q between 2.5 and 3.5. At -a it is log(π / (a·sin πa)) - log Γ(a), where
   * the logarithms become one, of `share`·π / sin πa.
   */
  lgamma: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let left = (x < ${t.f(0)}) & (a > ${t.f(1e-9)});`,
      `let small = a < ${t.f(0.5)};`,
      `let one = a < ${t.f(1.25)};`,
      `let three = (a >= ${t.f(2.5)}) & (a < ${t.f(3.5)});`,
      `let z = min(select(a - select(select(${t.f(2)}, ${t.f(3)}, three), ${t.f(1)}, one), a, small), ${t.f(0.5)});`,
      `let near = z * ${horner(t, 'z', nearTwo)};`,
      `let b = max(a, ${t.f(3.5)});`,
      `let v = ${t.k(1)} / b;`,
      'let w = v * v;',
      `let far = (b - ${t.k(0.5)}) * (${t.fn('log')}(b) - ${t.k(1)}) + (${t.k(0.41893853)} + v * ${horner(t, 'w', stirling)});`,
      `let m = select(near, far, a >= ${t.f(3.5)});`,
      'let h = a - floor(a);',
      `let r = min(h, ${t.k(1)} - h);`,
      `let sine = max(${sinPi(t, 'r')}, ${t.f(2 ** -100)});`,
      `let less = select(${t.f(1)}, a - ${t.k(1)}, three);`,
      `let q = select(select(less, a, one), a * (${t.k(1)} + a), small);`,
      `let share = select(select(${t.k(1)} / (max(a, ${t.f(1)}) * less), ${t.f(1)}, one), ${t.k(1)} + a, small);`,
      `let l = ${t.fn('log')}(select(q, ${t.k(Math.PI)} * share / sine, left));`,
      `let pole = (left & (r == ${t.f(0)})) | (a > ${t.f(overflow)}) | (a == ${t.f(0)});`,
      `return ${patch(
        t,
        'select(select(m - l, m + l, three), l - m, left)',
        [`pole | ${isNonFiniteBits(t, 'x')}`, t.u(0x7f800000)],
        [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`],
        ...whereKept(t, [isTiny(t, 'x'), `bitcast<${t.U}>(-${t.fn('log')}(${absolute(t, 'x')}))`]),
      )};`,
    ],
  },
  /**
   * Below 1 from the value at a + 1; at -a it is the value at a, and 1/a + π·cot πa more. The distance of z in [1, 2) from
   * the zero is counted in steps of 2^-23: compilers would join the two parts of a difference.
   */
  digamma: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let u = bitcast<${t.U}>(x);`,
      'let a = abs(x);',
      `let left = x < ${t.f(0)};`,
      `let small = a < ${t.f(1)};`,
      `let z = min(select(a, a + ${t.k(1)}, small), ${t.f(2)});`,
      `let c = z - ${t.k(1.5)};`,
      `let steps = bitcast<${t.I}>(z) - ${t.i(root.bits)};`,
      `let near = (${t.F}(steps) * ${t.k(2 ** -23)} - ${t.k(root.tail)}) * ${horner(t, 'c', nearRoot)};`,
      `let b = max(a, ${t.f(2)});`,
      `let v = ${t.k(1)} / b;`,
      'let w = v * v;',
      `let far = ${t.fn('log')}(b) - (${t.k(0.5)} * v - w * ${horner(t, 'w', digammaTail)});`,
      `let p = select(near, far, a >= ${t.f(2)});`,
      'let h = a - floor(a);',
      `let d = min(h, ${t.k(1)} - h);`,
      `let e = ${t.k(0.5)} - d;`,
      `let cotangent = ${t.k(Math.PI)} * (${sinPi(t, 'e')}) / (${sinPi(t, 'd')});`,
      `let signed = select(cotangent, -cotangent, h > ${t.f(0.5)});`,
      `let reciprocal = ${t.k(1)} / a;`,
      `let right = p - select(${t.f(0)}, reciprocal, small);`,
      `let y = select(right, p + (select(reciprocal, ${t.f(0)}, small) + signed), left);`,
      `return ${patch(
        t,
        'y',
        [`(left & (d == ${t.f(0)})) | ${isNonFiniteBits(t, 'x')}`, t.u(0x7fc00000)],
        [`u == ${t.u(0x7f800000)}`, 'u'],
        [
          `(u << ${t.u(1)}) < ${t.u(0x01000000)}`,
          `${t.u(0x7f800000)} | ((u ^ ${t.u(0x80000000)}) & ${t.u(0x80000000)})`,
        ],
        ...whereKept(t, [isTiny(t, 'x'), `bitcast<${t.U}>(${t.fn('keptDiv')}(${t.f(-1)}, x))`]),
      )};`,
    ],
  },
  erfinv: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let w = -${t.fn('log')}(max((${t.k(1)} - a) * (${t.k(1)} + a), ${t.f(1e-9)}));`,
      `let c = w - ${t.k(2.5)};`,
      `let s = sqrt(max(w, ${t.f(5)})) - ${t.k(3)};`,
      `let y = x * select(${horner(t, 's', inverseFar)}, ${horner(t, 'c', inverseNear)}, w < ${t.f(5)});`,
      `return ${patch(
        t,
        'y',
        [`a == ${t.f(1)}`, `${t.u(0x7f800000)} | (bitcast<${t.U}>(x) & ${t.u(0x80000000)})`],
        [`(a > ${t.f(1)}) | ${isNanBits(t, 'x')}`, t.u(0x7fc00000)],
        ...slope(t, Math.sqrt(Math.PI) / 2),
      )};`,
    ],
  },
}
