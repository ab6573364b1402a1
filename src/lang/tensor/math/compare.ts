/** Comparisons, logic and bits. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { isInteger } from '../../dtype.ts'
import type { BinaryOp, Node } from '../../ir.ts'
import type { Bitwise, Comparison } from '../../types/broadcast.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dual, dualWith } from '../dual.ts'
import { castNode, onTensor, refuse, unify } from '../operand.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'

const comparing =
  (name: string, f: (a: Node, b: Node) => Node, ordered: boolean) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) =>
      ordered && dtype === 'bool' ? f(castNode(x!, 'i32'), castNode(y!, 'i32')) : f(x!, y!),
    )

const not = (n: Node): Node => build.not([n], {})

/**
 * Whether `a = b`: bool of the broadcast shape; dtypes promote first. NaN equals nothing, -0 equals 0.
 * @example
 * T.reference(T.equal(T.tensor([1, 2]), T.tensor([1, 3]))).data // => [1, 0]
 */
export const equal: Comparison<'equal'> = dual(
  'T.equal',
  2,
  comparing('T.equal', (a, b) => binaryNode('eq', a, b), false),
)

/**
 * Whether `a ≠ b`: bool of the broadcast shape; dtypes promote first. True where either is NaN.
 * @example
 * T.reference(T.notEqual(T.tensor([1, 2]), T.tensor([1, 3]))).data // => [0, 1]
 */
export const notEqual: Comparison<'notEqual'> = dual(
  'T.notEqual',
  2,
  comparing('T.notEqual', (a, b) => not(binaryNode('eq', a, b)), false),
)

/**
 * Whether `a < b`: bool of the broadcast shape; dtypes promote first, false < true. False where either is NaN.
 * @example
 * T.reference(T.less(T.tensor([1, 2, 3]), 2)).data // => [1, 0, 0]
 */
export const less: Comparison<'less'> = dual(
  'T.less',
  2,
  comparing('T.less', (a, b) => binaryNode('lt', a, b), true),
)

/**
 * Whether `a ≤ b`: bool of the broadcast shape; dtypes promote first, false < true. False where either is NaN.
 * @example
 * T.reference(T.lessEqual(T.tensor([1, 2, 3]), 2)).data // => [1, 1, 0]
 */
export const lessEqual: Comparison<'lessEqual'> = dual(
  'T.lessEqual',
  2,
  comparing('T.lessEqual', (a, b) => binaryNode('le', a, b), true),
)

/**
 * Whether `a > b`: bool of the broadcast shape; dtypes promote first, true > false. False where either is NaN.
 * @example
 * T.reference(T.greater(T.tensor([1, 2, 3]), 2)).data // => [0, 0, 1]
 */
export const greater: Comparison<'greater'> = dual(
  'T.greater',
  2,
  comparing('T.greater', (a, b) => binaryNode('lt', b, a), true),
)

/**
 * Whether `a ≥ b`: bool of the broadcast shape; dtypes promote first, true > false. False where either is NaN.
 * @example
 * T.reference(T.greaterEqual(T.tensor([1, 2, 3]), 2)).data // => [0, 1, 1]
 */
export const greaterEqual: Comparison<'greaterEqual'> = dual(
  'T.greaterEqual',
  2,
  comparing('T.greaterEqual', (a, b) => binaryNode('le', b, a), true),
)

const logical =
  (name: string, op: BinaryOp) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y]) => binaryNode(op, castNode(x!, 'bool'), castNode(y!, 'bool')))

/**
 * Whether both are nonzero: bool of the broadcast shape. NaN counts as nonzero.
 * @example
 * T.reference(T.logicalAnd(T.tensor([0, 1]), T.tensor([2, 2]))).data // => [0, 1]
 */
export const logicalAnd: Comparison<'logicalAnd'> = dual('T.logicalAnd', 2, logical('T.logicalAnd', 'and'))

/**
 * Whether either is nonzero: bool of the broadcast shape. NaN counts as nonzero.
 * @example
 * T.reference(T.logicalOr(T.tensor([0, 1]), T.tensor([0, 2]))).data // => [0, 1]
 */
export const logicalOr: Comparison<'logicalOr'> = dual('T.logicalOr', 2, logical('T.logicalOr', 'or'))

/**
 * Whether exactly one is nonzero: bool of the broadcast shape. NaN counts as nonzero.
 * @example
 * T.reference(T.logicalXor(T.tensor([0, 1]), T.tensor([2, 2]))).data // => [1, 0]
 */
export const logicalXor: Comparison<'logicalXor'> = dual('T.logicalXor', 2, logical('T.logicalXor', 'xor'))

const bitwise =
  (name: string, op: BinaryOp, onBool: boolean) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) =>
      isInteger(dtype) || (onBool && dtype === 'bool')
        ? binaryNode(op, x!, y!)
        : refuse(name, [x!, y!], { reason: `not defined on ${dtype}`, hint: 'cast or bitcast to an integer first' }),
    )

/**
 * The bits set in both. Shapes broadcast, dtypes promote; integers or bool, ShapeError for floats.
 * @example
 * T.reference(T.bitwiseAnd(T.tensor([12]), 10)).data // => [8]
 */
export const bitwiseAnd: Bitwise<'bitwiseAnd'> = dual('T.bitwiseAnd', 2, bitwise('T.bitwiseAnd', 'and', true))

/**
 * The bits set in either. Shapes broadcast, dtypes promote; integers or bool, ShapeError for floats.
 * @example
 * T.reference(T.bitwiseOr(T.tensor([12]), 10)).data // => [14]
 */
export const bitwiseOr: Bitwise<'bitwiseOr'> = dual('T.bitwiseOr', 2, bitwise('T.bitwiseOr', 'or', true))

/**
 * The bits set in exactly one. Shapes broadcast, dtypes promote; integers or bool, ShapeError for floats.
 * @example
 * T.reference(T.bitwiseXor(T.tensor([12]), 10)).data // => [6]
 */
export const bitwiseXor: Bitwise<'bitwiseXor'> = dual('T.bitwiseXor', 2, bitwise('T.bitwiseXor', 'xor', true))

/**
 * The bits of `a` moved `b` places up: `a · 2ᵇ` modulo 2³², 0 where b is 32 or more (or negative). Shapes broadcast,
 * dtypes promote; ShapeError for floats and bool.
 * @example
 * T.reference(T.bitwiseLeftShift(T.tensor([1, 3, 1]), T.tensor([4, 4, 32]))).data // => [16, 48, 0]
 */
export const bitwiseLeftShift: Bitwise<'bitwiseLeftShift'> = dual(
  'T.bitwiseLeftShift',
  2,
  bitwise('T.bitwiseLeftShift', 'shiftLeft', false),
)

/**
 * The bits of `a` moved `b` places down: with the sign kept for i32, zeros coming in for u32; all of them gone where b
 * is 32 or more (or negative). Shapes broadcast, dtypes promote; ShapeError for floats and bool.
 * @example
 * T.reference(T.bitwiseRightShift(T.tensor([48, -16, -16]), T.tensor([2, 2, 40]))).data // => [12, -4, -1]
 */
export const bitwiseRightShift: Bitwise<'bitwiseRightShift'> = dual(
  'T.bitwiseRightShift',
  2,
  bitwise('T.bitwiseRightShift', 'shiftRight', false),
)

/** Options of `isclose` and `allclose`, as NumPy's. */
export interface CloseOptions {
  readonly rtol?: number | undefined
  readonly atol?: number | undefined
  readonly equalNan?: boolean | undefined
}

const closeOptions: OptionNames<CloseOptions> = { rtol: 'amount', atol: 'amount', equalNan: 'boolean' }

type Close<S extends Shape> = {
  (a: Operand, b: Operand, options?: CloseOptions): Tensor<S, 'bool'>
  (b: Operand, options?: CloseOptions): (a: Operand) => Tensor<S, 'bool'>
}

const close = (name: string, a: Operand, b: Operand, options: CloseOptions): Tensor =>
  unify(name, [a, b], 'float', ([x, y], type) => {
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options
    const [zero, infinite] = [likeNode(0, type), build.isInf([y!], {})]
    const far = build.abs([binaryNode('sub', x!, y!)], {})
    const size = selectNode(infinite, zero, build.abs([y!], {}))
    const allowed = binaryNode('add', likeNode(atol, type), binaryNode('mul', likeNode(rtol, type), size))
    const near = binaryNode('and', binaryNode('le', far, allowed), not(infinite))
    const same = binaryNode('or', binaryNode('eq', x!, y!), near)
    return equalNan ? binaryNode('or', same, binaryNode('and', build.isNan([x!], {}), build.isNan([y!], {}))) : same
  })

/**
 * Whether `|a - b| ≤ atol + rtol·|b|`, or both are the same infinity, or both NaN where `equalNan` (NumPy's isclose;
 * rtol 1e-5, atol 1e-8): bool of the broadcast shape.
 * @example
 * T.reference(T.isclose(T.tensor([1, 2.5]), T.tensor([1.000001, 2.6]))).data // => [1, 0]
 */
export const isclose: Close<Shape> = dualWith(
  'T.isclose',
  2,
  closeOptions,
  (a: Operand, b: Operand, options: CloseOptions = {}) => close('T.isclose', a, b, options),
)

/**
 * Whether all elements are as close as `isclose` has it, with the same options (numpy.allclose): a bool scalar, true of nothing.
 * @example
 * T.reference(T.allclose(T.tensor([1, 2.5]), T.tensor([1.000001, 2.5]))).data // => [1]
 */
export const allclose: Close<readonly []> = dualWith(
  'T.allclose',
  2,
  closeOptions,
  (a: Operand, b: Operand, options: CloseOptions = {}) =>
    onTensor('T.allclose', close('T.allclose', a, b, options), (n, { shape }) =>
      shape.length === 0 ? n : build.reduce([n], { monoid: 'all', axes: shape.map((_, i) => i) }),
    ),
)
