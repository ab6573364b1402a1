/** Indexing by several index tensors at once, one for each leading axis (NumPy's x[i, j]), and updates at such places. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { showShape, stridesOf } from '../../shape.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandList, type OptionNames } from '../arguments.ts'
import { dataFirst, dataFirstWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import {
  castNode,
  expandNode,
  jointShape,
  lift,
  liftOperand,
  misfit,
  refuse,
  reshapeNode,
  scalar,
  withTypes,
} from '../operand.ts'
import { broadcastNode } from '../shape/reshaping.ts'
import { fromEnd } from './from-end.ts'
import { indexNode } from './picking.ts'
import { checkedIndex, lastUpdate } from './scattering.ts'

/** An operand whose leading axes are joined into one of `size`, and the places `[L]` that the indices name along it. */
interface Places {
  readonly flat: Node
  readonly size: number
  readonly at: Node
  /** The joint shape of the indices, and of what stands at each place. */
  readonly shape: Shape
  readonly inner: Shape
}

const placed = (
  name: string,
  x: unknown,
  indices: readonly Tensor[],
  body: (n: Node, places: Places) => Node,
): Tensor => {
  const n = lift(name, x)
  const given = demandList(name, indices, 'index tensors', `${name}(x, [i, j], …)`).map((i, k) => lift(name, i, k + 1))
  return tensorOf(
    withTypes(name, [n, ...given], ([type, ...types]) => {
      const whole = given.map((i, k) => indexNode(name, i, types[k]!.dtype))
      return withTypes(name, whole, () => {
        const { shape } = type!
        const count = given.length
        if (count < 1 || count > shape.length)
          return refuse(name, [n, ...given], {
            reason: `${count} index tensors for rank ${shape.length}`,
            hint: 'give one for each of the leading axes, at least one',
          })
        const joint = jointShape(types.map((t) => t.shape))
        if (E.isLeft(joint)) return refuse(name, [n, ...given], joint.left)
        const lead = shape.slice(0, count)
        const strides = stridesOf(lead)
        const terms = whole.map((i, k) => {
          const own = expandNode(checkedIndex(fromEnd(i, lead[k]!), lead[k]!), joint.right)
          return strides[k] === 1 ? own : binaryNode('mul', own, likeNode(strides[k]!, typeOf(own)))
        })
        const at = terms.reduce((a, b) => binaryNode('add', a, b))
        const size = sizeOf(lead)
        const inner = shape.slice(count)
        return body(n, {
          flat: reshapeNode(n, [size, ...inner]),
          size,
          at: reshapeNode(at, [sizeOf(joint.right)]),
          shape: joint.right,
          inner,
        })
      })
    }),
  )
}

type AtIndices = {
  (indices: readonly Tensor[]): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, indices: readonly Tensor[]): Tensor<Shape, D>
}

/**
 * The elements at the places that integer tensors name together, one for each leading axis (NumPy's `x[i, j]`): the
 * indices broadcast to `[I…]` → `[I…, …rest]`. Negative ones count from the end. ShapeError for more indices than axes,
 * IndexError for an index out of range, which is the last where the device computes it.
 * @example
 * const x = T.tensor([[1, 2], [3, 4]])
 * T.reference(T.atIndices(x, [T.tensor([1, 0, 1]), T.tensor([0, 1, 1])])).data // => [3, 2, 4]
 */
export const atIndices: AtIndices = dataFirst('T.atIndices', 2, (x: Tensor, indices: readonly Tensor[]) =>
  placed('T.atIndices', x, indices, (_, { flat, at, shape, inner }) =>
    reshapeNode(build.gather([flat, at], { batch: 0 }), [...shape, ...inner]),
  ),
)

/** Options of `setAtIndices`: whether values are added to what stands there, repeated places more than once. */
export interface SetAtIndicesOptions {
  readonly accumulate?: boolean | undefined
}

const setAtIndicesOptions: OptionNames<SetAtIndicesOptions> = { accumulate: 'boolean' }

type SetAtIndices = {
  (
    indices: readonly Tensor[],
    values: Operand,
    options?: SetAtIndicesOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    indices: readonly Tensor[],
    values: Operand,
    options?: SetAtIndicesOptions,
  ): Tensor<S, D>
}

/**
 * `x` with `values` at the places that integer tensors name together, as in `atIndices` (torch.index_put): values are
 * broadcast to `[I…, …rest]` and cast to x's dtype. Of several for one place the last in row-major order of the indices
 * stays; `accumulate` adds all of them instead. Negative indices count from the end. ShapeError for values that do not
 * broadcast, IndexError for an index out of range, which is the last where the device computes it, with `accumulate` too.
 * @example
 * const [x, i] = [T.zeros([2, 2]), T.tensor([1, 0, 1])]
 * T.reference(T.setAtIndices(x, [i, i], T.tensor([1, 2, 3]))).data // => [2, 0, 0, 3]
 * T.reference(T.setAtIndices(x, [i], 5, { accumulate: true })).data // => [5, 5, 10, 10]
 */
export const setAtIndices: SetAtIndices = dataFirstWith(
  'T.setAtIndices',
  3,
  setAtIndicesOptions,
  (x: Tensor, indices: readonly Tensor[], values: Operand, { accumulate = false }: SetAtIndicesOptions = {}) =>
    placed('T.setAtIndices', x, indices, (n, { flat, size, at, shape, inner }) => {
      const { dtype, shape: own } = typeOf(n)
      const filling = liftOperand('T.setAtIndices', values, 2)
      const over = misfit([filling], dtype)
      if (over !== undefined) return refuse('T.setAtIndices', [n], over)
      const given = typeof filling === 'object' ? filling : scalar(filling, dtype)
      return withTypes('T.setAtIndices', [given], ([vt]) => {
        const full = broadcastNode('T.setAtIndices', castNode(given, dtype), vt!, [...shape, ...inner])
        return withTypes('T.setAtIndices', [full], () => {
          const count = sizeOf(shape)
          const updates = reshapeNode(full, [count, ...inner])
          if (count === 0) return n
          if (accumulate) {
            if (dtype === 'bool')
              return refuse('T.setAtIndices', [n], {
                reason: `cannot add to ${showShape(own)} of bool`,
                hint: "cast first: T.cast(x, 'i32')",
              })
            const sums = build.scatterAdd([at, updates], { batch: 0, size })
            return binaryNode('add', n, reshapeNode(sums, own))
          }
          const winner = lastUpdate(at, size)
          const zero = likeNode(0, typeOf(winner))
          const picked = build.gather([updates, binaryNode('max', winner, zero)], { batch: 0 })
          const hit = reshapeNode(binaryNode('le', zero, winner), [size, ...inner.map(() => 1)])
          return reshapeNode(selectNode(expandNode(hit, [size, ...inner]), picked, flat), own)
        })
      })
    }),
)
