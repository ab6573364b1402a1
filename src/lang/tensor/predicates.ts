/** Questions about single elements, and negations: of truth and of bits. */
import { build } from '../build.ts'
import { isFloat, isInteger } from '../dtype.ts'
import type { Node, TensorType } from '../ir.ts'
import type { Elementary, Predicate } from '../types/broadcast.ts'
import { binaryNode, likeNode } from './arithmetic.ts'
import { single } from './dual.ts'
import { castNode, expandNode, refuse, scalar } from './operand.ts'
import { un } from './unary.ts'

const no = (shape: readonly number[]): Node => expandNode(scalar(false, 'bool'), shape)

/** Whether an element is NaN; false for integers. */
export const isnan: Predicate = single('T.isnan', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('isNan', n) : no(shape),
)

/** Whether an element is ±Infinity; false for integers. */
export const isinf: Predicate = single('T.isinf', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('isInf', n) : no(shape),
)

/** Whether an element is neither NaN nor ±Infinity. */
export const isfinite: Predicate = single('T.isfinite', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('not', binaryNode('or', un('isNan', n), un('isInf', n))) : un('not', no(shape)),
)

/** Whether the sign bit is set: true for -0 and negative NaN too. */
export const signbitNode = (n: Node, { shape, dtype }: TensorType): Node => {
  if (dtype === 'u32' || dtype === 'bool') return no(shape)
  const bits = dtype === 'i32' ? n : build.bitcast([castNode(n, 'f32')], { dtype: 'i32' })
  return binaryNode('lt', bits, likeNode(0, { shape, dtype: 'i32' }))
}

/** Whether the sign bit is set: true for -0 too. */
export const signbit: Predicate = single('T.signbit', signbitNode)

/** The logical negation; numbers count as true when nonzero. */
export const logicalNot: Predicate = single('T.logicalNot', (n) => un('not', castNode(n, 'bool')))

/** Every bit inverted; on bool the logical negation. Floats are refused. */
export const bitwiseNot: Elementary = single('T.bitwiseNot', (n, { dtype }) =>
  isInteger(dtype) || dtype === 'bool'
    ? un('not', n)
    : refuse('T.bitwiseNot', [n], {
        reason: `is not defined on ${dtype}`,
        hint: 'cast or bitcast to an integer first',
      }),
)
