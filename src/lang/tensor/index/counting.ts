/** How many elements there are of each number, or in each bin. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import { isInteger } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import { isTensor } from '../../tree.ts'
import { nodeOf, type Tensor } from '../../types/tensor.ts'
import { type OptionNames, showArgument } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { binaryNode, floatNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode, lift, onTensor, refuse, reshapeNode, scalar, withTypes } from '../operand.ts'
import { narrowNode } from '../shape/reordering.ts'
import { search } from './searchsorted.ts'

/** How many numbers are counted, from 0 on, and how much each element counts (1). */
export interface BincountOptions {
  readonly length: number
  readonly weights?: Tensor | undefined
}

const bincountOptions: OptionNames<BincountOptions> = { length: 'must size', weights: 'tensor' }

/** A vector of what each place counts; an index outside counts nowhere. */
const countAt = (index: Node, length: number, weights: Node | undefined): Node => {
  const type = typeOf(index)
  const like = (x: number): Node => likeNode(x, type)
  const isInside = binaryNode('and', binaryNode('le', like(0), index), binaryNode('lt', index, like(length)))
  const place = selectNode(isInside, index, like(length))
  const counted = build.scatterAdd([place, weights ?? like(1)], { batch: 0, size: length + 1 })
  return narrowNode(counted, 0, 0, length)
}

/** Weights as a vector of numbers that can be added: of the operand's shape. */
const weightNode = (name: string, given: Tensor, shape: Shape): Node => {
  const n = lift(name, given, 1)
  return withTypes(name, [n], ([type]) => {
    if (showShape(type!.shape) !== showShape(shape))
      return refuse(name, [n], {
        reason: `weights of shape ${showShape(type!.shape)} do not go with elements of shape ${showShape(shape)}`,
      })
    const flat = reshapeNode(n, [sizeOf(shape)])
    return type!.dtype === 'bool' ? castNode(flat, 'i32') : flat
  })
}

type Bincount = {
  (options: BincountOptions): (x: Tensor) => Tensor<readonly [number]>
  (x: Tensor, options: BincountOptions): Tensor<readonly [number]>
}

/**
 * How often each of 0 … length-1 occurs among integers of any shape: i32 `[length]`, or the sums of their `weights` (of x's shape), in
 * those's dtype (jnp.bincount: shapes do not depend on data). What lies outside, negative numbers too, counts nowhere. The gradient
 * reaches the weights. ShapeError for numbers that are not integers, and for other weights.
 * @example
 * T.reference(T.bincount(T.tensor([1, 3, 1, 9]), { length: 5 })).data // => [0, 2, 0, 1, 0]
 */
export const bincount: Bincount = dataFirstWith(
  'T.bincount',
  1,
  bincountOptions,
  (x: Tensor, { length, weights }: BincountOptions) =>
    onTensor('T.bincount', x, (n, { shape, dtype }) => {
      if (!isInteger(dtype) && dtype !== 'bool')
        return refuse('T.bincount', [n], { reason: `not defined on ${dtype}`, hint: "cast first: T.cast(x, 'i32')" })
      const own = weights && weightNode('T.bincount', weights, shape)
      return withTypes('T.bincount', own ? [own] : [], () =>
        countAt(castNode(reshapeNode(n, [sizeOf(shape)]), 'i32'), length, own),
      )
    }),
)

/** Bins of `histogram`: how many (10) over which range (that of the data), or their edges in ascending order. */
export interface HistogramOptions {
  readonly bins?: number | Tensor | readonly number[] | undefined
  readonly range?: readonly [low: number, high: number] | undefined
  readonly weights?: Tensor | undefined
  readonly density?: boolean | undefined
}

const histogramOptions: OptionNames<HistogramOptions> = {
  bins: 'own',
  range: 'own',
  weights: 'tensor',
  density: 'boolean',
}

/** Counts and the edges of their bins, one more. */
export type Histogram = readonly [counts: Tensor<readonly [number]>, edges: Tensor<readonly [number], 'f32'>]

/** The two ends of evenly spaced bins: given, or those of the data; half a unit to either side where they meet. */
const ends = (flat: Node, range: readonly [number, number] | undefined): readonly [Node, Node] => {
  const isEmpty = typeOf(flat).shape[0] === 0
  const of = (monoid: 'min' | 'max', i: 0 | 1): Node =>
    range || isEmpty ? scalar((range ?? [0, 1])[i], 'f32') : build.reduce([flat], { monoid, axes: [0] })
  const [low, high] = [of('min', 0), of('max', 1)]
  const meet = binaryNode('eq', low, high)
  const moved = (n: Node, by: number): Node => selectNode(meet, binaryNode('add', n, scalar(by, 'f32')), n)
  return [moved(low, -0.5), moved(high, 0.5)]
}

/** `bins + 1` edges; each is the mean of the ends, weighed, so that both ends are met. */
const evenEdges = (flat: Node, bins: number, range: readonly [number, number] | undefined): Node => {
  const type = { shape: [bins + 1], dtype: 'f32' } as const
  const [low, high] = ends(flat, range).map((n) => expandNode(n, type.shape)) as [Node, Node]
  const part = binaryNode('div', build.iota([], { ...type, axis: 0 }), likeNode(bins, type))
  const rest = binaryNode('sub', likeNode(1, type), part)
  return binaryNode('add', binaryNode('mul', low, rest), binaryNode('mul', high, part))
}

/** The edges as f32 `[n + 1]`, or why there are none. */
const edgesOf = (name: string, flat: Node, { bins = 10, range }: HistogramOptions): E.Either<string, Node> => {
  const isRange = range === undefined || (Array.isArray(range) && range.length === 2 && range.every(Number.isFinite))
  if (!isRange) return E.left(`the range is ${showArgument(range)}, not two finite numbers`)
  if (range && range[1] < range[0]) return E.left(`no number lies in [${range[0]}, ${range[1]}]`)
  if (typeof bins === 'number')
    return Number.isInteger(bins) && bins > 0
      ? E.right(evenEdges(flat, bins, range))
      : E.left(`${bins} is not a positive number of bins`)
  if (range) return E.left('a range does not go with edges')
  const isList = Array.isArray(bins)
  if (!isTensor(bins) && !(isList && bins.every((b) => typeof b === 'number')))
    return E.left(`bins are ${showArgument(bins)}, neither a number nor edges`)
  const given = isTensor(bins)
    ? lift(name, bins, 1)
    : build.const([], { shape: [bins.length], dtype: 'f32', values: bins.map(Math.fround) })
  if (E.isLeft(given.type)) return E.right(given)
  const { shape } = typeOf(given)
  return shape.length === 1 && shape[0]! > 1
    ? E.right(castNode(given, 'f32'))
    : E.left(`edges of shape ${showShape(shape)} are not a vector of at least two`)
}

/** In which bin each element lies, -1 or past the last for none; the last bin holds its upper edge too. */
const binOf = (flat: Node, edges: Node, bins: number): Node => {
  const after = search(edges, flat, bins + 1, 0, true)
  const like = (x: number): Node => likeNode(x, typeOf(after))
  const last = expandNode(reshapeNode(narrowNode(edges, 0, bins, bins + 1), []), typeOf(flat).shape)
  const isLast = binaryNode('eq', flat, last)
  return selectNode(isLast, like(bins - 1), binaryNode('sub', after, like(1)))
}

type HistogramFunction = {
  (options?: HistogramOptions): (x: Tensor) => Histogram
  (x: Tensor, options?: HistogramOptions): Histogram
}

/** `counts / (Σ counts · width)`: f32. */
const densities = (counts: Node, edges: Node, bins: number): Node => {
  const wide = castNode(counts, 'f32')
  const width = binaryNode('sub', narrowNode(edges, 0, 1, bins + 1), narrowNode(edges, 0, 0, bins))
  const total = expandNode(build.reduce([wide], { monoid: 'sum', axes: [0] }), [bins])
  return binaryNode('div', binaryNode('div', wide, width), total)
}

/**
 * How many elements, of any shape, lie in each bin, and the bins' edges: `[counts, edges]` (numpy.histogram). `bins` is their number
 * (10), evenly spaced over `range` or else over the data, or their edges, ascending. A bin holds its lower edge, the last one both.
 * What lies outside and NaN count nowhere. Counts are i32, sums of `weights` (of x's shape) where there are some, and with `density` f32
 * numbers whose integral is 1. The gradient reaches the weights. ShapeError for bins that are none.
 * @example
 * const [counts, edges] = T.histogram(T.tensor([1, 2, 1, 4.5]), { bins: 2, range: [1, 5] })
 * T.reference([counts, edges]).map((t) => t.data) // => [[3, 1], [1, 3, 5]]
 */
export const histogram: HistogramFunction = dataFirstWith(
  'T.histogram',
  1,
  histogramOptions,
  (x: Tensor, o: HistogramOptions = {}): Histogram => {
    const name = 'T.histogram'
    const flat = onTensor(name, x, (n, { shape, dtype }) =>
      castNode(reshapeNode(floatNode(n, dtype), [sizeOf(shape)]), 'f32'),
    )
    const edges = onTensor(name, flat, (n) => {
      const found = edgesOf(name, n, o)
      return E.isLeft(found) ? refuse(name, [n], { reason: found.left }) : found.right
    })
    const counts = onTensor(name, edges, (e, { shape: [count] }) => {
      const bins = count! - 1
      const weights = o.weights && weightNode(name, o.weights, x.shape)
      return withTypes(name, weights ? [weights] : [], () => {
        const counted = countAt(binOf(nodeOf(flat), e, bins), bins, weights)
        return o.density ? densities(counted, e, bins) : counted
      })
    })
    return [counts, edges] as unknown as Histogram
  },
)
