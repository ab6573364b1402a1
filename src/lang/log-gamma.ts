/** log |Γ| and its derivative in Float64, from the expansion about 2, Stirling's series and the reflection at 0. */

/** ζ(k) - 1 for k = 2, 3 …: the coefficients of both expansions about 2. */
// biome-ignore format: one table
const zetaRest = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
  0.008349277381922827, 0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194645,
  0.0002460865533080483, 0.00012271334757848915, 6.124813505870483e-05, 3.058823630702049e-05, 1.528225940865187e-05,
  7.637197637899763e-06, 3.81729326499984e-06, 1.908212716553939e-06, 9.539620338727962e-07, 4.769329867878064e-07,
  2.38450502727733e-07, 1.1921992596531106e-07, 5.960818905125948e-08, 2.980350351465228e-08, 1.4901554828365043e-08,
  7.45071178983543e-09, 3.725334024788457e-09, 1.862659723513049e-09, 9.313274324196682e-10,
]
/** 1 - γ. */
const oneMinusEuler = 0.42278433509846713
const halfLog2Pi = 0.9189385332046728
/** B₂, B₄ … B₁₄. */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6]

/** log Γ(2 + z) = z·((1 - γ) + Σ (ζ(k) - 1)·(-1)^k·z^(k-1)/k) for |z| <= ½: 2^-k·|z|^k falls fast. */
const logGammaNear2 = (z: number): number => {
  let sum = 0
  for (let i = zetaRest.length - 1; i >= 0; i--) sum = -z * (sum + zetaRest[i]! / (i + 2))
  return z * (oneMinusEuler - sum)
}

/** The derivative of `logGammaNear2`. */
const digammaNear2 = (z: number): number => {
  let sum = 0
  for (let i = zetaRest.length - 1; i >= 0; i--) sum = -z * (sum + zetaRest[i]!)
  return oneMinusEuler - sum
}

const logGammaPositive = (x: number): number => {
  if (x < 0.5) return logGammaNear2(x) - Math.log(x) - Math.log1p(x)
  if (x < 1.5) return logGammaNear2(x - 1) - Math.log1p(x - 1)
  if (x < 10) {
    let product = 1
    let y = x
    while (y > 2.5) {
      y -= 1
      product *= y
    }
    return logGammaNear2(y - 2) + Math.log(product)
  }
  if (x > 1e17) return x * (Math.log(x) - 1)
  let series = 0
  for (let i = bernoulli.length - 1; i >= 0; i--)
    series = series / (x * x) + bernoulli[i]! / ((2 * i + 2) * (2 * i + 1))
  return (x - 0.5) * Math.log(x) - x + (halfLog2Pi + series / x)
}

const digammaPositive = (x: number): number => {
  let y = x
  let shift = 0
  for (; y < 1.5; y += 1) shift -= 1 / y
  if (y < 10) {
    for (; y > 2.5; ) {
      y -= 1
      shift += 1 / y
    }
    return digammaNear2(y - 2) + shift
  }
  let series = 0
  for (let i = bernoulli.length - 1; i >= 0; i--) series = (series + bernoulli[i]! / (2 * i + 2)) / (x * x)
  return Math.log(x) - (0.5 / x + series)
}

/** π times the distance to the nearest whole number, signed: sin and tan of π·x up to sign, without rounding π·x. */
const angle = (x: number): number => Math.PI * (x - Math.round(x))

/** log |Γ(x)|; infinite at 0, at negative whole numbers and at both infinities. Absolute precision at its zeros below 0. */
export const lgamma = (x: number): number => {
  if (Number.isNaN(x)) return x
  if (!Number.isFinite(x) || x === 0) return Number.POSITIVE_INFINITY
  if (x > 0) return logGammaPositive(x)
  const sine = Math.abs(Math.sin(angle(x)))
  if (sine === 0) return Number.POSITIVE_INFINITY
  return x > -1e-8 ? -Math.log(-x) : Math.log(Math.PI / sine) - logGammaPositive(1 - x)
}

/** Γ'(x)/Γ(x): an infinity of the other sign at ±0, NaN at negative whole numbers and -∞. Absolute precision at its zeros. */
export const digamma = (x: number): number => {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x
  if (x === 0) return -1 / x
  if (x > 0) return digammaPositive(x)
  if (Number.isInteger(x) || x === Number.NEGATIVE_INFINITY) return Number.NaN
  return digammaPositive(1 - x) - Math.PI / Math.tan(angle(x))
}
