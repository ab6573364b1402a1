/** What the rules of the table say often: a constant of a given type, a scaled or shifted tensor, operands given the batch axis. */
import type { Build, Node, TensorType } from '../ir.ts'
import type { BatchContext } from '../primitive.ts'
import { roundTo } from '../scalar-functions.ts'
import { operandType } from './operand-checks.ts'

/** `value` (rounded to the dtype) at every element of `type`: a scalar constant, broadcast unless `type` is a scalar itself. */
export const fill = (b: Build, type: TensorType, value: number): Node => {
  const { shape, dtype } = type
  const scalar = b.const([], { shape: [], dtype, values: [roundTo(dtype)(value)] })
  return shape.length === 0 ? scalar : b.broadcast([scalar], { shape, axes: shape.map((_, i) => i) })
}

/** Zeros of `type`. */
export const zeros = (b: Build, type: TensorType): Node => fill(b, type, 0)

/** Ones of `type`. */
export const ones = (b: Build, type: TensorType): Node => fill(b, type, 1)

/** Zeros of the type of `x`. */
export const zerosLike = (b: Build, x: Node): Node => zeros(b, operandType(x))

/** x · factor. */
export const scale = (b: Build, x: Node, factor: number): Node => b.mul([x, fill(b, operandType(x), factor)], {})

/** x + term. */
export const offset = (b: Build, x: Node, term: number): Node => b.add([x, fill(b, operandType(x), term)], {})

/** minuend - x. */
export const subtractFrom = (b: Build, minuend: number, x: Node): Node =>
  b.sub([fill(b, operandType(x), minuend), x], {})

/** `x` repeated `size` times along a new axis 0: how an unbatched operand joins a batched one. */
export const stack = (b: Build, x: Node, size: number): Node =>
  b.broadcast([x], { shape: [size, ...operandType(x).shape], axes: [0] })

/** All arguments of a batch rule with the batch axis at 0. */
export const batchedArgs = <P>({ b, args, batched, size }: BatchContext<P>): readonly Node[] =>
  args.map((x, i) => (batched[i] ? x : stack(b, x, size)))

/** The one value all elements of a constant have, where that is seen at a glance: a const or a view of one; else undefined. */
export const uniformValue = (n: Node): number | undefined => {
  let at = n
  while (at.op === 'broadcast' || at.op === 'reshape' || at.op === 'permute') at = at.args[0]!
  if (at.op !== 'const') return undefined
  const [first, ...rest] = at.params.values
  return rest.every((v) => Object.is(v, first)) ? first : undefined
}
