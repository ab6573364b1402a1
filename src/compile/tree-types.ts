/**
 * Trees as types: what a compiled function takes for what it was traced on, and what it gives. A tree of unknown type (`P`
 * of generic code) is itself wherever one of these is asked for, as conditional types of it say nothing to the type checker.
 */
import type { Shape } from '../lang/dim.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import type { TensorType } from '../lang/ir.ts'
import type { IsOpen, TreeOf, TreeOfUnknownKeys } from '../lang/tree.ts'
import type { TypedArray } from '../lang/types/literals.ts'
import type { Handle, Output } from '../lang/types/output.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { Argument } from '../runtime/argument.ts'
import type { HostTensor } from './host.ts'

/** The type of an argument: what `compile` needs instead of a value. */
export interface Spec<S extends Shape = Shape, D extends DType = DType> extends TensorType {
  readonly shape: S
  readonly dtype: D
}

/** Trees of specs (or tensors) as the traced function sees them: trees of tensors. */
export type TensorsOf<A> =
  IsOpen<A> extends true
    ? A
    : A extends Tensor
      ? A
      : A extends Spec<infer S, infer D>
        ? Tensor<S, D>
        : { [K in keyof A]: TensorsOf<A[K]> }

/** What stands for a tree of tensors where a function is compiled: itself, or specs. */
export type SpecsOf<T> = T | SpecsAlone<T>

type SpecsAlone<T> =
  IsOpen<T> extends true
    ? TreeOfUnknownKeys<Spec | Tensor>
    : T extends Tensor<infer S, infer D>
      ? Spec<S, D>
      : { readonly [K in keyof T]: SpecsOf<T[K]> }

/** The specs that a function of arguments `F` can be compiled for; it may look at fewer arguments than it is given. */
export type SpecsFor<F extends readonly unknown[]> = number extends F['length']
  ? { readonly [K in keyof F]: SpecsOf<F[K]> }
  : readonly [...{ [K in keyof F]: SpecsOf<F[K]> }, ...unknown[]]

/** The arguments of a program of a function of `F` that was compiled for `A`. */
export type Given<A extends readonly unknown[], F extends readonly unknown[]> = {
  readonly [K in keyof A]: K extends keyof F ? F[K] : TensorsOf<A[K]>
}

/** What `run` takes: the tree itself (constants or results of runs), or host values and host tensors in place of tensors. */
export type ArgumentsOf<A> = A | ValuesOf<A>

type ValuesOf<A> =
  IsOpen<A> extends true
    ? TreeOfUnknownKeys<Argument | HostTensor | Tensor>
    : A extends Spec | Tensor
      ? Argument | HostTensor | Tensor
      : { readonly [K in keyof A]: ArgumentsOf<A[K]> }

/** What `run` gives: the tree with handles in place of tensors, which are tensors of the same type. */
export type ResultsOf<R> =
  IsOpen<R> extends true
    ? R
    : R extends Tensor<infer S, infer D>
      ? Output<S, D> & R
      : { readonly [K in keyof R]: OutputsOf<R[K]> & R[K] }

type OutputsOf<R> =
  IsOpen<R> extends true
    ? unknown
    : R extends Tensor<infer S, infer D>
      ? Output<S, D>
      : { readonly [K in keyof R]: OutputsOf<R[K]> }

/** The elements of a tensor on the host, whatever its dtype is known to be. */
export interface HostLike {
  readonly shape: Shape
  readonly dtype: string
  readonly data: ArrayBufferView
}

/** A tree of which all leaves are on the host. */
export type HostTree = HostLike | readonly HostTree[] | { readonly [key: string]: HostTree }

/** What `put` gives for a tree of the host: handles in place of its leaves. */
export type PutOf<T> = T extends HostLike
  ? Handle<T['shape'], T['dtype'] extends DType ? T['dtype'] : DType>
  : { readonly [K in keyof T]: PutOf<T[K]> }

/** A tree of tensors or handles with the arrays of their elements in their place. */
export type ArraysOf<T> =
  IsOpen<T> extends true
    ? TreeOfUnknownKeys<HostArrayOf<DType>>
    : T extends Tensor<Shape, infer D> | Output<Shape, infer D>
      ? HostArrayOf<D>
      : { [K in keyof T]: ArraysOf<T[K]> }

/** A column: flat values in a typed array, which says their dtype, and their shape. A HostTensor is one, too. */
export interface ColumnLike {
  readonly shape: readonly number[]
  readonly data: TypedArray
}

type HostOrDevice = ColumnLike | Tensor | Output

/** What `jit(f)` takes for each argument: constant tensors, values of the host or results of runs, and what it gave before. */
export type JitArguments<A> = A | TreeOf<A, HostTensor> | JitValues<A>

type JitValues<A> =
  IsOpen<A> extends true
    ? TreeOfUnknownKeys<HostOrDevice>
    : A extends Tensor
      ? HostOrDevice
      : { readonly [K in keyof A]: JitArguments<A[K]> }
