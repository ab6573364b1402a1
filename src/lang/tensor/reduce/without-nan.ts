/** Reductions that leave NaN out: of what is left, as if the rest were not there. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import { dataFirstWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { where } from '../math/choose.ts'
import { equal } from '../math/compare.ts'
import { castNode, countedNode, expandNode, inSingle, isIll, refuse, reshapeNode } from '../operand.ts'
import {
  argmax,
  type ExtremeOptions,
  extremeOptions,
  max,
  min,
  type OneAxisOptions,
  oneAxisOptions,
} from './extremes.ts'
import {
  any,
  type CountingReduction,
  type ReduceOptions,
  type Reduction,
  type ReductionTo,
  reduceNode,
  reduceOptions,
  reducing,
} from './reduction.ts'
import { rootNode, type VarianceOptions, varianceOptions } from './statistics.ts'

const not = (n: Node): Node => build.not([n], {})

/** `n` with `value` in the place of NaN. */
const filled = (n: Node, value: number): Node =>
  isFloat(typeOf(n).dtype) ? selectNode(build.isNan([n], {}), likeNode(value, typeOf(n)), n) : n

/** How many are no NaN along the axes: f32. */
const counted = (n: Node, axes: readonly number[]): Node =>
  castNode(reduceNode(castNode(not(build.isNan([n], {})), 'i32'), 'sum', axes), 'f32')

/** What was reduced over the axes, repeated along them. */
const repeated = (n: Node, shape: Shape, axes: readonly number[]): Node =>
  expandNode(
    reshapeNode(
      n,
      shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    ),
    shape,
  )

const total =
  (name: string, monoid: 'sum' | 'prod', neutral: number) =>
  (x: Tensor, o: ReduceOptions = {}): Tensor =>
    reducing(name, x, o, (n, axes, { dtype }) => reduceNode(countedNode(filled(n, neutral), dtype), monoid, axes))

/**
 * The sum over `axis` (one, several, all by default) of what is not NaN (numpy.nansum); of nothing 0. Options and dtypes as
 * `sum`. NaN gets no gradient.
 * @example
 * T.reference(T.nansum(T.tensor([[1, NaN], [3, 4.5]]), { axis: 0 })).data // => [4, 4.5]
 */
export const nansum: CountingReduction<'nansum'> = dataFirstWith(
  'T.nansum',
  1,
  reduceOptions,
  total('T.nansum', 'sum', 0),
)

/**
 * The product over `axis` (one, several, all by default) of what is not NaN (numpy.nanprod); of nothing 1. Options and dtypes
 * as `prod`. NaN gets no gradient.
 * @example
 * T.reference(T.nanprod(T.tensor([[2, NaN], [3, 4.5]]), { axis: 0 })).data // => [6, 4.5]
 */
export const nanprod: CountingReduction<'nanprod'> = dataFirstWith(
  'T.nanprod',
  1,
  reduceOptions,
  total('T.nanprod', 'prod', 1),
)

/** `body` on a float; the refusal of others. */
const onFloat = (name: string, n: Node, dtype: DType, body: () => Node): Node =>
  isFloat(dtype)
    ? body()
    : refuse(name, [n], { reason: `not defined on ${dtype}`, hint: "cast first: T.cast(x, 'f32')" })

/**
 * The mean over `axis` (one, several, all by default) of what is not NaN (numpy.nanmean); of nothing NaN. Options and dtypes as
 * `mean`. NaN gets no gradient.
 * @example
 * T.reference(T.nanmean(T.tensor([[1, NaN], [3, 4.5]]), { axis: 0 })).data // => [2, 4.5]
 */
export const nanmean: Reduction<'nanmean'> = dataFirstWith(
  'T.nanmean',
  1,
  reduceOptions,
  (x: Tensor, o: ReduceOptions = {}) =>
    reducing('T.nanmean', x, o, (n, axes, { dtype }) =>
      onFloat('T.nanmean', n, dtype, () => {
        const sum = reduceNode(castNode(filled(n, 0), 'f32'), 'sum', axes)
        return castNode(binaryNode('div', sum, counted(n, axes)), dtype)
      }),
    ),
)

/** The variance of what is not NaN: squares of distances from their mean, over their number less the correction. */
const spread = (n: Node, axes: readonly number[], correction: number): Node => {
  const { shape } = typeOf(n)
  const count = counted(n, axes)
  const like = (x: number): Node => likeNode(x, typeOf(count))
  const mean = binaryNode('div', reduceNode(filled(n, 0), 'sum', axes), binaryNode('max', count, like(1)))
  const gap = binaryNode('sub', n, repeated(mean, shape, axes))
  const distance = selectNode(build.isNan([n], {}), likeNode(0, typeOf(n)), gap)
  const freedom = binaryNode('sub', count, like(correction))
  const isFree = binaryNode('lt', like(0), freedom)
  const squares = reduceNode(binaryNode('mul', distance, distance), 'sum', axes)
  return selectNode(isFree, binaryNode('div', squares, selectNode(isFree, freedom, like(1))), like(Number.NaN))
}

const spreading =
  (name: string, of: (variance: Node) => Node) =>
  (x: Tensor, { correction = 0, ...o }: VarianceOptions = {}): Tensor =>
    reducing(name, x, o, (n, axes, { dtype }) =>
      onFloat(name, n, dtype, () => inSingle(n, (wide) => of(spread(wide, axes, correction)))),
    )

/**
 * The variance over `axis` (one, several, all by default) of what is not NaN, with divisor n - correction where n counts that
 * alone (numpy.nanvar); NaN where the divisor is not positive. Options and dtypes as `variance`. NaN gets no gradient.
 * @example
 * T.reference(T.nanvariance(T.tensor([1.5, NaN, 2.5, 8]))).data // => [8.166667]
 */
export const nanvariance: Reduction<'nanvariance', VarianceOptions> = dataFirstWith(
  'T.nanvariance',
  1,
  varianceOptions,
  spreading('T.nanvariance', (v) => v),
)

/**
 * The root of `nanvariance`, with the same options (numpy.nanstd). Its gradient is 0 where it is 0.
 * @example
 * T.reference(T.nanstd(T.tensor([1.5, NaN, 2.5, 8]), { correction: 1 })).data // => [3.5]
 */
export const nanstd: Reduction<'nanstd', VarianceOptions> = dataFirstWith(
  'T.nanstd',
  1,
  varianceOptions,
  spreading('T.nanstd', rootNode),
)

/** `max` or `min` where nothing is known of the shape. */
type Reducing = (x: Tensor, o: ExtremeOptions) => Tensor

/** The extreme of what is not NaN; NaN where all are, and no number takes part. */
const extreme =
  (name: string, of: Reducing, none: number) =>
  (x: Tensor, o: ExtremeOptions = {}): Tensor =>
    reducing(name, x, o, (n, axes, { dtype }) => {
      const found = nodeOf(of(tensorOf(filled(n, none)), { ...o, keepdims: false }))
      if (!isFloat(dtype) || o.initial !== undefined || isIll(found)) return found
      const isNothing = reduceNode(build.isNan([n], {}), 'all', axes)
      return selectNode(isNothing, likeNode(Number.NaN, typeOf(found)), found)
    })

/**
 * The largest element over `axis` (one, several, all by default) that is not NaN (numpy.nanmax); NaN where all are. Options,
 * dtypes and errors as `max`.
 * @example
 * T.reference(T.nanmax(T.tensor([[1, NaN], [NaN, NaN]]), { axis: 1 })).data // => [1, NaN]
 */
export const nanmax: Reduction<'nanmax', ExtremeOptions> = dataFirstWith(
  'T.nanmax',
  1,
  extremeOptions,
  extreme('T.nanmax', max as Reducing, Number.NEGATIVE_INFINITY),
)

/**
 * The smallest element over `axis` (one, several, all by default) that is not NaN (numpy.nanmin); NaN where all are. Options,
 * dtypes and errors as `min`.
 * @example
 * T.reference(T.nanmin(T.tensor([[1, NaN], [NaN, NaN]]), { axis: 1 })).data // => [1, NaN]
 */
export const nanmin: Reduction<'nanmin', ExtremeOptions> = dataFirstWith(
  'T.nanmin',
  1,
  extremeOptions,
  extreme('T.nanmin', min as Reducing, Number.POSITIVE_INFINITY),
)

/** Where the extreme of what is not NaN stands first; -1 where all are. */
const place =
  (of: Reducing) =>
  (x: Tensor, o: OneAxisOptions = {}): Tensor => {
    const isBest = equal(x, of(x, { ...o, keepdims: true })) as Tensor
    return where(any(isBest, o as never) as Tensor<Shape, 'bool'>, argmax(isBest, o as never) as Tensor, -1) as Tensor
  }

/**
 * The index (i32) of the largest element along `axis` that is not NaN, the first of ties; -1 where all are NaN (jnp.nanargmax).
 * Options and errors as `argmax`.
 * @example
 * T.reference(T.nanargmax(T.tensor([[NaN, 5, 7], [NaN, NaN, NaN]]), { axis: 1 })).data // => [2, -1]
 */
export const nanargmax: ReductionTo<'nanargmax', 'i32', OneAxisOptions> = dataFirstWith(
  'T.nanargmax',
  1,
  oneAxisOptions,
  place(nanmax as Reducing),
)

/**
 * The index (i32) of the smallest element along `axis` that is not NaN, the first of ties; -1 where all are NaN (jnp.nanargmin).
 * Options and errors as `argmin`.
 * @example
 * T.reference(T.nanargmin(T.tensor([[NaN, 5, 7], [NaN, NaN, NaN]]), { axis: 1 })).data // => [1, -1]
 */
export const nanargmin: ReductionTo<'nanargmin', 'i32', OneAxisOptions> = dataFirstWith(
  'T.nanargmin',
  1,
  oneAxisOptions,
  place(nanmin as Reducing),
)
