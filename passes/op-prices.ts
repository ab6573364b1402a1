/**
 * What an operation costs: the one table behind the cost model of a schedule and the choice between storing a value and
 * computing it again. The unit is one addition; prices rank programs and are no promise about a target.
 */
import type { Op, PointwiseOp } from '../src/lang/ir.ts'

const at = (price: number, ...ops: readonly PointwiseOp[]): Readonly<Partial<Record<PointwiseOp, number>>> =>
  Object.fromEntries(ops.map((op) => [op, price]))

/** Operations behind one evaluation of the guarded functions; what is not listed costs 1. */
const prices: Readonly<Partial<Record<Op, number>>> = {
  ...at(3, 'div'),
  ...at(5, 'sqrt', 'rsqrt'),
  ...at(20, 'exp', 'exp2', 'log', 'log2', 'log10', 'sigmoid', 'rem', 'atan', 'asin', 'acos'),
  ...at(30, 'expm1', 'log1p', 'sin', 'cos', 'tan', 'tanh', 'sinh', 'cosh', 'atan2', 'erf'),
  ...at(40, 'asinh', 'acosh', 'atanh', 'erfc'),
  ...at(60, 'erfinv', 'lgamma', 'digamma'),
  ...at(80, 'pow'),
  threefry: 80,
  // A user's function, whose text is opaque.
  elementwise: 20,
}

/** The price of one evaluation of `op` on one element. */
export const priceOf = (op: Op): number => prices[op] ?? 1

/** From this price on, computing a value again in several users is a loss. */
const expensive = 20

/** Above this sum of `recomputePrice` and `readPrice`, a value with several users is stored instead of computed again in each. */
export const maxRecompute = 16

/** What reading another tensor of the value's size adds: a value stored is one tensor to read instead. */
export const readPrice = 4

/**
 * What one operation adds to the work of recomputing a value. Two levels: an expensive operation of one tensor reaches
 * the limit, and with any other it is past it. `rem` counts as cheap: it is expensive on floats only, and most of its uses
 * are integer index arithmetic.
 */
export const recomputePrice = (op: Op): number =>
  priceOf(op) >= expensive && op !== 'rem' ? maxRecompute - readPrice : 1
