/** Roots of unity as constants: small Fourier matrices, twiddle factors, chirps. Worked out in Float64, once each. */
import { constant } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { Node } from '../../ir.ts'

/** The sign of the exponent: -1 forwards, 1 for the inverse. */
export type Direction = -1 | 1

const known = new Map<string, WeakRef<Node>>()

/** The constant of that name; made anew when nobody holds it any more. */
const remembered = (key: string, shape: Shape, fill: () => Float64Array): Node => {
  const found = known.get(key)?.deref()
  if (found) return found
  const made = constant({ shape, dtype: 'f32' }, fill().map(Math.fround))
  known.set(key, new WeakRef(made))
  return made
}

/** cos and sin of a `part`-th of `whole` turns, exact at the quarters. */
const turn = (part: number, whole: number): readonly [number, number] => {
  const at = part % whole
  const eighths = (8 * at) / whole
  // The angle is taken from the nearest quarter, where both are most accurate.
  const quarter = Math.round(eighths / 2)
  const rest = (2 * Math.PI * (at - (quarter * whole) / 4)) / whole
  const [c, s] = [Math.cos(rest), Math.sin(rest)]
  const turned = [
    [c, s],
    [-s, c],
    [-c, -s],
    [s, -c],
  ] as const
  return turned[quarter % 4]!
}

/** `[2, n, 2, n]`: part `c` of output k from part `d` of input j, at `[d, j, c, k]`. */
export const fourierMatrix = (n: number, direction: Direction): Node =>
  remembered(`matrix ${n} ${direction}`, [2, n, 2, n], () => {
    const out = new Float64Array(4 * n * n)
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        const [c, s] = turn(j * k, n)
        out[j * 2 * n + k] = c
        out[j * 2 * n + n + k] = direction * s
        out[(n + j) * 2 * n + k] = -direction * s
        out[(n + j) * 2 * n + n + k] = c
      }
    }
    return out
  })

/** `[n1, 2, n2]`: e^(±2πi jk / (n1 n2)) for k < n1, j < n2. */
export const twiddles = (n1: number, n2: number, direction: Direction): Node =>
  remembered(`twiddles ${n1} ${n2} ${direction}`, [n1, 2, n2], () => {
    const out = new Float64Array(2 * n1 * n2)
    for (let k = 0; k < n1; k++) {
      for (let j = 0; j < n2; j++) {
        const [c, s] = turn(j * k, n1 * n2)
        out[k * 2 * n2 + j] = c
        out[k * 2 * n2 + n2 + j] = direction * s
      }
    }
    return out
  })

/** e^(±πi m² / n). */
const chirpAt = (m: number, n: number, direction: Direction): readonly [number, number] => {
  const [c, s] = turn((m * m) % (2 * n), 2 * n)
  return [c, direction * s]
}

/** `[2, n]`: e^(±πi m² / n) for m < n. */
export const chirp = (n: number, direction: Direction): Node =>
  remembered(`chirp ${n} ${direction}`, [2, n], () => {
    const out = new Float64Array(2 * n)
    for (let m = 0; m < n; m++) [out[m], out[n + m]] = chirpAt(m, n, direction)
    return out
  })

/** The transform of `re + i im`, of a power of two, in place and in Float64. */
const transformHere = (re: Float64Array, im: Float64Array): void => {
  const n = re.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[re[i], re[j]] = [re[j]!, re[i]!]
      ;[im[i], im[j]] = [im[j]!, im[i]!]
    }
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [c, s] = turn(k, 2 * half)
      for (let i = k; i < n; i += 2 * half) {
        const [a, b] = [re[i + half]!, im[i + half]!]
        const [x, y] = [a * c + b * s, b * c - a * s]
        re[i + half] = re[i]! - x
        im[i + half] = im[i]! - y
        re[i] = re[i]! + x
        im[i] = im[i]! + y
      }
    }
  }
}

/** `[2, size]`: the forward transform of the chirp e^(∓πi m² / n), |m| < n, around 0, over `size`. */
export const chirpSpectrum = (n: number, size: number, direction: Direction): Node =>
  remembered(`spectrum ${n} ${size} ${direction}`, [2, size], () => {
    const [re, im] = [new Float64Array(size), new Float64Array(size)]
    for (let m = 0; m < n; m++) {
      const [c, s] = chirpAt(m, n, direction)
      const mirrored = (size - m) % size
      re[m] = c / size
      im[m] = -s / size
      re[mirrored] = re[m]!
      im[mirrored] = im[m]!
    }
    transformHere(re, im)
    return Float64Array.from({ length: 2 * size }, (_, i) => (i < size ? re[i]! : im[i - size]!))
  })
