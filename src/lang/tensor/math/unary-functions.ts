/** How functions of one operand are made of primitives: which dtypes they keep, refuse or turn into floats. */
import { build, typeOf } from '../../build.ts'
import { isFloat } from '../../dtype.ts'
import type { Node, TensorType, UnaryOp } from '../../ir.ts'
import { single } from '../dual.ts'
import { isIll, refuse } from '../operand.ts'
import { floatNode } from './arithmetic.ts'

/** The primitive `op` of one node. */
export const un = (op: UnaryOp, x: Node): Node => build[op]([x], {})

/** Keeps the dtype; bool is refused. */
export const keep = <F>(name: string, op: UnaryOp): F =>
  single(name, (n, { dtype }) =>
    dtype === 'bool'
      ? refuse(name, [n], { reason: 'not defined on bool', hint: "cast first: T.cast(x, 'i32')" })
      : un(op, n),
  )

/** Whole numbers are what they are; floats are rounded by `op`. */
export const rounding = <F>(name: string, op: UnaryOp): F =>
  single(name, (n, { dtype }) => (isFloat(dtype) ? un(op, n) : n))

/** Computed in floating point: integers and bool become f32. */
export const float = <F>(name: string, op: UnaryOp): F => single(name, (n, { dtype }) => un(op, floatNode(n, dtype)))

/** Computed in floating point by a formula. */
export const formula = <F>(name: string, f: (x: Node, type: TensorType) => Node): F =>
  single(name, (n, { dtype }) => {
    const ready = floatNode(n, dtype)
    return isIll(ready) ? ready : f(ready, typeOf(ready))
  })
