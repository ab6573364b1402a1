/** Shapes at type level of tensors that are joined and cut. */
import type { Shape } from '../dim.ts'
import type { AxisIndex, Sized } from './movement.ts'
import type { Add, Divide, Negative, Subtract } from './numbers.ts'
import type { Tensor } from './tensor.ts'

/** The axis that options name; 0 where they name none, `number` where that is not known. */
type AxisOf<O> = O extends { readonly axis: infer A extends number }
  ? A
  : O extends { readonly axis?: undefined }
    ? 0
    : number

/** The dtype that tensors share. */
export type DTypeAmong<Xs extends readonly Tensor[]> = Xs[number]['dtype']

type SizeAt<X extends Tensor, I> = X['shape'] extends infer S extends Shape
  ? I extends keyof S
    ? S[I] extends number
      ? S[I]
      : number
    : number
  : number

/** The sizes of an axis of several tensors together. */
type Total<Xs extends readonly Tensor[], A extends number, Done extends number = 0> = Xs extends readonly [
  infer X extends Tensor,
  ...infer R extends readonly Tensor[],
]
  ? Total<R, A, Add<Done, SizeAt<X, AxisIndex<X['shape'], A>>>>
  : Xs extends readonly []
    ? Done
    : number

/** `S` with another size at axis `I`. What maps a tuple costs the type checker half of what walks through it. */
type With<S extends Shape, I extends number, N extends number> = {
  readonly [K in keyof S]: K extends `${I}` ? N : S[K]
}

/** The shape of `concat(xs, { axis })`: sizes of other axes are those of the first. */
export type Concatenated<Xs extends readonly Tensor[], O> =
  number extends AxisOf<O>
    ? Shape
    : Xs[0]['shape'] extends infer S extends Shape
      ? number extends S['length']
        ? Shape
        : [AxisIndex<S, AxisOf<O>>] extends [never]
          ? Shape
          : With<S, AxisIndex<S, AxisOf<O>>, Total<Xs, AxisOf<O>>>
      : Shape

/** `S` with a new axis of size `N` before axis `I`. */
type Inserted<S extends Shape, I, N extends number, Done extends Shape = readonly []> = Done['length'] extends I
  ? readonly [...Done, N, ...S]
  : S extends readonly [infer H extends number, ...infer R extends Shape]
    ? Inserted<R, I, N, readonly [...Done, H]>
    : Shape

/** The shape of `stack(xs, { axis })`. */
export type Stacked<Xs extends readonly Tensor[], O> =
  number extends AxisOf<O>
    ? Shape
    : Xs[0]['shape'] extends infer S extends Shape
      ? number extends S['length']
        ? Shape
        : Inserted<S, AxisIndex<readonly [...S, 0], AxisOf<O>>, Xs['length']>
      : Shape

/** `S` with the sizes `N` in place of that at axis `I`. */
type Replaced<S extends Shape, I, N extends Shape, Done extends Shape = readonly []> = S extends readonly [
  infer H extends number,
  ...infer R extends Shape,
]
  ? Done['length'] extends I
    ? readonly [...Done, ...N, ...R]
    : Replaced<R, I, N, readonly [...Done, H]>
  : Shape

/** The shape of `take(x, indices, { axis })`: one axis gives way to those of the indices. */
export type Taken<S extends Shape, Indices extends Shape, O> = number extends
  | S['length']
  | Indices['length']
  | AxisOf<O>
  ? Shape
  : Replaced<S, AxisIndex<S, AxisOf<O>>, Indices>

type Bound<B, None extends number, N extends number> = B extends number
  ? [Negative<B>] extends [never]
    ? [Subtract<N, B>] extends [never]
      ? N
      : B
    : [Subtract<N, Negative<B>>] extends [never]
      ? 0
      : Subtract<N, Negative<B>>
  : None

/** The size of a Python range in an axis of size `N`; `number` where a bound is not a literal, or it goes backwards. */
type RangeSize<Start, Stop, Step, N extends number> = [Start | Stop, Step] extends [
  null | undefined,
  null | undefined | 1,
]
  ? N
  : number extends N | Start | Stop | Step
    ? number
    : [Subtract<Bound<Stop, N, N>, Bound<Start, 0, N>>] extends [infer Length]
      ? [Length] extends [never]
        ? Step extends null | undefined
          ? 0
          : number
        : Strided<Length & number, Step>
      : never

type Strided<Length extends number, Step> = Step extends null | undefined | 1
  ? Length
  : Step extends number
    ? [Negative<Step>] extends [never]
      ? Divide<Add<Length, Subtract<Step, 1>>, Step>
      : number
    : Length

type Item<R extends readonly unknown[], I> = I extends keyof R ? R[I] : null

type ListedSize<R extends readonly unknown[], N extends number> = number extends R['length']
  ? number
  : RangeSize<Item<R, '0'>, Item<R, '1'>, Item<R, '2'>, N>

/** The shape of `slice(x, ranges)`: leading axes cut, the others whole. */
export type Sliced<
  S extends Shape,
  Ranges extends readonly unknown[],
  Done extends Shape = readonly [],
> = number extends S['length'] | Ranges['length']
  ? Sized<S>
  : Ranges extends readonly [infer R, ...infer More]
    ? S extends readonly [infer N extends number, ...infer Rest extends Shape]
      ? Sliced<Rest, More, readonly [...Done, R extends readonly unknown[] ? ListedSize<R, N> : number]>
      : Shape
    : readonly [...Done, ...S]

type SpelledBound<T extends string> = T extends '' ? null : T extends `${infer N extends number}` ? N : number

/** The size of a range as Python writes it, `'1:3'`. */
type SpelledSize<I extends string, N extends number> = I extends `${infer A}:${infer B}`
  ? B extends `${infer Stop}:${infer Step}`
    ? RangeSize<SpelledBound<A>, SpelledBound<Stop>, SpelledBound<Step>, N>
    : RangeSize<SpelledBound<A>, SpelledBound<B>, null, N>
  : number

/** The shape of `at(x, ...indices)`: an integer drops its axis, a range cuts it, `'...'` stands for all axes between. */
export type Indexed<
  S extends Shape,
  Indices extends readonly unknown[],
  Done extends Shape = readonly [],
> = number extends S['length'] | Indices['length']
  ? Shape
  : Indices extends readonly [infer I, ...infer More]
    ? I extends '...'
      ? Tail<S, More> extends readonly [infer Kept extends Shape, infer Rest extends Shape]
        ? Indexed<Rest, More, readonly [...Done, ...Kept]>
        : Shape
      : S extends readonly [infer N extends number, ...infer Rest extends Shape]
        ? I extends number
          ? Indexed<Rest, More, Done>
          : I extends ':' | null
            ? Indexed<Rest, More, readonly [...Done, N]>
            : I extends string
              ? Indexed<Rest, More, readonly [...Done, SpelledSize<I, N>]>
              : Shape
        : Shape
    : readonly [...Done, ...S]

/** The axes of `S` that are left for `Indices`, the last ones, and those before. */
type Tail<
  S extends Shape,
  Indices extends readonly unknown[],
  Rest extends Shape = readonly [],
> = Indices['length'] extends Rest['length']
  ? readonly [S, Rest]
  : S extends readonly [...infer Before extends Shape, infer N extends number]
    ? Tail<Before, Indices, readonly [N, ...Rest]>
    : never
