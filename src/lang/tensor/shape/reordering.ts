/** Elements in another order along their axes, and overlapping windows of them. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { isDim, type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { normaliseAxis } from '../../shape.ts'
import type { Tensor } from '../../types/tensor.ts'
import { type OptionNames, showArgument } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { type Axes, isIll, onAxis, onTensor, refuse, reshapeNode, resolveAxes } from '../operand.ts'

/** Elements `start … stop-1` of one axis. Bounds must fit. */
export const narrowNode = (n: Node, axis: number, start: number, stop: number): Node => {
  if (isIll(n)) return n
  const { shape } = typeOf(n)
  if (start === 0 && stop === shape[axis]) return n
  return build.slice([n], {
    start: shape.map((_, i) => (i === axis ? start : 0)),
    stop: shape.map((d, i) => (i === axis ? stop : d)),
    step: shape.map(() => 1),
  })
}

/** Options that name one axis or several; all when absent. */
export interface AxisOptions {
  readonly axis?: Axes | undefined
}

export const axisOptions: OptionNames<AxisOptions> = { axis: 'own' }

type Flip = {
  (options?: AxisOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: AxisOptions): Tensor<S, D>
}

/**
 * The elements in reverse order along `axis` (one, several, all by default). Same shape and dtype.
 * @example
 * T.reference(T.flip(T.tensor([[1, 2], [3, 4]]), { axis: 1 })).data // => [2, 1, 4, 3]
 */
export const flip: Flip = dataFirstWith('T.flip', 1, axisOptions, (x: Tensor, { axis }: AxisOptions = {}) =>
  onTensor('T.flip', x, (n, { shape }) => {
    const axes = resolveAxes(axis, shape.length)
    if (E.isLeft(axes)) return refuse('T.flip', [n], axes.left)
    return axes.right.length === 0 ? n : build.flip([n], { axes: axes.right })
  }),
)

type Roll = {
  (shifts: Axes, options?: AxisOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, shifts: Axes, options?: AxisOptions): Tensor<S, D>
}

/** Elements moved forward along an axis, those past the end re-entering at the start. */
export const rollNode = (n: Node, axis: number, shift: number): Node => {
  const size = typeOf(n).shape[axis]!
  const by = size === 0 ? 0 : ((shift % size) + size) % size
  if (by === 0) return n
  return build.concat([narrowNode(n, axis, size - by, size), narrowNode(n, axis, 0, size - by)], { axis })
}

/**
 * Elements moved forward by `shifts` along `axis` (one or several), those past the end re-entering at the start; the
 * flattened operand without an axis (torch.roll). Same shape and dtype.
 * @example
 * T.reference(T.roll(T.tensor([1, 2, 3, 4]), 1)).data // => [4, 1, 2, 3]
 */
export const roll: Roll = dataFirstWith(
  'T.roll',
  2,
  axisOptions,
  (x: Tensor, shifts: Axes, { axis }: AxisOptions = {}) =>
    onTensor('T.roll', x, (n, { shape }) => {
      const by = [shifts].flat()
      if (!by.every(Number.isInteger)) return refuse('T.roll', [n], { reason: 'the shifts are not whole numbers' })
      if (axis === undefined) {
        const flat = reshapeNode(n, [sizeOf(shape)])
        return reshapeNode(
          rollNode(
            flat,
            0,
            by.reduce((a, b) => a + b, 0),
          ),
          shape,
        )
      }
      const axes = [axis].flat()
      if (by.length !== axes.length && by.length !== 1)
        return refuse('T.roll', [n], { reason: `${by.length} shifts for ${axes.length} axes` })
      let out = n
      for (const [i, a] of axes.entries()) {
        const at = normaliseAxis(a, shape.length)
        if (E.isLeft(at)) return refuse('T.roll', [n], { reason: at.left, axis: a })
        out = rollNode(out, at.right, by[by.length === 1 ? 0 : i]!)
      }
      return out
    }),
)

/** Along which axis the windows of `unfold` stand, of how many elements, and how far one is from the next. */
export interface UnfoldOptions {
  readonly axis: number
  readonly size: number
  readonly step: number
}

const unfoldOptions: OptionNames<UnfoldOptions> = { axis: 'must own', size: 'must size', step: 'must size' }

type Unfold = {
  (options: UnfoldOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, options: UnfoldOptions): Tensor<Shape, D>
}

/**
 * Overlapping windows of `size` along `axis`, one every `step`: the axis counts windows, a new last axis runs inside
 * them (torch's Tensor.unfold). ShapeError where the window does not fit.
 * @example
 * T.reference(T.unfold(T.tensor([1, 2, 3, 4]), { axis: 0, size: 2, step: 1 })).data // => [1, 2, 2, 3, 3, 4]
 */
export const unfold: Unfold = dataFirstWith(
  'T.unfold',
  1,
  unfoldOptions,
  (x: Tensor, { axis, size, step }: UnfoldOptions) =>
    onAxis('T.unfold', x, axis, (n, at, { shape }) => {
      for (const [what, d] of Object.entries({ size, step }))
        if (!isDim(d) || d < 1)
          return refuse('T.unfold', [n], { reason: `the ${what} is ${showArgument(d)}, not a positive whole number` })
      if (size > shape[at]!)
        return refuse('T.unfold', [n], {
          reason: `a window of ${size} does not fit axis ${at} of size ${shape[at]}`,
          axis: at,
        })
      return build.window([n], { axis: at, size, stride: step, dilation: 1 })
    }),
)
