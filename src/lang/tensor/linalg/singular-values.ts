/** What singular values give: pseudoinverses, least squares, ranks and norms of matrices. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { product, transposed } from '../../ops/matrix.ts'
import { operandType } from '../../ops/operand-checks.ts'
import { timesPower } from '../../ops/powers-of-two.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith, dualWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode, refuse, reshapeNode } from '../operand.ts'
import { reduceNode } from '../reduce/reduction.ts'
import { rootNode } from '../reduce/statistics.ts'
import { nearSvd } from './decompositions.ts'
import { onMatrix, onSystem } from './linalg-operand.ts'
import { ofFiniteNode, prescaled } from './prescale.ts'

/** Singular values up to `rtol` times the largest count as 0: max(m, n) · 2⁻²³ by default. */
export interface RankOptions {
  readonly rtol?: number | undefined
}

const rankOptions: OptionNames<RankOptions> = { rtol: 'amount' }

type OfMatrix<O> = {
  (options?: O): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: O): Tensor<Shape, FloatOf<D>>
}

/** Which singular values `[…, k]` count. */
const countingNode = (s: Node, shape: Shape, rtol: number): Node => {
  const type = operandType(s)
  const last = type.shape.length - 1
  if (type.shape[last] === 0) return binaryNode('lt', s, s)
  const top = expandNode(reshapeNode(reduceNode(s, 'max', [last]), [...shape.slice(0, -2), 1]), type.shape)
  return binaryNode('lt', binaryNode('mul', top, likeNode(rtol, type)), s)
}

const defaultTolerance = (shape: Shape): number => Math.max(shape.at(-1)!, shape.at(-2)!) * 2 ** -23

/**
 * V diag(1 / s) Uᵀ for a matrix that is near 1. Two of Newton's steps P (2 I - A P) leave it as it is, but give it the right derivatives also where
 * singular values are equal and their vectors have none.
 */
const nearPinv = (a: Node, shape: Shape, rtol: number): Node => {
  const [u, s, vh] = nearSvd(a, shape)
  const type = operandType(s)
  const counts = countingNode(s, shape, rtol)
  const [zero, one] = [likeNode(0, type), likeNode(1, type)]
  const inverse = selectNode(counts, binaryNode('div', one, selectNode(counts, s, one)), zero)
  const v = transposed(build, vh)
  const scaled = binaryNode(
    'mul',
    v,
    build.broadcast([inverse], { shape: operandType(v).shape, axes: [shape.length - 2] }),
  )
  let p = product(build, scaled, transposed(build, u))
  for (let step = 0; step < 2; step++)
    p = binaryNode('sub', binaryNode('add', p, p), product(build, p, product(build, a, p)))
  return p
}

const pinvNode = (a: Node, shape: Shape, rtol: number): Node => {
  const [near, exponent] = prescaled(a)
  return ofFiniteNode(timesPower(build, nearPinv(near, shape, rtol), build.neg([exponent], {})), a)
}

/**
 * The Moore-Penrose inverses `[…, n, m]` of matrices `[…, m, n]`: singular values up to `rtol` times the largest count as 0.
 * Integers and bool become f32 (torch.linalg.pinv).
 * @example
 * T.reference(T.pinv(T.tensor([[2, 0], [0, 0]]))).data // => [0.5, 0, 0, 0]
 */
export const pinv: OfMatrix<RankOptions> = dataFirstWith(
  'T.pinv',
  1,
  rankOptions,
  (x: Tensor, { rtol }: RankOptions = {}) =>
    onMatrix('T.pinv', x, 'matrix', (a, shape) => pinvNode(a, shape, rtol ?? defaultTolerance(shape))),
)

type Lstsq = {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor, options?: RankOptions): Tensor<Shape, FloatOf<D>>
  (b: Tensor, options?: RankOptions): <D extends DType>(a: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
}

/**
 * The shortest X that makes ‖A X - B‖ least: A `[…, m, n]`, B `[m]` (a vector) or `[…, m, k]`, leading axes broadcast. Singular
 * values of A up to `rtol` times the largest count as 0. Integers and bool become f32 (the solution of
 * torch.linalg.lstsq).
 * @example
 * T.reference(T.lstsq(T.tensor([[1, 0], [1, 1], [1, 2]]), T.tensor([1, 3, 5]))).data // => [1, 2]
 */
export const lstsq: Lstsq = dualWith('T.lstsq', 2, rankOptions, (x: Tensor, y: Tensor, { rtol }: RankOptions = {}) =>
  onSystem('T.lstsq', x, y, 'matrix', (a, b) => {
    const { shape } = operandType(a)
    const [[left, under], [right, exponent]] = [prescaled(a), prescaled(b)]
    const best = product(build, nearPinv(left, shape, rtol ?? defaultTolerance(shape)), right)
    return ofFiniteNode(timesPower(build, best, binaryNode('sub', exponent, under)), a)
  }),
)

type MatrixRank = {
  (options?: RankOptions): (x: Tensor) => Tensor<Shape, 'i32'>
  (x: Tensor, options?: RankOptions): Tensor<Shape, 'i32'>
}

/**
 * The ranks (i32) of matrices `[…, m, n]`: how many singular values are above `rtol` times the largest
 * (torch.linalg.matrix_rank).
 * @example
 * T.reference(T.matrixRank(T.tensor([[1, 2], [2, 4]]))).data // => [1]
 */
export const matrixRank: MatrixRank = dataFirstWith(
  'T.matrixRank',
  1,
  rankOptions,
  (x: Tensor, { rtol }: RankOptions = {}) =>
    onMatrix('T.matrixRank', x, 'matrix', (a, shape) => {
      const counts = countingNode(nearSvd(prescaled(a)[0], shape)[1], shape, rtol ?? defaultTolerance(shape))
      return reduceNode(castNode(counts, 'i32'), 'sum', [shape.length - 2])
    }),
)

/** Which norm (`fro`), and whether the two axes stay as axes of size 1. */
export interface MatrixNormOptions {
  readonly ord?: 'fro' | 'nuc' | 1 | -1 | 2 | -2 | typeof Infinity | undefined
  readonly keepdims?: boolean | undefined
}

const matrixNormOptions: OptionNames<MatrixNormOptions> = { ord: 'own', keepdims: 'boolean' }

const normNode = (a: Node, shape: Shape, ord: NonNullable<MatrixNormOptions['ord']>): Node => {
  const rank = shape.length
  const [near, exponent] = prescaled(a)
  if (ord === 'fro') {
    const squares = reduceNode(binaryNode('mul', near, near), 'sum', [rank - 2, rank - 1])
    return timesPower(build, rootNode(squares), exponent)
  }
  const ofSingular = (monoid: 'sum' | 'max' | 'min'): Node =>
    ofFiniteNode(timesPower(build, reduceNode(nearSvd(near, shape)[1], monoid, [rank - 2]), exponent), a)
  if (ord === 'nuc') return ofSingular('sum')
  const isEmpty = shape.at(-1) === 0 || shape.at(-2) === 0
  if (isEmpty)
    return refuse('T.matrixNorm', [a], { reason: `the norm ${ord} of a matrix without elements is not defined` })
  const monoid = ord > 0 ? 'max' : 'min'
  if (Math.abs(ord) === 2) return ofSingular(monoid)
  if (Math.abs(ord) !== 1 && Math.abs(ord) !== Number.POSITIVE_INFINITY)
    return refuse('T.matrixNorm', [a], {
      reason: `there is no norm ${ord} of matrices`,
      hint: "ord is 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity",
    })
  const summed = Math.abs(ord) === 1 ? rank - 2 : rank - 1
  return reduceNode(reduceNode(build.abs([a], {}), 'sum', [summed]), monoid, [rank - 2])
}

/**
 * The norms `[…]` of matrices `[…, m, n]`: `fro` (the default) the root of the sum of squares, `nuc` the sum of the singular
 * values, 2 and -2 the largest and the smallest of them, 1 and -1 of the columns' sums of sizes, ∞ and -∞ of the rows'.
 * Integers and bool become f32. ShapeError for other orders (array API linalg.matrix_norm).
 * @example
 * T.reference(T.matrixNorm(T.tensor([[3, 0], [0, 4]]))).data // => [5]
 * T.reference(T.matrixNorm(T.tensor([[3, 0], [0, 4]]), { ord: 'nuc' })).data // => [7]
 */
export const matrixNorm: OfMatrix<MatrixNormOptions> = dataFirstWith(
  'T.matrixNorm',
  1,
  matrixNormOptions,
  (x: Tensor, { ord = 'fro', keepdims = false }: MatrixNormOptions = {}) =>
    onMatrix('T.matrixNorm', x, 'matrix', (a, shape) => {
      const norm = normNode(a, shape, ord)
      return keepdims ? reshapeNode(norm, [...shape.slice(0, -2), 1, 1]) : norm
    }),
)
