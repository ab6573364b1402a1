/** Movements: the same elements under another shape. All are views; none copies. */
import * as E from '#fp/Either'
import { isDim, type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Refusal } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import { broadcastShapes, normaliseAxis, showShape } from '../../shape.ts'
import type { Declared } from '../../types/movement.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandList, demandShape, type OptionNames } from '../arguments.ts'
import { dataFirst, dataFirstWith, type OfOneTensor } from '../dual.ts'
import { cannotBroadcast, expandNode, jointShape, lift, onTensor, refuse, reshapeNode, withTypes } from '../operand.ts'

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

type Reshape = {
  <const N extends Shape>(shape: N): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Declared<N>, D>
  <const N extends Shape, D extends DType>(x: Tensor<Shape, D>, shape: N): Tensor<Declared<N>, D>
}

/**
 * The elements in row-major order under another shape; one size may be -1 and is worked out. A view. ShapeError when
 * the numbers of elements differ.
 * @example
 * T.reshape(T.arange(6), [2, -1]).shape // => [2, 3]
 */
export const reshape: Reshape = dataFirst('T.reshape', 2, (x: Tensor, given: Shape) => {
  const shape = demandShape('T.reshape', given)
  return onTensor('T.reshape', x, (n, type) => {
    const to = inferShape(type.shape, shape)
    return E.isLeft(to) ? refuse('T.reshape', [n], to.left) : reshapeNode(n, to.right)
  })
})

/** Which axes `flatten` joins: all by default, both ends included. */
export interface FlattenOptions {
  readonly startAxis?: number | undefined
  readonly endAxis?: number | undefined
}

const flattenOptions: OptionNames<FlattenOptions> = { startAxis: 'own', endAxis: 'own' }

/**
 * Axes `startAxis … endAxis` (all by default, both ends included) joined into one; a scalar becomes a vector of one. A
 * view.
 * @example
 * T.flatten(T.zeros([2, 3, 4]), { startAxis: 1 }).shape // => [2, 12]
 */
export const flatten: OfOneTensor<FlattenOptions> = dataFirstWith(
  'T.flatten',
  1,
  flattenOptions,
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

/**
 * Size-1 axes repeated and leading ones added until the shape is `shape`; -1 keeps a size. A view. ShapeError where
 * another size differs.
 * @example
 * T.reference(T.broadcastTo(T.tensor([1, 2]), [2, 2])).data // => [1, 2, 1, 2]
 */
export const broadcastTo: Reshape = dataFirst('T.broadcastTo', 2, (x: Tensor, given: Shape) => {
  const shape = demandShape('T.broadcastTo', given)
  return onTensor('T.broadcastTo', x, (n, type) => broadcastNode('T.broadcastTo', n, type, shape))
})

/**
 * All tensors broadcast to their joint shape, dtypes as they are. Views. ShapeError where shapes do not broadcast.
 * @example
 * T.broadcastArrays([T.zeros([3, 1]), T.zeros([2])]).map((t) => t.shape) // => [[3, 2], [3, 2]]
 */
export const broadcastArrays = (xs: readonly Tensor[]): readonly Tensor[] => {
  const nodes = demandList('T.broadcastArrays', xs).map((x, i) => lift('T.broadcastArrays', x, i))
  return nodes.map((n) =>
    tensorOf(
      withTypes('T.broadcastArrays', nodes, (types) => {
        const shape = jointShape(types.map((t) => t.shape))
        return E.isLeft(shape) ? refuse('T.broadcastArrays', nodes, shape.left) : expandNode(n, shape.right)
      }),
    ),
  )
}
