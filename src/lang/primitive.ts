/** The columns of the primitive table: everything one must say about an operation, in one row. */
import type * as E from '#fp/Either'
import type { HostArray } from './dtype.ts'
import type { Refusal } from './errors.ts'
import type { Build, Graph, Node, NodeOf, Op, ParamsOf, TensorType } from './ir.ts'

/** A tensor on the host, as the reference interpreter holds it: floats in Float64. */
export interface Value extends TensorType {
  readonly data: HostArray
}

/** A tangent or cotangent; `undefined` is the symbolic zero, which never becomes a node. */
export type Linear = Node | undefined

/**
 * What rows that hold closed graphs do with them (`trace.ts`): given to the rules as an argument, as a row cannot import
 * what is built on the table.
 */
export interface GraphKit {
  readonly fresh: (types: readonly TensorType[]) => readonly NodeOf<'input'>[]
  /** The outputs of a graph on arguments. */
  readonly instantiate: (graph: Graph, args: readonly Node[]) => readonly Node[]
  /** The canonical form of a graph that uses nothing but its inputs. */
  readonly close: (graph: Graph) => Graph
  /** `outputs` with the nodes `from` replaced by `to`, all at once. */
  readonly substitute: (outputs: readonly Node[], from: readonly Node[], to: readonly Node[]) => readonly Node[]
  /** The nodes under `roots` that depend on `inputs`, each after its arguments. */
  readonly dependents: (roots: readonly Node[], inputs: readonly Node[]) => readonly Node[]
}

/** Tangents of a graph's outputs from those of its inputs: the walk that asks a jvp rule, for the graphs inside it. */
export type JvpWalk = (graph: Graph, tangents: readonly Linear[]) => readonly Linear[]

/** Cotangents of `inputs` from those of `outputs`, which are linear in them: the walk that asks a transpose rule. */
export type TransposeWalk = (
  outputs: readonly Linear[],
  inputs: readonly Node[],
  cotangents: readonly Linear[],
) => readonly Linear[]

/** A graph some of whose inputs have a new axis 0 of `size`, and which outputs have it: the walk that asks a batch rule. */
export type BatchWalk = (graph: Graph, batched: readonly boolean[], size: number) => BatchedGraph

/** Inputs and outputs are those of the graph it was made from, with a new axis 0 where `batched` says so. */
export interface BatchedGraph {
  readonly graph: Graph
  readonly batched: readonly boolean[]
}

/** Whether tangents are wanted for their values, or as a linear program that will be transposed. */
export type JvpMode = 'forward' | 'reverse'

/** What a jvp rule sees: the node itself (`out`), its arguments, and one tangent per argument. */
export interface JvpContext<P> {
  readonly b: Build
  readonly args: readonly Node[]
  readonly tangents: readonly Linear[]
  readonly params: P
  readonly out: Node
  readonly kit: GraphKit
  readonly walk: JvpWalk
  readonly mode: JvpMode
}

/** What a transpose rule sees: the cotangents of the outputs (`ct` is the first), and which arguments are linear. */
export interface TransposeContext<P> {
  readonly b: Build
  readonly ct: Node
  readonly cts: readonly Linear[]
  readonly args: readonly Node[]
  readonly linear: readonly boolean[]
  readonly params: P
  readonly kit: GraphKit
  readonly walk: TransposeWalk
}

/** What a batch rule sees: arguments with `batched[i]` carry the new axis at 0; every output must carry it at 0. */
export interface BatchContext<P> {
  readonly b: Build
  readonly args: readonly Node[]
  readonly batched: readonly boolean[]
  readonly size: number
  readonly params: P
  readonly kit: GraphKit
  readonly walk: BatchWalk
}

/** The value of a closed graph on values: how `eval` runs the graphs inside a primitive. */
export type Evaluate = (graph: Graph, inputs: readonly Value[]) => readonly Value[]

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
  readonly eval: (xs: readonly Value[], p: P, types: readonly TensorType[], run: Evaluate) => readonly HostArray[]
}

/** The whole table. Total: a missing row is a compile error. */
export type PrimitiveTable = { readonly [K in Op]: Primitive<ParamsOf[K]> }
