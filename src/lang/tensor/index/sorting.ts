/** Elements in order along an axis, and what follows from that: ranks, the greatest few, the k-th. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { onAxis, refuse, reshapeNode } from '../operand.ts'
import { narrowNode } from '../shape/reordering.ts'

/** Along which axis (-1), and whether from the greatest down. `stable` is always so; the array API names it. */
export interface SortOptions {
  readonly axis?: number | undefined
  readonly descending?: boolean | undefined
  readonly stable?: boolean | undefined
}

const sortOptions: OptionNames<SortOptions> = { axis: 'own', descending: 'boolean', stable: 'boolean' }

/** The elements (output 0) or the indices (output 1) of `n` in order. */
export const sortedNode = (n: Node, axis: number, descending: boolean, output: 0 | 1): Node =>
  build.get([build.sort([n], { axis, descending })], { index: output })

const sorted =
  (name: string, output: 0 | 1) =>
  (x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor =>
    onAxis(name, x, axis, (n, a) => sortedNode(n, a, descending, output))

type Sort = {
  (options?: SortOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: SortOptions): Tensor<S, D>
}

type Argsort = {
  (options?: SortOptions): <S extends Shape>(x: Tensor<S>) => Tensor<S, 'i32'>
  <S extends Shape>(x: Tensor<S>, options?: SortOptions): Tensor<S, 'i32'>
}

/**
 * The elements in ascending order along `axis` (-1), or `descending`; equal ones keep their order. NaN counts as the
 * greatest, -0 equals 0 (array API sort, torch.sort's values). Same shape and dtype; the gradient goes to the elements'
 * places. ShapeError for a scalar or an axis out of range.
 * @example
 * T.reference(T.sort(T.tensor([[3, 1, 2], [9, 8, 7]]))).data // => [1, 2, 3, 7, 8, 9]
 */
export const sort: Sort = dataFirstWith('T.sort', 1, sortOptions, sorted('T.sort', 0))

/**
 * The indices (i32) that put the elements in order along `axis` (-1): `takeAlongAxis(x, argsort(x))` is `sort(x)` (array
 * API argsort). Equal elements keep their order. ShapeError for a scalar or an axis out of range.
 * @example
 * T.reference(T.argsort(T.tensor([3, 1, 2]), { descending: true })).data // => [0, 2, 1]
 */
export const argsort: Argsort = dataFirstWith('T.argsort', 1, sortOptions, sorted('T.argsort', 1))

/** Along which axis (-1), and whether the `largest` (true) or the smallest. */
export interface TopKOptions {
  readonly axis?: number | undefined
  readonly largest?: boolean | undefined
}

const topKOptions: OptionNames<TopKOptions> = { axis: 'own', largest: 'boolean' }

/** Elements along an axis that was cut to another size, with the indices they come from. */
export type Chosen<D extends DType> = readonly [values: Tensor<Shape, D>, indices: Tensor<Shape, 'i32'>]

type TopK = {
  (k: number, options?: TopKOptions): <D extends DType>(x: Tensor<Shape, D>) => Chosen<D>
  <D extends DType>(x: Tensor<Shape, D>, k: number, options?: TopKOptions): Chosen<D>
}

/** The sorted elements and their indices, each given to `body`. */
const inOrder = (
  name: string,
  x: Tensor,
  axis: number,
  descending: boolean,
  body: (n: Node, axis: number, type: TensorType) => Node,
): readonly [Tensor, Tensor] => {
  const output = (i: 0 | 1): Tensor =>
    onAxis(name, x, axis, (n, a) => {
      const out = sortedNode(n, a, descending, i)
      return body(out, a, typeOf(out))
    })
  return [output(0), output(1)]
}

/**
 * The `k` largest elements along `axis` (-1), the largest first, and their indices (i32); the smallest, the smallest
 * first, with `largest: false` (torch.topk). NaN counts as the largest; of equal elements the first comes first.
 * ShapeError where the axis has fewer than k.
 * @example
 * const [values, indices] = T.topK(T.tensor([3, 9, 5, 7]), 2)
 * T.reference([values, indices]).map((t) => t.data) // => [[9, 7], [1, 3]]
 */
export const topK: TopK = dataFirstWith(
  'T.topK',
  2,
  topKOptions,
  (x: Tensor, k: number, { axis = -1, largest = true }: TopKOptions = {}) =>
    inOrder('T.topK', x, axis, largest, (n, a, { shape }) =>
      Number.isInteger(k) && k >= 0 && k <= shape[a]!
        ? narrowNode(n, a, 0, k)
        : refuse('T.topK', [n], { reason: `axis ${a} of size ${shape[a]} has no ${k} elements`, axis: a }),
    ),
)

/** Along which axis (-1), and whether it stays with size 1. */
export interface KthOptions {
  readonly axis?: number | undefined
  readonly keepdims?: boolean | undefined
}

const kthOptions: OptionNames<KthOptions> = { axis: 'own', keepdims: 'boolean' }

type Kth = {
  (k: number, options?: KthOptions): <D extends DType>(x: Tensor<Shape, D>) => Chosen<D>
  <D extends DType>(x: Tensor<Shape, D>, k: number, options?: KthOptions): Chosen<D>
}

/**
 * The `k`-th smallest element along `axis` (-1), counted from 1, and its index (i32): torch.kthvalue. ShapeError where
 * the axis has fewer than k.
 * @example
 * const [value, index] = T.kthvalue(T.tensor([3, 9, 5, 7]), 2)
 * T.reference([value, index]).map((t) => t.data) // => [[5], [2]]
 */
export const kthvalue: Kth = dataFirstWith(
  'T.kthvalue',
  2,
  kthOptions,
  (x: Tensor, k: number, { axis = -1, keepdims = false }: KthOptions = {}) =>
    inOrder('T.kthvalue', x, axis, false, (n, a, { shape }) => {
      if (!(Number.isInteger(k) && k >= 1 && k <= shape[a]!))
        return refuse('T.kthvalue', [n], { reason: `axis ${a} of size ${shape[a]} has no ${k}-th element`, axis: a })
      const one = narrowNode(n, a, k - 1, k)
      return keepdims ? one : reshapeNode(one, shape.toSpliced(a, 1))
    }),
)
