/** Comparisons, logic and bits. */
import { build } from '../build.ts'
import { isInteger } from '../dtype.ts'
import type { BinaryOp, Node } from '../ir.ts'
import type { Arithmetic, Comparison } from '../types/broadcast.ts'
import type { Operand, Tensor } from '../types.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'
import { dual, dualWith } from './dual.ts'
import { castNode, refuse, unify } from './operand.ts'

const comparing =
  (name: string, f: (a: Node, b: Node) => Node, ordered: boolean) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) =>
      ordered && dtype === 'bool' ? f(castNode(x!, 'i32'), castNode(y!, 'i32')) : f(x!, y!),
    )

const not = (n: Node): Node => build.not([n], {})

/** `a = b`, element by element; NaN equals nothing. */
export const equal: Comparison<'equal'> = dual(
  'T.equal',
  2,
  comparing('T.equal', (a, b) => binaryNode('eq', a, b), false),
)
/** `a ≠ b`; true for NaN. */
export const notEqual: Comparison<'notEqual'> = dual(
  'T.notEqual',
  2,
  comparing('T.notEqual', (a, b) => not(binaryNode('eq', a, b)), false),
)
/** `a < b`. */
export const less: Comparison<'less'> = dual(
  'T.less',
  2,
  comparing('T.less', (a, b) => binaryNode('lt', a, b), true),
)
/** `a ≤ b`. */
export const lessEqual: Comparison<'lessEqual'> = dual(
  'T.lessEqual',
  2,
  comparing('T.lessEqual', (a, b) => binaryNode('le', a, b), true),
)
/** `a > b`. */
export const greater: Comparison<'greater'> = dual(
  'T.greater',
  2,
  comparing('T.greater', (a, b) => binaryNode('lt', b, a), true),
)
/** `a ≥ b`. */
export const greaterEqual: Comparison<'greaterEqual'> = dual(
  'T.greaterEqual',
  2,
  comparing('T.greaterEqual', (a, b) => binaryNode('le', b, a), true),
)

const logical =
  (name: string, op: BinaryOp) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y]) => binaryNode(op, castNode(x!, 'bool'), castNode(y!, 'bool')))

/** Both nonzero. */
export const logicalAnd: Comparison<'logicalAnd'> = dual('T.logicalAnd', 2, logical('T.logicalAnd', 'and'))
/** Either nonzero. */
export const logicalOr: Comparison<'logicalOr'> = dual('T.logicalOr', 2, logical('T.logicalOr', 'or'))
/** Exactly one nonzero. */
export const logicalXor: Comparison<'logicalXor'> = dual('T.logicalXor', 2, logical('T.logicalXor', 'xor'))

const bitwise =
  (name: string, op: BinaryOp, onBool: boolean) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) =>
      isInteger(dtype) || (onBool && dtype === 'bool')
        ? binaryNode(op, x!, y!)
        : refuse(name, [x!, y!], { reason: `is not defined on ${dtype}`, hint: 'cast or bitcast to an integer first' }),
    )

/** Bits set in both. */
export const bitwiseAnd: Arithmetic<'bitwiseAnd'> = dual('T.bitwiseAnd', 2, bitwise('T.bitwiseAnd', 'and', true))
/** Bits set in either. */
export const bitwiseOr: Arithmetic<'bitwiseOr'> = dual('T.bitwiseOr', 2, bitwise('T.bitwiseOr', 'or', true))
/** Bits set in exactly one. */
export const bitwiseXor: Arithmetic<'bitwiseXor'> = dual('T.bitwiseXor', 2, bitwise('T.bitwiseXor', 'xor', true))
/** `a · 2ᵇ` on the bits. */
export const bitwiseLeftShift: Arithmetic<'bitwiseLeftShift'> = dual(
  'T.bitwiseLeftShift',
  2,
  bitwise('T.bitwiseLeftShift', 'shiftLeft', false),
)
/** Bits moved right: arithmetic (sign kept) for i32, logical for u32. */
export const bitwiseRightShift: Arithmetic<'bitwiseRightShift'> = dual(
  'T.bitwiseRightShift',
  2,
  bitwise('T.bitwiseRightShift', 'shiftRight', false),
)

/** Options of `isclose`, as NumPy's. */
export interface CloseOptions {
  readonly rtol?: number
  readonly atol?: number
  readonly equalNan?: boolean
}

interface Close {
  (a: Operand, b: Operand, options?: CloseOptions): Tensor<readonly number[], 'bool'>
  (b: Operand, options?: CloseOptions): (a: Operand) => Tensor<readonly number[], 'bool'>
}

/** `|a - b| ≤ atol + rtol·|b|`, or equal (infinities), or both NaN where `equalNan`. */
export const isclose: Close = dualWith('T.isclose', 2, (a: Operand, b: Operand, options: CloseOptions = {}) =>
  unify('T.isclose', [a, b], 'float', ([x, y], type) => {
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options
    const [zero, infinite] = [likeNode(0, type), build.isInf([y!], {})]
    const far = build.abs([binaryNode('sub', x!, y!)], {})
    const size = selectNode(infinite, zero, build.abs([y!], {}))
    const allowed = binaryNode('add', likeNode(atol, type), binaryNode('mul', likeNode(rtol, type), size))
    const near = binaryNode('and', binaryNode('le', far, allowed), not(infinite))
    const same = binaryNode('or', binaryNode('eq', x!, y!), near)
    return equalNan ? binaryNode('or', same, binaryNode('and', build.isNan([x!], {}), build.isNan([y!], {}))) : same
  }),
)
