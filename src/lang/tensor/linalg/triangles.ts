/** Triangles and diagonals of matrices. Diagonals are views: pad and reshape turn the step of n + 1 into a column. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { normaliseAxis } from '../../shape.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith, type OfOneTensor, single } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, countedNode, expandNode, onTensor, refuse, reshapeNode, scalar } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { padNode } from '../shape/padding.ts'
import { narrowNode } from '../shape/reordering.ts'

/** Which diagonal: 0 the main one, positive above it, negative below. */
export interface DiagonalOptions {
  readonly diagonal?: number | undefined
}

export const diagonalOptions: OptionNames<DiagonalOptions> = { diagonal: 'integer' }

/** Where, in the last two axes of `shape`, the column minus the row is at most `diagonal`. */
export const lowerNode = (shape: Shape, diagonal: number): Node => {
  const matrix = shape.slice(-2)
  const [row, column] = [0, 1].map((axis) => build.iota([], { shape: matrix, dtype: 'i32', axis }))
  const bound = binaryNode('add', row!, likeNode(diagonal, { shape: matrix, dtype: 'i32' }))
  return expandNode(binaryNode('le', column!, bound), shape)
}

type Triangle = {
  (options?: DiagonalOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: DiagonalOptions): Tensor<S, D>
}

const triangle =
  (name: string, keep: (n: Node, shape: Shape, zero: Node, diagonal: number) => Node) =>
  (x: Tensor, { diagonal = 0 }: DiagonalOptions = {}): Tensor =>
    onTensor(name, x, (n, type) =>
      type.shape.length < 2
        ? refuse(name, [n], { reason: `rank ${type.shape.length} is not a matrix` })
        : keep(n, type.shape, likeNode(0, type), diagonal),
    )

/**
 * The lower triangle of the last two axes, zero above `diagonal` (0: the main one, positive above it). Same shape and
 * dtype. ShapeError below rank 2.
 * @example
 * T.reference(T.tril(T.tensor([[1, 2], [3, 4]]))).data // => [1, 0, 3, 4]
 */
export const tril: Triangle = dataFirstWith(
  'T.tril',
  1,
  diagonalOptions,
  triangle('T.tril', (n, shape, zero, d) => selectNode(lowerNode(shape, d), n, zero)),
)

/**
 * The upper triangle of the last two axes, zero below `diagonal` (0: the main one, positive above it). Same shape and
 * dtype. ShapeError below rank 2.
 * @example
 * T.reference(T.triu(T.tensor([[1, 2], [3, 4]]))).data // => [1, 2, 0, 4]
 */
export const triu: Triangle = dataFirstWith(
  'T.triu',
  1,
  diagonalOptions,
  triangle('T.triu', (n, shape, zero, d) => selectNode(lowerNode(shape, d - 1), zero, n)),
)

/** The diagonal of the last two axes as one axis. */
const diagonalNode = (n: Node, offset: number): Node => {
  const { shape } = typeOf(n)
  const rank = shape.length
  const [rows, columns] = [shape[rank - 2]!, shape[rank - 1]!]
  const [top, left] = [Math.max(0, -offset), Math.max(0, offset)]
  const size = Math.max(0, Math.min(rows - top, columns - left))
  const lead = shape.slice(0, -2)
  if (size === 0)
    return reshapeNode(narrowNode(narrowNode(n, rank - 2, 0, 0), rank - 1, 0, columns > 0 ? 1 : 0), [...lead, 0])
  const square = narrowNode(narrowNode(n, rank - 2, top, top + size), rank - 1, left, left + size)
  const flat = reshapeNode(square, [...lead, size * size])
  const none = flatZeros(lead)
  const padded = padNode(flat, none, [...lead.map(() => 0), size], 0)
  return reshapeNode(narrowNode(reshapeNode(padded, [...lead, size, size + 1]), lead.length + 1, 0, 1), [...lead, size])
}

const flatZeros = (lead: Shape): readonly number[] => [...lead.map(() => 0), 0]

/** The last axis laid on diagonal `offset` of a new square matrix. */
const embedNode = (n: Node, offset: number): Node => {
  const { shape } = typeOf(n)
  const [lead, size] = [shape.slice(0, -1), shape.at(-1)!]
  const zeros = lead.map(() => 0)
  const rows = padNode(reshapeNode(n, [...lead, size, 1]), [...zeros, 0, 0], [...zeros, 0, size], 0)
  const flat = narrowNode(reshapeNode(rows, [...lead, size * (size + 1)]), lead.length, 0, size * size)
  const [top, left] = [Math.max(0, -offset), Math.max(0, offset)]
  return padNode(reshapeNode(flat, [...lead, size, size]), [...zeros, top, left], [...zeros, left, top], 0)
}

/**
 * A vector `[n]` as the diagonal of a square matrix of zeros, or the diagonal of a matrix as a vector (torch.diag).
 * ShapeError for other ranks.
 * @example
 * T.reference(T.diag(T.tensor([1, 2]))).data // => [1, 0, 0, 2]
 * T.reference(T.diag(T.tensor([[1, 2], [3, 4]]), { diagonal: 1 })).data // => [2]
 */
export const diag: OfOneTensor<DiagonalOptions> = dataFirstWith(
  'T.diag',
  1,
  diagonalOptions,
  (x: Tensor, { diagonal = 0 }: DiagonalOptions = {}) =>
    onTensor('T.diag', x, (n, { shape }) => {
      if (shape.length === 1) return embedNode(n, diagonal)
      if (shape.length === 2) return diagonalNode(n, diagonal)
      return refuse('T.diag', [n], {
        reason: `takes a vector or a matrix, not rank ${shape.length}`,
        hint: 'T.diagonal works on any two axes',
      })
    }),
)

/** The diagonal `offset` of the plane of two axes (0 and 1 by default). */
export interface PlaneOptions {
  readonly offset?: number | undefined
  readonly axis1?: number | undefined
  readonly axis2?: number | undefined
}

const planeOptions: OptionNames<PlaneOptions> = { offset: 'integer', axis1: 'own', axis2: 'own' }

/**
 * The diagonal `offset` of two axes (0 and 1 by default), which are dropped, as a new last axis (torch.diagonal).
 * ShapeError for an axis out of range or named twice.
 * @example
 * T.reference(T.diagonal(T.tensor([[1, 2], [3, 4]]))).data // => [1, 4]
 */
export const diagonal: OfOneTensor<PlaneOptions> = dataFirstWith(
  'T.diagonal',
  1,
  planeOptions,
  (x: Tensor, { offset = 0, axis1 = 0, axis2 = 1 }: PlaneOptions = {}) =>
    onTensor('T.diagonal', x, (n, { shape }) => {
      const [a, b] = [normaliseAxis(axis1, shape.length), normaliseAxis(axis2, shape.length)]
      if (E.isLeft(a)) return refuse('T.diagonal', [n], { reason: a.left, axis: axis1 })
      if (E.isLeft(b)) return refuse('T.diagonal', [n], { reason: b.left, axis: axis2 })
      if (a.right === b.right) return refuse('T.diagonal', [n], { reason: `axis ${axis1} is named twice`, axis: axis1 })
      return planeDiagonal(n, a.right, b.right, offset)
    }),
)

/** The diagonal of axes `a` and `b` as a new last axis. */
export const planeDiagonal = (n: Node, a: number, b: number, offset: number): Node => {
  const rest = typeOf(n)
    .shape.map((_, i) => i)
    .filter((i) => i !== a && i !== b)
  return diagonalNode(permuteNode(n, [...rest, a, b]), offset)
}

/**
 * The sum of the main diagonal of a matrix; bool, i8 and u8 count as i32. ShapeError for other ranks.
 * @example
 * T.reference(T.trace(T.tensor([[1, 2], [3, 4]]))).data // => [5]
 */
export const trace: <D extends DType>(x: Tensor<Shape, D>) => Tensor<readonly [], D> = single(
  'T.trace',
  (n, { shape, dtype }) =>
    shape.length === 2
      ? build.reduce([diagonalNode(countedNode(n, dtype), 0)], { monoid: 'sum', axes: [0] })
      : refuse('T.trace', [n], { reason: `takes a matrix, not rank ${shape.length}` }),
)

/** `n` × `n` (or `n` × `columns`) with ones on the main diagonal. */
export const eyeNode = (rows: number, columns: number, dtype: DType): Node => {
  const [i, j] = [0, 1].map((axis) => build.iota([], { shape: [rows, columns], dtype: 'i32', axis }))
  return sizeOf([rows, columns]) === 0
    ? expandNode(scalar(0, dtype), [rows, columns])
    : castNode(binaryNode('eq', i!, j!), dtype)
}
