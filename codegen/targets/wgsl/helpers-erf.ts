/**
 * erf and erfc. erf: an odd polynomial below 1, 1 − e^p(|x|) above. erfc: e^(−x²) times a fit of the scaled remainder,
 * which preserves the relative precision of small results.
 */
import { type Helpers, horner } from './lanes.ts'
import { isNanBits, oddSign, patch, slope } from './patch.ts'

const nearTerms = [0.128379166, -0.376126289, 0.112836182, -0.026855126, 0.00519073382, -8.03076138e-4, 7.92036808e-5]
// biome-ignore format: one polynomial
const farTerms = [
  1.88037229e-4, -1.12957835, -0.633220136, -0.108418219, 0.0252079722, -0.00420443481, 4.41306271e-4, -2.16839107e-5,
]
/** (1 + 2x)·e^(x²)·erfc x as a polynomial of (x − 2) / (x + 2), x in [½, 10.2]. */
// biome-ignore format: one polynomial
const scaledTerms = [
  1.27697837, -0.0927638188, -0.166030347, 0.164049864, -0.0542160124, -0.00801210292, 0.00867627747, 0.00115891651,
  -0.00128604542, -2.3099735e-4,
]

export type ErfName = 'erf' | 'erfc'

export const erfHelpers: Helpers<ErfName> = {
  erf: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let a = min(abs(x), ${t.f(4)});`,
      'let z = a * a;',
      `let near = a + a * ${horner(t, 'z', nearTerms)};`,
      `let far = ${t.k(1)} - ${t.fn('exp')}(${horner(t, 'a', farTerms)});`,
      `let y = ${oddSign(t, `select(far, near, a < ${t.f(1)})`, 'x')};`,
      `return ${patch(t, 'y', [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`], ...slope(t, 2 / Math.sqrt(Math.PI)))};`,
    ],
  },
  /** x² in two parts: the head of x has 12 bits, so its square is exact. */
  erfc: {
    text: (t) => [
      `(x: ${t.F}) -> ${t.F}`,
      `let a = min(abs(x), ${t.f(10.5)});`,
      `let b = max(a, ${t.f(0.5)});`,
      `let d = (b - ${t.k(2)}) / (b + ${t.k(2)});`,
      `let h = bitcast<${t.F}>(bitcast<${t.U}>(b) & ${t.u(0xfffff000)});`,
      `let f = ${horner(t, 'd', scaledTerms)} / (${t.k(1)} + ${t.k(2)} * b);`,
      `let far = ${t.fn('expTimes')}(-h * h, (h - b) * (h + b), f);`,
      'let z = a * a;',
      `let near = a + a * ${horner(t, 'z', nearTerms)};`,
      `let inner = ${t.k(1)} - select(near, -near, x < ${t.f(0)});`,
      `let y = select(select(far, ${t.k(2)} - far, x < ${t.f(0)}), inner, a < ${t.f(0.5)});`,
      `return ${patch(t, 'y', [isNanBits(t, 'x'), `bitcast<${t.U}>(x)`])};`,
    ],
  },
}
