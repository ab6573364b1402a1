/** Tensors joined along rows, columns or depth, of whatever rank they are. */
import type { Shape } from '../../dim.ts'
import type { DTypeAmong } from '../../types/parts.ts'
import type { Tensor } from '../../types/tensor.ts'
import { nodeOf, tensorOf } from '../../types/tensor.ts'
import { demandList } from '../arguments.ts'
import { lift, onTensor, refuse, reshapeNode } from '../operand.ts'
import { concat } from './joining.ts'

type Stacking = <const Xs extends readonly Tensor[]>(xs: Xs) => Tensor<Shape, DTypeAmong<Xs>>

/** `concat` of the tensors in the shapes that `shaped` gives them, along the axis for that rank; mistakes are of `name`. */
const stacking =
  (name: string, shaped: (shape: Shape) => Shape, axisOf: (rank: number) => number): Stacking =>
  (xs) => {
    const given = demandList(name, xs).map((x, i) => tensorOf(lift(name, x, i)))
    const parts = given.map((x) => onTensor(name, x, (n, { shape }) => reshapeNode(n, shaped(shape))))
    const axis = axisOf(parts[0] && nodeOf(parts[0]).type._tag === 'Right' ? parts[0].shape.length : 0)
    const joined = concat(parts, { axis }) as Tensor
    const { type } = nodeOf(joined)
    if (type._tag === 'Right' || type.left.op !== 'T.concat') return joined as never
    const { reason, hint } = type.left
    return tensorOf(refuse(name, given.map(nodeOf), { reason, axis, ...(hint === undefined ? {} : { hint }) }))
  }

/**
 * Tensors of one dtype joined row by row: along axis 0, a vector being a row and a scalar a row of one (numpy.vstack).
 * ShapeError as for `concat`.
 * @example
 * T.reference(T.vstack([T.tensor([1, 2]), T.tensor([[3, 4], [5, 6]])])).data // => [1, 2, 3, 4, 5, 6]
 */
export const vstack: Stacking = stacking(
  'T.vstack',
  (shape) => (shape.length < 2 ? [1, shape[0] ?? 1] : shape),
  () => 0,
)

/**
 * Tensors of one dtype joined column by column: along axis 1, vectors one after the other, a scalar being a vector of one
 * (numpy.hstack). ShapeError as for `concat`.
 * @example
 * T.reference(T.hstack([T.tensor([[1], [2]]), T.tensor([[3], [4]])])).data // => [1, 3, 2, 4]
 */
export const hstack: Stacking = stacking(
  'T.hstack',
  (shape) => (shape.length < 1 ? [1] : shape),
  (rank) => (rank < 2 ? 0 : 1),
)

/**
 * Tensors of one dtype joined in depth: along axis 2, a matrix `[m, n]` being `[m, n, 1]`, a vector `[n]` `[1, n, 1]`
 * (numpy.dstack). ShapeError as for `concat`.
 * @example
 * T.reference(T.dstack([T.tensor([1, 2]), T.tensor([3, 4])])).data // => [1, 3, 2, 4]
 */
export const dstack: Stacking = stacking(
  'T.dstack',
  (shape) => (shape.length < 2 ? [1, shape[0] ?? 1, 1] : shape.length === 2 ? [...shape, 1] : shape),
  () => 2,
)
