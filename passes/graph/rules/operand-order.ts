/** One order for the operands of commutative operations, so that a + b and b + a are one node and constants stand right. */
import type { BinaryOp } from '../../../src/lang/ir.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { isConstant } from './match.ts'

/** Operations whose operands may change places. */
export const commutativeOps: readonly Extract<BinaryOp, 'add' | 'mul' | 'max' | 'min' | 'eq' | 'and' | 'or' | 'xor'>[] =
  ['add', 'mul', 'max', 'min', 'eq', 'and', 'or', 'xor']

/** c + x = x + c: the other rules look for constants on the right only. */
export const constantRight: Rule = rule('constantRight', commutativeOps, (n, b) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  return isConstant(x) && !isConstant(y) ? b[n.op]([y, x], {}) : undefined
})

/** b + a = a + b where the graph already holds a + b. The first one met stays: the user's own order, and deterministic. */
export const commonOperands: Rule = rule('commonOperands', commutativeOps, (n, _b, first) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  return first(`${n.op} ${Math.min(x.id, y.id)} ${Math.max(x.id, y.id)}`, n)
})

/** All of them, in the order they are tried. */
export const orderRules: readonly Rule[] = [constantRight, commonOperands]
