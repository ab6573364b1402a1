/** The row of cumulate: prefix reductions along an axis, each with its own meaning and tangent. One entry a monoid. */
import * as E from '#fp/Either'
import { sizeOf } from '../dim.ts'
import { allocate, type DType, type HostArray, isFloat } from '../dtype.ts'
import type { Build, Cumulation, Node, ParamsOf } from '../ir.ts'
import type { JvpContext, Linear, Primitive } from '../primitive.ts'
import { runningProduct } from '../running-product.ts'
import { operandType, refuse, wrongAxes, wrongCount, wrongPositions } from './operand-checks.ts'
import { gatherAlong } from './pick-along.ts'
import { split, timesPower } from './powers-of-two.ts'
import { batchedArgs, fill, ones, zerosLike } from './rule-parts.ts'
import { lineStart } from './strided.ts'

/** One prefix reduction. */
interface CumulationRow {
  readonly floatOnly: boolean
  /** Writes the results of the line whose elements are `data[base + k·stride]`, k running as the scan does. */
  readonly run: (data: HostArray, outs: readonly HostArray[], base: number, stride: number, n: number) => void
  readonly tangent: (c: JvpContext<ParamsOf['cumulate']> & { readonly dx: Node }) => Linear
}

const fold =
  (step: (acc: number, x: number) => number, wrap: (acc: number, x: number) => number): CumulationRow['run'] =>
  (data, outs, base, stride, n) => {
    const combine = outs[0] instanceof Float64Array ? step : wrap
    for (let k = 0, at = base, acc = 0; k < n; k++, at += stride) {
      acc = k === 0 ? data[at]! : combine(acc, data[at]!)
      outs[0]![at] = acc
    }
  }

/** NaN is more extreme than any number, and stays; among equals the latest is the one. */
const extreme =
  (sign: 1 | -1): CumulationRow['run'] =>
  (data, outs, base, stride, n) => {
    for (let k = 0, at = base, best = 0, where = 0; k < n; k++, at += stride) {
      const x = data[at]!
      const position = stride > 0 ? k : n - 1 - k
      if (k === 0 || Number.isNaN(x) || (!Number.isNaN(best) && sign * x >= sign * best)) {
        best = x
        where = position
      }
      outs[0]![at] = best
      outs[1]![at] = where
    }
  }

const logSumExpRun: CumulationRow['run'] = (data, outs, base, stride, n) => {
  for (let k = 0, at = base, top = Number.NEGATIVE_INFINITY, sum = 0; k < n; k++, at += stride) {
    const x = data[at]!
    if (x === top) sum += 1
    else if (x > top) {
      sum = sum * Math.exp(top - x) + 1
      top = x
    } else sum += top === Number.POSITIVE_INFINITY && x < top ? 0 : Math.exp(x - top)
    outs[0]![at] = Number.isFinite(top) ? top + Math.log(sum) : Number.isNaN(sum) ? Number.NaN : top
  }
}

/** `x` moved by `by` places along the scan, `value` coming in. */
const shifted = (b: Build, x: Node, by: number, value: number, { axis, reverse }: ParamsOf['cumulate']): Node => {
  const none = operandType(x).shape.map(() => 0)
  const [into, outOf] = [none.with(axis, by), none.with(axis, -by)]
  const ends = reverse ? { low: outOf, high: into } : { low: into, high: outOf }
  return b.pad([x], { ...ends, interior: none, value })
}

/** What is combined in pairs: what each element starts with, the last its tangent, and what comes in at the end. */
interface Pairing {
  readonly identities: readonly number[]
  readonly start: (b: Build, x: Node, dx: Node) => readonly Node[]
  /** Of what comes before and what comes after. */
  readonly combine: (b: Build, before: readonly Node[], after: readonly Node[]) => readonly Node[]
  /** The tangent; the last of them where it is not said. */
  readonly finish?: (all: readonly Node[]) => Node
}

/**
 * The tangent of a prefix reduction without an inverse: values and tangents are combined in pairs, twice as far apart
 * each time (Hillis and Steele 1986).
 */
const inPairs =
  ({ identities, start, combine, finish }: Pairing): CumulationRow['tangent'] =>
  ({ b, args, dx, params }) => {
    let after = start(b, args[0]!, dx)
    const n = operandType(dx).shape[params.axis]!
    for (let by = 1; by < n; by *= 2) {
      const before = after.map((x, i) => shifted(b, x, by, identities[i]!, params))
      after = combine(b, before, after)
    }
    return finish ? finish(after) : after.at(-1)!
  }

/**
 * s = log(e^y + e^z); ds = e^(y-s) dy + e^(z-s) dz. An infinite s is a maximum, and its tangent that of one: shared evenly by
 * all elements that equal it, which are counted on the way.
 */
const logSumExpPairs: Pairing = {
  identities: [Number.NEGATIVE_INFINITY, 0, 0],
  start: (b, x, dx) => [x, ones(b, operandType(x)), dx],
  combine: (b, before, after) => {
    const [values, counts, tangents] = before.map((x, i) => [x, after[i]!] as const)
    const top = b.max(values!, {})
    const zero = zerosLike(b, top)
    const infinite = b.isInf([top], {})
    const finite = values!.map((x) => b.select([infinite, zero, x], {}))
    const base = b.stopGradient([b.max(finite, {})], {})
    const terms = finite.map((x) => b.exp([b.sub([x, base], {})], {}))
    const s = b.add([b.log([b.add(terms, {})], {}), base], {})
    const own = counts!.map((n, i) => b.select([b.eq([values![i]!, top], {}), n, zero], {}))
    const count = b.add(own, {})
    const parts = tangents!.map((d, i) => {
      const weight = b.exp([b.sub([finite[i]!, s], {})], {})
      return b.mul([b.select([infinite, b.div([own[i]!, count], {}), weight], {}), d], {})
    })
    return [b.select([infinite, top, s], {}), count, b.add(parts, {})]
  },
}

/** The tangent at the index that the second output names. */
const atIndex: CumulationRow['tangent'] = ({ b, dx, out, params: { axis } }) =>
  gatherAlong(b, dx, b.get([out], { index: 1 }), axis)

const linearSum: CumulationRow['tangent'] = ({ b, dx, params }) => b.cumulate([dx], params)

const products = (data: HostArray, out: HostArray, base: number, stride: number, n: number): void => {
  const product = runningProduct()
  for (let k = 0, at = base; k < n; k++, at += stride) {
    product.times(data[at]!)
    out[at] = product.value()
  }
}

const zeroExponent = -96

/**
 * d(y z) = y dz + z dy, values and tangents of one exponent, which is kept apart: a zero among large numbers is a zero. Halves
 * are computed with in f32.
 */
const productTangent: CumulationRow['tangent'] = (c) => {
  const { b, dx } = c
  const { dtype } = operandType(dx)
  const pairs = inPairs({
    identities: [0, 1, 0],
    start: (_, x, d) => {
      const wide = b.cast([x], { dtype: 'f32' })
      const { mantissa, exponent } = split(b, wide)
      const type = operandType(exponent)
      const isZero = b.eq([b.stopGradient([wide], {}), zerosLike(b, wide)], {})
      // Among large numbers the exponent would be past all factors that f32 holds, were that of a zero not small.
      const own = b.select([isZero, fill(b, type, zeroExponent), exponent], {})
      return [own, mantissa, timesPower(b, b.cast([d], { dtype: 'f32' }), b.neg([own], {}))]
    },
    combine: (_, [e, y, dy], [f, z, dz]) => {
      const { mantissa, exponent } = split(b, b.mul([y!, z!], {}))
      const sum = b.add([b.mul([y!, dz!], {}), b.mul([z!, dy!], {})], {})
      const carried = b.add([b.add([e!, f!], {}), exponent], {})
      return [carried, mantissa, timesPower(b, sum, b.neg([exponent], {}))]
    },
    finish: ([e, , d]) => timesPower(b, d!, e!),
  })
  return b.cast([pairs(c)!], { dtype })
}

const rows: { readonly [M in Cumulation]: CumulationRow } = {
  sum: {
    floatOnly: false,
    run: fold(
      (a, x) => a + x,
      (a, x) => (a + x) | 0,
    ),
    tangent: linearSum,
  },
  prod: {
    floatOnly: false,
    run: (data, outs, base, stride, n) => {
      if (outs[0] instanceof Float64Array) products(data, outs[0], base, stride, n)
      else fold((a, x) => a * x, Math.imul)(data, outs, base, stride, n)
    },
    tangent: productTangent,
  },
  max: { floatOnly: false, run: extreme(1), tangent: atIndex },
  min: { floatOnly: false, run: extreme(-1), tangent: atIndex },
  logSumExp: {
    floatOnly: true,
    run: logSumExpRun,
    tangent: inPairs(logSumExpPairs),
  },
}

const outputs = (monoid: Cumulation, dtype: DType): readonly DType[] =>
  monoid === 'max' || monoid === 'min' ? [dtype, 'i32'] : [dtype]

/**
 * x of a numeric dtype (float for logSumExp) → the prefix reductions along `axis`, of x's type; max and min also give the
 * index. Sum is linear; its transpose is the sum from the other end. Integers wrap.
 */
export const cumulate: Primitive<ParamsOf['cumulate']> = {
  infer: (xs, { monoid, axis }) => {
    const bad = wrongCount(xs, 1) ?? wrongAxes([axis], xs[0]!.shape.length)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    if (dtype === 'bool') return refuse('cannot cumulate bool', undefined, "convert it with T.cast(x, 'i32')")
    if (rows[monoid].floatOnly && !isFloat(dtype))
      return refuse(`not defined on ${dtype}`, undefined, 'cast to f32 first')
    const past = outputs(monoid, dtype).length > 1 ? wrongPositions(shape, axis) : undefined
    if (past) return past
    return E.right(outputs(monoid, dtype).map((d) => ({ shape, dtype: d })))
  },
  jvp: (c) => {
    const { monoid } = c.params
    return outputs(monoid, 'f32').map((_, i) =>
      i === 0 ? rows[monoid].tangent({ ...c, dx: c.tangents[0]! }) : undefined,
    )
  },
  transpose: ({ b, ct, params }) => [b.cumulate([ct], { ...params, reverse: !params.reverse })],
  batch: (c) => {
    const out = c.b.cumulate(batchedArgs(c), { ...c.params, axis: c.params.axis + 1 })
    const count = outputs(c.params.monoid, 'f32').length
    return count === 1 ? [out] : [0, 1].map((index) => c.b.get([out], { index }))
  },
  eval: ([x], { monoid, axis, reverse }, types) => {
    const { shape, data } = x!
    const outs = types.map((t) => allocate(t.dtype, data.length))
    const n = shape[axis]!
    const inner = sizeOf(shape.slice(axis + 1))
    if (data.length === 0) return outs
    for (let line = 0; line < data.length / n; line++) {
      const low = lineStart(line, n, inner)
      rows[monoid].run(data, outs, reverse ? low + (n - 1) * inner : low, reverse ? -inner : inner, n)
    }
    return outs
  },
}
