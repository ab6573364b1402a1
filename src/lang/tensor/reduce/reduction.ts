/** Reductions over axes: all of them when `axis` is absent. `keepdims` leaves size-1 axes. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Monoid, Node, TensorType } from '../../ir.ts'
import type { CountOf, FloatOf } from '../../types/broadcast.ts'
import type { AxisCheck, Reduced } from '../../types/movement.ts'
import type { Only } from '../../types/options.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { binaryNode, floatNode, likeNode } from '../math/arithmetic.ts'
import { type Axes, castNode, countedNode, onTensor, refuse, reshapeNode, resolveAxes } from '../operand.ts'

/** Which axes to reduce, and whether they stay with size 1. */
export interface ReduceOptions {
  readonly axis?: Axes | undefined
  readonly keepdims?: boolean | undefined
}

export const reduceOptions: OptionNames<ReduceOptions> = { axis: 'own', keepdims: 'boolean' }

/** A reduction that keeps the dtype. */
export interface Reduction<Op extends string, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O & Only<O, Options>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, D>
  <S extends Shape, D extends DType, const O extends Options>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op> & Only<O, Options>,
  ): Tensor<Reduced<S, O>, D>
}

/** A reduction whose result has dtype `R`. */
export interface ReductionTo<Op extends string, R extends DType, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O & Only<O, Options>,
  ): <S extends Shape>(x: Tensor<S> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, R>
  <S extends Shape, const O extends Options>(
    x: Tensor<S>,
    options?: O & AxisCheck<S, O, Op> & Only<O, Options>,
  ): Tensor<Reduced<S, O>, R>
}

/** A reduction that adds up or multiplies: bool, i8 and u8 become i32. */
export interface CountingReduction<Op extends string, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O & Only<O, Options>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, CountOf<D>>
  <S extends Shape, D extends DType, const O extends Options>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op> & Only<O, Options>,
  ): Tensor<Reduced<S, O>, CountOf<D>>
}

/** A reduction in floating point. */
export interface FloatReduction<Op extends string, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O & Only<O, Options>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, FloatOf<D>>
  <S extends Shape, D extends DType, const O extends Options>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op> & Only<O, Options>,
  ): Tensor<Reduced<S, O>, FloatOf<D>>
}

/** `body` on the operand and its resolved axes; the result, of the remaining axes, gets its size-1 axes back under `keepdims`. */
export const reducing = (
  name: string,
  x: unknown,
  { axis, keepdims = false }: ReduceOptions,
  body: (n: Node, axes: readonly number[], type: TensorType) => Node,
): Tensor =>
  onTensor(name, x, (n, type) => {
    const axes = resolveAxes(axis, type.shape.length)
    if (E.isLeft(axes)) return refuse(name, [n], axes.left)
    const out = body(n, axes.right, type)
    return keepdims
      ? reshapeNode(
          out,
          type.shape.map((d, i) => (axes.right.includes(i) ? 1 : d)),
        )
      : out
  })

/** The node `reduce(monoid)`; nothing to do over no axes. */
export const reduceNode = (n: Node, monoid: Monoid, axes: readonly number[]): Node =>
  axes.length === 0 ? n : build.reduce([n], { monoid, axes })

/** How many elements stand along `axes`. */
export const count = (shape: Shape, axes: readonly number[]): number => sizeOf(axes.map((a) => shape[a]!))

/** The refusal of `name` when one of `axes` is empty and the reduction has no value for that; undefined otherwise. */
export const nonEmpty = (name: string, n: Node, { shape }: TensorType, axes: readonly number[]): Node | undefined =>
  sizeOf(shape) === 0 && axes.some((a) => shape[a] === 0)
    ? refuse(name, [n], {
        reason: `axis ${axes.find((a) => shape[a] === 0)} has no elements, and there is no neutral one`,
        axis: axes.find((a) => shape[a] === 0)!,
      })
    : undefined

const sumNode = (n: Node, axes: readonly number[], dtype: DType): Node => reduceNode(countedNode(n, dtype), 'sum', axes)

/**
 * The sum over `axis` (one, several, all by default); `keepdims` leaves them with size 1. Same dtype; bool, i8 and
 * u8 count as i32 (PyTorch's int64); integers wrap. The sum of nothing is 0. ShapeError for an axis out of range.
 * @example
 * T.reference(T.sum(T.tensor([[1, 2], [3, 4]]), { axis: 0 })).data // => [4, 6]
 * T.reference(T.sum(T.tensor([[1, 2], [3, 4]]))).data // => [10]
 */
export const sum: CountingReduction<'sum'> = dataFirstWith(
  'T.sum',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) => reducing('T.sum', x, o, (n, axes, { dtype }) => sumNode(n, axes, dtype)),
)

/**
 * The product over `axis` (one, several, all by default); `keepdims` leaves them with size 1. Same dtype; bool, i8
 * and u8 count as i32; integers wrap. The product of nothing is 1.
 * @example
 * T.reference(T.prod(T.tensor([[1, 2], [3, 4]]), { axis: 1 })).data // => [2, 12]
 */
export const prod: CountingReduction<'prod'> = dataFirstWith(
  'T.prod',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.prod', x, o, (n, axes, { dtype }) => reduceNode(countedNode(n, dtype), 'prod', axes)),
)

/**
 * The arithmetic mean over `axis` (one, several, all by default); `keepdims` leaves them with size 1. Same dtype;
 * ShapeError for integers and bool, as in PyTorch. The mean of nothing is NaN.
 * @example
 * T.reference(T.mean(T.tensor([[1, 2.5], [3, 4]]), { axis: 0 })).data // => [2, 3.25]
 */
export const mean: Reduction<'mean'> = dataFirstWith('T.mean', 1, reduceOptions, (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.mean', x, o, (n, axes, { shape, dtype }) => {
    if (!isFloat(dtype))
      return refuse('T.mean', [n], {
        reason: `not defined on ${dtype}`,
        hint: "cast first: T.mean(T.cast(x, 'f32'))",
      })
    if (axes.length === 0) return n
    // Neither the total nor the count need fit a 16-bit float where their quotient does.
    const total = reduceNode(castNode(n, 'f32'), 'sum', axes)
    return castNode(binaryNode('div', total, likeNode(count(shape, axes), typeOf(total))), dtype)
  }),
)

/**
 * Whether all elements over `axis` (one, several, all by default) are nonzero: bool, true of nothing. NaN counts as
 * nonzero.
 * @example
 * T.reference(T.all(T.tensor([[1, 0], [3, 4]]), { axis: 1 })).data // => [0, 1]
 */
export const all: ReductionTo<'all', 'bool'> = dataFirstWith(
  'T.all',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.all', x, o, (n, axes) => reduceNode(castNode(n, 'bool'), 'all', axes)),
)

/**
 * Whether some element over `axis` (one, several, all by default) is nonzero: bool, false of nothing. NaN counts as
 * nonzero.
 * @example
 * T.reference(T.any(T.tensor([[1, 0], [0, 0]]), { axis: 1 })).data // => [1, 0]
 */
export const any: ReductionTo<'any', 'bool'> = dataFirstWith(
  'T.any',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.any', x, o, (n, axes) => reduceNode(castNode(n, 'bool'), 'any', axes)),
)

/**
 * How many elements over `axis` (one, several, all by default) are nonzero: i32. NaN counts.
 * @example
 * T.reference(T.countNonzero(T.tensor([[1, 0], [3, 4]]))).data // => [3]
 */
export const countNonzero: ReductionTo<'countNonzero', 'i32'> = dataFirstWith(
  'T.countNonzero',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.countNonzero', x, o, (n, axes) => reduceNode(castNode(castNode(n, 'bool'), 'i32'), 'sum', axes)),
)

/**
 * `log Σ eˣ` over `axis` (one, several, all by default), stable: the largest element is taken out of the sum. Floating
 * point, integers and bool become f32; -Infinity of nothing. The gradient is `softmax(x)`; where the result is infinite, it
 * is that of the maximum: shared evenly by the elements that equal it (all of a row of -Infinity).
 * @example
 * T.reference(T.logsumexp(T.tensor([1000, 1000]))).data // => [1000.693147]
 */
export const logsumexp: FloatReduction<'logsumexp'> = dataFirstWith(
  'T.logsumexp',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.logsumexp', x, o, (n, axes, { dtype }) => reduceNode(floatNode(n, dtype), 'logSumExp', axes)),
)
