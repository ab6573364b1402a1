/** Elements picked by index tensors along one axis, and their transposes that add at indices. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isInteger } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import type { Sized } from '../../types/movement.ts'
import type { Only } from '../../types/options.ts'
import type { Taken } from '../../types/parts.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { dualWith } from '../dual.ts'
import { castNode, expandNode, lift, liftOperand, misfit, onAxis, refuse, scalar, withTypes } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { type AlongOptions, alongOptions } from '../shape/joining.ts'
import { narrowNode } from '../shape/reordering.ts'
import { fromEnd } from './from-end.ts'

/** An index tensor as i32, or the refusal of `name`. */
export const indexNode = (name: string, n: Node, dtype: DType): Node =>
  isInteger(dtype)
    ? castNode(n, 'i32')
    : refuse(name, [n], {
        reason: `indices are ${dtype}, not integers`,
        hint:
          dtype === 'bool'
            ? 'use T.where with the mask instead: a result has a fixed shape'
            : "cast them: T.cast(i, 'i32')",
      })

/** A function of data and an index tensor of its rank along one axis. */
type Indexing = {
  (indices: Tensor, options?: AlongOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Sized<S>, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, indices: Tensor, options?: AlongOptions): Tensor<Sized<S>, D>
}

type Take = {
  <I extends Shape, const O extends AlongOptions = object>(
    indices: Tensor<I>,
    options?: O & Only<O, AlongOptions>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Taken<S, I, O>, D>
  <S extends Shape, D extends DType, I extends Shape, const O extends AlongOptions = object>(
    x: Tensor<S, D>,
    indices: Tensor<I>,
    options?: O & Only<O, AlongOptions>,
  ): Tensor<Taken<S, I, O>, D>
}

/** Whether negative indices count from the end, or are out of range as those of classes are. */
type Counting = 'from the end' | 'from the start'

/** `body` on a tensor, its index tensor as i32, and a resolved axis; or the refusal. */
export const indexed = (
  name: string,
  x: unknown,
  indices: unknown,
  axis: number,
  body: (n: Node, index: Node, axis: number, types: readonly [TensorType, TensorType]) => Node,
  counting: Counting = 'from the end',
): Tensor =>
  onAxis(name, x, axis, (n, a, type) => {
    const given = lift(name, indices, 1)
    return withTypes(name, [given], ([it]) => {
      const whole = indexNode(name, given, it!.dtype)
      return withTypes(name, [whole], ([t]) => {
        const index = counting === 'from the end' ? fromEnd(whole, type.shape[a]!) : whole
        return body(n, index, a, [type, t!])
      })
    })
  })

/** Axis `a` moved to the front (`to = 0`) or the back, the others in order. */
export const bring = (rank: number, a: number, to: 'front' | 'back'): readonly number[] => {
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== a)
  return to === 'front' ? [a, ...rest] : [...rest, a]
}

/** The permutation that undoes `axes`. */
export const inverse = (axes: readonly number[]): readonly number[] => axes.map((_, i) => axes.indexOf(i))

const taken =
  (name: string, counting: Counting) =>
  (x: Tensor, indices: Tensor, { axis = 0 }: AlongOptions = {}): Tensor =>
    indexed(
      name,
      x,
      indices,
      axis,
      (n, index, a, [{ shape }, it]) => {
        const front = permuteNode(n, bring(shape.length, a, 'front'))
        const rows = build.gather([front, index], { batch: 0 })
        // [I…, before…, after…] → [before…, I…, after…]
        const k = it.shape.length
        const order = Array.from({ length: k + shape.length - 1 }, (_, i) => (i < a ? k + i : i < a + k ? i - a : i))
        return permuteNode(rows, order)
      },
      counting,
    )

/**
 * The slices at `indices` (integers of any shape) along one axis (default 0), which is replaced by the axes of
 * `indices` (numpy.take). Negative ones count from the end. An index must lie in `-size … size-1`: IndexError where the
 * values are known, and before the upload of an argument. Where the device computes another it is that of the last slice,
 * which gets no gradient from it.
 * @example
 * T.reference(T.take(T.tensor([10, 20, 30]), T.tensor([2, 0, -1]))).data // => [30, 10, 30]
 */
export const take: Take = dualWith('T.take', 2, alongOptions, taken('T.take', 'from the end'))

/** `take` for the numbers of rows, classes and the like, of which none is negative: such an index is out of range. */
export const takeCounted: (x: Tensor, indices: Tensor, options?: AlongOptions) => Tensor = taken(
  'T.take',
  'from the start',
)

/** `x` and `index` with axis `a` last, equal elsewhere → the elements picked along it, axis put back. */
const pickAlong = (n: Node, index: Node, a: number, rank: number): Node => {
  const order = bring(rank, a, 'back')
  const picked = build.gather([permuteNode(n, order), permuteNode(index, order)], { batch: rank - 1 })
  return permuteNode(picked, inverse(order))
}

const takenAlong =
  (name: string, counting: Counting) =>
  (x: Tensor, indices: Tensor, { axis = -1 }: AlongOptions = {}): Tensor =>
    indexed(
      name,
      x,
      indices,
      axis,
      (n, index, a, [type, it]) => {
        const rank = type.shape.length
        if (it.shape.length !== rank)
          return refuse(name, [n, index], { reason: `indices have rank ${it.shape.length}, the operand ${rank}` })
        const clash = type.shape.findIndex((d, i) => i !== a && d !== it.shape[i] && d !== 1 && it.shape[i] !== 1)
        if (clash >= 0)
          return refuse(name, [n, index], {
            reason: `sizes ${type.shape[clash]} and ${it.shape[clash]} of axis ${clash} do not broadcast`,
            axis: clash,
          })
        const common = type.shape.map((d, i) => (d === 1 ? it.shape[i]! : d))
        const along = (m: Node, size: number): Node =>
          expandNode(
            m,
            common.map((d, i) => (i === a ? size : d)),
          )
        return pickAlong(along(n, type.shape[a]!), along(index, it.shape[a]!), a, rank)
      },
      counting,
    )

/**
 * out[…, j] = x[…, indices[…, j]] along `axis` (-1 by default): `indices` has x's rank, the other axes broadcast
 * (numpy.take_along_axis). Indices as in `take`: negative ones count from the end, one out of range is an IndexError.
 * @example
 * T.reference(T.takeAlongAxis(T.tensor([[1, 2], [3, 4]]), T.tensor([[-1], [0]]))).data // => [2, 3]
 */
export const takeAlongAxis: Indexing = dualWith(
  'T.takeAlongAxis',
  2,
  alongOptions,
  takenAlong('T.takeAlongAxis', 'from the end'),
)

/** `takeAlongAxis` for numbers of classes and the like: see `takeCounted`. */
export const takeCountedAlong: (x: Tensor, indices: Tensor, options?: AlongOptions) => Tensor = takenAlong(
  'T.takeAlongAxis',
  'from the start',
)

/** The operand cut to the sizes of `indices` on every axis but one, as torch.gather and scatter do. */
export const cutTo = (name: string, n: Node, index: Node, a: number, shape: Shape, to: Shape): Node => {
  if (to.length !== shape.length)
    return refuse(name, [n, index], { reason: `indices have rank ${to.length}, the operand ${shape.length}` })
  const over = shape.findIndex((d, i) => i !== a && to[i]! > d)
  if (over >= 0)
    return refuse(name, [n, index], {
      reason: `indices of shape ${showShape(to)} exceed the operand on axis ${over}`,
      axis: over,
    })
  return to.reduce((m, d, i) => (i === a ? m : narrowNode(m, i, 0, d)), n)
}

/**
 * out[i, j] = x[indices[i, j], j] for axis 0 (default), and so on; `indices` has x's rank and may be smaller on the
 * other axes (torch.gather). Indices as in `take`: negative ones count from the end, one out of range is an IndexError.
 * @example
 * T.reference(T.gather(T.tensor([[1, 2], [3, 4]]), T.tensor([[-1, 0]]))).data // => [3, 2]
 */
export const gather: Indexing = dualWith(
  'T.gather',
  2,
  alongOptions,
  (x: Tensor, indices: Tensor, { axis = 0 }: AlongOptions = {}) =>
    indexed('T.gather', x, indices, axis, (n, index, a, [type, it]) => {
      const cut = cutTo('T.gather', n, index, a, type.shape, it.shape)
      return withTypes('T.gather', [cut], () => pickAlong(cut, index, a, type.shape.length))
    }),
)

/** A function of data, an index tensor along one axis, and a source of updates. */
export interface Scatter {
  (
    indices: Tensor,
    source: Operand,
    options?: AlongOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    indices: Tensor,
    source: Operand,
    options?: AlongOptions,
  ): Tensor<S, D>
}

/** The source of updates as a node of `dtype`; a number fills `shape`. */
const sourceNode = (name: string, source: Operand, shape: Shape, dtype: DType): Node => {
  const given = liftOperand(name, source, 2)
  if (typeof given === 'object') return castNode(given, dtype)
  const over = misfit([given], dtype)
  return over === undefined ? expandNode(scalar(given, dtype), shape) : refuse(name, [], over)
}

/** What updates of the elements that `indices` name along one axis have: all three with that axis last. */
export interface Updates {
  /** The part of the operand that indices reach: its other axes cut to theirs. */
  readonly cut: Node
  readonly index: Node
  readonly source: Node
  /** Elements the operand has beyond `cut` on each axis, that axis last. */
  readonly room: readonly number[]
  /** Puts the axis back. */
  readonly back: (n: Node) => Node
}

/** `body` on the operands of a scatter; ShapeError where the source does not cover the indices. */
export const updating = (
  name: string,
  x: unknown,
  indices: unknown,
  source: Operand,
  axis: number,
  body: (n: Node, updates: Updates) => Node,
): Tensor =>
  indexed(name, x, indices, axis, (n, index, a, [type, it]) => {
    const cut = cutTo(name, n, index, a, type.shape, it.shape)
    const given = sourceNode(name, source, it.shape, type.dtype)
    return withTypes(name, [cut, given], ([, st]) => {
      if (it.shape.some((d, i) => d > st!.shape[i]!) || st!.shape.length !== it.shape.length)
        return refuse(name, [n, index, given], { reason: 'the source is smaller than the indices' })
      const own = it.shape.reduce((m, d, i) => narrowNode(m, i, 0, d), given)
      const order = bring(type.shape.length, a, 'back')
      const last = (m: Node): Node => permuteNode(m, order)
      return body(n, {
        cut: last(cut),
        index: last(index),
        source: last(own),
        room: order.map((i) => (i === a ? 0 : type.shape[i]! - it.shape[i]!)),
        back: (m) => permuteNode(m, inverse(order)),
      })
    })
  })

/** `n` with `room` more elements of `value` at the end of each axis. */
export const grown = (n: Node, room: readonly number[], value: number): Node =>
  room.every((d) => d === 0)
    ? n
    : build.pad([n], { low: room.map(() => 0), high: room, interior: room.map(() => 0), value })

/**
 * `x` with each element of `source` added at the place its index names along one axis (default 0); repeated places add
 * up (torch.scatter_add). `indices` has x's rank; the source is a number or covers it. Negative indices count from the end;
 * IndexError for one out of range, whose update is dropped where the device computes it.
 * @example
 * T.reference(T.scatterAdd(T.zeros([3]), T.tensor([0, 2, 0]), T.tensor([1, 2, 3]))).data // => [4, 0, 2]
 */
export const scatterAdd: Scatter = dualWith(
  'T.scatterAdd',
  3,
  alongOptions,
  (x: Tensor, indices: Tensor, source: Operand, { axis = 0 }: AlongOptions = {}) =>
    updating('T.scatterAdd', x, indices, source, axis, (n, { cut, index, source: src, room, back }) => {
      const { shape } = typeOf(cut)
      const added = build.scatterAdd([index, src], { batch: shape.length - 1, size: shape.at(-1)! })
      return build.add([n, back(grown(added, room, 0))], {})
    }),
)

/**
 * `x` with the slices of `source` added at the positions `indices` (a vector) of one axis (default 0); repeated
 * positions add up (torch.index_add). Negative indices count from the end. ShapeError where the source does not fit,
 * IndexError for an index out of range, whose slice is dropped where the device computes it.
 * @example
 * T.reference(T.indexAdd(T.zeros([3, 1]), T.tensor([2, 2]), T.tensor([[1], [5]]))).data // => [0, 0, 6]
 */
export const indexAdd: Scatter = dualWith(
  'T.indexAdd',
  3,
  alongOptions,
  (x: Tensor, indices: Tensor, source: Operand, { axis = 0 }: AlongOptions = {}) =>
    indexed('T.indexAdd', x, indices, axis, (n, index, a, [type, it]) => {
      if (it.shape.length !== 1)
        return refuse('T.indexAdd', [n, index], { reason: `indices have rank ${it.shape.length}, not 1` })
      const wanted = type.shape.map((d, i) => (i === a ? it.shape[0]! : d))
      const given = sourceNode('T.indexAdd', source, wanted, type.dtype)
      return withTypes('T.indexAdd', [given], ([st]) => {
        if (showShape(st!.shape) !== showShape(wanted))
          return refuse('T.indexAdd', [n, index, given], {
            reason: `the source has shape ${showShape(st!.shape)}, not ${showShape(wanted)}`,
          })
        const order = bring(type.shape.length, a, 'front')
        const added = build.scatterAdd([index, permuteNode(given, order)], { batch: 0, size: type.shape[a]! })
        return build.add([n, permuteNode(added, inverse(order))], {})
      })
    }),
)
