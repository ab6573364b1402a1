/** Numbers to reduce: what makes a sum, a spread or a product hard, each a kind of its own. */
import { randomWords } from '../codegen/kernel/sweep.ts'

/** Uniform in (0, 1). */
type Unit = () => number

/** One kind of terms, and factors of the same character. */
export interface Terms {
  readonly name: string
  readonly term: (i: number, unit: Unit) => number
  /** A factor above 1: it is turned where the product so far is above 1, so that no product leaves the range. */
  readonly factor: (unit: Unit) => number
}

/** Every kind that is measured. */
export const allTerms: readonly Terms[] = [
  // Of equal terms every rounding errs in the same direction.
  { name: 'equal', term: () => 0.1, factor: () => 1 + 2 ** -3 },
  { name: 'uniform', term: (_, unit) => unit(), factor: (unit) => 2 ** unit() },
  {
    name: 'lognormal',
    term: (_, unit) => Math.exp(3 * (unit() + unit() + unit() - 1.5)),
    factor: (unit) => 2 ** (40 * unit()),
  },
  { name: 'offset', term: (_, unit) => 1e5 + unit(), factor: (unit) => 1 + 1e-5 * unit() },
  {
    name: 'alternating',
    term: (i, unit) => (i % 2 === 0 ? unit() : -unit()),
    factor: (unit) => -(2 ** unit()),
  },
]

const drawn = (size: number, seed: number, f: (i: number, unit: Unit) => number): Float32Array => {
  const next = randomWords(seed)
  const unit: Unit = () => (next() + 0.5) / 2 ** 32
  return Float32Array.from({ length: size }, (_, i) => f(i, unit))
}

/** `size` terms. */
export const termsOf = ({ term }: Terms, size: number, seed: number): Float32Array => drawn(size, seed, term)

/** `size` factors, in `lines` lines side by side: the product of each stays near 1 all along. */
export const factorsOf = ({ factor }: Terms, size: number, lines: number, seed: number): Float32Array => {
  const logs = new Float64Array(lines)
  return drawn(size, seed, (i, unit) => {
    const given = factor(unit)
    const f = Math.fround(logs[i % lines]! > 0 ? 1 / given : given)
    logs[i % lines]! += Math.log(Math.abs(f))
    return f
  })
}
