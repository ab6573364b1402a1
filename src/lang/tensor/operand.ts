/** What tensor functions do to their operands before any primitive sees them: lift numbers, promote, cast, broadcast. */
import * as E from '#fp/Either'
import { build, illTyped, typeOf } from '../build.ts'
import type { Shape } from '../dim.ts'
import { type DType, integerRange, isFloat, isHalf, isInteger, promote } from '../dtype.ts'
import { type Refusal, raise } from '../errors.ts'
import type { Node, TensorType } from '../ir.ts'
import { roundTo } from '../scalar-functions.ts'
import { broadcastShapes, normaliseAxis, sameShape, showShape } from '../shape.ts'
import { wayToTensor } from '../strangers.ts'
import { isTensor } from '../tree.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../types/tensor.ts'
import { showArgument } from './arguments.ts'

/** A weak scalar: it takes the dtype of the tensors it meets. */
type Weak = number | boolean

const isWeak = (x: unknown): x is Weak => typeof x === 'number' || typeof x === 'boolean'

/** The node of an operand that must be a tensor; anything else is a UsageError. */
export const lift = (name: string, x: unknown, position = 0): Node =>
  isTensor(x)
    ? nodeOf(x)
    : raise({
        tag: 'UsageError',
        message: `${name}: operand ${position + 1} is ${showArgument(x)}, not a tensor`,
        hint: wayToTensor(x),
      })

/** The node of an operand, or the weak scalar that it is. */
export const liftOperand = (name: string, x: unknown, position: number): Node | Weak =>
  isWeak(x) ? x : lift(name, x, position)

/** A number as an element of `dtype`: floats are rounded to the nearest, integers wrap, bool is a test for zero. */
export const toElement = (x: Weak, dtype: DType): number => {
  const n = Number(x)
  switch (dtype) {
    case 'f32':
    case 'f16':
    case 'bf16':
      return roundTo(dtype)(n)
    case 'i32':
      return n | 0
    case 'u32':
      return n >>> 0
    case 'i8':
      return (n << 24) >> 24
    case 'u8':
      return n & 0xff
    case 'bool':
      return n === 0 ? 0 : 1
  }
}

/** Whether an element of `dtype` can be `x`; a fraction may lose what is behind the point. */
export const holds = (x: Weak, dtype: DType): boolean => {
  if (!isInteger(dtype)) return true
  const [low, high] = integerRange[dtype]
  const whole = Math.trunc(Number(x))
  return whole >= low && whole <= high
}

/** The refusal of a weak number that `dtype` cannot hold, be it a fraction, where one of `operands` is such. */
export const misfit = (operands: readonly (Node | Weak)[], dtype: DType): Refusal | undefined => {
  const isFraction = (x: Weak): boolean => isInteger(dtype) && !Number.isInteger(Number(x))
  const over = operands.find((x) => isWeak(x) && (!holds(x, dtype) || isFraction(x)))
  return over === undefined
    ? undefined
    : {
        reason: `${String(over)} does not fit ${dtype}`,
        hint: "give a number that does, or cast the tensor first, e.g. T.cast(x, 'f32')",
      }
}

/** A rank-0 constant. */
export const scalar = (x: Weak, dtype: DType): Node =>
  build.const([], { shape: [], dtype, values: [toElement(x, dtype)] })

const weakDtype = (x: Weak): DType => (typeof x === 'boolean' ? 'bool' : Number.isInteger(x) ? 'i32' : 'f32')

/** The dtype of a mix of tensors and weak scalars. A whole number joins any number dtype, a fraction any float. */
export const commonDtype = (tensors: readonly DType[], weak: readonly Weak[]): DType => {
  const weakest = weak.map(weakDtype)
  if (tensors.length === 0) return weakest.reduce(promote)
  const base = tensors.reduce(promote)
  return weakest.reduce((d: DType, w) => (isFloat(d) || (w === 'i32' && d !== 'bool') ? d : promote(d, w)), base)
}

/** `n` with elements of `dtype`; the node itself when it has them. */
export const castNode = (n: Node, dtype: DType): Node =>
  E.isLeft(n.type) || typeOf(n).dtype === dtype ? n : build.cast([n], { dtype })

/** `body` on `n`, in f32 where `n` is a 16-bit float: the result alone is rounded. */
export const inSingle = (n: Node, body: (n: Node) => Node): Node => {
  if (isIll(n) || !isHalf(typeOf(n).dtype)) return body(n)
  return castNode(body(castNode(n, 'f32')), typeOf(n).dtype)
}

/** `n` as a sum or a product counts it: bool, i8 and u8 as i32, which holds what many of them add up to. */
export const countedNode = (n: Node, dtype: DType): Node =>
  dtype === 'bool' || dtype === 'i8' || dtype === 'u8' ? castNode(n, 'i32') : n

/** True when `n` or something below it is a mistake. */
export const isIll = (n: Node): boolean => E.isLeft(n.type)

/** `n` reshaped; the node itself when it has that shape. The sizes must multiply to the same count. */
export const reshapeNode = (n: Node, shape: Shape): Node =>
  isIll(n) || sameShape(typeOf(n).shape, shape) ? n : build.reshape([n], { shape })

/** `n` broadcast to `shape`, which its own shape must allow: size-1 axes are dropped, then made new. */
export const expandNode = (n: Node, shape: Shape): Node => {
  if (isIll(n)) return n
  const from = typeOf(n).shape
  if (sameShape(from, shape)) return n
  const offset = shape.length - from.length
  const stays = (i: number): boolean => i >= offset && from[i - offset] === shape[i]
  const axes = shape.map((_, i) => i).filter((i) => !stays(i))
  return build.broadcast(
    [
      reshapeNode(
        n,
        shape.filter((_, i) => stays(i)),
      ),
    ],
    { shape, axes },
  )
}

/** `body` on nodes known to be well-typed; a mistake below passes through in silence. */
export const withTypes = (name: string, nodes: readonly Node[], body: (types: readonly TensorType[]) => Node): Node =>
  nodes.some(isIll) ? illTyped(name, nodes, { reason: '' }) : body(nodes.map(typeOf))

/** A refusal of the function `name` as an ill-typed tensor. */
export const refuse = (name: string, nodes: readonly Node[], refusal: Refusal): Node => illTyped(name, nodes, refusal)

/** The refusal for shapes that do not broadcast. */
export const cannotBroadcast = (a: Shape, b: Shape, axis: number): Refusal => ({
  reason: `shapes ${showShape(a)} and ${showShape(b)} do not broadcast: they differ at axis ${axis} and neither size is 1`,
  axis,
  hint: 'reshape with size-1 axes where an operand should be repeated',
})

/** All shapes broadcast together, or the refusal. */
export const jointShape = (shapes: readonly Shape[]): E.Either<Refusal, Shape> => {
  let out: Shape = []
  for (const s of shapes) {
    const next = broadcastShapes(out, s)
    if (E.isLeft(next)) return E.left(cannotBroadcast(out, s, next.left.axis))
    out = next.right
  }
  return E.right(out)
}

const refuseDtypes = (dtypes: readonly DType[]): Refusal => ({
  reason: `dtypes ${dtypes.join(' and ')} differ`,
  hint: `cast one operand, e.g. T.cast(x, '${dtypes.reduce(promote)}')`,
})

/** How `unify` treats dtypes: `promote` by the table, `strict` refuses unlike tensors, `float` promotes integers to f32 too. */
export type Mixing = 'promote' | 'strict' | 'float'

/**
 * Operands lifted, of one dtype and one shape, given to `body`. Tensors promote by the table (or are refused under
 * `strict`), weak scalars adopt the tensors' dtype.
 */
export const unify = (
  name: string,
  operands: readonly Operand[],
  mixing: Mixing,
  body: (nodes: readonly Node[], type: TensorType) => Node,
): Tensor => {
  const nodes = operands.map((x, i) => liftOperand(name, x, i))
  const tensors = nodes.filter((x): x is Node => !isWeak(x))
  return tensorOf(
    withTypes(name, tensors, (types) => {
      const dtypes = types.map((t) => t.dtype)
      if (mixing === 'strict' && dtypes.some((d) => d !== dtypes[0])) return refuse(name, tensors, refuseDtypes(dtypes))
      const common = commonDtype(dtypes, nodes.filter(isWeak))
      const dtype = mixing === 'float' && !isFloat(common) ? 'f32' : common
      const over = misfit(nodes, dtype)
      if (over !== undefined) return refuse(name, tensors, over)
      const shape = jointShape(types.map((t) => t.shape))
      if (E.isLeft(shape)) return refuse(name, tensors, shape.left)
      const ready = nodes.map((x) => expandNode(isWeak(x) ? scalar(x, dtype) : castNode(x, dtype), shape.right))
      return body(ready, { shape: shape.right, dtype })
    }),
  )
}

/** `body` on one lifted tensor whose type is known. */
export const onTensor = (name: string, x: unknown, body: (n: Node, type: TensorType) => Node): Tensor => {
  const n = lift(name, x)
  return tensorOf(withTypes(name, [n], ([type]) => body(n, type!)))
}

/** One axis or several, as options give them. */
export type Axes = number | readonly number[]

/**
 * Axes resolved against `rank`, sorted; all of them when absent. A refusal when one is out of range or named twice, or
 * when they are not axes at all.
 */
export const resolveAxes = (axis: Axes | undefined, rank: number): E.Either<Refusal, readonly number[]> => {
  if (axis === undefined) return E.right(Array.from({ length: rank }, (_, i) => i))
  const given = typeof axis === 'number' ? [axis] : axis
  if (!Array.isArray(given))
    return E.left({
      reason: `axis is ${showArgument(axis)}, not a number or an array of numbers`,
      hint: axisHint(rank),
    })
  const out: number[] = []
  for (const a of given as readonly number[]) {
    const at = normaliseAxis(a, rank)
    if (E.isLeft(at)) return E.left({ reason: at.left, axis: a, hint: axisHint(rank) })
    if (out.includes(at.right)) return E.left({ reason: `axis ${a} is named twice`, axis: a })
    out.push(at.right)
  }
  return E.right(out.sort((p, q) => p - q))
}

const axisHint = (rank: number): string =>
  rank === 0 ? 'a scalar has no axes' : `axes go from ${-rank} to ${rank - 1}`

/** `body` on one tensor and one resolved axis, or the refusal that names the axis. */
export const onAxis = (
  name: string,
  x: unknown,
  axis: number,
  body: (n: Node, axis: number, type: TensorType) => Node,
): Tensor =>
  onTensor(name, x, (n, type) => {
    const at = normaliseAxis(axis, type.shape.length)
    return E.isLeft(at)
      ? refuse(name, [n], { reason: at.left, axis, hint: axisHint(type.shape.length) })
      : body(n, at.right, type)
  })
