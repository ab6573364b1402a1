/** Questions about single elements, and negations: of truth and of bits. */
import { build, typeOf } from '../../build.ts'
import { isFloat, isInteger, isUnsigned } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Elementary, Predicate } from '../../types/broadcast.ts'
import { single } from '../dual.ts'
import { castNode, expandNode, refuse, scalar } from '../operand.ts'
import { binaryNode, likeNode } from './arithmetic.ts'
import { un } from './unary-functions.ts'

const no = (shape: readonly number[]): Node => expandNode(scalar(false, 'bool'), shape)

/**
 * Whether an element is NaN: bool of the same shape, false everywhere for integers and bool.
 * @example
 * T.reference(T.isnan(T.tensor([NaN, 1.5, Infinity]))).data // => [1, 0, 0]
 */
export const isnan: Predicate = single('T.isnan', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('isNan', n) : no(shape),
)

/**
 * Whether an element is Infinity or -Infinity: bool of the same shape, false everywhere for integers and bool.
 * @example
 * T.reference(T.isinf(T.tensor([NaN, 1.5, -Infinity]))).data // => [0, 0, 1]
 */
export const isinf: Predicate = single('T.isinf', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('isInf', n) : no(shape),
)

/**
 * Whether an element is neither NaN nor infinite: bool of the same shape, true everywhere for integers and bool.
 * @example
 * T.reference(T.isfinite(T.tensor([NaN, 1.5, -Infinity]))).data // => [0, 1, 0]
 */
export const isfinite: Predicate = single('T.isfinite', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('not', binaryNode('or', un('isNan', n), un('isInf', n))) : un('not', no(shape)),
)

/** Whether the sign bit is set: true for -0 and negative NaN too. */
export const signbitNode = (n: Node, { shape, dtype }: TensorType): Node => {
  if (isUnsigned(dtype)) return no(shape)
  const bits = isFloat(dtype) ? build.bitcast([castNode(n, 'f32')], { dtype: 'i32' }) : n
  return binaryNode('lt', bits, likeNode(0, typeOf(bits)))
}

/**
 * Whether the sign bit is set, of -0 and negative NaN too: bool of the same shape, false everywhere for u32, u8 and bool.
 * @example
 * T.reference(T.signbit(T.tensor([-0, 0, -1.5]))).data // => [1, 0, 1]
 */
export const signbit: Predicate = single('T.signbit', signbitNode)

/**
 * Whether an element is zero: bool of the same shape. NaN counts as nonzero.
 * @example
 * T.reference(T.logicalNot(T.tensor([0, 2, -1]))).data // => [1, 0, 0]
 */
export const logicalNot: Predicate = single('T.logicalNot', (n) => un('not', castNode(n, 'bool')))

/**
 * Every bit inverted: `-x - 1` for signed integers, `2³² - 1 - x` for u32, `255 - x` for u8, the negation for bool. Same shape and dtype; ShapeError
 * for floats.
 * @example
 * T.reference(T.bitwiseNot(T.tensor([0, 5]))).data // => [-1, -6]
 */
export const bitwiseNot: Elementary = single('T.bitwiseNot', (n, { dtype }) =>
  isInteger(dtype) || dtype === 'bool'
    ? un('not', n)
    : refuse('T.bitwiseNot', [n], {
        reason: `not defined on ${dtype}`,
        hint: 'cast or bitcast to an integer first',
      }),
)
