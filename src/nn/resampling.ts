/** Where the elements of a resized axis come from: for each output the positions it takes, and their weights. */

/** How an output looks for its neighbours. */
export type Sampling = 'nearest' | 'nearest-exact' | 'linear' | 'cubic'

/** One position for each output, and its weight (1 where absent). */
export interface Tap {
  readonly index: readonly number[]
  readonly weight?: readonly number[]
}

/** The parameter of Keys' cubic convolution (1981); PyTorch's. */
export const cubic = -0.75

/** The convolution at distances up to 1 and from 1 to 2. */
const inner = (d: number): number => ((cubic + 2) * d - (cubic + 3)) * d * d + 1
const outer = (d: number): number => ((cubic * d - 5 * cubic) * d + 8 * cubic) * d - 4 * cubic

const held = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1)

/**
 * The taps of an axis of `size` elements resized to `out`, `step` elements apart. Positions are centres: output i lies at
 * (i + ½)·step - ½, or, with aligned corners, at i·(size - 1) / (out - 1). `'nearest'` rounds i·step down (in float32,
 * as PyTorch: a position a rounding error below a whole number is that number); past the edges the edge repeats.
 */
export const taps = (sampling: Sampling, size: number, out: number, step: number, aligned: boolean): readonly Tap[] => {
  const outputs = Array.from({ length: out }, (_, i) => i)
  if (sampling === 'nearest' || sampling === 'nearest-exact') {
    const shift = sampling === 'nearest' ? 0 : 0.5
    return [{ index: outputs.map((i) => held(Math.floor(Math.fround((i + shift) * step)), size)) }]
  }
  const places = outputs.map((i) => (aligned ? (out > 1 ? (i * (size - 1)) / (out - 1) : 0) : (i + 0.5) * step - 0.5))
  if (sampling === 'linear') {
    const inside = places.map((p) => held(p, size))
    const low = inside.map(Math.floor)
    const part = inside.map((p, i) => p - low[i]!)
    return [
      { index: low, weight: part.map((t) => 1 - t) },
      { index: low.map((i) => held(i + 1, size)), weight: part },
    ]
  }
  const low = places.map(Math.floor)
  const part = places.map((p, i) => p - low[i]!)
  return [
    (t: number) => outer(1 + t),
    (t: number) => inner(t),
    (t: number) => inner(1 - t),
    (t: number) => outer(2 - t),
  ].map((f, k) => ({ index: low.map((i) => held(i - 1 + k, size)), weight: part.map(f) }))
}
