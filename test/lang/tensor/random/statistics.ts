/** Tests of fit with their p-values, and distribution functions to test against: Float64, textbook formulas. */
import { lgamma } from '../../../../src/lang/log-gamma.ts'
import { erf } from '../../../../src/lang/scalar-functions.ts'

/** The probability of a Kolmogorov-Smirnov distance as large as that of `xs` from `cdf` (Kolmogorov's series). */
export const kolmogorov = (xs: ArrayLike<number>, cdf: (x: number) => number): number => {
  const sorted = Float64Array.from(xs).sort()
  const n = sorted.length
  const d = sorted.reduce((worst, x, i) => {
    const f = cdf(x)
    return Math.max(worst, f - i / n, (i + 1) / n - f)
  }, 0)
  const t = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * d
  let p = 0
  for (let k = 1; k <= 100; k++) p += 2 * (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * t * t)
  return t < 0.2 ? 1 : Math.min(1, p)
}

/** P(a, x), the distribution function of gamma numbers: the series below a + 1, the continued fraction above. */
export const gammaCdf =
  (a: number) =>
  (x: number): number => {
    if (x <= 0) return 0
    const front = Math.exp(a * Math.log(x) - x - lgamma(a))
    if (x < a + 1) {
      let [term, sum] = [1 / a, 1 / a]
      for (let n = 1; n < 500; n++) {
        term *= x / (a + n)
        sum += term
      }
      return front * sum
    }
    let value = 0
    for (let n = 300; n >= 1; n--) value = (n * (n - a)) / (x + 2 * n + 1 - a - value)
    return 1 - front / (x + 1 - a - value)
  }

/** I_x(a, b), the distribution function of beta numbers, by its continued fraction from the end. */
export const betaCdf =
  (a: number, b: number) =>
  (x: number): number => {
    if (x <= 0) return 0
    if (x >= 1) return 1
    if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(b, a)(1 - x)
    let value = 1
    for (let m = 200; m >= 1; m--) {
      const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
      const odd = (-(a + m - 1) * (a + b + m - 1) * x) / ((a + 2 * m - 2) * (a + 2 * m - 1))
      value = 1 + odd / (1 + even / value)
    }
    const log = lgamma(a + b) - lgamma(a) - lgamma(b) + a * Math.log(x) + b * Math.log1p(-x)
    return Math.exp(log) / (a * value)
  }

/** The distribution function of standard normal numbers. */
export const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2

/** The probability of k at this rate. */
export const poissonPmf =
  (rate: number) =>
  (k: number): number =>
    Math.exp(k * Math.log(rate) - rate - lgamma(k + 1))

/** The probability of k successes in n trials. */
export const binomialPmf =
  (n: number, p: number) =>
  (k: number): number =>
    k > n ? 0 : Math.exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p))

/** The probability of a chi-square as large as that of counts against expected ones. */
export const chiSquare = (counts: readonly number[], expected: readonly number[]): number => {
  const x = counts.reduce((s, c, i) => s + (c - expected[i]!) ** 2 / expected[i]!, 0)
  return 1 - gammaCdf((counts.length - 1) / 2)(x / 2)
}

/** The chi-square test of whole numbers against probabilities; values too rare for it are one class. */
export const fitsCounts = (xs: ArrayLike<number>, pmf: (k: number) => number, top: number): number => {
  const n = xs.length
  const classes = Array.from({ length: top + 1 }, (_, k) => k).filter((k) => n * pmf(k) >= 8)
  const counts = classes.map((k) => Array.from(xs).filter((x) => x === k).length)
  const expected = classes.map((k) => n * pmf(k))
  const rest = n - expected.reduce((a, b) => a + b, 0)
  const others = n - counts.reduce((a, b) => a + b, 0)
  return rest >= 2 ? chiSquare([...counts, others], [...expected, rest]) : chiSquare(counts, expected)
}
