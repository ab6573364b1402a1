/** Shapes and dtypes of literals at type level. */
import type { Shape } from '../dim.ts'

/** Nested arrays of numbers or booleans. */
export type Nested = number | boolean | readonly Nested[]

/** Typed arrays, with the dtype of each. */
interface TypedArrays {
  readonly i8: Int8Array
  readonly u8: Uint8Array | Uint8ClampedArray
  readonly i32: Int32Array | Int16Array
  readonly u32: Uint32Array | Uint16Array
  readonly f32: Float32Array | Float64Array
}

/** A typed array: a vector that says its dtype. */
export type TypedArray = TypedArrays[keyof TypedArrays]

type DTypeOfArray<A extends TypedArray> = {
  [D in keyof TypedArrays]: A extends TypedArrays[D] ? D : never
}[keyof TypedArrays]

/** The shape of nested arrays: exact for literals, `number` where a length is not known. */
export type NestedShape<A, Done extends Shape = readonly []> = A extends readonly (infer E)[]
  ? Done['length'] extends 8
    ? Shape
    : NestedShape<E, readonly [...Done, A['length']]>
  : Done

type Leaf<A> = A extends readonly (infer E)[] ? Leaf<E> : A

/** The shape of what `tensor` takes. */
export type DataShape<A> = [A] extends [TypedArray] ? readonly [number] : NestedShape<A>

/** The dtype of what `tensor` takes. */
export type DTypeOfData<A> = [A] extends [TypedArray] ? DTypeOfArray<A> : DTypeOfNested<A>

/** i32 for whole literals, f32 for fractions, bool for booleans, either number dtype where the values are not known. */
export type DTypeOfNested<A> = [Leaf<A>] extends [boolean]
  ? 'bool'
  : number extends Leaf<A>
    ? 'f32' | 'i32'
    : `${Leaf<A> & number}` extends `${bigint}`
      ? 'i32'
      : 'f32'
