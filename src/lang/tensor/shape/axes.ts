/** Axes in another order, added or dropped. All are views; none copies. */
import * as E from '#fp/Either'
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Refusal } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import { normaliseAxis } from '../../shape.ts'
import type { Expanded, MatrixTransposed, Permuted, Reversed, Sized } from '../../types/movement.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandList, type OptionNames } from '../arguments.ts'
import { dataFirst, dataFirstWith, type OfOneTensor, single } from '../dual.ts'
import { type Axes, isIll, onTensor, refuse, reshapeNode, resolveAxes } from '../operand.ts'

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

/** An order that names every axis once. */
const permutation = (axes: readonly number[], rank: number): E.Either<Refusal, readonly number[]> =>
  axes.length === rank
    ? ordered(axes, rank)
    : E.left({ reason: `${axes.length} axes given for rank ${rank}`, hint: 'name every axis once' })

type PermuteDims = {
  <const A extends Shape>(axes: A): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Permuted<S, A>, D>
  <S extends Shape, D extends DType, const A extends Shape>(x: Tensor<S, D>, axes: A): Tensor<Permuted<S, A>, D>
}

/**
 * Axes in another order: axis `i` of the result is axis `axes[i]` of the operand. A view. ShapeError unless every axis
 * is named once.
 * @example
 * T.permuteDims(T.zeros([2, 3, 4]), [2, 0, 1]).shape // => [4, 2, 3]
 */
export const permuteDims: PermuteDims = dataFirst('T.permuteDims', 2, (x: Tensor, axes: Shape) => {
  demandList('T.permuteDims', axes, 'axes', 'T.permuteDims(x, [1, 0])')
  return reorder('T.permuteDims', x, (rank) => permutation(axes, rank))
})

type Transpose = {
  (): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Reversed<S>, D>
  <const A extends Shape>(axes: A): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Permuted<S, A>, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Reversed<S>, D>
  <S extends Shape, D extends DType, const A extends Shape>(x: Tensor<S, D>, axes: A): Tensor<Permuted<S, A>, D>
}

/**
 * The axes in reverse order, or in the order of `axes`, as `permuteDims` has it (numpy.transpose, jnp.transpose). A view; the last two
 * axes alone exchanges `matrixTranspose`, any two `swapaxes`. ShapeError unless every axis is named once.
 * @example
 * T.transpose(T.zeros([2, 3, 4])).shape // => [4, 3, 2]
 * T.transpose(T.zeros([2, 3, 4]), [0, -1, 1]).shape // => [2, 4, 3]
 */
export const transpose: Transpose = dataFirst('T.transpose', [1, 2], (x: Tensor, axes?: Shape) => {
  if (axes !== undefined) demandList('T.transpose', axes, 'axes', 'T.transpose(x, [1, 0]), or T.swapaxes(x, 0, 1)')
  return reorder('T.transpose', x, (rank) =>
    axes === undefined ? E.right(Array.from({ length: rank }, (_, i) => rank - 1 - i)) : permutation(axes, rank),
  )
})

/**
 * The last two axes exchanged: `[…, m, n]` → `[…, n, m]`. A view. ShapeError below rank 2.
 * @example
 * T.reference(T.matrixTranspose(T.tensor([[1, 2], [3, 4]]))).data // => [1, 3, 2, 4]
 */
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

type TwoAxes = {
  (a: number, b: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Sized<S>, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, a: number, b: number): Tensor<Sized<S>, D>
}

/**
 * Axes `a` and `b` exchanged. A view. ShapeError for an axis out of range.
 * @example
 * T.swapaxes(T.zeros([2, 3, 4]), 0, 2).shape // => [4, 3, 2]
 */
export const swapaxes: TwoAxes = dataFirst('T.swapaxes', 3, (x: Tensor, a: number, b: number) =>
  reorder('T.swapaxes', x, (rank) => {
    const [p, q] = [normaliseAxis(a, rank), normaliseAxis(b, rank)]
    if (E.isLeft(p)) return E.left({ reason: p.left, axis: a })
    return E.isLeft(q) ? E.left({ reason: q.left, axis: b }) : E.right(exchange(rank, p.right, q.right))
  }),
)

type MoveAxis = {
  (source: Axes, destination: Axes): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Sized<S>, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, source: Axes, destination: Axes): Tensor<Sized<S>, D>
}

/**
 * Axes `source` (one or several) moved to the places `destination`; the others keep their order (numpy.moveaxis). A
 * view.
 * @example
 * T.moveaxis(T.zeros([2, 3, 4]), 0, -1).shape // => [3, 4, 2]
 */
export const moveaxis: MoveAxis = dataFirst('T.moveaxis', 3, (x: Tensor, source: Axes, destination: Axes) =>
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

type ExpandDims = {
  <const A extends number>(axis: A): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Expanded<S, A>, D>
  <S extends Shape, D extends DType, const A extends number>(x: Tensor<S, D>, axis: A): Tensor<Expanded<S, A>, D>
}

/**
 * A new axis of size 1 at `axis` of the result (-1: last). A view. ShapeError for an axis out of range.
 * @example
 * T.expandDims(T.zeros([2, 3]), 1).shape // => [2, 1, 3]
 */
export const expandDims: ExpandDims = dataFirst('T.expandDims', 2, (x: Tensor, axis: number) =>
  onTensor('T.expandDims', x, (n, { shape }) => {
    const at = normaliseAxis(axis, shape.length + 1)
    return E.isLeft(at)
      ? refuse('T.expandDims', [n], { reason: at.left, axis })
      : reshapeNode(n, [...shape.slice(0, at.right), 1, ...shape.slice(at.right)])
  }),
)

/** Which axes `squeeze` drops: every one of size 1 when absent. */
export interface SqueezeOptions {
  readonly axis?: Axes | undefined
}

const squeezeOptions: OptionNames<SqueezeOptions> = { axis: 'own' }

/**
 * Axes of size 1 dropped: those named by `axis`, or every one. A view. ShapeError where a named axis has another size.
 * @example
 * T.squeeze(T.zeros([1, 3, 1])).shape // => [3]
 */
export const squeeze: OfOneTensor<SqueezeOptions> = dataFirstWith(
  'T.squeeze',
  1,
  squeezeOptions,
  (x: Tensor, { axis }: SqueezeOptions = {}) =>
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
