/** The closed list of reductions: what each accepts, what it means in Float64, how its tangent is made. One row a monoid. */
import { sizeAlong } from '../dim.ts'
import { type DType, type HostArray, isFloat } from '../dtype.ts'
import type { Build, Monoid, Node, ParamsOf } from '../ir.ts'
import type { JvpContext, Linear } from '../primitive.ts'
import { runningProduct } from '../running-product.ts'
import { otherAxes } from '../shape.ts'
import { operandType } from './operand-checks.ts'
import { joined, type Scaled, split, timesScaled } from './powers-of-two.ts'
import { fill, scale } from './rule-parts.ts'

/** Folds the elements `data[base + offsets[k]]` into element `i` of each output. Integers wrap modulo 2^32. */
export type Fold = (
  data: HostArray,
  base: number,
  offsets: Int32Array,
  outs: readonly HostArray[],
  i: number,
  integer: boolean,
) => void

/** What a derivative row sees: `dx` is the operand's nonzero tangent; the reduction is not empty. */
export interface ReduceTangent extends JvpContext<ParamsOf['reduce']> {
  readonly dx: Node
}

/** One reduction. */
export interface MonoidRow {
  /** Why an operand of this dtype is refused, with the way out; undefined when it is accepted. */
  readonly refuses: (d: DType) => { readonly reason: string; readonly hint: string } | undefined
  /** Dtypes of the outputs. */
  readonly outputs: (d: DType) => readonly DType[]
  /** Whether the reduction of no elements has a value. */
  readonly hasIdentity: boolean
  readonly fold: Fold
  readonly tangent: (c: ReduceTangent) => readonly Linear[]
}

const numeric =
  (what: string, hint: string): MonoidRow['refuses'] =>
  (d) =>
    d === 'bool' ? { reason: `cannot take the ${what} of bool`, hint } : undefined

const floating =
  (what: string): MonoidRow['refuses'] =>
  (d) =>
    isFloat(d) ? undefined : { reason: `cannot take the ${what} of ${d}`, hint: 'cast to f32 first' }

const logical =
  (what: string): MonoidRow['refuses'] =>
  (d) =>
    d === 'bool'
      ? undefined
      : { reason: `${what} is for bool, not ${d}`, hint: 'compare first, with T.notEqual(x, 0) say' }

const same = (d: DType): readonly DType[] => [d]

/** A value of the reduced shape, repeated over the operand's. */
const spread = (b: Build, value: Node, like: Node, axes: readonly number[]): Node =>
  b.broadcast([value], { shape: operandType(like).shape, axes })

const sum = (b: Build, x: Node, axes: readonly number[]): Node => b.reduce([x], { monoid: 'sum', axes })

/** x / n: exact where n is, which 1/n rounded to the dtype is not. f16 cannot hold a count past 65504. */
const over = (b: Build, x: Node, n: number): Node => {
  const type = operandType(x)
  return type.dtype === 'f16' && n > 65504 ? scale(b, x, 1 / n) : b.div([x, fill(b, type, n)], {})
}

/** NaN counts as the extreme, as in PyTorch. The index of the first extreme element is returned. */
const extreme = (data: HostArray, base: number, offsets: Int32Array, sign: 1 | -1): number => {
  let at = 0
  let best = sign * data[base + offsets[0]!]!
  if (Number.isNaN(best)) return 0
  for (let k = 1; k < offsets.length; k++) {
    const v = sign * data[base + offsets[k]!]!
    if (v > best) {
      best = v
      at = k
    } else if (Number.isNaN(v)) return k
  }
  return at
}

/** max or min: the tangent is spread evenly over ties (PyTorch's amax, amin); a NaN result gives a NaN tangent. */
const extremum = (name: string, sign: 1 | -1): MonoidRow => ({
  refuses: numeric(name, `use ${sign > 0 ? 'any' : 'all'}, or cast to i32 first`),
  outputs: same,
  hasIdentity: false,
  // NaN is more extreme than any number, and 0 is more than -0.
  fold: (data, base, offsets, outs, i) => {
    const more = sign > 0 ? Math.max : Math.min
    let best = data[base + offsets[0]!]!
    for (let k = 1; k < offsets.length; k++) best = more(best, data[base + offsets[k]!]!)
    outs[0]![i] = best
  },
  tangent: ({ b, args, dx, out, params: { axes } }) => {
    const x = args[0]!
    const mask = b.cast([b.eq([x, spread(b, out, x, axes)], {})], { dtype: operandType(x).dtype })
    return [b.div([sum(b, b.mul([mask, dx], {}), axes), sum(b, mask, axes)], {})]
  },
})

/** argmax or argmin: (value, index of its first occurrence); the tangent is the one at that index. */
const argExtremum = (name: string, sign: 1 | -1): MonoidRow => ({
  refuses: numeric(name, 'cast to i32 first'),
  outputs: (d) => [d, 'i32'],
  hasIdentity: false,
  fold: (data, base, offsets, outs, i) => {
    const at = extreme(data, base, offsets, sign)
    outs[0]![i] = data[base + offsets[at]!]!
    outs[1]![i] = at
  },
  tangent: ({ b, args, dx, out, params: { axes } }) => {
    const type = operandType(args[0]!)
    const position = b.iota([], { shape: type.shape, dtype: 'i32', axis: axes[0]! })
    const chosen = b.eq([position, spread(b, b.get([out], { index: 1 }), args[0]!, axes)], {})
    return [sum(b, b.select([chosen, dx, fill(b, type, 0)], {}), axes), undefined]
  },
})

/** all or any: bool has no tangent. */
const quantifier = (name: string, stop: 0 | 1): MonoidRow => ({
  refuses: logical(name),
  outputs: same,
  hasIdentity: true,
  fold: (data, base, offsets, outs, i) => {
    let k = 0
    while (k < offsets.length && (data[base + offsets[k]!] !== 0 ? 1 : 0) !== stop) k++
    outs[0]![i] = k < offsets.length ? stop : 1 - stop
  },
  tangent: () => [undefined],
})

/** Products over the last axis of everything before (`side` 'low') or after ('high') each element, in log n multiplies. */
const exclusiveProducts = (b: Build, x: Scaled, side: 'low' | 'high'): Scaled => {
  const { shape } = operandType(x.mantissa)
  const last = shape.length - 1
  const none = shape.map(() => 0)
  const shift = (y: Scaled, by: number): Scaled => {
    const [into, outOf] = [none.with(last, by), none.with(last, -by)]
    const ends = side === 'low' ? { low: into, high: outOf } : { low: outOf, high: into }
    return {
      mantissa: b.pad([y.mantissa], { ...ends, interior: none, value: 1 }),
      exponent: b.pad([y.exponent], { ...ends, interior: none, value: 0 }),
    }
  }
  let product = shift(x, 1)
  for (let by = 1; by < shape[last]!; by *= 2) product = timesScaled(b, product, shift(product, by))
  return product
}

/** The reduced axes moved to the end and joined into one. */
const rows = (b: Build, x: Node, axes: readonly number[]): Node => {
  const { shape } = operandType(x)
  const kept = otherAxes(shape.length, axes)
  const length = sizeAlong(shape, axes)
  const moved = b.permute([x], { axes: [...kept, ...axes] })
  return b.reshape([moved], { shape: [...kept.map((a) => shape[a]!), length] })
}

/** Every reduction by name. Total: a missing row is a compile error. */
export const monoidTable: { readonly [M in Monoid]: MonoidRow } = {
  sum: {
    refuses: numeric('sum', 'cast to i32 to count'),
    outputs: same,
    hasIdentity: true,
    fold: (data, base, offsets, outs, i, integer) => {
      // The sum of negative zeros is one; that of nothing is not.
      let acc = integer || offsets.length === 0 ? 0 : -0
      if (integer) for (let k = 0; k < offsets.length; k++) acc = (acc + data[base + offsets[k]!]!) | 0
      else for (let k = 0; k < offsets.length; k++) acc += data[base + offsets[k]!]!
      outs[0]![i] = acc
    },
    tangent: ({ b, dx, params }) => [b.reduce([dx], params)],
  },
  prod: {
    refuses: numeric('product', 'use all, or cast to i32 first'),
    outputs: same,
    hasIdentity: true,
    fold: (data, base, offsets, outs, i, integer) => {
      let acc = 1
      if (integer) for (let k = 0; k < offsets.length; k++) acc = Math.imul(acc, data[base + offsets[k]!]!)
      else {
        const product = runningProduct()
        for (let k = 0; k < offsets.length; k++) product.times(data[base + offsets[k]!]!)
        acc = product.value()
      }
      outs[0]![i] = acc
    },
    // Σ dx_i Π_{j≠i} x_j, with Π_{j≠i} as prefix times suffix: no division, so right with zeros, to any order. Exponents are kept
    // apart, so that a zero among large numbers is a zero.
    tangent: ({ b, args, dx, params: { axes } }) => {
      const { dtype } = operandType(dx)
      const x = split(b, b.cast([rows(b, args[0]!, axes)], { dtype: 'f32' }))
      const others = timesScaled(b, exclusiveProducts(b, x, 'low'), exclusiveProducts(b, x, 'high'))
      const slopes = b.cast([joined(b, others)], { dtype })
      return [sum(b, b.mul([slopes, rows(b, dx, axes)], {}), [operandType(x.mantissa).shape.length - 1])]
    },
  },
  max: extremum('maximum', 1),
  min: extremum('minimum', -1),
  all: quantifier('all', 0),
  any: quantifier('any', 1),
  argmax: argExtremum('argmax', 1),
  argmin: argExtremum('argmin', -1),
  meanVar: {
    refuses: floating('mean and variance'),
    outputs: (d) => [d, d],
    hasIdentity: true,
    // Two passes; the second removes what rounding left in the mean (Chan, Golub and LeVeque's corrected algorithm).
    fold: (data, base, offsets, outs, i) => {
      const n = offsets.length
      let total = 0
      for (let k = 0; k < n; k++) total += data[base + offsets[k]!]!
      const mean = total / n
      let squares = 0
      let left = 0
      for (let k = 0; k < n; k++) {
        const d = data[base + offsets[k]!]! - mean
        squares += d * d
        left += d
      }
      outs[0]![i] = mean
      outs[1]![i] = (squares - (left * left) / n) / n
    },
    tangent: ({ b, args, dx, out, params: { axes } }) => {
      const x = args[0]!
      const { shape } = operandType(x)
      const n = sizeAlong(shape, axes)
      const apart = b.sub([x, spread(b, b.get([out], { index: 0 }), x, axes)], {})
      // What rounding has left of the mean is much where the mean is large and the variance is small.
      const rest = b.stopGradient([over(b, sum(b, apart, axes), n)], {})
      const centred = b.sub([apart, spread(b, rest, x, axes)], {})
      return [over(b, sum(b, dx, axes), n), over(b, sum(b, b.mul([centred, dx], {}), axes), n / 2)]
    },
  },
  logSumExp: {
    refuses: floating('logSumExp'),
    outputs: same,
    hasIdentity: true,
    // Shifted by the maximum; an infinite or NaN maximum is the answer itself, and no elements give log 0.
    fold: (data, base, offsets, outs, i) => {
      const n = offsets.length
      const most = n === 0 ? -Infinity : data[base + offsets[extreme(data, base, offsets, 1)]!]!
      let total = 0
      if (Number.isFinite(most)) for (let k = 0; k < n; k++) total += Math.exp(data[base + offsets[k]!]! - most)
      outs[0]![i] = Number.isFinite(most) ? most + Math.log(total) : most
    },
    // Σ exp(x - out)·dx. An infinite result is a maximum, and its tangent that of one: shared evenly by the elements that
    // equal it.
    tangent: ({ b, args, dx, out, params: { axes } }) => {
      const x = args[0]!
      const type = operandType(x)
      const top = spread(b, out, x, axes)
      const infinite = b.isInf([top], {})
      const ties = b.cast([b.eq([x, top], {})], { dtype: type.dtype })
      const even = b.div([ties, spread(b, sum(b, ties, axes), x, axes)], {})
      const gap = b.select([infinite, fill(b, type, 0), b.sub([x, top], {})], {})
      const weights = b.select([infinite, even, b.exp([gap], {})], {})
      return [sum(b, b.mul([weights, dx], {}), axes)]
    },
  },
}
