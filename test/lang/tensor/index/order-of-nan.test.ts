/**
 * One order for everything that sorts, searches, ranks and takes extremes: -Infinity, numbers (the zeros are equal), Infinity,
 * NaN (NumPy's). Extremes are NaN where an element is. Checked against plain JavaScript, on the interpreter and on a device.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'
import * as nn from '../../../../src/nn/index.ts'

type X = T.Tensor
type Line = readonly number[]

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const isNan = (x: number): boolean => Number.isNaN(x)

/** The order in which NaN is last. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : Number(isNan(a)) - Number(isNan(b)))
const same = (a: number, b: number): boolean => compare(a, b) === 0
const sorted = (x: Line): Line => x.toSorted(compare)
const order = (x: Line, sign: 1 | -1): Line => [...x.keys()].sort((i, j) => sign * compare(x[i]!, x[j]!) || i - j)
const put = (x: Line, order: Line): Line => order.map((i) => x[i]!)

/** The extreme, which is NaN where an element is, and the place of the first. */
const extreme = (x: Line, sign: 1 | -1): readonly [number, number] => {
  const best = x.some(isNan) ? nan : sign * Math.max(...x.map((v) => sign * v))
  return [best, x.findIndex((v) => same(v, best))]
}
/** Running extremes with the place of the latest. */
const running = (x: Line, sign: 1 | -1): readonly (readonly [number, number])[] =>
  x.map((_, i) => {
    const seen = x.slice(0, i + 1)
    const [best] = extreme(seen, sign)
    return [best, seen.findLastIndex((v) => same(v, best))]
  })
const ignoring = (a: number, b: number, sign: 1 | -1): number =>
  isNan(a) ? b : isNan(b) ? a : sign * Math.max(sign * a, sign * b)

const quantile = (x: Line, q: number): number => {
  const at = q * (x.length - 1)
  const [low, high] = [Math.floor(at), Math.ceil(at)].map((i) => sorted(x)[i]!) as [number, number]
  if (x.some(isNan)) return nan
  return at % 1 === 0 ? low : low * (1 - (at % 1)) + high * (at % 1)
}

const unique = (x: Line) => {
  const all = sorted(x).filter((v, i, s) => i === 0 || !same(v, s[i - 1]!))
  const values = Array.from({ length: x.length }, (_, i) => (i < all.length ? all[i]! : -7))
  return {
    values,
    counts: values.map((v, i) => (i < all.length ? x.filter((w) => same(v, w)).length : 0)),
    inverse: x.map((v) => all.findIndex((w) => same(v, w))),
    distinct: [all.length],
  }
}

const size = 7
const sought = [nan, -inf, inf, -1, -0, 0, 0.5, 3, 100]
/** Whom each update of `scatterMax` and `scatterMin` goes to. */
const places = [2, 0, 2, 1, 0, 1, 2]

const half = (x: X): X => T.cast(x, 'bf16') as X
const scattered = (x: Line, sign: 1 | -1): Line =>
  [0, 1, 2].map((p) => extreme([p, ...x.filter((_, i) => places[i] === p)], sign)[0])
const windows = (x: Line): Line => [0, 2, 4].map((i) => extreme(x.slice(i, i + 3), 1)[0])

/** Each function of a line of seven, and what it must give. */
const table: Readonly<Record<string, readonly [(x: X) => X, (x: Line) => Line]>> = {
  sort: [(x) => T.sort(x), sorted],
  'sort descending': [(x) => T.sort(x, { descending: true }), (x) => put(x, order(x, -1))],
  'sort of bf16': [(x) => T.cast(T.sort(half(x)), 'f32') as X, sorted],
  argsort: [(x) => T.argsort(x), (x) => order(x, 1)],
  'argsort descending': [(x) => T.argsort(x, { descending: true }), (x) => order(x, -1)],
  topK: [(x) => T.topK(x, 3)[1], (x) => order(x, -1).slice(0, 3)],
  'topK of the smallest': [(x) => T.topK(x, 3, { largest: false })[0], (x) => sorted(x).slice(0, 3)],
  kthvalue: [(x) => T.kthvalue(x, 5)[0], (x) => [sorted(x)[4]!]],
  'searchsorted left': [
    (x) => T.searchsorted(T.sort(x), T.tensor(sought)),
    (x) => sought.map((v) => x.filter((w) => compare(w, v) < 0).length),
  ],
  'searchsorted right': [
    (x) => T.searchsorted(T.sort(x), T.tensor(sought), { side: 'right' }),
    (x) => sought.map((v) => x.filter((w) => compare(w, v) <= 0).length),
  ],
  'searchsorted of a line in itself, bf16': [
    (x) => T.searchsorted(half(T.sort(x)), half(x)),
    (x) => x.map((v) => x.filter((w) => compare(w, v) < 0).length),
  ],
  'unique values': [(x) => T.unique(x, { size, fillValue: -7 }).values, (x) => unique(x).values],
  'unique counts': [(x) => T.unique(x, { size }).counts, (x) => unique(x).counts],
  'unique inverse': [(x) => T.unique(x, { size }).inverse, (x) => unique(x).inverse],
  'unique distinct': [(x) => T.unique(x, { size }).distinct, (x) => unique(x).distinct],
  median: [(x) => T.median(x), (x) => [quantile(x, 0.5)]],
  quantile: [(x) => T.quantile(x, [0, 0.25, 1]), (x) => [0, 0.25, 1].map((q) => quantile(x, q))],
  max: [(x) => T.max(x), (x) => [extreme(x, 1)[0]]],
  min: [(x) => T.min(x), (x) => [extreme(x, -1)[0]]],
  amax: [(x) => T.amax(x), (x) => [extreme(x, 1)[0]]],
  amin: [(x) => T.amin(x), (x) => [extreme(x, -1)[0]]],
  argmax: [(x) => T.argmax(x), (x) => [extreme(x, 1)[1]]],
  argmin: [(x) => T.argmin(x), (x) => [extreme(x, -1)[1]]],
  'argmin of bf16': [(x) => T.argmin(half(x)), (x) => [extreme(x, -1)[1]]],
  maxWithIndex: [(x) => T.maxWithIndex(x)[0], (x) => [extreme(x, 1)[0]]],
  minWithIndex: [(x) => T.minWithIndex(x)[0], (x) => [extreme(x, -1)[0]]],
  cummax: [(x) => T.cummax(x)[0], (x) => running(x, 1).map(([v]) => v)],
  'cummax indices': [(x) => T.cummax(x)[1], (x) => running(x, 1).map(([, i]) => i)],
  cummin: [(x) => T.cummin(x)[0], (x) => running(x, -1).map(([v]) => v)],
  'cummin indices': [(x) => T.cummin(x)[1], (x) => running(x, -1).map(([, i]) => i)],
  maximum: [(x) => T.maximum(x, T.flip(x)), (x) => x.map((v, i) => extreme([v, x.at(-1 - i)!], 1)[0])],
  minimum: [(x) => T.minimum(x, T.flip(x)), (x) => x.map((v, i) => extreme([v, x.at(-1 - i)!], -1)[0])],
  fmax: [(x) => T.fmax(x, T.flip(x)), (x) => x.map((v, i) => ignoring(v, x.at(-1 - i)!, 1))],
  fmin: [(x) => T.fmin(x, T.flip(x)), (x) => x.map((v, i) => ignoring(v, x.at(-1 - i)!, -1))],
  clamp: [(x) => T.clamp(x, { min: -1, max: 1 }), (x) => x.map((v) => Math.min(1, Math.max(-1, v)))],
  scatterMax: [(x) => T.scatterMax(T.arange(3, { dtype: 'f32' }), T.tensor(places), x), (x) => scattered(x, 1)],
  scatterMin: [(x) => T.scatterMin(T.arange(3, { dtype: 'f32' }), T.tensor(places), x), (x) => scattered(x, -1)],
  maxPool1d: [(x) => T.reshape(nn.maxPool1d(T.reshape(x, [1, 1, size]), { kernelSize: 3, stride: 2 }), [3]), windows],
  adaptiveMaxPool1d: [
    (x) => T.reshape(nn.adaptiveMaxPool1d(T.reshape(x, [1, 1, size]), 1), [1]),
    (x) => [extreme(x, 1)[0]],
  ],
}

/** In halves and as singles these are themselves. */
const element = fc.constantFrom(nan, nan, inf, -inf, 0, -0, 1, -1, 0.5, 3, -2.5)
const seed = 20261130
const drawn = fc.sample(fc.array(element, { minLength: size, maxLength: size }), { numRuns: 60, seed })
const lines: readonly Line[] = [
  [nan, -2.5, -1, 0, 1, 3, inf],
  [-inf, -1, 0, nan, 0.5, 1, 3],
  [-1, 0, 0.5, 1, 1, 3, nan],
  [3, 1, 0.5, 0, -1, -2.5, nan],
  [nan, 3, nan, 1, nan, -1, nan],
  [nan, nan, nan, nan, nan, nan, nan],
  [inf, inf, -inf, nan, -inf, inf, -inf],
  [-inf, -inf, -inf, -inf, -inf, -inf, -inf],
  [inf, inf, inf, inf, inf, inf, inf],
  [0, -0, 0, -0, -0, 0, -0],
  [3, 1, -1, 1, 3, 0.5, -2.5],
  ...drawn,
]

/** Zeros are equal here: which of them an extreme gives is not said. */
const plain = (x: ArrayLike<number>): Line => Array.from(x, (v) => v + 0)

const all = T.vmap((x: X) => Object.values(table).map(([f]) => f(x)))
const check = (got: readonly T.HostTensor[]): void =>
  Object.entries(table).forEach(([name, [, want]], f) => {
    const { shape, data } = got[f]!
    const width = data.length / shape[0]!
    for (const [i, line] of lines.entries())
      expect(plain(data.slice(i * width, (i + 1) * width)), `${name} of [${line}], seed ${seed}`).toEqual(
        plain(want(line)),
      )
  })
const given = T.tensor(lines as number[][], { dtype: 'f32' }) as X

it('puts NaN last in every order, and into every extreme, on the interpreter', () => {
  check(T.reference(all(given)) as readonly T.HostTensor[])
})
it('does so on a device', async () => {
  check((await T.jit(all as (x: X) => readonly X[])(given)) as readonly T.HostTensor[])
})
