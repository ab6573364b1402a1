/** Shapes and dtypes of literals at type level. */
import type { Shape } from '../dim.ts'

/** Nested arrays of numbers or booleans. */
export type Nested = number | boolean | readonly Nested[]

/** The shape of nested arrays: exact for literals, `number` where a length is not known. */
export type NestedShape<A, Done extends Shape = readonly []> = A extends readonly (infer E)[]
  ? Done['length'] extends 8
    ? Shape
    : NestedShape<E, readonly [...Done, A['length']]>
  : Done

type Leaf<A> = A extends readonly (infer E)[] ? Leaf<E> : A

/** i32 for whole literals, f32 for fractions, bool for booleans, either number dtype where the values are not known. */
export type DTypeOfNested<A> = [Leaf<A>] extends [boolean]
  ? 'bool'
  : number extends Leaf<A>
    ? 'f32' | 'i32'
    : `${Leaf<A> & number}` extends `${bigint}`
      ? 'i32'
      : 'f32'
