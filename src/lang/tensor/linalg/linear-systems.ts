/** Systems of equations and what elimination tells: solutions, inverses, determinants. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { leastPivot } from '../../ops/lu.ts'
import { diagonalOf, lowerPart, resized, upperPart } from '../../ops/matrix.ts'
import { operandType } from '../../ops/operand-checks.ts'
import { split, timesPower } from '../../ops/powers-of-two.ts'
import type { FloatElementary, FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { alone, dual, dualWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode } from '../operand.ts'
import { reduceNode } from '../reduce/reduction.ts'
import { onMatrix, onSystem, output } from './linalg-operand.ts'
import { prescaled } from './prescale.ts'
import { eyeNode } from './triangles.ts'

/** Which triangle is looked at (the lower one), whether its diagonal counts as ones, and whether it is transposed. */
export interface TriangularOptions {
  readonly upper?: boolean | undefined
  readonly unitriangular?: boolean | undefined
  readonly transposed?: boolean | undefined
}

const triangularOptions: OptionNames<TriangularOptions> = {
  upper: 'boolean',
  unitriangular: 'boolean',
  transposed: 'boolean',
}

type Solve = {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor): Tensor<Shape, FloatOf<D>>
  (b: Tensor): <D extends DType>(a: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
}

type SolveTriangular = {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor, options?: TriangularOptions): Tensor<Shape, FloatOf<D>>
  (b: Tensor, options?: TriangularOptions): <D extends DType>(a: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
}

/**
 * X with A X = B where A `[…, n, n]` is triangular: only its lower triangle is looked at, or its `upper` one; with
 * `unitriangular` its diagonal counts as ones, with `transposed` Aᵀ X = B is solved. B is `[n]` or `[…, n, m]`, leading
 * axes broadcast. Integers and bool become f32. A zero on the diagonal gives infinities or NaN
 * (torch.linalg.solve_triangular).
 * @example
 * const a = T.tensor([[2, 0], [1, 4]])
 * T.reference(T.solveTriangular(a, T.tensor([2, 9]))).data // => [1, 2]
 */
export const solveTriangular: SolveTriangular = dualWith(
  'T.solveTriangular',
  2,
  triangularOptions,
  (x: Tensor, y: Tensor, { upper = false, unitriangular = false, transposed = false }: TriangularOptions = {}) =>
    onSystem('T.solveTriangular', x, y, 'square', (a, b) => {
      const params = { lower: !upper, transposed, unit: unitriangular }
      const [right, exponent] = prescaled(b)
      // The ones of the diagonal that counts as such are not to be scaled.
      if (unitriangular) return timesPower(build, build.triangularSolve([a, right], params), exponent)
      const [left, under] = prescaled(upper ? upperPart(build, a, -1) : lowerPart(build, a))
      return timesPower(build, build.triangularSolve([left, right], params), binaryNode('sub', exponent, under))
    }),
)

/** The solution for a matrix that is near 1. */
const eliminated = (a: Node, b: Node): Node => {
  const factors = build.lu([a], {})
  const batch = operandType(a).shape.length - 2
  const ordered = build.gather([b, output(factors, 2)], { batch })
  const packed = output(factors, 0)
  const half = build.triangularSolve([packed, ordered], { lower: true, transposed: false, unit: true })
  return build.triangularSolve([packed, half], { lower: false, transposed: false, unit: false })
}

const solveNode = (a: Node, b: Node): Node => {
  const [[left, under], [right, exponent]] = [prescaled(a), prescaled(b)]
  return timesPower(build, eliminated(left, right), binaryNode('sub', exponent, under))
}

/**
 * X with A X = B by elimination with partial pivoting: A `[…, n, n]`, B `[n]` (a vector) or `[…, n, m]`, leading axes
 * broadcast. Integers and bool become f32. A singular A gives infinities or NaN, no error (array API linalg.solve,
 * torch.linalg.solve; a batch of vectors is a batch of matrices of one column).
 * @example
 * T.reference(T.solve(T.tensor([[2, 1], [1, 3]]), T.tensor([3, 4]))).data // => [1, 1]
 */
export const solve: Solve = dual('T.solve', 2, (x: Tensor, y: Tensor) => onSystem('T.solve', x, y, 'square', solveNode))

/**
 * The inverses of matrices `[…, n, n]`. Integers and bool become f32. A singular matrix gives infinities or NaN, no error
 * (torch.linalg.inv). To apply an inverse use `solve`, which is faster and more accurate.
 * @example
 * T.reference(T.inv(T.tensor([[2, 0], [0, 4]]))).data // => [0.5, 0, 0, 0.25]
 */
export const inv: FloatElementary = alone('T.inv', (x) =>
  onMatrix('T.inv', x, 'square', (a, shape) => {
    const [near, exponent] = prescaled(a)
    const one = expandNode(eyeNode(shape.at(-1)!, shape.at(-1)!, 'f32'), shape)
    return timesPower(build, eliminated(near, one), build.neg([exponent], {}))
  }),
)

/** -1 to the number of rows that elimination exchanged. */
const parityNode = (factors: Node): Node => {
  const pivots = output(factors, 1)
  const type = operandType(pivots)
  const last = type.shape.length - 1
  const isOwn = binaryNode('eq', pivots, build.iota([], { ...type, axis: last }))
  const like = { shape: type.shape, dtype: 'f32' } as const
  return reduceNode(selectNode(isOwn, likeNode(1, like), likeNode(-1, like)), 'prod', [last])
}

/** Elimination of matrices `[…, n, n]`: what it made of them near 1, its pivots, and the exponent of 2 of their size. */
const elimination = (a: Node): readonly [factors: Node, pivots: Node, exponent: Node] => {
  const [near, exponent] = prescaled(a)
  const factors = build.lu([near], {})
  const n = likeNode(operandType(a).shape.at(-1)!, operandType(exponent))
  return [factors, diagonalOf(build, output(factors, 0)), binaryNode('mul', exponent, n)]
}

/** The pivots as m·2ᵉ: every m, and the sum of all exponents, that of their size included. */
const splitPivots = (pivots: Node, exponent: Node): readonly [mantissas: Node, exponent: Node] => {
  const { mantissa: mantissas, exponent: own } = split(build, pivots)
  const last = operandType(pivots).shape.length - 1
  return [mantissas, binaryNode('add', reduceNode(own, 'sum', [last]), exponent)]
}

/**
 * The determinant: pivots that are 0 are lifted for the derivative's sake alone, and the value stays that of the pivots.
 */
const detNode = (a: Node): Node => {
  const [factors, pivots, size] = elimination(a)
  const type = operandType(pivots)
  const last = type.shape.length - 1
  const [zero, least] = [likeNode(0, type), likeNode(leastPivot, type)]
  const isZero = binaryNode('eq', pivots, zero)
  const isSingular = reduceNode(isZero, 'any', [last])
  const [mantissas, exponent] = splitPivots(binaryNode('add', pivots, selectNode(isZero, least, zero)), size)
  const product = reduceNode(mantissas, 'prod', [last])
  const nothing = binaryNode('sub', product, build.stopGradient([product], {}))
  const value = timesPower(build, selectNode(isSingular, nothing, product), exponent)
  return binaryNode('mul', parityNode(factors), value)
}

/**
 * The determinants `[…]` of matrices `[…, n, n]`. Integers and bool become f32. The gradient is the adjugate's, also where the
 * matrix is singular; 1 for a matrix of size 0. What f32 does not hold is infinite or 0 (torch.linalg.det).
 * @example
 * T.reference(T.det(T.tensor([[1, 2], [3, 4]]))).data // => [-2]
 */
export const det: <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>> = alone('T.det', (x) =>
  onMatrix('T.det', x, 'square', detNode),
)

/**
 * The sign and the logarithm of the size of the determinants `[…]` of matrices `[…, n, n]`: `[sign, logabsdet]`, `[0, -Infinity]`
 * for a singular one, where the gradient is no number. Integers and bool become f32 (torch.linalg.slogdet).
 * @example
 * T.reference(T.slogdet(T.tensor([[1, 2], [3, 4]]))).map((t) => t.data) // => [[-1], [0.693147]]
 */
export const slogdet: <D extends DType>(
  x: Tensor<Shape, D>,
) => readonly [sign: Tensor<Shape, FloatOf<D>>, logabsdet: Tensor<Shape, FloatOf<D>>] = alone('T.slogdet', (x) => {
  const of = (pick: (made: ReturnType<typeof elimination>, axes: readonly number[]) => Node): Tensor =>
    onMatrix('T.slogdet', x, 'square', (a, shape) => pick(elimination(a), [shape.length - 2]))
  return [
    of(([factors, pivots], axes) =>
      binaryNode('mul', parityNode(factors), reduceNode(build.sign([pivots], {}), 'prod', axes)),
    ),
    of(([, pivots, size], axes) => {
      const [mantissas, exponent] = splitPivots(pivots, size)
      const logs = reduceNode(build.log([build.abs([mantissas], {})], {}), 'sum', axes)
      return binaryNode(
        'add',
        logs,
        binaryNode('mul', castNode(exponent, 'f32'), likeNode(Math.LN2, operandType(logs))),
      )
    }),
  ]
})

const permutationNode = (factors: Node, shape: Shape): Node => {
  const type = { shape: [...shape.slice(0, -1), shape.at(-2)!], dtype: 'i32' } as const
  const rank = shape.length
  const order = build.broadcast([output(factors, 2)], { shape: type.shape, axes: [rank - 2] })
  return castNode(binaryNode('eq', order, build.iota([], { ...type, axis: rank - 2 })), 'f32')
}

const lowerFactor = (factors: Node, shape: Shape): Node => {
  const [rows, least] = [shape.at(-2)!, Math.min(shape.at(-1)!, shape.at(-2)!)]
  const below = lowerPart(build, resized(build, output(factors, 0), rows, least), -1)
  return binaryNode('add', below, expandNode(eyeNode(rows, least, 'f32'), operandType(below).shape))
}

const upperFactor = (factors: Node, shape: Shape, exponent: Node): Node => {
  const least = Math.min(shape.at(-1)!, shape.at(-2)!)
  return timesPower(build, upperPart(build, resized(build, output(factors, 0), least, shape.at(-1)!), -1), exponent)
}

/**
 * Elimination with partial pivoting, A = P L U: for matrices `[…, m, n]` the permutation `[…, m, m]`, L `[…, m, k]` with ones
 * on its diagonal and U `[…, k, n]`, k = min(m, n). Integers and bool become f32 (torch.linalg.lu).
 * @example
 * T.reference(T.lu(T.tensor([[1, 2], [4, 4]]))).map((t) => t.data) // => [[0, 1, 1, 0], [1, 0, 0.25, 1], [4, 4, 0, 1]]
 */
export const lu: <D extends DType>(
  x: Tensor<Shape, D>,
) => readonly [p: Tensor<Shape, FloatOf<D>>, l: Tensor<Shape, FloatOf<D>>, u: Tensor<Shape, FloatOf<D>>] = alone(
  'T.lu',
  (x) =>
    [permutationNode, lowerFactor, upperFactor].map((pick) =>
      onMatrix('T.lu', x, 'matrix', (a, shape) => {
        const [near, exponent] = prescaled(a)
        return pick(build.lu([near], {}), shape, exponent)
      }),
    ),
)
