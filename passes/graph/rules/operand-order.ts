/** Canonical operand order of commutative operations: a + b and b + a become one node, constants go to the right. */
import type { BinaryOp } from '../../../src/lang/ir.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { isConstant } from './match.ts'

/** Commutative operations. */
export const commutativeOps: readonly Extract<BinaryOp, 'add' | 'mul' | 'max' | 'min' | 'eq' | 'and' | 'or' | 'xor'>[] =
  ['add', 'mul', 'max', 'min', 'eq', 'and', 'or', 'xor']

/** c + x = x + c: other rules match constants on the right only. */
export const constantRight: Rule = rule('constantRight', commutativeOps, (n, b) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  return isConstant(x) && !isConstant(y) ? b[n.op]([y, x], {}) : undefined
})

/**
 * b + a = a + b where the graph already contains a + b. The first occurrence decides, which keeps the user's order and
 * is deterministic.
 */
export const commonOperands: Rule = rule('commonOperands', commutativeOps, (n, _b, first) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  return first(`${n.op} ${Math.min(x.id, y.id)} ${Math.max(x.id, y.id)}`, n)
})

/** All rules of this file, in the order in which they are tried. */
export const orderRules: readonly Rule[] = [constantRight, commonOperands]
