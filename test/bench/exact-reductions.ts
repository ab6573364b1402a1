/** What reductions of f32 numbers are, in compensated Float64: sums after Neumaier (1974), everything else from them. */

/** The numbers of one line, and those of the line that it is combined with. */
export interface Line {
  readonly xs: Float32Array
  readonly ys: Float32Array
}

/** The true results of one line. */
export interface Exact {
  readonly wants: ArrayLike<number>
  /** What rounding is measured by, where that is not the result: the sum of magnitudes where terms cancel. */
  readonly sizes?: ArrayLike<number>
}

/** A running sum without noticeable rounding. */
const summation = (): { readonly add: (x: number) => void; readonly value: () => number } => {
  let [sum, rest] = [0, 0]
  return {
    add: (x) => {
      const next = sum + x
      rest += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum
      sum = next
    },
    value: () => sum + rest,
  }
}

/** The sum of `term(i)`, i < n. */
export const exactSum = (n: number, term: (i: number) => number): number => {
  const { add, value } = summation()
  for (let i = 0; i < n; i++) add(term(i))
  return value()
}

/** `(Σ term(i))·scale` and the same of magnitudes. */
export const scaledSum = (n: number, term: (i: number) => number, scale = 1): Exact => ({
  wants: [exactSum(n, term) * scale],
  sizes: [exactSum(n, (i) => Math.abs(term(i))) * scale],
})

/** The mean squared distance from the mean, with divisor n - 1. */
export const exactVariance = (xs: Float32Array): number => {
  const mean = exactSum(xs.length, (i) => xs[i]!) / xs.length
  return exactSum(xs.length, (i) => (xs[i]! - mean) ** 2) / (xs.length - 1)
}

/** The largest, and the logarithm of the sum of exponentials relative to it. */
export const exactLogSum = (xs: Float32Array): { readonly top: number; readonly rest: number } => {
  const top = xs.reduce((a, b) => Math.max(a, b))
  return { top, rest: Math.log(exactSum(xs.length, (i) => Math.exp(xs[i]! - top))) }
}

/** Every prefix of a sum. */
export const prefixSums = (xs: Float32Array): Exact => {
  const [sum, size] = [summation(), summation()]
  const wants = new Float64Array(xs.length)
  const sizes = new Float64Array(xs.length)
  for (let i = 0; i < xs.length; i++) {
    sum.add(xs[i]!)
    size.add(Math.abs(xs[i]!))
    wants[i] = sum.value()
    sizes[i] = size.value()
  }
  return { wants, sizes }
}

/** Every prefix of a product: n·2^-53 is no error here. */
export const prefixProducts = (xs: Float32Array): Float64Array => {
  let product = 1
  return Float64Array.from(xs, (x) => (product *= x))
}

/** Every prefix of a sum of exponentials, as logarithms. */
export const prefixLogSums = (xs: Float32Array): Exact => {
  let top = Number.NEGATIVE_INFINITY
  let sum = 0
  const wants = new Float64Array(xs.length)
  const sizes = new Float64Array(xs.length)
  for (let i = 0; i < xs.length; i++) {
    const next = Math.max(top, xs[i]!)
    sum = sum * Math.exp(top - next) + Math.exp(xs[i]! - next)
    top = next
    wants[i] = top + Math.log(sum)
    sizes[i] = Math.abs(top) + Math.log(sum)
  }
  return { wants, sizes }
}
