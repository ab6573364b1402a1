/** Blocks of a fixed size at places that the device computes. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isInteger } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import { isTensor } from '../../tree.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandList, demandShape } from '../arguments.ts'
import { dual } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode, lift, refuse, reshapeNode, scalar, withTypes } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { narrowNode } from '../shape/reordering.ts'
import { bring, inverse } from './picking.ts'

/** Where a block begins on each axis: a vector of integers, or a list of whole numbers and integer scalars. */
export type Starts = Tensor | readonly Operand[]

/** One start for each axis as an i32 scalar; the refusal of what is none is an ill-typed node in the list. */
const startNodes = (name: string, starts: Starts): readonly Node[] => {
  if (!isTensor(starts))
    return demandList(name, starts, 'starts', `${name}(x, [0, i], …)`).map((s, i) =>
      typeof s === 'object' ? wholeNode(name, lift(name, s, i + 1), []) : wholeNumber(name, s, i),
    )
  const all = wholeNode(name, nodeOf(starts), undefined)
  if (all.type._tag === 'Left') return [all]
  const { shape } = typeOf(all)
  return Array.from({ length: shape[0]! }, (_, i) => reshapeNode(narrowNode(all, 0, i, i + 1), []))
}

const wholeNumber = (name: string, s: number | boolean, axis: number): Node =>
  Number.isInteger(s)
    ? scalar(s, 'i32')
    : refuse(name, [], { reason: `the start ${String(s)} is no whole number`, axis })

/** Integers as i32: of this shape, or else a vector. */
const wholeNode = (name: string, n: Node, shape: Shape | undefined): Node =>
  withTypes(name, [n], ([type]) => {
    const wrong = shape ? type!.shape.length !== 0 : type!.shape.length !== 1
    if (wrong || !isInteger(type!.dtype))
      return refuse(name, [n], {
        reason: `a start is ${type!.dtype}${showShape(type!.shape)}, not ${shape ? 'an integer scalar' : 'a vector of integers'}`,
        hint: 'give one start for each axis: [0, i] or a vector',
      })
    return castNode(n, 'i32')
  })

/** A start held where a block of `size` fits, a negative one counted from the end first. */
const heldStart = (start: Node, size: number, block: number): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(start))
  const counted = selectNode(binaryNode('lt', start, like(0)), binaryNode('add', start, like(size)), start)
  return binaryNode('max', like(0), binaryNode('min', counted, like(size - block)))
}

/** The elements of `n` at `index`, a vector, along an axis. */
const along = (n: Node, axis: number, index: Node): Node => {
  const order = bring(typeOf(n).shape.length, axis, 'front')
  return permuteNode(build.gather([permuteNode(n, order), index], { batch: 0 }), inverse(order))
}

const positions = (length: number): Node => build.iota([], { shape: [length], dtype: 'i32', axis: 0 })

/** `start + 0 … start + block - 1`. */
const blockIndex = (start: Node, block: number): Node => binaryNode('add', expandNode(start, [block]), positions(block))

/** The refusal where there is not one start and one size for each axis, or a block is larger than its axis. */
const misfits = (
  name: string,
  nodes: readonly Node[],
  shape: Shape,
  starts: number,
  sizes: Shape,
): Node | undefined => {
  if (starts !== shape.length || sizes.length !== shape.length)
    return refuse(name, nodes, {
      reason: `${starts} starts and sizes ${showShape(sizes)} for rank ${shape.length}`,
      hint: 'give one of each for every axis',
    })
  const axis = shape.findIndex((d, i) => !Number.isInteger(sizes[i]) || sizes[i]! < 0 || sizes[i]! > d)
  return axis < 0
    ? undefined
    : refuse(name, nodes, {
        reason: `a block of ${sizes[axis]} does not fit axis ${axis} of size ${shape[axis]}`,
        axis,
      })
}

type DynamicSlice = {
  (starts: Starts, sizes: Shape): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, starts: Starts, sizes: Shape): Tensor<Shape, D>
}

/**
 * The block of `sizes` that begins at `starts`, one for each axis: whole numbers, integer scalars, or a vector of them, which a device
 * may compute (jax.lax.dynamic_slice). A negative start counts from the end; a start past where the block fits is the last that
 * does, and never an error. ShapeError for starts or sizes that do not go with the axes.
 * @example
 * T.reference(T.dynamicSlice(T.arange(6), [T.tensor(3)], [2])).data // => [3, 4]
 * T.reference(T.dynamicSlice(T.arange(6), T.tensor([9]), [2])).data // => [4, 5]
 */
export const dynamicSlice: DynamicSlice = dual('T.dynamicSlice', 3, (x: Tensor, starts: Starts, sizes: Shape) => {
  const name = 'T.dynamicSlice'
  const n = lift(name, x)
  const block = demandShape(name, sizes)
  const given = startNodes(name, starts)
  return tensorOf(
    withTypes(name, [n, ...given], ([type]) => {
      const { shape } = type!
      const wrong = misfits(name, [n], shape, given.length, block)
      if (wrong) return wrong
      return block.reduce(
        (m, size, a) => (size === shape[a] ? m : along(m, a, blockIndex(heldStart(given[a]!, shape[a]!, size), size))),
        n,
      )
    }),
  )
})

type DynamicUpdateSlice = {
  (update: Tensor, starts: Starts): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, update: Tensor, starts: Starts): Tensor<S, D>
}

/**
 * A copy of `x` with the block `update`, cast to x's dtype, at `starts`, which are as in `dynamicSlice` (jax.lax.dynamic_update_slice).
 * The gradient of what is replaced is 0. ShapeError for a block of another rank or larger than x, and for starts that do not go with
 * the axes.
 * @example
 * T.reference(T.dynamicUpdateSlice(T.arange(5), T.tensor([8, 9]), [T.tensor(1)])).data // => [0, 8, 9, 3, 4]
 */
export const dynamicUpdateSlice: DynamicUpdateSlice = dual(
  'T.dynamicUpdateSlice',
  3,
  (x: Tensor, update: Tensor, starts: Starts) => {
    const name = 'T.dynamicUpdateSlice'
    const [n, u] = [lift(name, x), lift(name, update, 1)]
    const given = startNodes(name, starts)
    return tensorOf(
      withTypes(name, [n, u, ...given], ([type, ut]) => {
        const { shape, dtype } = type!
        const block = ut!.shape
        const wrong = misfits(name, [n, u], shape, given.length, block)
        if (wrong) return wrong
        if (block.includes(0)) return n
        let placed = castNode(u, dtype)
        let inside: Node | undefined
        block.forEach((size, a) => {
          if (size === shape[a]) return
          const start = heldStart(given[a]!, shape[a]!, size)
          const back = binaryNode('sub', positions(shape[a]!), expandNode(start, [shape[a]!]))
          const like = (v: number): Node => likeNode(v, typeOf(back))
          const isIn = binaryNode('and', binaryNode('le', like(0), back), binaryNode('lt', back, like(size)))
          placed = along(placed, a, binaryNode('max', like(0), binaryNode('min', back, like(size - 1))))
          const column = shape.map((_, i) => (i === a ? shape[a]! : 1))
          const mask = expandNode(reshapeNode(isIn, column), shape)
          inside = inside ? binaryNode('and', inside, mask) : mask
        })
        return inside ? selectNode(inside, placed, n) : placed
      }),
    )
  },
)
