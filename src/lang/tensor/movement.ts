/** Movements: the same elements under another shape or order. All are views; none copies. */
import * as E from '#fp/Either'
import { build, typeOf } from '../build.ts'
import { isDim, type Shape, sizeOf } from '../dim.ts'
import type { DType } from '../dtype.ts'
import type { Refusal } from '../errors.ts'
import type { Node, TensorType } from '../ir.ts'
import { broadcastShapes, normaliseAxis, showShape } from '../shape.ts'
import type { Declared, Expanded, MatrixTransposed, Permuted, Sized } from '../types/movement.ts'
import { type Tensor, tensorOf } from '../types.ts'
import { dataFirst, single } from './dual.ts'
import {
  type Axes,
  cannotBroadcast,
  expandNode,
  isIll,
  jointShape,
  lift,
  onAxis,
  onTensor,
  refuse,
  reshapeNode,
  resolveAxes,
  withTypes,
} from './operand.ts'

/** `shape` with its one -1 worked out from the number of elements, or why it does not fit. */
const inferShape = (from: Shape, shape: Shape): E.Either<Refusal, Shape> => {
  const count = sizeOf(from)
  const bad = shape.find((d) => d !== -1 && !isDim(d))
  if (bad !== undefined)
    return E.left({ reason: `${bad} is not a size`, hint: 'sizes are whole numbers, -1 for the one to infer' })
  const open = shape.filter((d) => d === -1).length
  if (open > 1)
    return E.left({ reason: `shape ${showShape(shape)} has ${open} sizes to infer`, hint: 'only one size can be -1' })
  const known = sizeOf(shape.filter((d) => d !== -1))
  const what = `${showShape(from)} with ${count} elements`
  if (open === 0)
    return known === count
      ? E.right(shape)
      : E.left({
          reason: `${what} does not reshape to ${showShape(shape)} with ${known}`,
          hint: 'the number of elements must stay the same; use -1 for a size to infer',
        })
  if (known === 0)
    return E.left({ reason: `-1 in ${showShape(shape)} cannot be inferred: any size fits`, axis: shape.indexOf(-1) })
  return count % known === 0
    ? E.right(shape.map((d) => (d === -1 ? count / known : d)))
    : E.left({
        reason: `${what} does not reshape to ${showShape(shape)}: ${count} is not a multiple of ${known}`,
        axis: shape.indexOf(-1),
      })
}

interface Reshape {
  <const N extends Shape>(shape: N): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Declared<N>, D>
  <const N extends Shape, D extends DType>(x: Tensor<Shape, D>, shape: N): Tensor<Declared<N>, D>
}

/** The elements in row-major order under another shape; one size may be -1 and is inferred. */
export const reshape: Reshape = dataFirst('T.reshape', (x: Tensor, shape: Shape) =>
  onTensor('T.reshape', x, (n, type) => {
    const to = inferShape(type.shape, shape)
    return E.isLeft(to) ? refuse('T.reshape', [n], to.left) : reshapeNode(n, to.right)
  }),
)

/** Which axes `flatten` joins: all by default, both ends included. */
export interface FlattenOptions {
  readonly startAxis?: number
  readonly endAxis?: number
}

interface Flatten {
  (options?: FlattenOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, options?: FlattenOptions): Tensor<Shape, D>
}

/** Axes `startAxis … endAxis` joined into one; a scalar becomes a vector of one. */
export const flatten: Flatten = dataFirst(
  'T.flatten',
  (x: Tensor, { startAxis = 0, endAxis = -1 }: FlattenOptions = {}) =>
    onTensor('T.flatten', x, (n, { shape }) => {
      if (shape.length === 0) return reshapeNode(n, [1])
      const [from, to] = [normaliseAxis(startAxis, shape.length), normaliseAxis(endAxis, shape.length)]
      if (E.isLeft(from)) return refuse('T.flatten', [n], { reason: from.left, axis: startAxis })
      if (E.isLeft(to)) return refuse('T.flatten', [n], { reason: to.left, axis: endAxis })
      if (from.right > to.right)
        return refuse('T.flatten', [n], { reason: `startAxis ${startAxis} comes after endAxis ${endAxis}` })
      const joined = sizeOf(shape.slice(from.right, to.right + 1))
      return reshapeNode(n, [...shape.slice(0, from.right), joined, ...shape.slice(to.right + 1)])
    }),
)

/** The node with its axes in another order; the node itself when the order is the same. */
export const permuteNode = (n: Node, axes: readonly number[]): Node =>
  isIll(n) || axes.every((a, i) => a === i) ? n : build.permute([n], { axes })

const reorder = (name: string, x: unknown, order: (rank: number) => E.Either<Refusal, readonly number[]>): Tensor =>
  onTensor(name, x, (n, { shape }) => {
    const axes = order(shape.length)
    return E.isLeft(axes) ? refuse(name, [n], axes.left) : permuteNode(n, axes.right)
  })

/** Axes as given, negative ones resolved, in the given order. */
const ordered = (axes: readonly number[], rank: number): E.Either<Refusal, readonly number[]> => {
  const sorted = resolveAxes(axes, rank)
  return E.isLeft(sorted) ? sorted : E.right(axes.map((a) => (a < 0 ? a + rank : a)))
}

interface PermuteDims {
  <const A extends Shape>(axes: A): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Permuted<S, A>, D>
  <S extends Shape, D extends DType, const A extends Shape>(x: Tensor<S, D>, axes: A): Tensor<Permuted<S, A>, D>
}

/** Axis `i` of the result is axis `axes[i]` of the operand. Every axis is named once. */
export const permuteDims: PermuteDims = dataFirst('T.permuteDims', (x: Tensor, axes: Shape) =>
  reorder('T.permuteDims', x, (rank) =>
    axes.length === rank
      ? ordered(axes, rank)
      : E.left({ reason: `${axes.length} axes given for rank ${rank}`, hint: 'name every axis once' }),
  ),
)

/** The last two axes exchanged. */
export const matrixTranspose: <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<MatrixTransposed<S>, D> =
  single('T.matrixTranspose', (n, { shape }) =>
    shape.length < 2
      ? refuse('T.matrixTranspose', [n], {
          reason: `rank ${shape.length} has no two axes to exchange`,
          hint: 'reshape the vector to a matrix first',
        })
      : permuteNode(n, exchange(shape.length, shape.length - 2, shape.length - 1)),
  )

const exchange = (rank: number, a: number, b: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => (i === a ? b : i === b ? a : i))

interface TwoAxes {
  (a: number, b: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Sized<S>, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, a: number, b: number): Tensor<Sized<S>, D>
}

/** Axes `a` and `b` exchanged. */
export const swapaxes: TwoAxes = dataFirst('T.swapaxes', (x: Tensor, a: number, b: number) =>
  reorder('T.swapaxes', x, (rank) => {
    const [p, q] = [normaliseAxis(a, rank), normaliseAxis(b, rank)]
    if (E.isLeft(p)) return E.left({ reason: p.left, axis: a })
    return E.isLeft(q) ? E.left({ reason: q.left, axis: b }) : E.right(exchange(rank, p.right, q.right))
  }),
)

interface MoveAxis {
  (source: Axes, destination: Axes): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Sized<S>, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, source: Axes, destination: Axes): Tensor<Sized<S>, D>
}

/** Axes `source` moved to the places `destination`; the others keep their order. */
export const moveaxis: MoveAxis = dataFirst('T.moveaxis', (x: Tensor, source: Axes, destination: Axes) =>
  reorder('T.moveaxis', x, (rank) => {
    const [from, to] = [ordered([source].flat(), rank), ordered([destination].flat(), rank)]
    if (E.isLeft(from)) return from
    if (E.isLeft(to)) return to
    if (from.right.length !== to.right.length)
      return E.left({ reason: `${from.right.length} axes cannot move to ${to.right.length} places` })
    const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => !from.right.includes(i))
    return E.right(
      Array.from({ length: rank }, (_, i) => (to.right.includes(i) ? from.right[to.right.indexOf(i)]! : rest.shift()!)),
    )
  }),
)

interface ExpandDims {
  <const A extends number>(axis: A): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Expanded<S, A>, D>
  <S extends Shape, D extends DType, const A extends number>(x: Tensor<S, D>, axis: A): Tensor<Expanded<S, A>, D>
}

/** A new axis of size 1 at `axis` of the result. */
export const expandDims: ExpandDims = dataFirst('T.expandDims', (x: Tensor, axis: number) =>
  onTensor('T.expandDims', x, (n, { shape }) => {
    const at = normaliseAxis(axis, shape.length + 1)
    return E.isLeft(at)
      ? refuse('T.expandDims', [n], { reason: at.left, axis })
      : reshapeNode(n, [...shape.slice(0, at.right), 1, ...shape.slice(at.right)])
  }),
)

/** Which axes `squeeze` drops: every one of size 1 when absent. */
export interface SqueezeOptions {
  readonly axis?: Axes
}

interface Squeeze {
  (options?: SqueezeOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, options?: SqueezeOptions): Tensor<Shape, D>
}

/** Axes of size 1 dropped. Naming an axis of another size is an error. */
export const squeeze: Squeeze = dataFirst('T.squeeze', (x: Tensor, { axis }: SqueezeOptions = {}) =>
  onTensor('T.squeeze', x, (n, { shape }) => {
    if (axis === undefined)
      return reshapeNode(
        n,
        shape.filter((d) => d !== 1),
      )
    const axes = resolveAxes(axis, shape.length)
    if (E.isLeft(axes)) return refuse('T.squeeze', [n], axes.left)
    const wrong = axes.right.find((a) => shape[a] !== 1)
    if (wrong !== undefined)
      return refuse('T.squeeze', [n], { reason: `axis ${wrong} has size ${shape[wrong]}, not 1`, axis: wrong })
    return reshapeNode(
      n,
      shape.filter((_, i) => !axes.right.includes(i)),
    )
  }),
)

/** `shape` as a target of broadcasting: -1 keeps the operand's size. */
const targetShape = (from: Shape, shape: Shape): Shape =>
  shape.map((d, i) => (d === -1 ? (from[i - shape.length + from.length] ?? -1) : d))

/** The node broadcast to `shape`, or a refusal in the name of `name`. */
export const broadcastNode = (name: string, n: Node, type: TensorType, shape: Shape): Node => {
  const to = targetShape(type.shape, shape)
  if (!to.every(isDim)) return refuse(name, [n], { reason: `${showShape(shape)} is not a shape` })
  const joint = broadcastShapes(type.shape, to)
  if (E.isLeft(joint)) return refuse(name, [n], cannotBroadcast(type.shape, to, joint.left.axis))
  if (joint.right.length !== to.length || joint.right.some((d, i) => d !== to[i]))
    return refuse(name, [n], {
      reason: `${showShape(type.shape)} does not broadcast to ${showShape(to)}`,
      hint: 'only size-1 and missing leading axes can grow',
    })
  return expandNode(n, to)
}

/** Repeats size-1 axes and adds leading ones until the shape is `shape`; -1 keeps a size. */
export const broadcastTo: Reshape = dataFirst('T.broadcastTo', (x: Tensor, shape: Shape) =>
  onTensor('T.broadcastTo', x, (n, type) => broadcastNode('T.broadcastTo', n, type, shape)),
)

/** All tensors broadcast to their joint shape. */
export const broadcastArrays = (xs: readonly Tensor[]): readonly Tensor[] => {
  const nodes = xs.map((x, i) => lift('T.broadcastArrays', x, i))
  return nodes.map((n) =>
    tensorOf(
      withTypes('T.broadcastArrays', nodes, (types) => {
        const shape = jointShape(types.map((t) => t.shape))
        return E.isLeft(shape) ? refuse('T.broadcastArrays', nodes, shape.left) : expandNode(n, shape.right)
      }),
    ),
  )
}

/** Options that name one axis or several; all when absent. */
export interface AxisOptions {
  readonly axis?: Axes
}

interface Flip {
  (options?: AxisOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: AxisOptions): Tensor<S, D>
}

/** The elements in reverse order along the axes (all when absent). */
export const flip: Flip = dataFirst('T.flip', (x: Tensor, { axis }: AxisOptions = {}) =>
  onTensor('T.flip', x, (n, { shape }) => {
    const axes = resolveAxes(axis, shape.length)
    if (E.isLeft(axes)) return refuse('T.flip', [n], axes.left)
    return axes.right.length === 0 ? n : build.flip([n], { axes: axes.right })
  }),
)

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

interface Roll {
  (shifts: Axes, options?: AxisOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, shifts: Axes, options?: AxisOptions): Tensor<S, D>
}

const rollNode = (n: Node, axis: number, shift: number): Node => {
  const size = typeOf(n).shape[axis]!
  const by = size === 0 ? 0 : ((shift % size) + size) % size
  if (by === 0) return n
  return build.concat([narrowNode(n, axis, size - by, size), narrowNode(n, axis, 0, size - by)], { axis })
}

/** Elements moved forward by `shifts` along the axes, those past the end re-entering; flattened first when no axis is given. */
export const roll: Roll = dataFirst('T.roll', (x: Tensor, shifts: Axes, { axis }: AxisOptions = {}) =>
  onTensor('T.roll', x, (n, { shape }) => {
    const by = [shifts].flat()
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

interface Unfold {
  (options: {
    readonly axis: number
    readonly size: number
    readonly step: number
  }): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(
    x: Tensor<Shape, D>,
    options: { readonly axis: number; readonly size: number; readonly step: number },
  ): Tensor<Shape, D>
}

/** Overlapping windows of `size` along `axis`, every `step`: the axis counts windows, a new last axis runs inside them. */
export const unfold: Unfold = dataFirst(
  'T.unfold',
  (x: Tensor, { axis, size, step }: { axis: number; size: number; step: number }) =>
    onAxis('T.unfold', x, axis, (n, at, { shape }) => {
      if (size > shape[at]!)
        return refuse('T.unfold', [n], {
          reason: `a window of ${size} does not fit axis ${at} of size ${shape[at]}`,
          axis: at,
        })
      if (step < 1 || !Number.isInteger(step))
        return refuse('T.unfold', [n], { reason: `step ${step} is not a positive whole number` })
      return build.window([n], { axis: at, size, stride: step, dilation: 1 })
    }),
)
