/** Parts of tensors by position: Python slices, integers, index tensors; and updates of parts as pure functions. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, stepCount } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Refusal } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import type { Indexed, Sliced } from '../../types/parts.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandList, showArgument } from '../arguments.ts'
import { dataFirst, dataFirstWith } from '../dual.ts'
import { selectNode } from '../math/arithmetic.ts'
import {
  castNode,
  expandNode,
  lift,
  liftOperand,
  misfit,
  onAxis,
  onTensor,
  refuse,
  reshapeNode,
  scalar,
  withTypes,
} from '../operand.ts'
import { type AlongOptions, alongOptions } from '../shape/joining.ts'
import { narrowNode } from '../shape/reordering.ts'
import { broadcastNode } from '../shape/reshaping.ts'
import { type Index, type Range, type Ranged, ranged, whenRead, whenWritten } from './spelled-index.ts'

/** A range resolved against a size: `count` elements from `first`, `step` apart (negative: backwards). */
interface Span {
  readonly first: number
  readonly step: number
  readonly count: number
}

const whole = (size: number): Span => ({ first: 0, step: 1, count: size })

/** CPython's PySlice_AdjustIndices. */
const spanOf = ([start, stop, step]: Range, size: number): E.Either<string, Span> => {
  const by = step ?? 1
  if (by === 0) return E.left('a slice step cannot be 0')
  if (![start ?? 0, stop ?? 0, by].every(Number.isInteger)) return E.left('slice bounds and steps are whole numbers')
  const [low, high] = by > 0 ? [0, size] : [-1, size - 1]
  const bound = (i: number | null | undefined, none: number): number =>
    i === null || i === undefined ? none : Math.min(Math.max(i < 0 ? i + size : i, low), high)
  const from = bound(start, by > 0 ? low : high)
  const to = bound(stop, by > 0 ? high : low)
  return E.right({ first: from, step: by, count: stepCount(from, to, by) })
}

/** The node's elements at the spans, one span per axis. */
const spanNode = (n: Node, spans: readonly Span[]): Node => {
  const { shape } = typeOf(n)
  if (spans.every((s, i) => s.step === 1 && s.first === 0 && s.count === shape[i])) return n
  const low = spans.map((s) => (s.count === 0 ? 0 : s.step > 0 ? s.first : s.first + (s.count - 1) * s.step))
  const size = spans.map((s) => Math.abs(s.step))
  const cut = build.slice([n], {
    start: low,
    stop: low.map((a, i) => (spans[i]!.count === 0 ? a : a + (spans[i]!.count - 1) * size[i]! + 1)),
    step: size,
  })
  const axes = spans.flatMap((s, i) => (s.step < 0 && s.count > 1 ? [i] : []))
  return axes.length === 0 ? cut : build.flip([cut], { axes })
}

type Slice = {
  <const R extends readonly Range[]>(
    ranges: R,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Sliced<S, R>, D>
  <S extends Shape, D extends DType, const R extends readonly Range[]>(
    x: Tensor<S, D>,
    ranges: R,
  ): Tensor<Sliced<S, R>, D>
}

/**
 * Python slices of the leading axes, each `[start, stop, step]` with null for what is left out; bounds are clamped,
 * negative ones count from the end, a negative step goes backwards. ShapeError for step 0 and more ranges than axes.
 * @example
 * T.reference(T.slice(T.arange(6), [[1, null, 2]])).data // => [1, 3, 5]
 */
export const slice: Slice = dataFirst('T.slice', 2, (x: Tensor, ranges: readonly Range[]) => {
  const odd = demandList('T.slice', ranges, 'ranges', 'T.slice(x, [[0, 2], [1, null]])').findIndex(
    (r) => !Array.isArray(r),
  )
  return onTensor('T.slice', x, (n, { shape }) => {
    if (odd >= 0)
      return refuse('T.slice', [n], {
        reason: `range ${odd} is ${showArgument(ranges[odd])}, not [start, stop, step]`,
        axis: odd,
        hint: 'T.at takes single indices too',
      })
    const cut = resolve(ranges, shape)
    return E.isLeft(cut) ? refuse('T.slice', [n], cut.left) : spanNode(n, cut.right.spans)
  })
})

/** Spans of all axes, and which axes an integer index removes. */
interface Region {
  readonly spans: readonly Span[]
  readonly dropped: readonly number[]
}

const resolve = (indices: readonly Ranged[], shape: Shape): E.Either<Refusal, Region> => {
  const dots = indices.indexOf('...')
  const given = indices.length - (dots < 0 ? 0 : 1)
  if (indices.lastIndexOf('...') !== dots) return E.left({ reason: "only one '...' may stand in an index" })
  if (given > shape.length)
    return E.left({ reason: `${given} indices for rank ${shape.length}`, hint: 'give at most one index per axis' })
  const gap = Array.from({ length: shape.length - given }, () => null)
  const full = dots < 0 ? [...indices, ...gap] : [...indices.slice(0, dots), ...gap, ...indices.slice(dots + 1)]
  const spans: Span[] = []
  const dropped: number[] = []
  for (const [axis, index] of full.entries()) {
    const size = shape[axis]!
    if (index === null || index === '...') spans.push(whole(size))
    else if (typeof index === 'number') {
      if (index < -size || index >= size)
        return E.left({
          reason: `index ${index} is out of range for axis ${axis} of size ${size}`,
          axis,
          hint: size === 0 ? 'the axis is empty' : `indices go from ${-size} to ${size - 1}`,
        })
      spans.push({ first: index < 0 ? index + size : index, step: 1, count: 1 })
      dropped.push(axis)
    } else {
      const span = spanOf(index, size)
      if (E.isLeft(span)) return E.left({ reason: span.left, axis })
      spans.push(span.right)
    }
  }
  return E.right({ spans, dropped })
}

type At = {
  <const I extends readonly Index[]>(
    ...indices: I
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Indexed<S, I>, D>
  <S extends Shape, D extends DType, const I extends readonly Index[]>(
    x: Tensor<S, D>,
    ...indices: I
  ): Tensor<Indexed<S, I>, D>
}

/**
 * One index an axis: an integer (the axis is dropped, negative from the end), a range as Python writes it (`'1:3'`,
 * `'::2'`, `':'`), null for the whole axis, `'...'` for all axes between. Items by a list of indices are `take`'s.
 * ShapeError for an index out of range, and for a list.
 * @example
 * T.reference(T.at(T.tensor([[1, 2, 3], [4, 5, 6]]), 1, '::2')).data // => [4, 6]
 */
export const at: At = dataFirst('T.at', [1, Number.POSITIVE_INFINITY], (x: Tensor, ...indices: readonly Index[]) =>
  onTensor('T.at', x, (n, { shape }) => {
    const region = E.flatMap((found: readonly Ranged[]) => resolve(found, shape))(ranged(indices, whenRead))
    if (E.isLeft(region)) return refuse('T.at', [n], region.left)
    const { spans, dropped } = region.right
    const cut = spanNode(n, spans)
    return reshapeNode(
      cut,
      spans.filter((_, i) => !dropped.includes(i)).map((s) => s.count),
    )
  }),
)

type SetAt = {
  (indices: readonly Index[], value: Operand): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, indices: readonly Index[], value: Operand): Tensor<S, D>
}

/** Spread over the whole axis: `step - 1` holes between elements, what the region leaves out around it. */
const spread = (n: Node, spans: readonly Span[], shape: Shape): Node => {
  const backwards = spans.flatMap((s, i) => (s.step < 0 && s.count > 1 ? [i] : []))
  const forwards = backwards.length === 0 ? n : build.flip([n], { axes: backwards })
  const low = spans.map((s) => (s.count === 0 ? 0 : s.step > 0 ? s.first : s.first + (s.count - 1) * s.step))
  const taken = spans.map((s) => (s.count === 0 ? 0 : (s.count - 1) * Math.abs(s.step) + 1))
  return build.pad([forwards], {
    low,
    high: shape.map((d, i) => d - low[i]! - taken[i]!),
    interior: spans.map((s) => Math.abs(s.step) - 1),
    value: 0,
  })
}

/**
 * A copy of `x` whose elements at `indices` (as in `at`) are `value`, broadcast and cast to `x`'s dtype, as NumPy casts
 * a tensor. `x` itself is as it was. ShapeError for an index out of range, a value that does not broadcast, or a number
 * that x's dtype cannot hold: 2.7 among integers.
 * @example
 * T.reference(T.setAt(T.tensor([1, 2, 3]), ['0:2'], 9)).data // => [9, 9, 3]
 */
export const setAt: SetAt = dataFirst('T.setAt', 3, (x: Tensor, indices: readonly Index[], value: Operand) => {
  demandList('T.setAt', indices, 'indices', "T.setAt(x, [0, '1:3'], value)")
  const n = lift('T.setAt', x)
  const v = liftOperand('T.setAt', value, 2)
  return tensorOf(
    withTypes('T.setAt', typeof v === 'object' ? [n, v] : [n], ([type]) => {
      const region = E.flatMap((found: readonly Ranged[]) => resolve(found, type!.shape))(ranged(indices, whenWritten))
      if (E.isLeft(region)) return refuse('T.setAt', [n], region.left)
      const over = misfit([v], type!.dtype)
      if (over !== undefined) return refuse('T.setAt', [n], over)
      const { spans, dropped } = region.right
      const counts = spans.map((s) => s.count)
      const kept = counts.filter((_, i) => !dropped.includes(i))
      const cast = typeof v === 'object' ? castNode(v, type!.dtype) : scalar(v, type!.dtype)
      const part = broadcastNode('T.setAt', cast, typeOf(cast), kept)
      return withTypes('T.setAt', [part], () => {
        const placed = spread(reshapeNode(part, counts), spans, type!.shape)
        const mask = spread(expandNode(scalar(true, 'bool'), counts), spans, type!.shape)
        return selectNode(mask, placed, n)
      })
    }),
  )
})

type Select = {
  (index: number, options?: AlongOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, index: number, options?: AlongOptions): Tensor<Shape, D>
}

/**
 * The slice at `index` (negative from the end) of one axis (0 by default), which is dropped. ShapeError for an index
 * out of range.
 * @example
 * T.reference(T.select(T.tensor([[1, 2], [3, 4]]), -1)).data // => [3, 4]
 */
export const select: Select = dataFirstWith(
  'T.select',
  2,
  alongOptions,
  (x: Tensor, index: number, { axis = 0 }: AlongOptions = {}) =>
    onAxis('T.select', x, axis, (n, a, { shape }) => {
      const size = shape[a]!
      if (!Number.isInteger(index) || index < -size || index >= size)
        return refuse('T.select', [n], {
          reason: `index ${index} is out of range for axis ${a} of size ${size}`,
          axis: a,
        })
      const i = index < 0 ? index + size : index
      return reshapeNode(
        narrowNode(n, a, i, i + 1),
        shape.filter((_, k) => k !== a),
      )
    }),
)

type Narrow = {
  (start: number, length: number, options?: AlongOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, start: number, length: number, options?: AlongOptions): Tensor<Shape, D>
}

/**
 * `length` elements from `start` (negative from the end) on along one axis (0 by default). A view. ShapeError where
 * they do not fit (torch.narrow).
 * @example
 * T.reference(T.narrow(T.arange(5), 1, 3)).data // => [1, 2, 3]
 */
export const narrow: Narrow = dataFirstWith(
  'T.narrow',
  3,
  alongOptions,
  (x: Tensor, start: number, length: number, { axis = 0 }: AlongOptions = {}) =>
    onAxis('T.narrow', x, axis, (n, a, { shape }) => {
      const size = shape[a]!
      const from = start < 0 ? start + size : start
      if (!(Number.isInteger(from) && Number.isInteger(length) && from >= 0 && length >= 0 && from + length <= size))
        return refuse('T.narrow', [n], {
          reason: `${length} elements from ${start} do not fit axis ${a} of size ${size}`,
          axis: a,
        })
      return narrowNode(n, a, from, from + length)
    }),
)
