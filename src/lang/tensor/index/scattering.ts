/** Elements put at the places that indices name along one axis: set, or combined by maximum and minimum. */
import { build, typeOf } from '../../build.ts'
import { type DType, integerRange, isInteger } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { dualWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode, refuse, reshapeNode, scalar } from '../operand.ts'
import { type AlongOptions, alongOptions, concatNode } from '../shape/joining.ts'
import { grown, type Scatter, type Updates, updating } from './picking.ts'
import { search } from './searchsorted.ts'
import { sortedNode } from './sorting.ts'

/**
 * The indices as they are, read from a table of the positions 0 … size-1: the gather is what checks their range, where
 * the values are known and before an upload.
 */
export const checkedIndex = (index: Node, size: number): Node =>
  build.gather([build.iota([], { shape: [size], dtype: 'i32', axis: 0 }), index], { batch: 0 })

/**
 * `[…, size, L]`, true where the l-th index is that position: index `[…, L]`, checked.
 */
const hits = (index: Node, size: number): Node => {
  const { shape } = typeOf(index)
  const rank = shape.length
  const full = [...shape.slice(0, -1), size, shape.at(-1)!]
  const spread = expandNode(reshapeNode(checkedIndex(index, size), [...shape.slice(0, -1), 1, shape.at(-1)!]), full)
  return binaryNode('eq', spread, build.iota([], { shape: full, dtype: 'i32', axis: rank - 1 }))
}

/**
 * The most elements for which every position is compared with every index: one fused kernel, where a sort is several. Past
 * it the square of the length outgrows what a sort and a search cost, on the interpreter first.
 */
const compared = 2 ** 18

/** Every position asks every index: the last that names it. */
export const lastByComparing = (index: Node, size: number): Node => {
  const hit = hits(index, size)
  const { shape } = typeOf(hit)
  const type = { shape, dtype: 'i32' } as const
  const place = build.iota([], { ...type, axis: shape.length - 1 })
  return build.reduce([selectNode(hit, place, likeNode(-1, type))], { monoid: 'max', axes: [shape.length - 1] })
}

/** Indices, checked, in order, equal ones as they come: the last of a position's is right before the first that is greater. */
const lastInOrder = (index: Node, size: number): Node => {
  const { shape } = typeOf(index)
  const axis = shape.length - 1
  const sort = build.sort([index], { axis, descending: false })
  const [sorted, order] = [0, 1].map((output) => build.get([sort], { index: output })) as [Node, Node]
  const type = { shape: [...shape.slice(0, -1), size], dtype: 'i32' } as const
  const position = build.iota([], { ...type, axis })
  const before = search(sorted, position, shape[axis]!, axis, true)
  const last = binaryNode('max', binaryNode('sub', before, likeNode(1, type)), likeNode(0, type))
  const found = binaryNode('eq', build.gather([sorted, last], { batch: axis }), position)
  return selectNode(found, build.gather([order, last], { batch: axis }), likeNode(-1, type))
}

export const lastBySorting = (index: Node, size: number): Node => lastInOrder(checkedIndex(index, size), size)

const isSmall = (index: Node, size: number): boolean => size * typeOf(index).shape.at(-1)! <= compared

/**
 * Which update each of `size` positions gets, `[…, size]` for an index `[…, L]`: the last of those that name it, -1 for
 * none. L is not 0.
 */
export const lastUpdate = (index: Node, size: number): Node =>
  isSmall(index, size) ? lastByComparing(index, size) : lastBySorting(index, size)

const set = ({ cut, index, source, room, back }: Updates, n: Node): Node => {
  const { shape } = typeOf(cut)
  const winner = lastUpdate(index, shape.at(-1)!)
  const type = typeOf(winner)
  const zero = likeNode(0, type)
  const picked = build.gather([source, binaryNode('max', winner, zero)], { batch: shape.length - 1 })
  const hit = binaryNode('le', zero, winner)
  return selectNode(back(grown(hit, room, 0)), back(grown(picked, room, 0)), n)
}

/**
 * `x` with each element of `source` put at the place its index names along one axis (default 0); of several for one
 * place the last in row-major order stays (torch.scatter, made deterministic), and it alone gets a gradient. `indices`
 * has x's rank; the source is a number or covers it. Negative indices count from the end; IndexError for one out of range,
 * whose update goes to the last place where the device computes it.
 * @example
 * T.reference(T.scatter(T.zeros([3]), T.tensor([0, 2, 0]), T.tensor([1, 2, 3]))).data // => [3, 0, 2]
 */
export const scatter: Scatter = dualWith(
  'T.scatter',
  3,
  alongOptions,
  (x: Tensor, indices: Tensor, source: Operand, { axis = 0 }: AlongOptions = {}) =>
    updating('T.scatter', x, indices, source, axis, (n, updates) =>
      typeOf(updates.index).shape.includes(0) ? n : set(updates, n),
    ),
)

/** What an update that names another place counts as. */
const farthest = (dtype: DType, monoid: 'max' | 'min'): number =>
  isInteger(dtype)
    ? integerRange[dtype][monoid === 'max' ? 0 : 1]
    : monoid === 'max'
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY

/** An extreme of elements, `[…, size]`, and of the updates `[…, L]` that an index names its place for. */
type Extreme = (monoid: 'max' | 'min', updates: Pick<Updates, 'cut' | 'index' | 'source'>) => Node

/** Every position asks every index: the extreme of the element and of the updates that name it. */
export const extremeByComparing: Extreme = (monoid, { cut, index, source }) => {
  const { shape, dtype } = typeOf(cut)
  const hit = hits(index, shape.at(-1)!)
  const full = typeOf(hit).shape
  const last = full.length - 1
  const length = full[last]!
  const spread = expandNode(reshapeNode(source, [...shape.slice(0, -1), 1, length]), full)
  const updates = selectNode(hit, spread, likeNode(farthest(dtype, monoid), { shape: full, dtype }))
  const all = concatNode([reshapeNode(cut, [...shape, 1]), updates], last)
  return build.reduce([all], { monoid, axes: [last] })
}

/**
 * The updates in order of their values, then by position: the last of a position's is its extreme. The slopes are those of
 * a maximum over all of them: it is the mean of the elements equal to it, and what rounding took from that mean is added.
 */
export const extremeBySorting: Extreme = (monoid, { cut, index, source }) => {
  const { shape, dtype } = typeOf(cut)
  const axis = shape.length - 1
  const at = (data: Node, where: Node): Node => build.gather([data, where], { batch: axis })
  const checked = checkedIndex(index, shape[axis]!)
  const isFloatMin = monoid === 'min' && !isInteger(dtype)
  // NaN counts as the greatest in either order, and must come last.
  const order = sortedNode(isFloatMin ? build.neg([source], {}) : source, axis, monoid === 'min' && !isFloatMin, 1)
  const winner = lastInOrder(at(checked, order), shape[axis]!)
  const zero = likeNode(0, typeOf(winner))
  const update = at(at(source, order), binaryNode('max', winner, zero))
  const far = likeNode(farthest(dtype, monoid), { shape, dtype })
  const best = binaryNode(monoid, cut, selectNode(binaryNode('le', zero, winner), update, far))
  if (isInteger(dtype)) return best
  const fixed = build.stopGradient([best], {})
  const add = (updates: Node): Node => build.scatterAdd([checked, updates], { batch: axis, size: shape[axis]! })
  // Of a NaN all are part, and their slopes NaN.
  const isNan = build.not([binaryNode('eq', fixed, fixed)], {})
  const [own, others] = [
    binaryNode('or', binaryNode('eq', cut, fixed), isNan),
    binaryNode('or', binaryNode('eq', source, at(fixed, checked)), at(isNan, checked)),
  ]
  const count = binaryNode('add', castNode(own, 'f32'), add(castNode(others, 'f32')))
  const ties = selectNode(isNan, likeNode(Number.NaN, { shape, dtype }), castNode(count, dtype))
  const share = (x: Node, is: Node, among: Node): Node =>
    selectNode(is, binaryNode('div', x, among), likeNode(0, typeOf(x)))
  const mean = binaryNode('add', share(cut, own, ties), add(share(source, others, at(ties, checked))))
  const rounded = build.stopGradient([mean], {})
  const lost = binaryNode('sub', fixed, rounded)
  return binaryNode('add', mean, selectNode(binaryNode('eq', fixed, rounded), likeNode(0, typeOf(lost)), lost))
}

const extreme = (monoid: 'max' | 'min', { cut, index, source, room, back }: Updates, n: Node): Node => {
  const { shape } = typeOf(cut)
  const of = isSmall(index, shape.at(-1)!) ? extremeByComparing : extremeBySorting
  const best = of(monoid, { cut, index, source })
  const reached = expandNode(scalar(true, 'bool'), shape)
  return selectNode(back(grown(reached, room, 0)), back(grown(best, room, 0)), n)
}

const extremes = (name: string, monoid: 'max' | 'min'): Scatter =>
  dualWith(name, 3, alongOptions, (x: Tensor, indices: Tensor, source: Operand, { axis = 0 }: AlongOptions = {}) =>
    updating(name, x, indices, source, axis, (n, updates) => {
      if (typeOf(n).dtype === 'bool')
        return refuse(name, [n], { reason: 'not defined on bool', hint: "cast first: T.cast(x, 'i32')" })
      return typeOf(updates.index).shape.includes(0) ? n : extreme(monoid, updates, n)
    }),
  )

/**
 * `x` where each element is the largest of itself and the elements of `source` whose indices name its place along one
 * axis (default 0; torch.scatter_reduce with amax). NaN wins; equal ones share the gradient evenly. Operands and errors
 * as in `scatter`; ShapeError for bool.
 * @example
 * T.reference(T.scatterMax(T.tensor([5, 0, 1]), T.tensor([0, 2, 2]), T.tensor([1, 2, 3]))).data // => [5, 0, 3]
 */
export const scatterMax: Scatter = extremes('T.scatterMax', 'max')

/**
 * `x` where each element is the least of itself and the elements of `source` whose indices name its place along one axis
 * (default 0; torch.scatter_reduce with amin). NaN wins; equal ones share the gradient evenly. Operands and errors as in
 * `scatter`; ShapeError for bool.
 * @example
 * T.reference(T.scatterMin(T.tensor([5, 0, 1]), T.tensor([0, 2, 2]), T.tensor([1, 2, 3]))).data // => [1, 0, 1]
 */
export const scatterMin: Scatter = extremes('T.scatterMin', 'min')
