/** What the rows of linear algebra share: operands `[…, m, n]` of f32, products, triangles and diagonals of nodes. */
import type * as E from '#fp/Either'
import { type Shape, sizeOf } from '../dim.ts'
import type { HostArray } from '../dtype.ts'
import type { Refusal } from '../errors.ts'
import type { Build, Node, TensorType } from '../ir.ts'
import type { BatchContext } from '../primitive.ts'
import { operandType, refuse } from './operand-checks.ts'
import { zerosLike } from './rule-parts.ts'

/** Rows, columns and how many matrices there are. */
export const matrixSizes = (
  shape: Shape,
): { readonly rows: number; readonly columns: number; readonly matrices: number; readonly lead: Shape } => {
  const lead = shape.slice(0, -2)
  return { rows: shape.at(-2)!, columns: shape.at(-1)!, matrices: sizeOf(lead), lead }
}

/** Why `x` is not a batch of matrices of f32, or undefined. */
export const wrongMatrix = ({ shape, dtype }: TensorType): E.Either<Refusal, never> | undefined => {
  if (dtype !== 'f32')
    return refuse(`is defined on f32, not on ${dtype}`, undefined, "convert it with T.cast(x, 'f32')")
  return shape.length < 2 ? refuse(`rank ${shape.length} is not a matrix`) : undefined
}

/** Why `x` is not a batch of square matrices of f32, or undefined. */
export const wrongSquare = (x: TensorType): E.Either<Refusal, never> | undefined => {
  const bad = wrongMatrix(x)
  if (bad) return bad
  const { rows, columns } = matrixSizes(x.shape)
  return rows === columns ? undefined : refuse(`a matrix of ${rows} rows and ${columns} columns is not square`)
}

/** Why `x` is not a batch of f32 matrices with at least as many rows as columns, or undefined. */
export const wrongTall = (x: TensorType): E.Either<Refusal, never> | undefined => {
  const bad = wrongMatrix(x)
  if (bad) return bad
  const { rows, columns } = matrixSizes(x.shape)
  return rows >= columns ? undefined : refuse(`a matrix of ${rows} rows has more columns: ${columns}`)
}

/** `body` on the elements of every matrix: those of operands and results that are `sizes` long each. */
export const eachMatrix = (
  matrices: number,
  arrays: readonly HostArray[],
  sizes: readonly number[],
  body: (...parts: readonly HostArray[]) => void,
): void => {
  for (let i = 0; i < matrices; i++)
    body(...arrays.map((a, k) => a.subarray(i * sizes[k]!, (i + 1) * sizes[k]!) as HostArray))
}

/** All operands with the batch axis in front of the others: the op works on any number of leading axes. */
export const leadingBatch =
  <P>(make: (b: Build, args: readonly Node[], params: P) => Node, outputs: number) =>
  ({ b, args, batched, size, params }: BatchContext<P>): readonly Node[] => {
    const ready = args.map((x, i) =>
      batched[i] ? x : b.broadcast([x], { shape: [size, ...operandType(x).shape], axes: [0] }),
    )
    const out = make(b, ready, params)
    return outputs === 1 ? [out] : Array.from({ length: outputs }, (_, index) => b.get([out], { index }))
  }

/** Matrices with rows and columns exchanged. */
export const transposed = (b: Build, x: Node): Node => {
  const axes = operandType(x).shape.map((_, i) => i)
  const rank = axes.length
  return b.permute([x], { axes: [...axes.slice(0, -2), rank - 1, rank - 2] })
}

/** x y, or xᵀ y, of matrices with the same leading axes. */
export const product = (b: Build, x: Node, y: Node, form: 'x y' | 'xᵀ y' = 'x y'): Node => {
  const lead = operandType(x)
    .shape.slice(0, -2)
    .map((_, i) => i + 3)
  const [row, inner, column] = [0, 1, 2]
  return b.dot([x, y], {
    lhs: [...lead, ...(form === 'x y' ? [row, inner] : [inner, row])],
    rhs: [...lead, inner, column],
    out: [...lead, row, column],
  })
}

/** (x + xᵀ) / 2. */
export const symmetricPart = (b: Build, x: Node): Node => {
  const half = b.mul([x, b.broadcast([b.const([], { shape: [], dtype: 'f32', values: [0.5] })], everywhere(x))], {})
  return b.add([half, transposed(b, half)], {})
}

const everywhere = (x: Node): { readonly shape: Shape; readonly axes: readonly number[] } => {
  const { shape } = operandType(x)
  return { shape, axes: shape.map((_, i) => i) }
}

/** Whether row + `offset` ≥ column, for every element of the matrices of `shape`. */
export const lowerMask = (b: Build, shape: Shape, offset = 0): Node => {
  const rank = shape.length
  const matrix = shape.slice(-2)
  const [row, column] = [0, 1].map((axis) => b.iota([], { shape: matrix, dtype: 'i32', axis }))
  const shift = b.broadcast([b.const([], { shape: [], dtype: 'i32', values: [offset] })], {
    shape: matrix,
    axes: [0, 1],
  })
  const mask = b.le([column!, b.add([row!, shift], {})], {})
  return rank === 2 ? mask : b.broadcast([mask], { shape, axes: shape.slice(0, -2).map((_, i) => i) })
}

/** The elements with row + `offset` ≥ column, zeros elsewhere. */
export const lowerPart = (b: Build, x: Node, offset = 0): Node =>
  b.select([lowerMask(b, operandType(x).shape, offset), x, zerosLike(b, x)], {})

/** The elements with row + `offset` < column, zeros elsewhere. */
export const upperPart = (b: Build, x: Node, offset = 0): Node =>
  b.select([lowerMask(b, operandType(x).shape, offset), zerosLike(b, x), x], {})

/** Whether an element is on the diagonal. */
export const diagonalMask = (b: Build, shape: Shape): Node =>
  b.and([lowerMask(b, shape), b.not([lowerMask(b, shape, -1)], {})], {})

/** The elements on the diagonal, zeros elsewhere. */
export const diagonalPart = (b: Build, x: Node): Node =>
  b.select([diagonalMask(b, operandType(x).shape), x, zerosLike(b, x)], {})

/** The diagonal as a vector. */
export const diagonalOf = (b: Build, x: Node): Node =>
  b.reduce([diagonalPart(b, x)], { monoid: 'sum', axes: [operandType(x).shape.length - 1] })

/** The vectors `[…, n]` as rows of matrices of `shape` (each row the same), or as columns. */
export const spread = (b: Build, v: Node, shape: Shape, as: 'rows' | 'columns'): Node =>
  b.broadcast([v], { shape, axes: [as === 'rows' ? shape.length - 2 : shape.length - 1] })

/** 1 / x, and 0 where x is 0: what a derivative is taken for where it is not determined. */
export const safeInverse = (b: Build, x: Node): Node => {
  const zero = zerosLike(b, x)
  const one = b.broadcast([b.const([], { shape: [], dtype: 'f32', values: [1] })], everywhere(x))
  const isZero = b.eq([x, zero], {})
  return b.select([isZero, zero, b.div([one, b.select([isZero, one, x], {})], {})], {})
}

/** Matrices cropped, or padded with zeros, at the end of their rows and columns. */
export const resized = (b: Build, x: Node, rows: number, columns: number): Node => {
  const { shape } = operandType(x)
  const none = shape.map(() => 0)
  const high = [...none.slice(0, -2), rows - shape.at(-2)!, columns - shape.at(-1)!]
  return high.every((d) => d === 0) ? x : b.pad([x], { low: none, high, interior: none, value: 0 })
}
