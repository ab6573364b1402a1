/** Broadcasting at type level: the shape of `a + b`, or a mistake whose text the editor shows. */
import type { Shape } from '../dim.ts'
import type { DType } from '../dtype.ts'
import type { Operand, Tensor } from './tensor.ts'

declare const reason: unique symbol

/** Intersected into the type of a wrong argument: nothing has it, and its text stands in the diagnostic. */
export interface Mistake<M extends string> {
  readonly [reason]: M
}

/** A shape that could not be worked out, with the reason. */
export interface Bad<M extends string> {
  readonly bad: M
}

export type ShapeOf<A> = A extends Tensor<infer S> ? S : readonly []
export type DTypeOf<A> = A extends Tensor<Shape, infer D> ? D : never

/** Two sizes that meet on one axis: the common size, `number` when unknown, `never` when they clash. */
export type JoinDim<A extends number, B extends number> = number extends A
  ? number extends B
    ? number
    : B extends 1
      ? number
      : B
  : number extends B
    ? A extends 1
      ? number
      : A
    : A extends B
      ? A
      : A extends 1
        ? B
        : B extends 1
          ? A
          : never

/** NumPy broadcasting, from the right. Unknown rank gives unknown rank. */
export type Broadcast<A extends Shape, B extends Shape, Done extends Shape = readonly []> = number extends A['length']
  ? Shape
  : number extends B['length']
    ? Shape
    : A extends readonly [...infer I extends Shape, infer X extends number]
      ? B extends readonly [...infer J extends Shape, infer Y extends number]
        ? [JoinDim<X, Y>] extends [never]
          ? Bad<`sizes ${X} and ${Y} do not broadcast`>
          : Broadcast<I, J, readonly [JoinDim<X, Y>, ...Done]>
        : readonly [...A, ...Done]
      : readonly [...B, ...Done]

/** The shape when there is one, unknown otherwise. */
export type Valid<S> = S extends Shape ? S : Shape

/** `unknown` when two dtypes may meet (equal, or one not known), else the mistake. */
export type DTypeCheck<D, E, Op extends string> = [D] extends [E]
  ? unknown
  : [E] extends [D]
    ? unknown
    : Mistake<`${Op}: mixed dtypes ${D & string} and ${E & string}; cast one with T.cast`>

/** The more definite of two dtypes that may meet. */
export type JoinDType<D extends DType, E extends DType> = [D] extends [never]
  ? E
  : [E] extends [never]
    ? D
    : [D] extends [E]
      ? D
      : E

/** `unknown` when `a op b` is well-formed, else the mistake to show. Plain numbers go with everything. */
export type ElementwiseCheck<A, B, Op extends string> =
  Broadcast<ShapeOf<A>, ShapeOf<B>> extends Bad<infer M>
    ? Mistake<`${Op}: ${M}`>
    : A extends Tensor<Shape, infer D>
      ? B extends Tensor<Shape, infer E>
        ? DTypeCheck<D, E, Op>
        : unknown
      : unknown

/** The dtype of a tensor beside a plain number: a fraction makes floats of integers, a whole number integers of bool. */
type WithNumber<D extends DType, N> = [DType] extends [D]
  ? D
  : N extends number
    ? `${N}` extends `${string}.${string}` | `${string}e-${string}`
      ? FloatOf<D>
      : D extends 'bool'
        ? 'i32'
        : D
    : D

/** The dtype of `a op b` for arithmetic. Of a number whose value is not known only that it is one counts. */
type ArithmeticDType<A, B> =
  A extends Tensor<Shape, infer D>
    ? B extends Tensor<Shape, infer E>
      ? JoinDType<D, E>
      : WithNumber<D, B>
    : B extends Tensor<Shape, infer E>
      ? WithNumber<E, A>
      : never

/** The type of `a op b` for arithmetic. */
export type Elementwise<A, B> = Tensor<Valid<Broadcast<ShapeOf<A>, ShapeOf<B>>>, ArithmeticDType<A, B>>

/** The dtype of a result computed in floating point: integers become f32. */
export type FloatOf<D> = D extends 'f16' | 'bf16' ? D : 'f32'

/** The dtype of a sum or a product over axes: small integers and bool are counted in i32. */
export type CountOf<D> = D extends 'bool' | 'i8' | 'u8' ? 'i32' : D

/** The type of a true quotient and the like: always floating point. */
export type FloatElementwise<A, B> = Tensor<
  Valid<Broadcast<ShapeOf<A>, ShapeOf<B>>>,
  FloatOf<JoinDType<DTypeOf<A>, DTypeOf<B>>>
>

/** The type of a comparison. */
export type BoolElementwise<A, B> = Tensor<Valid<Broadcast<ShapeOf<A>, ShapeOf<B>>>, 'bool'>

/**
 * Dual arithmetic. The first overloads only infer, so that generic code type-checks; the last direct one works the
 * shapes out; the curried form has exactly one signature, so that mistakes show through `pipe`.
 */
export interface Arithmetic<Op extends string> {
  <S extends Shape, D extends DType>(a: Tensor<S, D>, b: Tensor<NoInfer<S>, NoInfer<D>>): Tensor<S, D>
  <P extends Shape, N extends number, D extends DType>(
    a: Tensor<readonly [...P, N], D>,
    b: Tensor<readonly [NoInfer<N>], NoInfer<D>>,
  ): Tensor<readonly [...P, N], D>
  <S extends Shape, D extends 'f32' | 'f16' | 'bf16'>(a: Tensor<S, D>, b: number | boolean): Tensor<S, D>
  <A extends Operand, B extends Operand>(a: A, b: B & ElementwiseCheck<A, B, Op>): Elementwise<A, B>
  <B extends Operand>(b: B): <A extends Operand>(a: A & ElementwiseCheck<A, B, Op>) => Elementwise<A, B>
}

/** `unknown` where a dtype has bits to work on or is not known, else the mistake to show. */
type BitsCheck<D, Op extends string> = [D] extends [never]
  ? unknown
  : [D] extends ['f32' | 'f16' | 'bf16']
    ? Mistake<`${Op}: not defined on ${D & string}; cast or bitcast to an integer first`>
    : unknown

/** `unknown` when `a op b` is well-formed on bits, else the mistake to show. */
export type BitwiseCheck<A, B, Op extends string> = BitsCheck<DTypeOf<A>, Op> &
  BitsCheck<DTypeOf<B>, Op> &
  ElementwiseCheck<A, B, Op>

/** Dual arithmetic on bits: integers and bool. */
export interface Bitwise<Op extends string> {
  <S extends Shape, D extends Exclude<DType, 'f32' | 'f16' | 'bf16'>>(
    a: Tensor<S, D>,
    b: Tensor<NoInfer<S>, NoInfer<D>>,
  ): Tensor<S, D>
  <A extends Operand, B extends Operand>(a: A, b: B & BitwiseCheck<A, B, Op>): Elementwise<A, B>
  <B extends Operand>(b: B): <A extends Operand>(a: A & BitwiseCheck<A, B, Op>) => Elementwise<A, B>
}

/** Dual arithmetic whose result is always floating point. */
export interface FloatArithmetic<Op extends string> {
  <S extends Shape, D extends 'f32' | 'f16' | 'bf16'>(a: Tensor<S, D>, b: Tensor<NoInfer<S>, NoInfer<D>>): Tensor<S, D>
  <S extends Shape, D extends 'f32' | 'f16' | 'bf16'>(a: Tensor<S, D>, b: number | boolean): Tensor<S, D>
  <A extends Operand, B extends Operand>(a: A, b: B & ElementwiseCheck<A, B, Op>): FloatElementwise<A, B>
  <B extends Operand>(b: B): <A extends Operand>(a: A & ElementwiseCheck<A, B, Op>) => FloatElementwise<A, B>
}

/** Dual comparison. */
export interface Comparison<Op extends string> {
  <A extends Operand, B extends Operand>(a: A, b: B & ElementwiseCheck<A, B, Op>): BoolElementwise<A, B>
  <B extends Operand>(b: B): <A extends Operand>(a: A & ElementwiseCheck<A, B, Op>) => BoolElementwise<A, B>
}

/** Elementwise, dtype kept. */
export type Elementary = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>

/** Elementwise, integers become f32. */
export type FloatElementary = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>

/** Elementwise question. */
export type Predicate = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, 'bool'>
