/** The part of jax-js that the bench uses. An argument is consumed by the call that takes it; `ref` keeps it for another. */

export interface JaxArray {
  readonly ref: JaxArray
  readonly shape: readonly number[]
  readonly add: (x: JaxArray | number) => JaxArray
  readonly sub: (x: JaxArray | number) => JaxArray
  readonly mul: (x: JaxArray | number) => JaxArray
  readonly div: (x: JaxArray | number) => JaxArray
  readonly sum: () => JaxArray
  readonly max: (axis: readonly number[]) => JaxArray
  readonly reshape: (shape: readonly number[]) => JaxArray
  readonly transpose: (axes?: readonly number[]) => JaxArray
  readonly slice: (...index: readonly number[]) => JaxArray
  readonly data: () => Promise<ArrayLike<number>>
  readonly dispose: () => void
}

export type JaxTree = JaxArray | readonly JaxTree[] | { readonly [key: string]: JaxTree }

type Unary = (x: JaxArray) => JaxArray

export interface Jax {
  readonly init: (device: string) => Promise<readonly string[]>
  readonly defaultDevice: (device: string) => unknown
  readonly jit: <A extends readonly JaxTree[], R extends JaxTree>(f: (...args: A) => R) => (...args: A) => R
  readonly valueAndGrad: <A extends readonly JaxTree[]>(
    f: (...args: A) => JaxArray,
  ) => (...args: A) => readonly [JaxArray, A[0]]
  readonly blockUntilReady: (x: unknown) => Promise<unknown>
  readonly tree: { readonly ref: <X>(x: X) => X; readonly dispose: (x: unknown) => void }
  readonly numpy: {
    readonly array: (
      data: Float32Array | Int32Array,
      options: { readonly shape: readonly number[]; readonly dtype: unknown },
    ) => JaxArray
    readonly zeros: (shape: readonly number[]) => JaxArray
    readonly float32: unknown
    readonly int32: unknown
    readonly matmul: (x: JaxArray, y: JaxArray) => JaxArray
    readonly split: (x: JaxArray, parts: number, axis: number) => readonly JaxArray[]
    readonly max: Unary
    readonly tanh: Unary
    readonly exp: Unary
    readonly sqrt: Unary
    readonly square: Unary
  }
  readonly lax: {
    readonly conv: (x: JaxArray, w: JaxArray, strides: readonly number[], padding: string) => JaxArray
    readonly reduceWindow: (x: JaxArray, f: Unary, window: readonly number[], strides: readonly number[]) => JaxArray
  }
  readonly nn: {
    readonly relu: Unary
    readonly sigmoid: Unary
    readonly softmax: (x: JaxArray, axis: number) => JaxArray
    readonly logSoftmax: (x: JaxArray, axis: number) => JaxArray
    readonly oneHot: (x: JaxArray, classes: number) => JaxArray
    readonly standardize: (x: JaxArray, axis: number) => JaxArray
  }
}
