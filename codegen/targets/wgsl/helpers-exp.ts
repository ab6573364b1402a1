/**
 * exp, exp2, expm1, sigmoid, tanh, sinh, cosh by own reduction and polynomials: native ones are off by tens of ULP or wrong
 * at the edges on some devices. Polynomials: minimax fits for relative error. Special values are put in by bits at the end.
 */
import { scaled } from './helpers-subnormal.ts'
import { type Helpers, horner, type Lanes } from './lanes.ts'
import { isInfBits, isItself, isNanBits, oddSign, patch, whereKept } from './patch.ts'

const log2e = Math.LOG2E
/** ln 2 in two parts: the first has 10 significant bits, so that n·hi is exact. */
const ln2Hi = 0.693359375
const ln2Lo = -2.1219444005469e-4
const expTail = [0.5, 0.166665152, 0.0416663773, 0.00836939178, 0.00139429222]
const exp2Terms = [0.693147182, 0.240226507, 0.0555035956, 0.00961806253, 0.0013390989, 0.000154628782]
const expm1Tail = [0.5, 0.166666672, 0.0416664816, 0.00833320804, 0.00139335624, 0.000199442657]
const sinhTail = [0.166666672, 0.00833331142, 0.000198426351, 2.78392508e-6]
const tanhTail = [-0.333332837, 0.133314833, -0.0537427738, 0.0206480622, -0.00571406353]

const times = (sum: string, factor: string | undefined): string => (factor ? `(${sum}) * ${factor}` : sum)

/** exp(c + low) for c in [-104, 91], `low` small, times 2^-shift and a factor; `c`'s own overflow is the caller's. */
const expCore = (t: Lanes, c: string, low: string, shift: number, factor?: string): readonly string[] => [
  `let n = floor(${c} * ${t.k(log2e)} + ${t.k(0.5)});`,
  `let r = (${c} - n * ${t.k(ln2Hi)}) - n * ${t.k(ln2Lo)}${low};`,
  `let p = ${times(`${t.k(1)} + (r + r * r * ${horner(t, 'r', expTail)})`, factor)};`,
  `let k = ${t.I}(n)${shift === 0 ? '' : ` - ${t.i(shift)}`};`,
  `let h = k >> ${t.u(1)};`,
  `let y = ${scaled(t, 'p', 'k', 'h')};`,
]

const overflow = { exp: 88.7228394, halfExp: 89.4159851 }

export type ExpName = 'exp' | 'halfExp' | 'expTimes' | 'exp2' | 'expm1' | 'sigmoid' | 'tanh' | 'sinh' | 'cosh'

export const expHelpers: Helpers<ExpName> = {
  exp: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let c = clamp(x, ${t.f(-104)}, ${t.f(89)});`,
      ...expCore(t, 'c', '', 0),
      `return ${patch(t, 'y', [`x > ${t.f(overflow.exp)}`, t.u(0x7f800000)], [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  /** exp(x) / 2 for x >= 0, finite up to the overflow of cosh. */
  halfExp: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let c = min(x, ${t.f(90)});`,
      ...expCore(t, 'c', '', 1),
      `return ${patch(t, 'y', [`x > ${t.f(overflow.halfExp)}`, t.u(0x7f800000)])};`,
    ],
  },
  /** exp(x + low)·f for x <= 0, f in [2^-20, 2^20]. */
  expTimes: {
    text: (t) => [
      `(x: ${t.F}, low: ${t.F}, f: ${t.F}) -> ${t.F}`,
      `let c = max(x, ${t.f(-104)});`,
      ...expCore(t, 'c', ' + low', 0, 'f'),
      'return y;',
    ],
  },
  exp2: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let c = clamp(x, ${t.f(-151)}, ${t.f(128)});`,
      `let n = floor(c + ${t.k(0.5)});`,
      'let r = c - n;',
      `let p = ${t.k(1)} + r * ${horner(t, 'r', exp2Terms)};`,
      `let k = ${t.I}(n);`,
      `let h = k >> ${t.u(1)};`,
      `let y = ${scaled(t, 'p', 'k', 'h')};`,
      `return ${patch(t, 'y', [`x >= ${t.f(128)}`, t.u(0x7f800000)], [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  /** 2^n·(e^r − 1) + (2^n − 1), halved before the last doubling so that 2^128 is not needed. */
  expm1: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let c = clamp(x, ${t.f(-20)}, ${t.f(89)});`,
      `let n = floor(c * ${t.k(log2e)} + ${t.k(0.5)});`,
      `let r = (c - n * ${t.k(ln2Hi)}) - n * ${t.k(ln2Lo)};`,
      `let p = r + r * r * ${horner(t, 'r', expm1Tail)};`,
      `let s = bitcast<${t.F}>((${t.I}(n) + ${t.i(126)}) << ${t.u(23)});`,
      `let y = ${t.k(2)} * (s * p + (s - ${t.k(0.5)}));`,
      `return ${patch(
        t,
        `select(y, p, n == ${t.f(0)})`,
        [`x > ${t.f(overflow.exp)}`, t.u(0x7f800000)],
        [`(abs(x) < ${t.f(1e-9)}) | ${isNanBits(t, 'x')}`, `bitcast<${t.U}>(x)`],
      )};`,
    ],
  },
  /** With e = exp(−|x|): 1 / (1 + e), or e / (1 + e) on the left: no overflow on either side. */
  sigmoid: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let e = ${t.fn('exp')}(-abs(x));`,
      `let y = select(${t.f(1)}, e, x < ${t.f(0)}) / (${t.k(1)} + e);`,
      `return ${patch(t, 'y', ...whereKept(t, [`x < ${t.f(-20)}`, `bitcast<${t.U}>(e)`]), [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  tanh: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let a = min(abs(x), ${t.f(10)});`,
      'let z = a * a;',
      `let near = a + a * (z * ${horner(t, 'z', tanhTail)});`,
      `let far = ${t.k(1)} - ${t.k(2)} / (${t.fn('exp')}(a + a) + ${t.k(1)});`,
      `let y = ${oddSign(t, `select(far, near, a < ${t.f(0.625)})`, 'x')};`,
      `return ${patch(t, 'y', [isItself(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  sinh: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      'let a = abs(x);',
      `let h = ${t.fn('halfExp')}(a);`,
      `let c = min(a, ${t.f(1)});`,
      'let z = c * c;',
      `let near = c + c * (z * ${horner(t, 'z', sinhTail)});`,
      `let y = ${oddSign(t, `select(h - ${t.k(0.25)} / h, near, a < ${t.f(1)})`, 'x')};`,
      `let big = bitcast<${t.U}>(h) | (bitcast<${t.U}>(x) & ${t.u(0x80000000)});`,
      `return ${patch(t, 'y', [isInfBits(t, 'h'), 'big'], [isItself(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
  cosh: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let h = ${t.fn('halfExp')}(abs(x));`,
      `let y = h + ${t.k(0.25)} / h;`,
      `return ${patch(t, 'y', [isInfBits(t, 'h'), t.u(0x7f800000)], [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
}
