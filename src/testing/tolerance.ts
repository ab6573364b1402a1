/**
 * How far a device may be from the reference on one sample: ten runs of the interpreter, each op perturbed by its
 * accuracy (all up, all down, and eight times at random), tell how rounding spreads. Samples whose discrete values depend on rounding say nothing and are discarded.
 */
import { typesOf } from '../lang/build.ts'
import { type HostArray, isFloat } from '../lang/dtype.ts'
import { TensorloomError } from '../lang/errors.ts'
import { evaluate, evaluateRow } from '../lang/evaluate.ts'
import type { Graph, Node, Op } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { roundTo } from '../lang/scalar-functions.ts'
import { kernelRules } from '../lang/user-ops.ts'
import type { Sample } from './sample.ts'
import { errorOf, ulp } from './ulps.ts'

/** What a result may be: reference values, and for each element of a float output the allowed absolute difference. */
export interface Expectation {
  readonly values: readonly Value[]
  readonly allowed: readonly Float64Array[]
}

/** A sample that cannot be judged, with the reason. */
export interface Discarded {
  readonly discarded: 'discrete' | 'overflow' | 'special'
}

const smallestNormal = 2 ** -126
const largest = 1e30

/** A reproducible generator of its own, so that tolerances do not depend on how a sample was drawn. */
const noise = (seed: number): (() => number) => {
  let state = (seed * 0x9e3779b1) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1
  }
}

/**
 * Everything up, then everything down: what lies on an edge is seen on both sides, and each zero with both signs, however
 * few random runs there are.
 */
const directed: readonly (() => number)[] = [() => 1, () => -1]

/** Ops that add many terms: their error goes with the sum of the terms' sizes, not with the result. */
const sums: ReadonlySet<Op> = new Set<Op>(['dot', 'fold', 'scatterAdd', 'reduce', 'cumulate'])

const isSum = (n: Node): boolean =>
  sums.has(n.op) &&
  !((n.op === 'reduce' || n.op === 'cumulate') && !['sum', 'meanVar', 'logSumExp'].includes(n.params.monoid))

const isLogSum = (n: Node): boolean => (n.op === 'reduce' || n.op === 'cumulate') && n.params.monoid === 'logSumExp'

/** How many elements an element of the result is made from. */
const termsOf = (n: Node, operands: readonly HostArray[], outputs: readonly HostArray[]): number =>
  n.op === 'cumulate'
    ? typesOf(n)[0]!.shape[n.params.axis]!
    : (operands[0]?.length ?? 0) / Math.max(1, outputs[0]!.length)

/** Ops whose error goes with the size of a whole matrix and not of an element. */
const factorisations: ReadonlySet<Op> = new Set<Op>(['triangularSolve', 'cholesky', 'lu', 'qr', 'eigh', 'svd'])

/** Whole multiples of 1/16 whose products and sums a 24-bit significand holds. */
const isGrid = (data: HostArray): boolean => data.every((x) => Number.isInteger(x * 16))

/** The result on operands changed element by element. */
const resultOn = (n: Node, operands: readonly HostArray[], change: (x: number) => number): readonly HostArray[] => {
  const xs = n.args.map((a, i): Value => {
    const type = typesOf(a)[0]!
    return { ...type, data: isFloat(type.dtype) ? operands[i]!.map(change) : operands[i]! }
  })
  return evaluateRow(n.op, xs, n.params, typesOf(n))
}

/** How large the terms of a sum are together. */
const magnitude = (n: Node, operands: readonly HostArray[]): readonly HostArray[] => resultOn(n, operands, Math.abs)

/** Everything a device may hold on the way to a result, at its largest (and for products inverse at its smallest). */
const intermediates = (
  n: Node,
  operands: readonly HostArray[],
  outputs: readonly HostArray[],
): readonly HostArray[] => {
  if (isSum(n)) return [...outputs, ...magnitude(n, operands)]
  if ((n.op !== 'reduce' && n.op !== 'cumulate') || n.params.monoid !== 'prod') return outputs
  // Partial products in any order lie between those of all factors above one and of all below.
  const above = resultOn(n, operands, (x) => Math.max(1, Math.abs(x)))
  const below = resultOn(n, operands, (x) => (x === 0 ? 1 : 1 / Math.min(1, Math.abs(x))))
  return [...outputs, ...above, ...below]
}

/** The largest error of each element of each output, before it is rounded. */
const errorsOf = (n: Node, operands: readonly HostArray[], outputs: readonly HostArray[]): readonly HostArray[] => {
  const types = typesOf(n)
  if (isSum(n) && isFloat(types[0]!.dtype)) {
    const sizes = magnitude(n, operands)
    const exact = operands.every(isGrid) && sizes[0]!.every((m) => m < 2 ** 15)
    const plain = (n.op !== 'reduce' && n.op !== 'cumulate') || n.params.monoid === 'sum'
    if (exact && plain) return outputs.map((o) => o.map(() => 0))
    const terms = Math.max(2, termsOf(n, operands, outputs))
    const unit = ulp(1, types[0]!.dtype) * (1 + Math.log2(terms))
    if (plain) return [sizes[0]!.map((m) => m * unit)]
    if (isLogSum(n)) return [outputs[0]!.map((v) => (Number.isFinite(v) ? (Math.abs(v) + 2) * 2 * unit : 0))]
    return [
      sizes[0]!.map((m) => m * unit),
      outputs[1]!.map((v, i) => 4 * unit * Math.abs(v) + (4 * unit * sizes[0]![i]!) ** 2),
    ]
  }
  if (n.op === 'kernel') {
    const { ulp: count } = kernelRules(n.params)
    return outputs.map((o, k) => {
      let largest = 0
      for (const v of o) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v))
      return o.map(() => count * ulp(largest, types[k]!.dtype))
    })
  }
  if (factorisations.has(n.op)) {
    const unit = ulp(1, 'f32') * 4 * Math.max(1, typesOf(n.args[0]!)[0]!.shape.at(-2)!)
    return outputs.map((o, k) => {
      const top = isFloat(types[k]!.dtype) ? unit * Array.from(o, Math.abs).reduce((p, q) => Math.max(p, q), 0) : 0
      return o.map(() => top)
    })
  }
  const terms = termsOf(n, operands, outputs)
  return outputs.map((o, k) => o.map((v) => errorOf(n, v, types[k]!.dtype, terms)))
}

/** One perturbed value: exact where the op is, else moved inside its error and rounded. The sign of a zero is anyone's. */
const perturbed = (v: number, error: number, next: () => number, flush: boolean): number => {
  if (!Number.isFinite(v)) return v
  if (v === 0 && error === 0) return next() < 0 ? -0 : 0
  const moved = error === 0 ? v : v + next() * error
  return flush && Math.abs(moved) < smallestNormal ? 0 : moved
}

const samePattern = (a: HostArray, b: HostArray): boolean =>
  a.every((x, i) => Number.isFinite(x) || Object.is(x, b[i])) &&
  b.every((x, i) => Number.isFinite(x) || Object.is(x, a[i]))
const same = (a: HostArray, b: HostArray): boolean =>
  a.every((x, i) => x === b[i] || (Number.isNaN(x) && Number.isNaN(b[i])))

/** What only stands for values that others made keeps their bits. */
const untouched: ReadonlySet<Op> = new Set<Op>([
  'input',
  'const',
  'data',
  'iota',
  'get',
  'bitcast',
  'stopGradient',
  'observe',
  'barrier',
])

/** Float results that jump: a rounded operand on the other side of a step gives another number. */
const steps: ReadonlySet<Op> = new Set<Op>(['floor', 'ceil', 'trunc', 'round', 'sign'])

/**
 * atan2 is torn where its first operand is zero and its second is not positive: the sign of a zero decides between
 * results π or 2π apart.
 */
const isTorn = (n: Node, a: HostArray, b: HostArray): boolean =>
  n.op === 'atan2' && a.some((x, i) => Math.abs(x - b[i]!) > 1)

/** Whether a device may hold something on the way to a float result that f32 cannot, or all but cannot. */
const overflows = (n: Node, operandsOf: () => readonly HostArray[], outputs: readonly HostArray[]): boolean => {
  if (!isFloat(typesOf(n)[0]!.dtype)) return false
  const operands = operandsOf()
  const finite = operands.every((a) => a.every(Number.isFinite))
  const isOver = (x: number): boolean =>
    Math.abs(x) > largest && (Math.abs(x) !== Number.POSITIVE_INFINITY || (finite && sums.has(n.op)))
  return intermediates(n, operands, outputs).some((a) => a.some(isOver))
}

class Unstable extends Error {
  readonly reason: Discarded['discarded']
  constructor(reason: Discarded['discarded']) {
    super(reason)
    this.reason = reason
  }
}

/**
 * The reference result of a sample and how far others may be from it, or why it cannot be judged: two runs of
 * the interpreter with each op moved up or down by its accuracy, and `runs` (8) with each op perturbed at random, tell
 * how rounding spreads.
 * @example
 * const { stages } = T.orThrow(T.compile((x) => T.exp(x), [T.spec([1])]))
 * const inputs = [{ shape: [1], dtype: 'f32', data: Float64Array.of(0) }] as const
 * const expected = testing.expectation({ graph: stages[0]!.graph, inputs })
 * 'values' in expected && expected.values[0]!.data // => [1]
 */
export const expectation = ({ graph, inputs }: Sample, runs = 8): Expectation | Discarded => {
  // The nodes of a loop's graph are computed once a turn: every turn is judged by its own values.
  const base: (readonly HostArray[])[] = []
  const last = new Map<Node, readonly HostArray[]>()
  let over = false
  const values = evaluate(graph, inputs, {
    after: (n, arrays) => {
      base.push(arrays)
      last.set(n, arrays)
      if (!over) over = overflows(n, () => n.args.map((a) => last.get(a)![0]!), arrays)
      return arrays
    },
  })
  if (over) return { discarded: 'overflow' }
  const allowed = values.map((v) => new Float64Array(v.data.length))
  const widen = (others: readonly Value[]): void => {
    values.forEach((v, k) => {
      if (!isFloat(v.dtype)) return
      for (let i = 0; i < v.data.length; i++) {
        if (!Number.isFinite(v.data[i]!)) continue
        allowed[k]![i] = Math.max(allowed[k]![i]!, Math.abs(others[k]!.data[i]! - v.data[i]!))
      }
    })
  }
  const check = (n: Node, known: readonly HostArray[], arrays: readonly HostArray[]): void => {
    arrays.forEach((a, k) => {
      const float = isFloat(typesOf(n)[k]!.dtype)
      if (!float || steps.has(n.op)) {
        if (!same(a, known[k]!)) throw new Unstable('discrete')
      } else if (isTorn(n, a, known[k]!)) throw new Unstable('discrete')
      else if (!samePattern(a, known[k]!)) throw new Unstable('special')
    })
  }
  try {
    const perturbations = [...directed, ...Array.from({ length: runs }, (_, i) => noise(i + 1))]
    for (let run = 0; run <= perturbations.length; run++) {
      // The last run rounds to nearest and nothing more: what an ideal device does.
      const next = perturbations[run]
      const seen = new Map<Node, readonly HostArray[]>()
      let at = 0
      const after = (n: Node, arrays: readonly HostArray[]): readonly HostArray[] => {
        check(n, base[at++]!, arrays)
        const types = typesOf(n)
        const operands = n.args.map((a) => seen.get(a)![0]!)
        const errors = next && !untouched.has(n.op) ? errorsOf(n, operands, arrays) : undefined
        const out = arrays.map((a, k) => {
          const { dtype } = types[k]!
          if (!isFloat(dtype)) return a
          const error = errors?.[k]
          const round = roundTo(dtype)
          return a.map((v, i) => round(error && next ? perturbed(v, error[i]!, next, run % 2 === 1) : v))
        })
        seen.set(n, out)
        return out
      }
      widen(evaluate(graph, inputs, { after }))
    }
  } catch (error) {
    if (error instanceof Unstable) return { discarded: error.reason }
    // A perturbed index left its axis.
    if (error instanceof TensorloomError) return { discarded: 'discrete' }
    throw error
  }
  return {
    values,
    allowed: allowed.map((a, k) => {
      const { data, dtype } = values[k]!
      if (!isFloat(dtype)) return a
      return a.map((spread, i) => 4 * spread + 4 * ulp(data[i]!, dtype) + smallestNormal)
    }),
  }
}

const showIndex = (at: number, shape: readonly number[]): string => {
  const index: number[] = []
  let rest = at
  for (let i = shape.length - 1; i >= 0; i--) {
    index.unshift(rest % shape[i]!)
    rest = Math.floor(rest / shape[i]!)
  }
  return `[${index.join(', ')}]`
}

/**
 * The first element of `actual` that is not what was expected, in words; undefined when all are.
 * @example
 * const values = [{ shape: [1], dtype: 'f32', data: Float64Array.of(1) }] as const
 * const expected = { values, allowed: [Float64Array.of(0.5)] }
 * testing.difference(expected, [{ ...values[0], data: Float64Array.of(1.25) }]) // => undefined
 * testing.difference(expected, [{ ...values[0], data: Float64Array.of(2) }]) // => 'output 0 at [0] is 2, not 1 ± 0.5'
 */
export const difference = (expected: Expectation, actual: readonly Value[], graph?: Graph): string | undefined => {
  for (const [k, v] of expected.values.entries()) {
    const got = actual[k]
    const where = `output ${k}${graph ? ` (${graph.outputs[k]!.op})` : ''}`
    if (!got || got.data.length !== v.data.length)
      return `${where} has ${got?.data.length} elements, not ${v.data.length}`
    if (got.dtype !== v.dtype) return `${where} is ${got.dtype}, not ${v.dtype}`
    for (let i = 0; i < v.data.length; i++) {
      const [x, y] = [v.data[i]!, got.data[i]!]
      const good = Number.isNaN(x) ? Number.isNaN(y) : x === y || Math.abs(x - y) <= expected.allowed[k]![i]!
      if (!good) return `${where} at ${showIndex(i, v.shape)} is ${y}, not ${x} ± ${expected.allowed[k]![i]}`
    }
  }
  return undefined
}
