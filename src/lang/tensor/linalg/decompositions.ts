/** Decompositions of matrices: Cholesky, QR, symmetric eigenvalues, singular values. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { product, transposed, upperPart } from '../../ops/matrix.ts'
import { operandType } from '../../ops/operand-checks.ts'
import { timesPower } from '../../ops/powers-of-two.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandChoice, type OptionNames } from '../arguments.ts'
import { alone, dataFirstWith } from '../dual.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import { concatNode } from '../shape/joining.ts'
import { narrowNode } from '../shape/reordering.ts'
import { onMatrix, output } from './linalg-operand.ts'
import { ofFiniteNode, prescaled } from './prescale.ts'

/** Whether the upper factor is wanted (the lower one). */
export interface CholeskyOptions {
  readonly upper?: boolean | undefined
}

const choleskyOptions: OptionNames<CholeskyOptions> = { upper: 'boolean' }

type Cholesky = {
  (options?: CholeskyOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: CholeskyOptions): Tensor<S, FloatOf<D>>
}

/**
 * The lower L with A = L Lᵀ, or the `upper` U with A = Uᵀ U, of positive definite matrices `[…, n, n]`. Of a matrix that is
 * not symmetric the symmetric part counts, so the gradient is symmetric; one that is not positive definite gives NaN, no
 * error, as in JAX. Integers and bool become f32 (torch.linalg.cholesky).
 * @example
 * T.reference(T.cholesky(T.tensor([[4, 2], [2, 5]]))).data // => [2, 0, 1, 2]
 */
export const cholesky: Cholesky = dataFirstWith(
  'T.cholesky',
  1,
  choleskyOptions,
  (x: Tensor, { upper = false }: CholeskyOptions = {}) =>
    onMatrix('T.cholesky', x, 'square', (a) => {
      const [near, exponent] = prescaled(a)
      const root = binaryNode('shiftRight', exponent, likeNode(1, operandType(exponent)))
      const lower = timesPower(build, build.cholesky([near], {}), root)
      return upper ? transposed(build, lower) : lower
    }),
)

/** `reduced` (the default): min(m, n) columns of Q; `complete`: all m. */
export interface QrOptions {
  readonly mode?: 'reduced' | 'complete' | undefined
}

const qrOptions: OptionNames<QrOptions> = { mode: 'own' }

/** Q and R. */
export type QrResult<D extends DType> = readonly [q: Tensor<Shape, FloatOf<D>>, r: Tensor<Shape, FloatOf<D>>]

type Qr = {
  (options?: QrOptions): <D extends DType>(x: Tensor<Shape, D>) => QrResult<D>
  <D extends DType>(x: Tensor<Shape, D>, options?: QrOptions): QrResult<D>
}

const columnsOf = (n: Node, from: number, to: number): Node => narrowNode(n, operandType(n).shape.length - 1, from, to)

/** A matrix of more columns than rows: its first columns make Q, the others only R. */
const wideQr = (a: Node, rows: number, columns: number): readonly [Node, Node] => {
  const made = build.qr([columnsOf(a, 0, rows)], { complete: false })
  const [q, r] = [output(made, 0), output(made, 1)]
  const rest = product(build, q, columnsOf(a, rows, columns), 'xᵀ y')
  return [q, concatNode([r, rest], operandType(r).shape.length - 1)]
}

/** Q and R of a matrix that is near 1. */
const nearQr = (a: Node, shape: Shape, complete: boolean): readonly [Node, Node] => {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!]
  if (columns > rows) return wideQr(a, rows, columns)
  const made = build.qr([a], { complete })
  return [output(made, 0), output(made, 1)]
}

const qrNodes = (a: Node, shape: Shape, complete: boolean): readonly [Node, Node] => {
  const [near, exponent] = prescaled(a)
  const [q, r] = nearQr(near, shape, complete)
  return [ofFiniteNode(q, a), upperPart(build, ofFiniteNode(timesPower(build, r, exponent), a), -1)]
}

/**
 * `[Q, R]` with A = Q R for matrices `[…, m, n]`: Q `[…, m, k]` has orthonormal columns, R `[…, k, n]` is upper triangular, in
 * LAPACK's signs. k = min(m, n), or m for the mode `complete`, where the columns of Q beyond n have the derivative of what
 * does not depend on their choice. Derivatives need the first min(m, n) columns to be independent. Integers and bool
 * become f32 (torch.linalg.qr).
 * @example
 * const [q, r] = T.qr(T.tensor([[3, 1], [4, 2]]))
 * T.reference([q, r]).map((t) => t.data) // => [[-0.6, -0.8, -0.8, 0.6], [-5, -2.2, 0, 0.4]]
 */
export const qr: Qr = dataFirstWith('T.qr', 1, qrOptions, (x: Tensor, { mode = 'reduced' }: QrOptions = {}) => {
  demandChoice('T.qr', 'mode', mode, ['reduced', 'complete'])
  return [0, 1].map((i) => onMatrix('T.qr', x, 'matrix', (a, shape) => qrNodes(a, shape, mode === 'complete')[i]!))
})

const eighNodes = (a: Node): readonly [w: Node, v: Node] => {
  const [near, exponent] = prescaled(a)
  const made = build.eigh([near], {})
  return [ofFiniteNode(timesPower(build, output(made, 0), exponent), a), ofFiniteNode(output(made, 1), a)]
}

/**
 * `[w, V]`: the eigenvalues `[…, n]` of symmetric matrices `[…, n, n]`, ascending, and their eigenvectors, the columns of V.
 * The symmetric part counts of others; NaN and infinities make all NaN. The first of the largest components of an
 * eigenvector is positive. Where eigenvalues are equal, V has no derivative of its own: the gradient leaves out what turns
 * their vectors. Integers and bool become f32 (torch.linalg.eigh).
 * @example
 * const [w, v] = T.eigh(T.tensor([[0, 2], [2, 3]]))
 * T.reference([w, v]).map((t) => t.data) // => [[-1, 4], [0.894427, 0.447214, -0.447214, 0.894427]]
 */
export const eigh: <D extends DType>(
  x: Tensor<Shape, D>,
) => readonly [w: Tensor<Shape, FloatOf<D>>, v: Tensor<Shape, FloatOf<D>>] = alone('T.eigh', (x) =>
  [0, 1].map((i) => onMatrix('T.eigh', x, 'square', (a) => eighNodes(a)[i]!)),
)

type Values = <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>

/**
 * The eigenvalues `[…, n]` of symmetric matrices `[…, n, n]`, ascending: those of `eigh` (torch.linalg.eigvalsh).
 * @example
 * T.reference(T.eigvalsh(T.tensor([[0, 2], [2, 3]]))).data // => [-1, 4]
 */
export const eigvalsh: Values = alone('T.eigvalsh', (x) => onMatrix('T.eigvalsh', x, 'square', (a) => eighNodes(a)[0]))

/** U, s and Vᵀ of the thin decomposition of matrices `[…, m, n]` of either form that are near 1. */
export const nearSvd = (a: Node, shape: Shape): readonly [u: Node, s: Node, vh: Node] => {
  if (shape.at(-1)! > shape.at(-2)!) {
    const made = build.svd([transposed(build, a)], {})
    return [output(made, 2), output(made, 1), transposed(build, output(made, 0))]
  }
  const made = build.svd([a], {})
  return [output(made, 0), output(made, 1), transposed(build, output(made, 2))]
}

const svdNodes = (a: Node, shape: Shape): readonly Node[] => {
  const [near, exponent] = prescaled(a)
  const [u, s, vh] = nearSvd(near, shape)
  return [u, timesPower(build, s, exponent), vh].map((x) => ofFiniteNode(x, a))
}

/** A basis of the whole space whose first vectors are the orthonormal columns of `u`. */
const completed = (u: Node): Node => {
  const { shape } = operandType(u)
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!]
  if (rows === columns) return u
  const basis = output(build.qr([u], { complete: true }), 0)
  return concatNode([u, columnsOf(basis, columns, rows)], shape.length - 1)
}

/** Whether U and V are square (the default), or have min(m, n) columns. */
export interface SvdOptions {
  readonly fullMatrices?: boolean | undefined
}

const svdOptions: OptionNames<SvdOptions> = { fullMatrices: 'boolean' }

/** U, the singular values, and V transposed. */
export type SvdResult<D extends DType> = readonly [
  u: Tensor<Shape, FloatOf<D>>,
  s: Tensor<Shape, FloatOf<D>>,
  vh: Tensor<Shape, FloatOf<D>>,
]

type Svd = {
  (options?: SvdOptions): <D extends DType>(x: Tensor<Shape, D>) => SvdResult<D>
  <D extends DType>(x: Tensor<Shape, D>, options?: SvdOptions): SvdResult<D>
}

/**
 * `[U, s, Vᵀ]` with A = U diag(s) Vᵀ for matrices `[…, m, n]`: the singular values `[…, k]` descending, k = min(m, n), U and V
 * orthogonal, square or, without `fullMatrices`, of k columns. Where singular values are equal or 0, their vectors have
 * no derivative of their own: the gradient leaves out what turns them. Integers and bool become f32 (torch.linalg.svd).
 * @example
 * const [u, s, vh] = T.svd(T.tensor([[0, 2], [3, 0]]))
 * T.reference([u, s, vh]).map((t) => t.data) // => [[0, 1, 1, 0], [3, 2], [1, 0, 0, 1]]
 */
export const svd: Svd = dataFirstWith('T.svd', 1, svdOptions, (x: Tensor, { fullMatrices = true }: SvdOptions = {}) =>
  [0, 1, 2].map((i) =>
    onMatrix('T.svd', x, 'matrix', (a, shape) => {
      const found = svdNodes(a, shape)[i]!
      if (i === 1 || !fullMatrices) return found
      return i === 0 ? completed(found) : transposed(build, completed(transposed(build, found)))
    }),
  ),
)

/**
 * The singular values of matrices `[…, m, n]`, `[…, min(m, n)]`, descending: those of `svd` (torch.linalg.svdvals).
 * @example
 * T.reference(T.svdvals(T.tensor([[0, 2], [3, 0]]))).data // => [3, 2]
 */
export const svdvals: Values = alone('T.svdvals', (x) =>
  onMatrix('T.svdvals', x, 'matrix', (a, shape) => svdNodes(a, shape)[1]!),
)
