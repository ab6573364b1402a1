/** Spread and size: variance, standard deviation, norms. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { AxisCheck, Reduced } from '../../types/movement.ts'
import type { Only } from '../../types/options.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { binaryNode, floatNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, inSingle, refuse } from '../operand.ts'
import {
  count,
  type FloatReduction,
  nonEmpty,
  type ReduceOptions,
  type Reduction,
  reduceNode,
  reduceOptions,
  reducing,
} from './reduction.ts'

/** Options of `variance` and `std`: the divisor is n - correction (0 by default; 1 is PyTorch's unbiased estimate). */
export interface VarianceOptions extends ReduceOptions {
  readonly correction?: number | undefined
}

export const varianceOptions: OptionNames<VarianceOptions> = { ...reduceOptions, correction: 'finite' }

/** `of` the variance, both in f32 where the operand is a 16-bit float. */
const varianceNode = (
  name: string,
  n: Node,
  axes: readonly number[],
  { shape, dtype }: TensorType,
  correction: number,
  of: (variance: Node) => Node = (v) => v,
): Node => {
  if (!isFloat(dtype))
    return refuse(name, [n], { reason: `not defined on ${dtype}`, hint: "cast first: T.cast(x, 'f32')" })
  const size = count(shape, axes)
  return inSingle(n, (wide) => {
    const population = build.get([build.reduce([wide], { monoid: 'meanVar', axes })], { index: 1 })
    if (correction === 0) return of(population)
    const type = typeOf(population)
    const squares = binaryNode('mul', population, likeNode(size, type))
    return of(binaryNode('div', squares, likeNode(Math.max(0, size - correction), type)))
  })
}

/**
 * The mean squared distance from the mean, with divisor n - correction, where correction is 0 unless given (the array
 * API, NumPy, JAX; `{ correction: 1 }` is torch.var). Over `axis` (one, several, all by default). Same dtype; NaN where
 * n is 1 and correction 1, and of nothing. ShapeError for integers and bool.
 * @example
 * T.reference(T.variance(T.tensor([1.5, 2.5, 8]))).data // => [8.166667]
 * T.reference(T.variance(T.tensor([1.5, 2.5, 8]), { correction: 1 })).data // => [12.25]
 */
export const variance: Reduction<'variance', VarianceOptions> = dataFirstWith(
  'T.variance',
  1,
  varianceOptions,
  (x: Tensor, o: VarianceOptions = {}) =>
    reducing('T.variance', x, o, (n, axes, type) => varianceNode('T.variance', n, axes, type, o.correction ?? 0)),
)

/** `√x` with derivative 0 where x is 0. */
export const rootNode = (n: Node): Node => {
  const type = typeOf(n)
  const [zero, one] = [likeNode(0, type), likeNode(1, type)]
  const none = binaryNode('eq', n, zero)
  return selectNode(none, zero, build.sqrt([selectNode(none, one, n)], {}))
}

/**
 * The root of `variance`, with the same options: correction is 0 unless given (`{ correction: 1 }` is torch.std). Its
 * gradient is 0 where it is 0. ShapeError for integers and bool.
 * @example
 * T.reference(T.std(T.tensor([1.5, 2.5, 8]))).data // => [2.857738]
 * T.reference(T.std(T.tensor([1.5, 2.5, 8]), { correction: 1 })).data // => [3.5]
 */
export const std: Reduction<'std', VarianceOptions> = dataFirstWith(
  'T.std',
  1,
  varianceOptions,
  (x: Tensor, o: VarianceOptions = {}) =>
    reducing('T.std', x, o, (n, axes, type) => varianceNode('T.std', n, axes, type, o.correction ?? 0, rootNode)),
)

type MeanVariance = {
  <const O extends VarianceOptions>(
    options?: O & Only<O, VarianceOptions>,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & AxisCheck<S, O, 'meanVariance'>,
  ) => readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, D>]
  <S extends Shape, D extends DType, const O extends VarianceOptions>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, 'meanVariance'> & Only<O, VarianceOptions>,
  ): readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, D>]
}

const meanNode = (name: string, n: Node, axes: readonly number[], dtype: DType): Node =>
  isFloat(dtype)
    ? inSingle(n, (wide) => build.get([build.reduce([wide], { monoid: 'meanVar', axes })], { index: 0 }))
    : refuse(name, [n], { reason: `not defined on ${dtype}`, hint: "cast first: T.cast(x, 'f32')" })

/**
 * The mean and the variance of one reduction, options as `variance`: correction is 0 unless given. Deviations are taken
 * from the mean, so that large means do not cancel. ShapeError for integers and bool.
 * @example
 * const [mean, variance] = T.meanVariance(T.tensor([[1.5, 2.5, 3.5, 0.5]]), { axis: 1 })
 * T.reference([mean, variance]).map((t) => t.data) // => [[2], [1.25]]
 */
export const meanVariance: MeanVariance = dataFirstWith(
  'T.meanVariance',
  1,
  varianceOptions,
  (x: Tensor, o: VarianceOptions = {}) => [
    reducing('T.meanVariance', x, o, (n, axes, { dtype }) => meanNode('T.meanVariance', n, axes, dtype)),
    reducing('T.meanVariance', x, o, (n, axes, type) =>
      varianceNode('T.meanVariance', n, axes, type, o.correction ?? 0),
    ),
  ],
)

/** Options of `vectorNorm`: the order `p` (2 by default), Infinity, -Infinity and 0 included. */
export interface NormOptions extends ReduceOptions {
  readonly p?: number | undefined
}

const normOptions: OptionNames<NormOptions> = { ...reduceOptions, p: 'number' }

/**
 * `(Σ |x|ᵖ)^(1/p)` over `axis` (one, several, all by default), p = 2: the largest |x| for p = ∞, the smallest for -∞,
 * the number of nonzero elements for 0. Floating point, integers and bool become f32. The gradient is 0 where the norm
 * is 0.
 * @example
 * T.reference(T.vectorNorm(T.tensor([3, -4]))).data // => [5]
 * T.reference(T.vectorNorm(T.tensor([3, -4]), { p: 1 })).data // => [7]
 */
export const vectorNorm: FloatReduction<'vectorNorm', NormOptions> = dataFirstWith(
  'T.vectorNorm',
  1,
  normOptions,
  (x: Tensor, o: NormOptions = {}) =>
    reducing('T.vectorNorm', x, o, (given, axes, type) =>
      inSingle(floatNode(given, type.dtype), (n) => normNode(n, axes, o.p ?? 2)),
    ),
)

const normNode = (n: Node, axes: readonly number[], p: number): Node => {
  const type = typeOf(n)
  const size = build.abs([n], {})
  if (p === 0) return reduceNode(castNode(castNode(n, 'bool'), type.dtype), 'sum', axes)
  if (p === 1) return reduceNode(size, 'sum', axes)
  if (p === 2) return axes.length === 0 ? size : rootNode(reduceNode(binaryNode('mul', n, n), 'sum', axes))
  if (Math.abs(p) === Number.POSITIVE_INFINITY)
    return nonEmpty('T.vectorNorm', n, type, axes) ?? reduceNode(size, p > 0 ? 'max' : 'min', axes)
  if (p < 0) return powNode(reduceNode(inversePower(size, p), 'sum', axes), 1 / p)
  return guardedPower(reduceNode(guardedPower(size, p), 'sum', axes), 1 / p)
}

const powNode = (n: Node, p: number): Node => binaryNode('pow', n, likeNode(p, typeOf(n)))

/** `xᵖ` for x ≥ 0 and p < 0 with derivative 0 where x is 0: the norm is 0 then, whatever the other elements are. */
const inversePower = (n: Node, p: number): Node => {
  const type = typeOf(n)
  const none = binaryNode('eq', n, likeNode(0, type))
  return selectNode(none, likeNode(Number.POSITIVE_INFINITY, type), powNode(selectNode(none, likeNode(1, type), n), p))
}

/** `xᵖ` for x ≥ 0 and p > 0 with derivative 0 where x is 0. */
const guardedPower = (n: Node, p: number): Node => {
  const type = typeOf(n)
  const none = binaryNode('eq', n, likeNode(0, type))
  return selectNode(none, likeNode(0, type), powNode(selectNode(none, likeNode(1, type), n), p))
}
