/**
 * erf and erfc. erf: an odd polynomial below 1, 1 − e^p(|x|) above. erfc: e^(−x²) times a fit of the scaled remainder,
 * which preserves the relative precision of small results.
 */
import { type Definitions, ofFloat } from './body.ts'
import { abs, add, bitsOf, div, head12, horner, lt, max, min, mul, neg, select, sub } from './operators.ts'
import { isNan, oddSign, patch, slope } from './patch.ts'

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

export const erfFunctions: Definitions<ErfName> = {
  erf: ofFloat((f, x) => {
    const a = f.let('a', min(abs(x), 4))
    const z = f.let('z', mul(a, a))
    const near = f.let('near', add(a, mul(a, horner(z, nearTerms))))
    const far = f.let('far', sub(1, f.call('exp', horner(a, farTerms))))
    const y = f.let('y', oddSign(select(lt(a, 1), near, far), x))
    return patch(y, [isNan(x), bitsOf(x)], ...slope(f, x, 2 / Math.sqrt(Math.PI)))
  }),

  /** x² in two parts: the head of x has 12 bits, so its square is exact. */
  erfc: ofFloat((f, x) => {
    const a = f.let('a', min(abs(x), 10.5))
    const b = f.let('b', max(a, 0.5))
    const d = f.let('d', div(sub(b, 2), add(b, 2)))
    const h = f.let('h', head12(b))
    const g = f.let('f', div(horner(d, scaledTerms), add(1, mul(2, b))))
    const far = f.let('far', f.call('expTimes', mul(neg(h), h), mul(sub(h, b), add(h, b)), g))
    const z = f.let('z', mul(a, a))
    const near = f.let('near', add(a, mul(a, horner(z, nearTerms))))
    const inner = f.let('inner', sub(1, select(lt(x, 0), neg(near), near)))
    const outer = select(lt(x, 0), sub(2, far), far)
    const y = f.let('y', select(lt(a, 0.5), inner, outer))
    return patch(y, [isNan(x), bitsOf(x)])
  }),
}
