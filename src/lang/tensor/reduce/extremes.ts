/** The largest and smallest elements along axes, and where they stand. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { AxisCheck, Reduced } from '../../types/movement.ts'
import type { Only } from '../../types/options.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import { castNode, misfit, onTensor, refuse, reshapeNode, resolveAxes } from '../operand.ts'
import {
  count,
  nonEmpty,
  type ReduceOptions,
  type Reduction,
  type ReductionTo,
  reduceNode,
  reduceOptions,
  reducing,
} from './reduction.ts'

/** Options of `max` and `min`: a number that takes part too, so that an empty axis has an extreme. */
export interface ExtremeOptions extends ReduceOptions {
  readonly initial?: number | undefined
}

export const extremeOptions: OptionNames<ExtremeOptions> = { ...reduceOptions, initial: 'value' }

const extreme =
  (name: string, monoid: 'max' | 'min') =>
  (x: Tensor, { initial, ...o }: ExtremeOptions = {}): Tensor =>
    reducing(name, x, o, (n, axes, type) => {
      const { shape, dtype } = type
      const over = initial === undefined ? undefined : misfit([initial], dtype)
      if (over) return refuse(name, [n], over)
      if (initial === undefined) {
        const empty = nonEmpty(name, n, type, axes)
        if (empty) return empty
      } else if (count(shape, axes) === 0) {
        const left = shape.filter((_, i) => !axes.includes(i))
        return likeNode(initial, { shape: left, dtype })
      }
      const isBool = dtype === 'bool'
      const found = reduceNode(n, isBool ? (monoid === 'max' ? 'any' : 'all') : monoid, axes)
      if (initial === undefined) return found
      return binaryNode(isBool ? (monoid === 'max' ? 'or' : 'and') : monoid, found, likeNode(initial, typeOf(found)))
    })

/**
 * The largest element over `axis` (one, several, all by default); `keepdims` leaves them with size 1. Same dtype; NaN
 * wins. Ties share the gradient evenly (torch.amax). ShapeError for an empty axis, unless there is an `initial` number, which
 * takes part (numpy.max): with -Infinity the largest of nothing is that, as ONNX has it.
 * @example
 * T.reference(T.max(T.tensor([[1, 5], [7, 2]]), { axis: 1 })).data // => [5, 7]
 * T.reference(T.max(T.zeros([0]), { initial: -Infinity })).data // => [-Infinity]
 */
export const max: Reduction<'max', ExtremeOptions> = dataFirstWith('T.max', 1, extremeOptions, extreme('T.max', 'max'))

/**
 * The smallest element over `axis` (one, several, all by default); `keepdims` leaves them with size 1. Same dtype; NaN
 * wins. Ties share the gradient evenly (torch.amin). ShapeError for an empty axis, unless there is an `initial` number, which
 * takes part (numpy.min): with Infinity the smallest of nothing is that, as ONNX has it.
 * @example
 * T.reference(T.min(T.tensor([[1, 5], [7, 2]]), { axis: 1 })).data // => [1, 2]
 */
export const min: Reduction<'min', ExtremeOptions> = dataFirstWith('T.min', 1, extremeOptions, extreme('T.min', 'min'))

/**
 * PyTorch's name of `max`.
 * @example
 * T.reference(T.amax(T.tensor([1, 5, 3]))).data // => [5]
 */
export const amax: Reduction<'amax', ExtremeOptions> = dataFirstWith(
  'T.amax',
  1,
  extremeOptions,
  extreme('T.amax', 'max'),
)

/**
 * PyTorch's name of `min`.
 * @example
 * T.reference(T.amin(T.tensor([4, 5, 3]))).data // => [3]
 */
export const amin: Reduction<'amin', ExtremeOptions> = dataFirstWith(
  'T.amin',
  1,
  extremeOptions,
  extreme('T.amin', 'min'),
)

/** Options of reductions over one axis, or over all elements when it is absent. */
export interface OneAxisOptions {
  readonly axis?: number | undefined
  readonly keepdims?: boolean | undefined
}

export const oneAxisOptions: OptionNames<OneAxisOptions> = { axis: 'own', keepdims: 'boolean' }

/** (value, first index) of the extreme element along one axis, or in row-major order. */
const extremeAt = (name: string, monoid: 'argmax' | 'argmin', x: unknown, o: OneAxisOptions, index: 0 | 1): Tensor => {
  const all = o.axis === undefined
  return onTensor(name, x, (n, type) => {
    const axes = resolveAxes(o.axis, type.shape.length)
    if (E.isLeft(axes)) return refuse(name, [n], axes.left)
    if (!all && typeof o.axis !== 'number')
      return refuse(name, [n], { reason: 'takes one axis, not several', hint: 'reshape to join axes' })
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

/**
 * The index (i32) of the largest element along `axis`, the first of ties; NaN wins. Without an axis, into the flattened
 * operand. ShapeError for an empty axis.
 * @example
 * T.reference(T.argmax(T.tensor([[1, 5], [7, 2]]), { axis: 1 })).data // => [1, 0]
 */
export const argmax: ReductionTo<'argmax', 'i32', OneAxisOptions> = dataFirstWith(
  'T.argmax',
  1,
  oneAxisOptions,
  (x: Tensor, o: OneAxisOptions = {}) => extremeAt('T.argmax', 'argmax', x, o, 1),
)

/**
 * The index (i32) of the smallest element along `axis`, the first of ties; NaN wins. Without an axis, into the
 * flattened operand. ShapeError for an empty axis.
 * @example
 * T.reference(T.argmin(T.tensor([[1, 5], [7, 2]]))).data // => [0]
 */
export const argmin: ReductionTo<'argmin', 'i32', OneAxisOptions> = dataFirstWith(
  'T.argmin',
  1,
  oneAxisOptions,
  (x: Tensor, o: OneAxisOptions = {}) => extremeAt('T.argmin', 'argmin', x, o, 1),
)

type WithIndex<Op extends string> = {
  <const O extends OneAxisOptions>(
    options?: O & Only<O, OneAxisOptions>,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & AxisCheck<S, O, Op>,
  ) => readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, 'i32'>]
  <S extends Shape, D extends DType, const O extends OneAxisOptions>(
    x: Tensor<S, D>,
    options?: O & AxisCheck<S, O, Op> & Only<O, OneAxisOptions>,
  ): readonly [Tensor<Reduced<S, O>, D>, Tensor<Reduced<S, O>, 'i32'>]
}

/**
 * The largest element along `axis` (all elements without one) and the index (i32) of its first occurrence, in one pass.
 * The gradient goes to that element alone (torch.max with dim).
 * @example
 * const [value, index] = T.maxWithIndex(T.tensor([3, 9, 9]))
 * T.reference([value, index]).map((t) => t.data) // => [[9], [1]]
 */
export const maxWithIndex: WithIndex<'maxWithIndex'> = dataFirstWith(
  'T.maxWithIndex',
  1,
  oneAxisOptions,
  (x: Tensor, o: OneAxisOptions = {}) => [
    extremeAt('T.maxWithIndex', 'argmax', x, o, 0),
    extremeAt('T.maxWithIndex', 'argmax', x, o, 1),
  ],
)

/**
 * The smallest element along `axis` (all elements without one) and the index (i32) of its first occurrence, in one
 * pass. The gradient goes to that element alone (torch.min with dim).
 * @example
 * const [value, index] = T.minWithIndex(T.tensor([[3, 2], [1, 1]]), { axis: 1 })
 * T.reference([value, index]).map((t) => t.data) // => [[2, 1], [1, 0]]
 */
export const minWithIndex: WithIndex<'minWithIndex'> = dataFirstWith(
  'T.minWithIndex',
  1,
  oneAxisOptions,
  (x: Tensor, o: OneAxisOptions = {}) => [
    extremeAt('T.minWithIndex', 'argmin', x, o, 0),
    extremeAt('T.minWithIndex', 'argmin', x, o, 1),
  ],
)
