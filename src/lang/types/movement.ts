/** Shapes of movements and reductions at type level. What would need arithmetic on sizes gives `number`. */
import type { Shape } from '../dim.ts'
import type { Mistake } from './broadcast.ts'

/** A shape as written: -1 stands for an unknown size. */
export type Declared<N extends Shape> = { readonly [K in keyof N]: N[K] extends -1 ? number : N[K] }

/** The same rank, all sizes unknown. */
export type Sized<S extends Shape> = { readonly [K in keyof S]: number }

/** The last two sizes exchanged. */
export type MatrixTransposed<S extends Shape> = S extends readonly [
  ...infer P extends Shape,
  infer M extends number,
  infer N extends number,
]
  ? readonly [...P, N, M]
  : Shape

/** All sizes in reverse order. */
export type Reversed<S extends Shape, Done extends Shape = readonly []> = S extends readonly [
  ...infer R extends Shape,
  infer L extends number,
]
  ? Reversed<R, readonly [...Done, L]>
  : S extends readonly []
    ? Done
    : Shape

/** `S` with a new size-1 axis: exact at either end, otherwise of the right rank. */
export type Expanded<S extends Shape, A> = number extends S['length']
  ? Shape
  : A extends 0
    ? readonly [1, ...S]
    : A extends -1
      ? readonly [...S, 1]
      : readonly [number, ...Sized<S>]

type Back<
  S extends Shape,
  K extends number,
  Seen extends readonly unknown[] = readonly [unknown],
> = S extends readonly [...infer I extends Shape, number]
  ? Seen['length'] extends K
    ? I['length']
    : Back<I, K, readonly [...Seen, unknown]>
  : never

/** A literal axis counted from the front; `never` when out of range. */
export type AxisIndex<S extends Shape, A extends number> = `${A}` extends `-${infer K extends number}`
  ? Back<S, K>
  : `${A}` extends keyof S
    ? A
    : never

/** `S` with the sizes at `Axes` taken in order. */
export type Permuted<S extends Shape, Axes extends Shape> = number extends S['length']
  ? Sized<Axes>
  : {
      readonly [K in keyof Axes]: AxisIndex<S, Axes[K]> extends infer I extends keyof S & number
        ? S[I] extends number
          ? S[I]
          : number
        : number
    }

type Without<S extends Shape, I, Keep, Done extends Shape = readonly []> = S extends readonly [
  infer H extends number,
  ...infer R extends Shape,
]
  ? Done['length'] extends I
    ? Keep extends true
      ? readonly [...Done, 1, ...R]
      : readonly [...Done, ...R]
    : Without<R, I, Keep, readonly [...Done, H]>
  : Done

type Ones<S extends Shape> = { readonly [K in keyof S]: 1 }

type Several<S extends Shape, Axes extends Shape, Keep, Gone = never> = Axes extends readonly [
  infer A extends number,
  ...infer R extends Shape,
]
  ? Several<S, R, Keep, Gone | `${AxisIndex<S, A>}`>
  : Kept<S, Gone, Keep>

type Kept<
  S extends Shape,
  Gone,
  Keep,
  At extends readonly unknown[] = readonly [],
  Done extends Shape = readonly [],
> = S extends readonly [infer H extends number, ...infer R extends Shape]
  ? Kept<
      R,
      Gone,
      Keep,
      readonly [...At, unknown],
      `${At['length']}` extends Gone ? (Keep extends true ? readonly [...Done, 1] : Done) : readonly [...Done, H]
    >
  : Done

type KeepOf<O> = O extends { readonly keepdims: infer K } ? K : false

/** The shape after reducing as options `O` say (`axis` absent: all of them). */
export type Reduced<S extends Shape, O> = 0 extends 1 & S
  ? never // `any`, by which TypeScript compares overloads in `pipe(x, T.sum)`
  : number extends S['length']
    ? O extends { readonly axis: number | Shape }
      ? Shape
      : KeepOf<O> extends false
        ? readonly []
        : Shape
    : boolean extends KeepOf<O>
      ? Shape
      : O extends { readonly axis: infer A }
        ? A extends number
          ? number extends A
            ? Shape
            : Without<S, AxisIndex<S, A>, KeepOf<O>>
          : A extends Shape
            ? number extends A['length']
              ? Shape
              : number extends A[number]
                ? Shape
                : Several<S, A, KeepOf<O>>
            : Shape
        : KeepOf<O> extends true
          ? Ones<S>
          : readonly []

/** `unknown` when the axis that options `O` name exists, else the mistake. Several axes are checked at run time. */
export type AxisCheck<S extends Shape, O, Op extends string> = number extends S['length']
  ? unknown
  : O extends { readonly axis: infer A extends number }
    ? number extends A
      ? unknown
      : [AxisIndex<S, A>] extends [never]
        ? Mistake<`${Op}: axis ${A} is out of range for rank ${S['length']}`>
        : unknown
    : unknown
