/**
 * How a pointwise row is derived from little: a scalar function per kind of dtype gives `infer` and `eval`, a tangent
 * rule gives `jvp`; batching is the same for all.
 */
import * as E from '#fp/Either'
import { allocate, type DType, type HostArray, isFloat, kernelDType } from '../dtype.ts'
import type { Refusal } from '../errors.ts'
import type { Build, Node, TensorType } from '../ir.ts'
import type { BatchContext, Linear, Primitive } from '../primitive.ts'
import { ShapeEq, showShape } from '../shape.ts'
import { refuse, wrongCount } from './operand-checks.ts'
import { batchedArgs } from './rule-parts.ts'

/** Parameters of an op that has none. */
export type None = Readonly<Record<never, never>>

/** The kinds of dtype that arithmetic tells apart. */
export type Kind = 'float' | 'i32' | 'u32' | 'bool'

/** The kind of a dtype: floats are one, as all are computed in Float64; an integer's kind is the dtype it is computed in. */
export const kindOf = (d: DType): Kind => (isFloat(d) ? 'float' : (kernelDType(d) as Kind))

/** One scalar function per kind; `undefined` where the op has no meaning. Results are stored with the wrap of their array. */
export type Scalars<F> = { readonly [K in Kind]: F | undefined }
export type Unary = (x: number) => number
export type Binary = (x: number, y: number) => number

const kindOrder: readonly Kind[] = ['float', 'i32', 'u32', 'bool']

const wrongDtype = (dtype: DType, scalars: Scalars<unknown>, who: string): E.Either<Refusal, never> | undefined => {
  const kinds = kindOrder.filter((k) => scalars[k] !== undefined)
  if (kinds.includes(kindOf(dtype))) return undefined
  const target = kinds[0] === 'float' ? 'f32' : kinds[0]
  return refuse(`${who} must be ${kinds.join(' or ')}, got ${dtype}`, undefined, `convert with T.cast(x, '${target}')`)
}

/** Why two operands of a pointwise op are not of one type, or undefined. */
export const wrongPair = (x: TensorType, y: TensorType): E.Either<Refusal, never> | undefined => {
  if (x.dtype !== y.dtype)
    return refuse(
      `operands have different dtypes ${x.dtype} and ${y.dtype}`,
      undefined,
      'primitives do not promote: convert one with T.cast',
    )
  return wrongShapes([x, y])
}

/** Why operands are not of one shape, or undefined. Reason and axis name the first difference. */
export const wrongShapes = (xs: readonly TensorType[]): E.Either<Refusal, never> | undefined => {
  const y = xs.find((other) => !ShapeEq.equals(other.shape, xs[0]!.shape))
  if (y === undefined) return undefined
  const x = xs[0]!
  const axis = x.shape.length === y.shape.length ? x.shape.findIndex((d, i) => d !== y.shape[i]) : undefined
  return refuse(
    `operands have different shapes ${showShape(x.shape)} and ${showShape(y.shape)}`,
    axis,
    'primitives do not broadcast: give both one shape with T.broadcastTo',
  )
}

/** What a tangent rule of one operand sees: operand, its nonzero tangent, result. */
export interface UnaryJvp {
  readonly b: Build
  readonly x: Node
  readonly dx: Node
  readonly out: Node
}

/** What a tangent rule of two operands sees; at least one tangent is nonzero. */
export interface BinaryJvp {
  readonly b: Build
  readonly x: Node
  readonly y: Node
  readonly dx: Linear
  readonly dy: Linear
  readonly out: Node
}

/** The sum of two tangents, where `undefined` is zero. */
export const sum = (b: Build, x: Linear, y: Linear): Linear => (x && y ? b.add([x, y], {}) : (x ?? y))

const typeAfter = (x: TensorType, result: 'same' | 'bool'): readonly TensorType[] => [
  result === 'same' ? x : { shape: x.shape, dtype: 'bool' },
]

/** `f` of every element, into an array of `type`. */
export const map = (type: TensorType, x: HostArray, f: Unary): HostArray => {
  const n = x.length
  const out = allocate(type.dtype, n)
  for (let i = 0; i < n; i++) out[i] = f(x[i]!)
  return out
}

const map2 = (type: TensorType, x: HostArray, y: HostArray, f: Binary): HostArray => {
  const n = x.length
  const out = allocate(type.dtype, n)
  for (let i = 0; i < n; i++) out[i] = f(x[i]!, y[i]!)
  return out
}

/** The batch rule of every pointwise op: all operands get the batch axis, the op does not notice. */
export const batchPointwise =
  <P>(make: (b: Build) => (args: readonly Node[], params: P) => Node) =>
  (c: BatchContext<P>): readonly Node[] => [make(c.b)(batchedArgs(c), c.params)]

/** A row of one operand. `tangent` is undefined where the derivative is zero wherever it exists. */
export const unaryRow = (row: {
  readonly make: (b: Build) => (args: readonly Node[], params: None) => Node
  readonly scalars: Scalars<Unary>
  readonly result?: 'same' | 'bool'
  readonly tangent?: ((c: UnaryJvp) => Linear) | undefined
  readonly transpose?: Primitive<None>['transpose']
}): Primitive<None> => ({
  infer: (xs) =>
    wrongCount(xs, 1) ??
    wrongDtype(xs[0]!.dtype, row.scalars, 'the operand') ??
    E.right(typeAfter(xs[0]!, row.result ?? 'same')),
  jvp: ({ b, args, tangents: [dx], out }) => [dx && row.tangent?.({ b, x: args[0]!, dx, out })],
  transpose: row.transpose ?? 'nonlinear',
  batch: batchPointwise(row.make),
  eval: ([x], _p, [type]) => [map(type!, x!.data, row.scalars[kindOf(x!.dtype)]!)],
})

/** A row of two operands of one type. */
export const binaryRow = (row: {
  readonly make: (b: Build) => (args: readonly Node[], params: None) => Node
  readonly scalars: Scalars<Binary>
  readonly result?: 'same' | 'bool'
  readonly tangent?: ((c: BinaryJvp) => Linear) | undefined
  readonly transpose?: Primitive<None>['transpose']
}): Primitive<None> => ({
  infer: (xs) =>
    wrongCount(xs, 2) ??
    wrongPair(xs[0]!, xs[1]!) ??
    wrongDtype(xs[0]!.dtype, row.scalars, 'the operands') ??
    E.right(typeAfter(xs[0]!, row.result ?? 'same')),
  jvp: ({ b, args: [x, y], tangents: [dx, dy], out }) => [row.tangent?.({ b, x: x!, y: y!, dx: dx, dy: dy, out })],
  transpose: row.transpose ?? 'nonlinear',
  batch: batchPointwise(row.make),
  eval: ([x, y], _p, [type]) => [map2(type!, x!.data, y!.data, row.scalars[kindOf(x!.dtype)]!)],
})
