/** The reductions that `npm run accuracy` measures: what is computed, what is true, and what is promised. */
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import {
  type Exact,
  exactLogSum,
  exactSum,
  exactVariance,
  type Line,
  prefixLogSums,
  prefixProducts,
  prefixSums,
  scaledSum,
} from './exact-reductions.ts'

/** The arguments of a program: terms and factors of the shape of the case, vectors and matrices of its length. */
export interface Operands {
  readonly x: T.Tensor
  readonly factors: T.Tensor
  readonly y: T.Tensor
  readonly left: T.Tensor
  readonly right: T.Tensor
}

/** What errors are counted in: the last place of a result, parts of it, or as they are. */
export type Unit = 'ulp' | 'relative' | 'absolute'

export interface Reduction {
  readonly name: string
  readonly unit: Unit
  /** What it takes: any axes, one axis, or vectors. */
  readonly over: 'axes' | 'axis' | 'vectors'
  /** The lines that its results are of: those of the terms unless said. */
  readonly lines?: 'factors' | 'products'
  readonly of: (operands: Operands, axis: readonly number[]) => unknown
  readonly exact: (line: Line) => Exact
  /** The largest error that is promised. */
  readonly limit: (n: number, terms: string) => number
}

const one = (want: number): Exact => ({ wants: [want] })
const single = (axis: readonly number[]): { readonly axis: number } => ({ axis: axis[0]! })

const spread = (_: number, terms: string): number => (terms === 'equal' ? 0 : terms === 'offset' ? 1e-5 : 5e-7)
/** The distance of a term of 90 from the largest is itself rounded at 90. */
const exponential = (near: number, far: number) => (_: number, terms: string) => (terms === 'lognormal' ? far : near)
/** Contractions add 256 terms one after another, and of equal terms every rounding errs in the same direction. */
const contraction = (_: number, terms: string): number => (terms === 'equal' ? 100 : 16)
/** Every factor rounds once; of factors near 1 all in the same direction. */
const product = (n: number): number => n / 4 + 4

const indexOfMax = (xs: Float32Array): number => xs.indexOf(xs.reduce((a, b) => Math.max(a, b)))

/** The class that the loss is of. */
const target = (n: number): number => n >> 1

const rows: readonly (Omit<Reduction, 'unit' | 'over'> & Partial<Reduction>)[] = [
  {
    name: 'sum',
    of: ({ x }, axis) => T.sum(x, { axis }),
    exact: ({ xs }) => scaledSum(xs.length, (i) => xs[i]!),
    limit: () => 4,
  },
  {
    name: 'mean',
    of: ({ x }, axis) => T.mean(x, { axis }),
    exact: ({ xs }) => scaledSum(xs.length, (i) => xs[i]!, 1 / xs.length),
    limit: () => 8,
  },
  {
    name: 'variance',
    unit: 'relative',
    of: ({ x }, axis) => T.variance(x, { axis, correction: 1 }),
    exact: ({ xs }) => one(exactVariance(xs)),
    limit: spread,
  },
  {
    name: 'std',
    unit: 'relative',
    of: ({ x }, axis) => T.std(x, { axis, correction: 1 }),
    exact: ({ xs }) => one(Math.sqrt(exactVariance(xs))),
    limit: spread,
  },
  {
    name: 'norm1',
    of: ({ x }, axis) => T.vectorNorm(x, { axis, p: 1 }),
    exact: ({ xs }) => one(exactSum(xs.length, (i) => Math.abs(xs[i]!))),
    limit: () => 4,
  },
  {
    name: 'norm2',
    of: ({ x }, axis) => T.vectorNorm(x, { axis, p: 2 }),
    exact: ({ xs }) => one(Math.sqrt(exactSum(xs.length, (i) => xs[i]! ** 2))),
    limit: () => 4,
  },
  {
    name: 'normInf',
    of: ({ x }, axis) => T.vectorNorm(x, { axis, p: Number.POSITIVE_INFINITY }),
    exact: ({ xs }) => one(xs.reduce((a, b) => Math.max(a, Math.abs(b)), 0)),
    limit: () => 0,
  },
  {
    name: 'max',
    of: ({ x }, axis) => T.max(x, { axis }),
    exact: ({ xs }) => one(xs.reduce((a, b) => Math.max(a, b))),
    limit: () => 0,
  },
  {
    name: 'argmax',
    over: 'axis',
    of: ({ x }, axis) => T.argmax(x, single(axis)),
    exact: ({ xs }) => one(indexOfMax(xs)),
    limit: () => 0,
  },
  {
    name: 'prod',
    lines: 'factors',
    of: ({ factors }, axis) => T.prod(factors, { axis }),
    exact: ({ xs }) => one(prefixProducts(xs).at(-1)!),
    limit: product,
  },
  {
    name: 'logsumexp',
    of: ({ x }, axis) => T.logsumexp(x, { axis }),
    exact: ({ xs }) => {
      const { top, rest } = exactLogSum(xs)
      return { wants: [top + rest], sizes: [Math.abs(top) + rest] }
    },
    limit: () => 2,
  },
  {
    name: 'softmax',
    unit: 'relative',
    over: 'axis',
    of: ({ x }, axis) => nn.softmax(x, single(axis)),
    exact: ({ xs }) => {
      const { top, rest } = exactLogSum(xs)
      return { wants: Float64Array.from(xs, (v) => Math.exp(v - top - rest)) }
    },
    limit: exponential(4e-7, 6e-6),
  },
  {
    name: 'logSoftmax',
    unit: 'absolute',
    over: 'axis',
    of: ({ x }, axis) => nn.logSoftmax(x, single(axis)),
    exact: ({ xs }) => {
      const { top, rest } = exactLogSum(xs)
      return { wants: Float64Array.from(xs, (v) => v - top - rest) }
    },
    limit: exponential(2e-6, 1e-5),
  },
  {
    name: 'cumsum',
    over: 'axis',
    of: ({ x }, axis) => T.cumsum(x, single(axis)),
    exact: ({ xs }) => prefixSums(xs),
    limit: () => 8,
  },
  {
    name: 'cumprod',
    over: 'axis',
    lines: 'factors',
    of: ({ factors }, axis) => T.cumprod(factors, single(axis)),
    exact: ({ xs }) => ({ wants: prefixProducts(xs) }),
    limit: product,
  },
  {
    name: 'logcumsumexp',
    over: 'axis',
    of: ({ x }, axis) => T.logcumsumexp(x, single(axis)),
    exact: ({ xs }) => prefixLogSums(xs),
    limit: () => 2,
  },
  {
    name: 'dot',
    over: 'vectors',
    of: ({ x, y }) => T.dot(x, y),
    exact: ({ xs, ys }) => scaledSum(xs.length, (i) => xs[i]! * ys[i]!),
    limit: contraction,
  },
  {
    name: 'matmul',
    over: 'vectors',
    lines: 'products',
    of: ({ left, right }) => T.matmul(left, right),
    exact: ({ xs, ys }) => scaledSum(xs.length, (i) => xs[i]! * ys[i]!),
    limit: contraction,
  },
  {
    name: 'mseLoss',
    over: 'vectors',
    of: ({ x, y }) => nn.mseLoss(x, y),
    exact: ({ xs, ys }) => scaledSum(xs.length, (i) => (xs[i]! - ys[i]!) ** 2, 1 / xs.length),
    limit: () => 8,
  },
  {
    name: 'crossEntropy',
    over: 'vectors',
    of: ({ x }) => nn.crossEntropy(x, T.tensor(target(x.shape[0]!), { dtype: 'i32' })),
    exact: ({ xs }) => {
      const { top, rest } = exactLogSum(xs)
      const below = top - xs[target(xs.length)]!
      return { wants: [below + rest], sizes: [below + rest] }
    },
    limit: () => 8,
  },
]

/** Every row, with what is usual filled in. */
export const reductions: readonly Reduction[] = rows.map((r) => ({ unit: 'ulp', over: 'axes', ...r }))
