/** Distinct elements, as many as the caller makes room for: shapes do not depend on data. */
import { build } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode, onTensor, reshapeNode, scalar } from '../operand.ts'
import { concatNode } from '../shape/joining.ts'
import { narrowNode } from '../shape/reordering.ts'
import { search } from './searchsorted.ts'
import { sortedNode } from './sorting.ts'

/** How many distinct elements there is room for, and what fills the rest (the least element by default). */
export interface UniqueOptions {
  readonly size: number
  readonly fillValue?: number | undefined
}

const uniqueOptions: OptionNames<UniqueOptions> = { size: 'must size', fillValue: 'value' }

/** What `unique` gives. */
export interface Unique<S extends Shape, D extends DType> {
  /** `[size]`: the distinct elements in ascending order, then the fill value. */
  readonly values: Tensor<readonly [number], D>
  /** `[size]`: how often each occurs; 0 for the fill. */
  readonly counts: Tensor<readonly [number], 'i32'>
  /** Of the operand's shape: the number of each element among all distinct ones, which may be `size` and more. */
  readonly inverse: Tensor<S, 'i32'>
  /** How many distinct elements there are, whether or not they have room. */
  readonly distinct: Tensor<readonly [], 'i32'>
}

type UniqueFunction = {
  (options: UniqueOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Unique<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options: UniqueOptions): Unique<S, D>
}

/** True where an element of a sorted vector differs from the one before it; NaN equals NaN. */
const isNew = (sorted: Node, n: number, dtype: DType): Node => {
  const [here, before] = [narrowNode(sorted, 0, 1, n), narrowNode(sorted, 0, 0, n - 1)]
  const equal = binaryNode('eq', here, before)
  const same = isFloat(dtype)
    ? binaryNode('or', equal, binaryNode('and', build.isNan([here], {}), build.isNan([before], {})))
    : equal
  return concatNode([reshapeNode(scalar(true, 'bool'), [1]), build.not([same], {})], 0)
}

interface Parts {
  readonly values: Node
  readonly counts: Node
  readonly inverse: Node
  readonly distinct: Node
}

/** The parts of `unique` for a vector of n > 0 elements. */
const parts = (x: Node, n: number, dtype: DType, { size, fillValue }: UniqueOptions): Parts => {
  const sorted = sortedNode(x, 0, false, 0)
  const order = sortedNode(x, 0, false, 1)
  const counted = castNode(isNew(sorted, n, dtype), 'i32')
  const total = build.cumulate([counted], { monoid: 'sum', axis: 0, reverse: false })
  const rank = binaryNode('sub', total, likeNode(1, { shape: [n], dtype: 'i32' }))
  const slots: TensorType = { shape: [size + 1], dtype: 'i32' }
  // Where the run of each distinct element starts, n for those there are none of.
  const starts = search(rank, build.iota([], { ...slots, axis: 0 }), n, 0, false)
  const [from, to] = [narrowNode(starts, 0, 0, size), narrowNode(starts, 0, 1, size + 1)]
  const one: TensorType = { shape: [size], dtype: 'i32' }
  const inside = binaryNode('lt', from, likeNode(n, one))
  const first = build.gather([sorted, binaryNode('min', from, likeNode(n - 1, one))], { batch: 0 })
  const fill = fillValue === undefined ? reshapeNode(narrowNode(sorted, 0, 0, 1), []) : scalar(fillValue, dtype)
  return {
    values: selectNode(inside, first, expandNode(fill, [size])),
    counts: binaryNode('sub', to, from),
    // The order of the order is where each element went.
    inverse: build.gather([rank, sortedNode(order, 0, false, 1)], { batch: 0 }),
    distinct: reshapeNode(narrowNode(total, 0, n - 1, n), []),
  }
}

const nothing = (type: TensorType, { size, fillValue = 0 }: UniqueOptions): Parts => ({
  values: expandNode(scalar(fillValue, type.dtype), [size]),
  counts: likeNode(0, { shape: [size], dtype: 'i32' }),
  inverse: likeNode(0, { shape: [0], dtype: 'i32' }),
  distinct: scalar(0, 'i32'),
})

/**
 * The distinct elements in ascending order, with room for `size` of them (jnp.unique with size and fill_value: shapes do
 * not depend on data), how often each occurs, the number of every element among them, and how many there are. Where
 * there are more than `size` the greatest have no room. NaN equals NaN. ShapeError for a size that is no whole number.
 * @example
 * const { values, counts, inverse, distinct } = T.unique(T.tensor([3, 1, 3]), { size: 3 })
 * T.reference([values, counts, inverse, distinct]).map((t) => t.data) // => [[1, 3, 1], [1, 2, 0], [1, 0, 1], [2]]
 */
export const unique: UniqueFunction = dataFirstWith(
  'T.unique',
  1,
  uniqueOptions,
  (x: Tensor, o: UniqueOptions): Unique<Shape, DType> => {
    const part = (of: (u: Parts, shape: Shape) => Node): Tensor =>
      onTensor('T.unique', x, (n, type) => {
        const count = sizeOf(type.shape)
        const flat = reshapeNode(n, [count])
        return of(count === 0 ? nothing(type, o) : parts(flat, count, type.dtype, o), type.shape)
      })
    return {
      values: part((u) => u.values) as Tensor<readonly [number]>,
      counts: part((u) => u.counts) as Tensor<readonly [number], 'i32'>,
      inverse: part((u, shape) => reshapeNode(u.inverse, shape)) as Tensor<Shape, 'i32'>,
      distinct: part((u) => u.distinct) as Tensor<readonly [], 'i32'>,
    }
  },
)
