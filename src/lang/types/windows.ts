/** Output sizes of convolutions and pooling at type level. */
import type { Shape } from '../dim.ts'
import type { Add, Divide, Multiply, Subtract } from './numbers.ts'

/** What an option says of spatial axis `I`: one number for all, or one each; `Default` where it is left out. */
type Along<O, Name extends string, I extends number, Default extends number> = O extends {
  readonly [K in Name]: infer V
}
  ? V extends number
    ? V
    : V extends { readonly [K in I]: infer N extends number }
      ? N
      : V extends undefined
        ? Default
        : number
  : Default

/** Elements that a window reaches over. */
type Reach<K extends number, Dilation extends number> = Dilation extends 1
  ? K
  : Add<Multiply<Subtract<K, 1>, Dilation>, 1>

/** ⌊(n + padding - reach) / stride⌋ + 1, `Padding` on both sides together; `number` where the window does not fit, of which the shape check tells. */
type Count<N extends number, R extends number, Stride extends number, Padding extends number> = number extends
  | N
  | R
  | Stride
  | Padding
  ? number
  : Positions<Add<N, Padding>, R> extends infer M extends number
    ? [M] extends [never]
      ? number
      : Stride extends 1
        ? M
        : Divide<Add<M, Subtract<Stride, 1>>, Stride>
    : number

/** Where a window can start. */
type Positions<N extends number, R extends number> = R extends 1 ? N : Subtract<N, Subtract<R, 1>>

/** What an option adds on both sides of spatial axis `I` together. */
type Padding<O, I extends number> = O extends { readonly padding: infer V }
  ? V extends number
    ? Add<V, V>
    : V extends 'valid' | undefined
      ? 0
      : V extends { readonly [K in I]: infer P }
        ? Sides<P>
        : number
  : 0

/** One number for both sides, or a pair. */
type Sides<P> = P extends number
  ? Add<P, P>
  : P extends readonly [infer A extends number, infer B extends number]
    ? Add<A, B>
    : number

/** ⌈n / stride⌉: what padding `'same'` comes to. */
type Covered<N extends number, Stride extends number> = number extends N | Stride
  ? number
  : Stride extends 1
    ? N
    : Divide<Add<N, Subtract<Stride, 1>>, Stride>

/** Spatial sizes after windows of sizes `Kernel` have gone over `Sizes`. */
type Spatial<
  Sizes extends Shape,
  Kernel extends Shape,
  O,
  Stride,
  Done extends Shape = readonly [],
> = Sizes extends readonly [infer N extends number, ...infer R extends Shape]
  ? Kernel extends readonly [infer K extends number, ...infer Q extends Shape]
    ? Spatial<
        R,
        Q,
        O,
        Stride,
        readonly [
          ...Done,
          O extends { readonly padding: 'same' }
            ? Covered<N, Along<O, 'stride', Done['length'], Stride extends true ? K : 1>>
            : Count<
                N,
                Reach<K, Along<O, 'dilation', Done['length'], 1>>,
                Along<O, 'stride', Done['length'], Stride extends true ? K : 1>,
                Padding<O, Done['length']>
              >,
        ]
      >
    : Shape
  : Done

/** The shape of a convolution of an input of shape `S` with weights of shape `W` under options `O`. */
export type Convolved<S extends Shape, W extends Shape, O> = number extends S['length'] | W['length']
  ? Shape
  : W extends readonly [infer Out extends number, number, ...infer Kernel extends Shape]
    ? S extends readonly [infer B extends number, number, ...infer Sizes extends Shape]
      ? Sizes['length'] extends Kernel['length']
        ? readonly [B, Out, ...Spatial<Sizes, Kernel, O, false>]
        : S extends readonly [number, ...infer All extends Shape]
          ? All['length'] extends Kernel['length']
            ? readonly [Out, ...Spatial<All, Kernel, O, false>]
            : Shape
          : Shape
      : Shape
    : Shape

/** The sizes of windows: as many as there are spatial axes. */
export type KernelOf<V, Axes extends readonly 0[]> = V extends number
  ? { readonly [K in keyof Axes]: V }
  : V extends Shape
    ? V
    : Shape

/** The shape after pooling an input of shape `S` over as many axes as `Axes` has, under options `O`. */
export type Pooled<S extends Shape, O, Axes extends readonly 0[]> = number extends S['length']
  ? Shape
  : O extends { readonly ceilMode: infer C }
    ? [C] extends [false]
      ? Windows<S, O, Axes>
      : Shape
    : Windows<S, O, Axes>

type Windows<S extends Shape, O, Axes extends readonly 0[]> = O extends { readonly kernelSize: infer V }
  ? Parted<S, Axes> extends readonly [infer Before extends Shape, infer Sizes extends Shape]
    ? KernelOf<V, Axes> extends infer Kernel extends Shape
      ? Spatial<Sizes, Kernel, O, true> extends infer Out extends Shape
        ? readonly [...Before, ...Out]
        : Shape
      : Shape
    : Shape
  : Shape

/** `S` cut before its last axes, as many as `Axes` has. */
type Parted<
  S extends Shape,
  Axes extends readonly 0[],
  Sizes extends Shape = readonly [],
> = Axes['length'] extends Sizes['length']
  ? readonly [S, Sizes]
  : S extends readonly [...infer B extends Shape, infer N extends number]
    ? Parted<B, Axes, readonly [N, ...Sizes]>
    : undefined
