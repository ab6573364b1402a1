/** The columns of the primitive table: everything one must say about an operation, in one row. */
import type * as E from '#fp/Either'
import type { HostArray } from './dtype.ts'
import type { Refusal } from './errors.ts'
import type { Build, Node, Op, ParamsOf, TensorType } from './ir.ts'

/** A tensor on the host, as the reference interpreter holds it: floats in Float64. */
export interface Value extends TensorType {
  readonly data: HostArray
}

/** A tangent or cotangent; `undefined` is the symbolic zero, which never becomes a node. */
export type Linear = Node | undefined

/** What a jvp rule sees: the node itself (`out`), its arguments, and one tangent per argument. */
export interface JvpContext<P> {
  readonly b: Build
  readonly args: readonly Node[]
  readonly tangents: readonly Linear[]
  readonly params: P
  readonly out: Node
}

/** What a transpose rule sees: the cotangent of the (only) output, and which arguments are linear. */
export interface TransposeContext<P> {
  readonly b: Build
  readonly ct: Node
  readonly args: readonly Node[]
  readonly linear: readonly boolean[]
  readonly params: P
}

/** What a batch rule sees: arguments with `batched[i]` carry the new axis at 0; every output must carry it at 0. */
export interface BatchContext<P> {
  readonly b: Build
  readonly args: readonly Node[]
  readonly batched: readonly boolean[]
  readonly size: number
  readonly params: P
}

/** One row: the whole mathematics of a primitive. `transpose` is `'nonlinear'` where no argument is ever linear. */
export interface Primitive<P> {
  /** Output types, or why the operands do not fit. */
  readonly infer: (xs: readonly TensorType[], p: P) => E.Either<Refusal, readonly TensorType[]>
  /** Tangents of the outputs, one each. Called only when some tangent is nonzero. */
  readonly jvp: (c: JvpContext<P>) => readonly Linear[]
  /** Cotangents of the arguments, one each; `undefined` for nonlinear ones. */
  readonly transpose: 'nonlinear' | ((c: TransposeContext<P>) => readonly Linear[])
  /** The outputs with the batch axis at 0. */
  readonly batch: (c: BatchContext<P>) => readonly Node[]
  /** The meaning: plain loops in Float64. `types` are the inferred output types. */
  readonly eval: (xs: readonly Value[], p: P, types: readonly TensorType[]) => readonly HostArray[]
}

/** The whole table. Total: a missing row is a compile error. */
export type PrimitiveTable = { readonly [K in Op]: Primitive<ParamsOf[K]> }
