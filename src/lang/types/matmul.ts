/** The matrix product at type level. */
import type { Shape } from '../dim.ts'
import type { DType } from '../dtype.ts'
import type { Bad, Broadcast, DTypeCheck, DTypeOf, JoinDType, Mistake, ShapeOf, Valid } from './broadcast.ts'
import type { Tensor } from './tensor.ts'

type WithMatrix<P, Tail extends Shape> = P extends Shape ? readonly [...P, ...Tail] : P

/** `Then` when the inner sizes may be equal, else the reason. */
type Inner<K extends number, L extends number, Then> = number extends K
  ? Then
  : number extends L
    ? Then
    : K extends L
      ? Then
      : Bad<`inner dimensions ${K} and ${L} differ`>

type ByVector<A extends Shape, L extends number> = A extends readonly [...infer P extends Shape, infer K extends number]
  ? Inner<K, L, readonly [...P]>
  : Bad<'a scalar has no matrix product'>

type ByMatrix<A extends Shape, Q extends Shape, L extends number, N extends number> = A extends readonly [
  infer K extends number,
]
  ? Inner<K, L, readonly [...Q, N]>
  : A extends readonly [...infer P extends Shape, infer M extends number, infer K extends number]
    ? Inner<K, L, WithMatrix<Broadcast<P, Q>, readonly [M, N]>>
    : Bad<'a scalar has no matrix product'>

/** The shape of `a @ b` by NumPy's rules. */
export type MatmulShape<A extends Shape, B extends Shape> = number extends A['length']
  ? Shape
  : number extends B['length']
    ? Shape
    : B extends readonly [infer L extends number]
      ? ByVector<A, L>
      : B extends readonly [...infer Q extends Shape, infer L extends number, infer N extends number]
        ? ByMatrix<A, Q, L, N>
        : Bad<'a scalar has no matrix product'>

/** `unknown` when `a @ b` is well-formed, else the mistake to show. */
export type MatmulCheck<A, B, Op extends string> =
  MatmulShape<ShapeOf<A>, ShapeOf<B>> extends Bad<infer M>
    ? Mistake<`${Op}: ${M}`>
    : DTypeCheck<DTypeOf<A>, DTypeOf<B>, Op>

/** The type of `a @ b`. */
export type MatmulOf<A, B> = Tensor<Valid<MatmulShape<ShapeOf<A>, ShapeOf<B>>>, JoinDType<DTypeOf<A>, DTypeOf<B>>>

/** The dual matrix product; see `Arithmetic` for the order of the overloads. */
export interface Product<Op extends string> {
  <M extends number, K extends number, N extends number, D extends DType>(
    a: Tensor<readonly [M, K], D>,
    b: Tensor<readonly [NoInfer<K>, N], NoInfer<D>>,
  ): Tensor<readonly [M, N], D>
  <A extends Tensor, B extends Tensor>(a: A, b: B & MatmulCheck<A, B, Op>): MatmulOf<A, B>
  <B extends Tensor>(b: B): <A extends Tensor>(a: A & MatmulCheck<A, B, Op>) => MatmulOf<A, B>
}
