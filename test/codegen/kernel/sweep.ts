/** Inputs that reach every class of f32, and the distance of a device's f32 from a Float64 reference in ULP. */
const word = new Uint32Array(1)
const view = new Float32Array(word.buffer)

/** The f32 of 32 bits. */
export const floatOf = (bits: number): number => {
  word[0] = bits
  return view[0]!
}

/** The 32 bits of an f32. */
export const bitsOf = (x: number): number => {
  view[0] = x
  return word[0]!
}

/** A small deterministic generator of 32-bit words. */
export const randomWords = (seed: number): (() => number) => {
  let s = seed >>> 0
  return () => {
    s = (s + 0x9e3779b9) >>> 0
    let z = Math.imul(s ^ (s >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}

const maxF32 = 3.4028234663852886e38

/** Zeros, infinities, NaN, subnormals, extremes, small integers and halves, edges of common functions. */
export const specialValues: readonly number[] = [
  0,
  1,
  2,
  3,
  4,
  5,
  8,
  10,
  100,
  0.5,
  1.5,
  2.5,
  3.5,
  0.25,
  0.1,
  2 ** -126,
  2 ** -149,
  1e-40,
  1.1754942e-38,
  2 ** -24,
  2 ** -23,
  2 ** -12,
  1e-7,
  1e-10,
  1e-20,
  1e-30,
  1e10,
  1e20,
  1e30,
  maxF32,
  2 ** 23,
  2 ** 24,
  2 ** 31,
  2 ** 32,
  2 ** 127,
  88,
  88.7,
  88.73,
  89,
  89.41,
  89.42,
  87.4,
  103,
  103.9,
  104,
  127.9,
  128,
  126,
  149,
  150,
  9.01,
  9.02,
  3.9,
  4,
  10.05,
  10.06,
  Math.PI,
  Math.PI / 2,
  Math.PI / 4,
  1e5,
  1e6,
  0.99999994,
  1.0000001,
  Infinity,
]
  .flatMap((x) => [Math.fround(x), -Math.fround(x)])
  .concat(NaN)

/** `count` words: special values, then in thirds random bit patterns, uniform in [-low, low], log-uniform around 1. */
export const sweepWords = (count: number, range: number, seed: number): Uint32Array => {
  const next = randomWords(seed)
  const unit = (): number => next() / 2 ** 32
  const out = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    if (i < specialValues.length) out[i] = bitsOf(specialValues[i]!)
    else if (i % 3 === 0) out[i] = next()
    else if (i % 3 === 1) out[i] = bitsOf(Math.fround((unit() * 2 - 1) * range))
    else out[i] = bitsOf(Math.fround((next() & 1 ? 1 : -1) * 2 ** (unit() * 16 - 12)))
  }
  return out
}

/** The words of numbers. */
export const wordsOf = (xs: readonly number[]): Uint32Array => Uint32Array.from(xs, bitsOf)

/** Every special value with every other: first operands, second operands. */
export const specialPairs = (): readonly [Uint32Array, Uint32Array] => [
  wordsOf(specialValues.flatMap((x) => specialValues.map(() => x))),
  wordsOf(specialValues.flatMap(() => specialValues)),
]

/**
 * `count` pairs: half of them swept, then bases beside 1 with large exponents, operands of nearly equal size, powers that
 * stay in range.
 */
export const sweepPairs = (count: number, seed: number): readonly [Uint32Array, Uint32Array] => {
  const next = randomWords(seed)
  const unit = (): number => next() / 2 ** 31 - 1
  const half = Math.ceil(count / 2)
  const [first, second] = [sweepWords(half, 100, seed + 1), sweepWords(half, 5, seed + 2)]
  const a = new Uint32Array(count)
  const b = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const x = first[i % half]!
    if (i < half) [a[i], b[i]] = [x, second[next() % half]!]
    else if (i % 3 === 0) [a[i], b[i]] = [0x3f800000 + (next() % 64) - 32, bitsOf(Math.fround(unit() * 1e7))]
    else if (i % 3 === 1) [a[i], b[i]] = [x, (x + (next() % 5) - 2) >>> 0]
    else [a[i], b[i]] = [bitsOf(Math.fround(2 ** (unit() * 2))), bitsOf(Math.fround(unit() * 60))]
  }
  return [a, b]
}

const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126

/** An argument as the device may see it: subnormals count or are flushed to zero. */
export const readings = (x: number): readonly number[] => (isSubnormal(x) ? [x, x < 0 ? -0 : 0] : [x])

export interface Distance {
  readonly ulp: number
  readonly absolute: number
}

const none: Distance = { ulp: 0, absolute: 0 }
const wrong: Distance = { ulp: Infinity, absolute: Infinity }

/**
 * The distance of f32 `got` from the Float64 `want`: NaN meets NaN, overflow the infinity; less than 2^-126 may be flushed
 * anywhere on the way. An ULP is that of `size`: where terms cancel, of what they are.
 */
export const distance = (got: number, want: number, size: number = Math.abs(want)): Distance => {
  if (Number.isNaN(want) || Number.isNaN(got)) return Number.isNaN(want) && Number.isNaN(got) ? none : wrong
  const rounded = Math.fround(want)
  if (got === rounded) return none
  if (!Number.isFinite(want)) return wrong
  if (Math.abs(got - want) < 2 ** -126) return none
  const scale = Math.max(size, 2 ** -126)
  const ulp = 2 ** (Math.min(Math.floor(Math.log2(scale)), 127) - 23)
  const reached = Number.isFinite(got) ? got : Math.sign(got) * 2 ** 128
  const absolute = Math.abs(reached - want)
  return { ulp: absolute / ulp, absolute }
}

/** The least distance over the readings of the arguments. */
export const leastDistance = (got: number, wants: readonly number[]): Distance =>
  wants.map((w) => distance(got, w)).reduce((a, b) => (b.ulp < a.ulp ? b : a))
