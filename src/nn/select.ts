/** A choice between operands without the type-level shapes that `T.where` works out: formulas here are over any shape. */
import * as T from '../lang/tensor/index.ts'
import type { Operand, Tensor } from '../lang/types/tensor.ts'

type Loose = (condition: Tensor, a: Operand, b: Operand) => Tensor

/** `a` where the condition (bool) holds, else `b`. */
export const choose: Loose = T.where as unknown as Loose

/** `x`, but at least `least`; with the gradient of `x` there too, as where PyTorch clamps without telling autograd. */
export const heldAbove = (x: Tensor, least: number): Tensor =>
  choose(T.less(x, least), T.add(T.sub(x, T.stopGradient(x)), least), x)

/** `x`, but 0 where it is infinite and its weight 0: an impossible thing that does not count has no cost and no gradient. */
export const counted = (x: Tensor, weight: Tensor): Tensor => choose(T.logicalAnd(T.equal(weight, 0), T.isinf(x)), 0, x)

/** `x · weight`, 0 where the weight is 0 and x infinite. */
export const weighed = (x: Tensor, weight: Tensor): Tensor => T.mul(counted(x, weight), weight)
