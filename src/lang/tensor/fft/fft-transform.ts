/**
 * The discrete Fourier transform as tensor operations. A length is split in factors (Cooley and Tukey 1965), small ones are
 * products with their Fourier matrix; lengths of large primes become a convolution of twice the length (Bluestein 1970).
 */

import { build, typeOf } from '../../build.ts'
import { ceilLog2, dimMul } from '../../dim.ts'
import type { Node } from '../../ir.ts'
import { binaryNode } from '../math/arithmetic.ts'
import { expandNode, reshapeNode } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { narrowNode } from '../shape/reordering.ts'
import { chirp, chirpSpectrum, type Direction, fourierMatrix, twiddles } from './fft-constants.ts'

/** Factors are at most this: the matrix of one still fits where products are fast, and sums of its length are accurate. */
const largestFactor = 32

/** Lengths up to this that have no better factors are one product. */
const largestMatrix = 64

/** How a length is transformed: at once, by a first factor, or as a convolution. */
const splitOf = (n: number): number | 'matrix' | 'chirp' => {
  if (n <= largestFactor) return 'matrix'
  const factors = Array.from({ length: largestMatrix - 1 }, (_, i) => i + 2).filter((f) => n % f === 0)
  const best = factors.filter((f) => f <= largestFactor).at(-1) ?? factors.find((f) => f < n)
  if (best !== undefined && (n > largestMatrix || best * best >= n / 4)) return best
  return n <= largestMatrix ? 'matrix' : 'chirp'
}

/** Every complex number of z `[B, 2, n]` times that of w, whose axes end in `[…, 2, n]` and broadcast. */
const complexTimes = (z: Node, w: Node): Node => {
  const { shape } = typeOf(z)
  const { shape: factors } = typeOf(w)
  const [part, partOf] = [shape.length - 2, factors.length - 2]
  const wide = (n: Node): Node => expandNode(n, shape)
  const [c, s] = [0, 1].map((i) => narrowNode(w, partOf, i, i + 1))
  const signed = build.concat([build.neg([s!], {}), s!], { axis: partOf })
  return binaryNode(
    'add',
    binaryNode('mul', z, wide(c!)),
    binaryNode('mul', build.flip([z], { axes: [part] }), wide(signed)),
  )
}

/**
 * The transform along the last axis of z: complex `[B, 2, n]`, or real `[B, n]`, → `[B, 2, n]`, not scaled.
 */
export const transformNode = (z: Node, direction: Direction): Node => {
  const { shape } = typeOf(z)
  const n = shape.at(-1)!
  const isReal = shape.length === 2
  const split = splitOf(n)
  if (split === 'matrix') return byMatrix(z, [shape[0]!, 1, n], isReal, direction, 'last')
  if (split === 'chirp') return byChirp(z, n, isReal, direction)
  const [n1, n2] = [split, n / split]
  const first = byMatrix(z, [shape[0]!, n1, n2], isReal, direction, 'first')
  const turned = complexTimes(first, twiddles(n1, n2, direction))
  const inner = transformNode(reshapeNode(turned, [dimMul(shape[0]!, n1), 2, n2]), direction)
  const parts = reshapeNode(inner, [shape[0]!, n1, 2, n2])
  return reshapeNode(permuteNode(parts, [0, 2, 3, 1]), [shape[0]!, 2, n])
}

/**
 * The product with a Fourier matrix along one of two axes `[B, first, last]` that the last axis of z is split in: over the
 * last → `[B, 2, n]` (then `first` is 1), over the first → `[B, first, 2, last]`.
 */
const byMatrix = (
  z: Node,
  [batch, first, last]: readonly [number, number, number],
  isReal: boolean,
  direction: Direction,
  over: 'first' | 'last',
): Node => {
  const size = over === 'first' ? first : last
  const whole = fourierMatrix(size, direction)
  const matrix = isReal ? reshapeNode(narrowNode(whole, 0, 0, 1), [size, 2, size]) : whole
  const [b, part, j, c, k, rest] = [0, 1, 2, 3, 4, 5]
  const from = isReal ? [] : [part]
  const axes = over === 'first' ? [j, rest] : [rest, j]
  const out = over === 'first' ? [b, k, c, rest] : [b, rest, c, k]
  const shape = isReal ? [batch, first, last] : [batch, 2, first, last]
  const product = build.dot([reshapeNode(z, shape), matrix], {
    lhs: [b, ...from, ...axes],
    rhs: [...from, j, c, k],
    out,
  })
  return over === 'first' ? product : reshapeNode(product, [batch, 2, last])
}

/** jk = (j² + k² - (k - j)²) / 2: a product with a chirp, a convolution with its inverse, and a product again. */
const byChirp = (z: Node, n: number, isReal: boolean, direction: Direction): Node => {
  const batch = typeOf(z).shape[0]!
  const size = 2 ** ceilLog2(2 * n - 1)
  const w = chirp(n, direction)
  const complex = isReal
    ? binaryNode('mul', expandNode(reshapeNode(z, [batch, 1, n]), [batch, 2, n]), expandNode(w, [batch, 2, n]))
    : complexTimes(z, w)
  const none = [0, 0, 0]
  const padded = build.pad([complex], { low: none, high: [0, 0, size - n], interior: none, value: 0 })
  const spectrum = complexTimes(transformNode(padded, -1), chirpSpectrum(n, size, direction))
  return complexTimes(narrowNode(transformNode(spectrum, 1), 2, 0, n), w)
}
