/** Reductions over axes: all of them when `axis` is absent. `keepdims` leaves size-1 axes. */
import * as E from '#fp/Either'
import { build, typeOf } from '../build.ts'
import { type Shape, sizeOf } from '../dim.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { Monoid, Node, TensorType } from '../ir.ts'
import type { FloatOf } from '../types/broadcast.ts'
import type { AxisCheck, Reduced } from '../types/movement.ts'
import type { Tensor } from '../types.ts'
import { binaryNode, floatNode, likeNode, selectNode } from './arithmetic.ts'
import { dataFirst } from './dual.ts'
import { type Axes, castNode, onTensor, refuse, reshapeNode, resolveAxes } from './operand.ts'

/** Which axes to reduce, and whether they stay with size 1. */
export interface ReduceOptions {
  readonly axis?: Axes
  readonly keepdims?: boolean
}

/** A reduction that keeps the dtype. */
export interface Reduction<Op extends string, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, D>
  <S extends Shape, D extends DType, const O extends Options>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op>,
  ): Tensor<Reduced<S, O>, D>
}

/** A reduction whose result has dtype `R`. */
export interface ReductionTo<Op extends string, R extends DType, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O,
  ): <S extends Shape>(x: Tensor<S> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, R>
  <S extends Shape, const O extends Options>(x: Tensor<S>, options?: O & AxisCheck<S, O, Op>): Tensor<Reduced<S, O>, R>
}

/** A reduction in floating point. */
export interface FloatReduction<Op extends string, Options extends ReduceOptions = ReduceOptions> {
  <const O extends Options>(
    options?: O,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & AxisCheck<S, O, Op>) => Tensor<Reduced<S, O>, FloatOf<D>>
  <S extends Shape, D extends DType, const O extends Options>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op>,
  ): Tensor<Reduced<S, O>, FloatOf<D>>
}

/** `body` on the operand and its resolved axes; the result, of the remaining axes, gets its size-1 axes back under `keepdims`. */
const reducing = (
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

const count = (shape: Shape, axes: readonly number[]): number => sizeOf(axes.map((a) => shape[a]!))

const nonEmpty = (name: string, n: Node, { shape }: TensorType, axes: readonly number[]): Node | undefined =>
  sizeOf(shape) === 0 && axes.some((a) => shape[a] === 0)
    ? refuse(name, [n], {
        reason: `axis ${axes.find((a) => shape[a] === 0)} has no elements, and there is no neutral one`,
        axis: axes.find((a) => shape[a] === 0)!,
      })
    : undefined

const sumNode = (n: Node, axes: readonly number[], dtype: DType): Node =>
  reduceNode(dtype === 'bool' ? castNode(n, 'i32') : n, 'sum', axes)

/** The sum; bool counts as i32. The sum of nothing is 0. */
export const sum: Reduction<'sum'> = dataFirst('T.sum', (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.sum', x, o, (n, axes, { dtype }) => sumNode(n, axes, dtype)),
)

/** The product; bool counts as i32. The product of nothing is 1. */
export const prod: Reduction<'prod'> = dataFirst('T.prod', (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.prod', x, o, (n, axes, { dtype }) => reduceNode(dtype === 'bool' ? castNode(n, 'i32') : n, 'prod', axes)),
)

/** The arithmetic mean. Floats only, as in PyTorch; of nothing it is NaN. */
export const mean: Reduction<'mean'> = dataFirst('T.mean', (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.mean', x, o, (n, axes, { shape, dtype }) => {
    if (!isFloat(dtype))
      return refuse('T.mean', [n], {
        reason: `is not defined on ${dtype}`,
        hint: "cast first: T.mean(T.cast(x, 'f32'))",
      })
    const total = reduceNode(n, 'sum', axes)
    return axes.length === 0 ? total : binaryNode('div', total, likeNode(count(shape, axes), typeOf(total)))
  }),
)

const extreme =
  (name: string, monoid: 'max' | 'min') =>
  (x: Tensor, o: ReduceOptions = {}): Tensor =>
    reducing(
      name,
      x,
      o,
      (n, axes, type) =>
        nonEmpty(name, n, type, axes) ??
        (type.dtype === 'bool' ? reduceNode(n, monoid === 'max' ? 'any' : 'all', axes) : reduceNode(n, monoid, axes)),
    )

/** The largest element; NaN wins; the gradient is shared evenly by ties. An empty axis is an error. */
export const max: Reduction<'max'> = dataFirst('T.max', extreme('T.max', 'max'))

/** The smallest element; NaN wins; the gradient is shared evenly by ties. An empty axis is an error. */
export const min: Reduction<'min'> = dataFirst('T.min', extreme('T.min', 'min'))

/** PyTorch's name of `max`. */
export const amax: Reduction<'amax'> = dataFirst('T.amax', extreme('T.amax', 'max'))

/** PyTorch's name of `min`. */
export const amin: Reduction<'amin'> = dataFirst('T.amin', extreme('T.amin', 'min'))

/** Whether all elements are nonzero; true of nothing. */
export const all: ReductionTo<'all', 'bool'> = dataFirst('T.all', (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.all', x, o, (n, axes) => reduceNode(castNode(n, 'bool'), 'all', axes)),
)

/** Whether some element is nonzero; false of nothing. */
export const any: ReductionTo<'any', 'bool'> = dataFirst('T.any', (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.any', x, o, (n, axes) => reduceNode(castNode(n, 'bool'), 'any', axes)),
)

/** How many elements are nonzero (NaN counts), as i32. */
export const countNonzero: ReductionTo<'countNonzero', 'i32'> = dataFirst(
  'T.countNonzero',
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.countNonzero', x, o, (n, axes) => reduceNode(castNode(castNode(n, 'bool'), 'i32'), 'sum', axes)),
)

/** Options of reductions over one axis, or over all elements when it is absent. */
export interface OneAxisOptions {
  readonly axis?: number
  readonly keepdims?: boolean
}

/** (value, first index) of the extreme element along one axis, or in row-major order. */
const extremeAt = (name: string, monoid: 'argmax' | 'argmin', x: unknown, o: OneAxisOptions, index: 0 | 1): Tensor => {
  const all = o.axis === undefined
  return onTensor(name, x, (n, type) => {
    const axes = resolveAxes(o.axis, type.shape.length)
    if (E.isLeft(axes)) return refuse(name, [n], axes.left)
    const empty = nonEmpty(name, n, type, axes.right)
    if (empty) return empty
    const operand = type.dtype === 'bool' ? castNode(n, 'i32') : n
    const flat = all ? reshapeNode(operand, [sizeOf(type.shape)]) : operand
    const pair = build.reduce([flat], { monoid, axes: all ? [0] : axes.right })
    const out = build.get([pair], { index })
    const kept = type.shape.map((d, i) => (axes.right.includes(i) ? 1 : d))
    const back = index === 0 ? castNode(out, type.dtype) : out
    return o.keepdims ? reshapeNode(back, kept) : back
  })
}

/** The index (i32) of the largest element, the first of ties; NaN wins. Without an axis, into the flattened operand. */
export const argmax: ReductionTo<'argmax', 'i32', OneAxisOptions> = dataFirst(
  'T.argmax',
  (x: Tensor, o: OneAxisOptions = {}) => extremeAt('T.argmax', 'argmax', x, o, 1),
)

/** The index (i32) of the smallest element, the first of ties; NaN wins. Without an axis, into the flattened operand. */
export const argmin: ReductionTo<'argmin', 'i32', OneAxisOptions> = dataFirst(
  'T.argmin',
  (x: Tensor, o: OneAxisOptions = {}) => extremeAt('T.argmin', 'argmin', x, o, 1),
)

interface WithIndex<Op extends string> {
  <const O extends OneAxisOptions>(
    options?: O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & AxisCheck<S, O, Op>,
  ) => readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, 'i32'>]
  <S extends Shape, D extends DType, const O extends OneAxisOptions>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op>,
  ): readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, 'i32'>]
}

/** The largest element and the index of its first occurrence; the gradient goes to that element alone. */
export const maxWithIndex: WithIndex<'maxWithIndex'> = dataFirst(
  'T.maxWithIndex',
  (x: Tensor, o: OneAxisOptions = {}) => [
    extremeAt('T.maxWithIndex', 'argmax', x, o, 0),
    extremeAt('T.maxWithIndex', 'argmax', x, o, 1),
  ],
)

/** The smallest element and the index of its first occurrence; the gradient goes to that element alone. */
export const minWithIndex: WithIndex<'minWithIndex'> = dataFirst(
  'T.minWithIndex',
  (x: Tensor, o: OneAxisOptions = {}) => [
    extremeAt('T.minWithIndex', 'argmin', x, o, 0),
    extremeAt('T.minWithIndex', 'argmin', x, o, 1),
  ],
)

/** `log Σ eˣ`, stable for large elements; -Infinity of nothing. */
export const logsumexp: FloatReduction<'logsumexp'> = dataFirst('T.logsumexp', (x: Tensor, o: ReduceOptions = {}) =>
  reducing('T.logsumexp', x, o, (n, axes, { dtype }) => reduceNode(floatNode(n, dtype), 'logSumExp', axes)),
)

/** Options of `variance` and `std`: the divisor is n - correction (1 by default, PyTorch's unbiased estimate). */
export interface VarianceOptions extends ReduceOptions {
  readonly correction?: number
}

const varianceNode = (
  name: string,
  n: Node,
  axes: readonly number[],
  { shape, dtype }: TensorType,
  correction: number,
): Node => {
  if (!isFloat(dtype))
    return refuse(name, [n], { reason: `is not defined on ${dtype}`, hint: "cast first: T.cast(x, 'f32')" })
  const size = count(shape, axes)
  const pair = build.reduce([n], { monoid: 'meanVar', axes })
  const population = build.get([pair], { index: 1 })
  if (correction === 0) return population
  const type = typeOf(population)
  return binaryNode(
    'div',
    binaryNode('mul', population, likeNode(size, type)),
    likeNode(Math.max(0, size - correction), type),
  )
}

/** The variance, with divisor n - correction; NaN where that is 0. */
export const variance: Reduction<'variance', VarianceOptions> = dataFirst(
  'T.variance',
  (x: Tensor, o: VarianceOptions = {}) =>
    reducing('T.variance', x, o, (n, axes, type) => varianceNode('T.variance', n, axes, type, o.correction ?? 1)),
)

/** `√x` with derivative 0 where x is 0. */
export const rootNode = (n: Node): Node => {
  const type = typeOf(n)
  const [zero, one] = [likeNode(0, type), likeNode(1, type)]
  const none = binaryNode('eq', n, zero)
  return selectNode(none, zero, build.sqrt([selectNode(none, one, n)], {}))
}

/** The standard deviation, with divisor n - correction under the root; its gradient is 0 where it is 0. */
export const std: Reduction<'std', VarianceOptions> = dataFirst('T.std', (x: Tensor, o: VarianceOptions = {}) =>
  reducing('T.std', x, o, (n, axes, type) => {
    const v = varianceNode('T.std', n, axes, type, o.correction ?? 1)
    return isFloat(type.dtype) ? rootNode(v) : v
  }),
)

/** Options of `vectorNorm`: the order `p` (2 by default), Infinity, -Infinity and 0 included. */
export interface NormOptions extends ReduceOptions {
  readonly p?: number
}

/** `(Σ |x|ᵖ)^(1/p)`: largest |x| for p = ∞, smallest for -∞, count of nonzero for 0. The gradient is 0 where the norm is 0. */
export const vectorNorm: FloatReduction<'vectorNorm', NormOptions> = dataFirst(
  'T.vectorNorm',
  (x: Tensor, o: NormOptions = {}) =>
    reducing('T.vectorNorm', x, o, (given, axes, type) => normNode(floatNode(given, type.dtype), axes, o.p ?? 2)),
)

const normNode = (n: Node, axes: readonly number[], p: number): Node => {
  const type = typeOf(n)
  const size = build.abs([n], {})
  if (p === 0) return reduceNode(castNode(castNode(n, 'bool'), type.dtype), 'sum', axes)
  if (p === 1) return reduceNode(size, 'sum', axes)
  if (p === 2) return axes.length === 0 ? size : rootNode(reduceNode(binaryNode('mul', n, n), 'sum', axes))
  if (Math.abs(p) === Number.POSITIVE_INFINITY)
    return nonEmpty('T.vectorNorm', n, type, axes) ?? reduceNode(size, p > 0 ? 'max' : 'min', axes)
  if (p < 0) return powNode(reduceNode(powNode(size, p), 'sum', axes), 1 / p)
  return guardedPower(reduceNode(guardedPower(size, p), 'sum', axes), 1 / p)
}

const powNode = (n: Node, p: number): Node => binaryNode('pow', n, likeNode(p, typeOf(n)))

/** `xᵖ` for x ≥ 0 and p > 0 with derivative 0 where x is 0. */
const guardedPower = (n: Node, p: number): Node => {
  const type = typeOf(n)
  const none = binaryNode('eq', n, likeNode(0, type))
  return selectNode(none, likeNode(0, type), powNode(selectNode(none, likeNode(1, type), n), p))
}

interface MeanVariance {
  <const O extends VarianceOptions>(
    options?: O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & AxisCheck<S, O, 'meanVariance'>,
  ) => readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, D>]
  <S extends Shape, D extends DType, const O extends VarianceOptions>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, 'meanVariance'>,
  ): readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, D>]
}

const meanNode = (name: string, n: Node, axes: readonly number[], dtype: DType): Node =>
  isFloat(dtype)
    ? build.get([build.reduce([n], { monoid: 'meanVar', axes })], { index: 0 })
    : refuse(name, [n], { reason: `is not defined on ${dtype}`, hint: "cast first: T.cast(x, 'f32')" })

/** The mean and the variance (divisor n - correction) in one pass over the operand. */
export const meanVariance: MeanVariance = dataFirst('T.meanVariance', (x: Tensor, o: VarianceOptions = {}) => [
  reducing('T.meanVariance', x, o, (n, axes, { dtype }) => meanNode('T.meanVariance', n, axes, dtype)),
  reducing('T.meanVariance', x, o, (n, axes, type) => varianceNode('T.meanVariance', n, axes, type, o.correction ?? 1)),
])
