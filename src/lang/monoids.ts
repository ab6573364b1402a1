/**
 * The one table of monoids: what a reduction keeps while it runs, and how two such states become one. Graph passes, loop
 * nests, kernels, prefix routines and the interpreter of loops all take it from here, each in its own arithmetic.
 */
import { ceilDiv, sizeOf } from './dim.ts'
import { integerRange, isFloat, isInteger, type KernelDType } from './dtype.ts'
import type { Cumulation, Monoid, PointwiseOp } from './ir.ts'

/** What a state can be made of: nodes of a graph, values of a loop nest, expressions of a kernel, numbers. */
export interface Arithmetic<E> {
  /** A constant of the same width as `like`, where widths differ. */
  readonly constant: (value: number, dtype: KernelDType, like?: E) => E
  readonly apply: (op: Exclude<PointwiseOp, 'cast' | 'bitcast'>, ...args: readonly E[]) => E
  /** A value that is used more than once. */
  readonly hold: (e: E) => E
  /** x = m·2^e with 1 ≤ |m| < 2: (m, e as i32); zeros, infinities and NaN are (x, 0). */
  readonly split: (x: E) => readonly [E, E]
  /** m·2^e, rounded once; for |e| over 250 as at 250. */
  readonly scale: (mantissa: E, exponent: E) => E
}

/**
 * Whether the order of elements is seen in the bits of a result. A `tree` joins 8 neighbours, then 4 of those results, then
 * 4 of those, by position; `blocks` are runs of 256 terms, one after another, and then such a tree (contractions, whose
 * loops are tiled in registers). Neither looks at the length: what is missing at the end is the identity.
 */
export type Order = 'any' | 'tree' | 'blocks'

/** Neighbours in the runs of a tree. */
export const treeRun = 8
/** States that become one above the runs. */
export const radix = 4
const contractionRun = 256

/**
 * The runs of a contraction over axes of these sizes, the last of which runs fastest: as many of an axis as make up
 * 256 terms with all that is inside it.
 */
export const contractionRuns = (sizes: readonly number[]): readonly number[] =>
  sizes.map((_, i) => {
    const inside = Math.min(sizeOf(sizes.slice(i + 1)), contractionRun)
    return 2 ** Math.floor(Math.log2(contractionRun / inside))
  })

/** How often four states become one above the runs, `count` of them. */
export const heightOf = (count: number): number => {
  let height = 0
  for (let n = count; n > 1; n = ceilDiv(n, radix)) height++
  return height
}

type State<E> = readonly E[]

/** One monoid on states of one or more components; `d` is the dtype of the elements. */
export interface MonoidRow {
  readonly components: (d: KernelDType) => readonly KernelDType[]
  readonly order: (d: KernelDType) => Order
  readonly identity: (d: KernelDType) => readonly number[]
  /** The state of one element, whose position those monoids are told that report one. */
  readonly lift: <E>(a: Arithmetic<E>, x: E, d: KernelDType, position: E | undefined) => State<E>
  /** `first` comes before `second`. */
  readonly merge: <E>(a: Arithmetic<E>, first: State<E>, second: State<E>, d: KernelDType) => State<E>
  /** The results. */
  readonly finish: <E>(a: Arithmetic<E>, state: State<E>, d: KernelDType) => readonly E[]
  /** A sum of exponentials relative to `from`, relative to `to`, which is not less: what online forms are made from. */
  readonly rescale?: <E>(a: Arithmetic<E>, sum: E, from: E, to: E) => E
}

/**
 * The monoids of states. `terms` is the sum of a contraction, `moments` the spread of meanVar, `last…` are the running extremes of
 * prefix reductions.
 */
export type StateMonoid = Exclude<Monoid, 'meanVar'> | 'terms' | 'moments' | 'lastMax' | 'lastMin'

/** A monoid whose states are elements. */
const plain = (
  op: 'add' | 'mul' | 'max' | 'min' | 'and' | 'or',
  identity: MonoidRow['identity'],
  order: MonoidRow['order'] = () => 'any',
): MonoidRow => ({
  components: (d) => [d],
  order,
  identity,
  lift: (_a, x) => [x],
  merge: (a, [x], [y]) => [a.apply(op, x!, y!)],
  finish: (_a, state) => state,
})

const rounded: MonoidRow['order'] = (d) => (isFloat(d) ? 'tree' : 'any')

/** `max`, `min` and the extremes with positions are of numbers; `all` and `any` are those of bool. */
const lowest = (d: KernelDType): number => (isInteger(d) ? integerRange[d][0] : Number.NEGATIVE_INFINITY)
const highest = (d: KernelDType): number => (isInteger(d) ? integerRange[d][1] : Number.POSITIVE_INFINITY)

/** An extreme and where it is; `beats(old, next)`: the later element takes the place. NaN is more extreme than any number. */
const positioned = (
  identity: (d: KernelDType) => number,
  beats: <E>(a: Arithmetic<E>, old: E, next: E) => E,
  nanStays: 'first' | 'last',
): MonoidRow => ({
  components: (d) => [d, 'i32'],
  order: () => 'any',
  identity: (d) => [identity(d), 0],
  lift: (_a, x, _d, position) => [x, position!],
  merge: (a, [x, i], [y, j], d) => {
    const wins = beats(a, x!, y!)
    const takes = a.hold(isFloat(d) ? orNan(a, x!, y!, wins, nanStays) : wins)
    return [a.apply('select', takes, y!, x!), a.apply('select', takes, j!, i!)]
  },
  finish: (_a, state) => state,
})

/** Whether `next` takes the place of `old`: where it beats a number, or is NaN and the first, or the last. */
const orNan = <E>(a: Arithmetic<E>, old: E, next: E, wins: E, stays: 'first' | 'last'): E => {
  const wasNumber = a.apply('not', a.apply('isNan', old))
  const isNan = a.apply('isNan', next)
  return stays === 'first'
    ? a.apply('or', wins, a.apply('and', isNan, wasNumber))
    : a.apply('or', isNan, a.apply('and', wasNumber, wins))
}

/**
 * Products of floats keep mantissa and exponent apart, so that no intermediate product leaves the range of f32: a zero
 * among large numbers is a zero.
 */
const product: MonoidRow = {
  components: (d) => (isFloat(d) ? [d, 'i32'] : [d]),
  order: rounded,
  identity: (d) => (isFloat(d) ? [1, 0] : [1]),
  lift: (a, x, d) => (isFloat(d) ? a.split(x) : [x]),
  merge: (a, [m, e], [n, f], d) => {
    if (!isFloat(d)) return [a.apply('mul', m!, n!)]
    const [mantissa, carry] = a.split(a.hold(a.apply('mul', m!, n!)))
    const bound = (k: number): typeof carry => a.constant(k, 'i32', carry)
    // Clamped, so that the exponent does not wrap.
    const sum = a.apply('add', a.apply('add', e!, f!), carry)
    return [mantissa, a.apply('max', a.apply('min', sum, bound(1 << 20)), bound(-(1 << 20)))]
  },
  finish: (a, [m, e], d) => [isFloat(d) ? a.scale(m!, e!) : m!],
}

/**
 * (count, pivot, mean - pivot, sum of squared deviations), merged after Chan, Golub and LeVeque (1979). The pivot is the
 * first element: the mean of numbers that are close to one another is kept to the precision of their differences, and
 * equal numbers have no spread at all.
 */
const moments: MonoidRow = {
  components: () => ['f32', 'f32', 'f32', 'f32'],
  order: () => 'tree',
  identity: () => [0, 0, 0, 0],
  lift: (a, x) => [a.constant(1, 'f32', x), x, a.constant(0, 'f32', x), a.constant(0, 'f32', x)],
  merge: (a, [n, p, s, q], [m, r, t, u]) => {
    const count = a.hold(a.apply('add', n!, m!))
    const isFirst = a.hold(a.apply('eq', n!, a.constant(0, 'f32', n)))
    const share = a.hold(a.apply('select', isFirst, a.constant(1, 'f32', m), a.apply('div', m!, count)))
    const apart = a.hold(a.apply('add', a.apply('sub', r!, p!), a.apply('sub', t!, s!)))
    // In this order no square overflows where one side is empty.
    const between = a.apply('mul', a.apply('mul', apart, a.apply('mul', n!, share)), apart)
    return [
      count,
      a.apply('select', isFirst, r!, p!),
      a.apply('select', isFirst, t!, a.apply('add', s!, a.apply('mul', apart, share))),
      a.apply('add', a.apply('add', q!, u!), between),
    ]
  },
  finish: (a, [n, p, s, q]) => {
    // Of infinities and NaN there is no spread; the sum of squares need not show them.
    const mean = a.hold(a.apply('add', p!, s!))
    const isLost = a.apply('or', a.apply('isInf', mean), a.apply('isNan', mean))
    return [a.apply('select', isLost, a.constant(Number.NaN, 'f32', mean), a.apply('div', q!, n!))]
  },
}

const rescale = <E>(a: Arithmetic<E>, sum: E, from: E, to: E): E =>
  a.apply('mul', sum, a.apply('exp', a.apply('sub', from, to)))

/** The largest, and the sum of exponentials relative to it. */
const logSumExp: MonoidRow = {
  components: (d) => [d, d],
  order: () => 'tree',
  identity: () => [Number.NEGATIVE_INFINITY, 0],
  lift: (a, x, d) => [x, a.constant(1, d, x)],
  merge: (a, [x, m], [y, n], d) => {
    const top = a.hold(a.apply('max', x!, y!))
    const isSecond = a.hold(a.apply('lt', x!, y!))
    const [high, low] = [a.apply('select', isSecond, n!, m!), a.apply('select', isSecond, m!, n!)]
    const sum = a.apply('add', high, rescale(a, low, a.apply('min', x!, y!), top))
    // Of infinities the top alone is the result; their difference would be NaN.
    return [top, a.apply('select', a.apply('isInf', top), a.constant(1, d, top), sum)]
  },
  finish: (a, [top, sum]) => [a.apply('add', a.apply('log', sum!), top!)],
  rescale,
}

/** Every monoid by name. Total: a missing row is a compile error. */
export const stateMonoids: { readonly [M in StateMonoid]: MonoidRow } = {
  // -0 is the identity of addition: 0 would change the sign of a zero.
  sum: plain('add', (d) => [isFloat(d) ? -0 : 0], rounded),
  // As BLAS has it, no products at all, or none but negative zeros, are 0.
  terms: plain(
    'add',
    () => [0],
    (d) => (isFloat(d) ? 'blocks' : 'any'),
  ),
  prod: product,
  max: plain('max', (d) => [lowest(d)]),
  min: plain('min', (d) => [highest(d)]),
  all: plain('and', () => [1]),
  any: plain('or', () => [0]),
  argmax: positioned(lowest, (a, old, next) => a.apply('lt', old, next), 'first'),
  argmin: positioned(highest, (a, old, next) => a.apply('lt', next, old), 'first'),
  lastMax: positioned(lowest, (a, old, next) => a.apply('le', old, next), 'last'),
  lastMin: positioned(highest, (a, old, next) => a.apply('le', next, old), 'last'),
  moments,
  logSumExp,
}

/** The row of a reduction's state. */
export const rowOf = (monoid: Monoid): MonoidRow => stateMonoids[monoid === 'meanVar' ? 'moments' : monoid]

/** Whether the state says where the element is that it holds. */
export const isPositional = (monoid: StateMonoid | Monoid): boolean =>
  monoid === 'argmax' || monoid === 'argmin' || monoid === 'lastMax' || monoid === 'lastMin'

/** The row of a prefix reduction, in which of equal extremes the last is the one. */
export const prefixRow = (monoid: Cumulation): MonoidRow =>
  stateMonoids[monoid === 'max' ? 'lastMax' : monoid === 'min' ? 'lastMin' : monoid]
