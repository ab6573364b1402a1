/** Tensors repeated: whole, or element by element. */
import { typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandList } from '../arguments.ts'
import { dataFirst, dataFirstWith } from '../dual.ts'
import { expandNode, onAxis, onTensor, refuse, reshapeNode } from '../operand.ts'
import { type AlongOptions, alongOptions, concatNode } from './joining.ts'
import { edge } from './padding.ts'
import { narrowNode } from './reordering.ts'

/** `n` repeated `counts[i]` times along each axis, whole blocks. */
const tileNode = (n: Node, counts: readonly number[]): Node => {
  const { shape } = typeOf(n)
  const aligned = [...Array.from({ length: counts.length - shape.length }, () => 1), ...shape]
  const split = reshapeNode(
    n,
    aligned.flatMap((d) => [1, d]),
  )
  const grown = expandNode(
    split,
    aligned.flatMap((d, i) => [counts[i]!, d]),
  )
  return reshapeNode(
    grown,
    aligned.map((d, i) => d * counts[i]!),
  )
}

const whole = (counts: readonly number[]): boolean => counts.every((c) => Number.isInteger(c) && c >= 0)

type Repeat = {
  (counts: readonly number[]): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, counts: readonly number[]): Tensor<Shape, D>
}

/**
 * The whole tensor `counts[i]` times along each axis; there are at least as many counts as axes, extra ones are new
 * leading axes (torch's Tensor.repeat). ShapeError for fewer.
 * @example
 * T.reference(T.repeat(T.tensor([1, 2]), [2, 1])).data // => [1, 2, 1, 2]
 */
export const repeat: Repeat = dataFirst('T.repeat', 2, (x: Tensor, counts: readonly number[]) => {
  demandList('T.repeat', counts, 'counts', 'T.repeat(x, [2, 1])')
  return onTensor('T.repeat', x, (n, { shape }) =>
    counts.length < shape.length || !whole(counts)
      ? refuse('T.repeat', [n], {
          reason: `counts [${counts.join(', ')}] do not cover rank ${shape.length}`,
          hint: 'T.tile aligns fewer counts to the last axes',
        })
      : tileNode(n, counts),
  )
})

/**
 * As `repeat`, where missing leading counts are 1 (numpy.tile).
 * @example
 * T.reference(T.tile(T.tensor([1, 2]), [2])).data // => [1, 2, 1, 2]
 */
export const tile: Repeat = dataFirst('T.tile', 2, (x: Tensor, counts: readonly number[]) => {
  demandList('T.tile', counts, 'counts', 'T.tile(x, [2, 1])')
  return onTensor('T.tile', x, (n, { shape }) =>
    whole(counts)
      ? tileNode(n, [...Array.from({ length: Math.max(0, shape.length - counts.length) }, () => 1), ...counts])
      : refuse('T.tile', [n], { reason: `counts [${counts.join(', ')}] are not whole numbers` }),
  )
})

type RepeatInterleave = {
  (
    repeats: number | readonly number[],
    options?: AlongOptions,
  ): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, repeats: number | readonly number[], options?: AlongOptions): Tensor<Shape, D>
}

/**
 * Each slice along `axis` repeated in place, `repeats` times or as many times as its entry says; the flattened operand
 * without an axis (torch.repeat_interleave). ShapeError for entries that do not match the axis.
 * @example
 * T.reference(T.repeatInterleave(T.tensor([1, 2]), 2)).data // => [1, 1, 2, 2]
 * T.reference(T.repeatInterleave(T.tensor([1, 2]), [0, 3])).data // => [2, 2, 2]
 */
export const repeatInterleave: RepeatInterleave = dataFirstWith(
  'T.repeatInterleave',
  2,
  alongOptions,
  (x: Tensor, repeats: number | readonly number[], { axis }: AlongOptions = {}) => {
    if (typeof repeats !== 'number')
      demandList('T.repeatInterleave', repeats, 'numbers of repeats', 'T.repeatInterleave(x, 2)')
    const flat =
      axis === undefined ? onTensor('T.repeatInterleave', x, (n, { shape }) => reshapeNode(n, [sizeOf(shape)])) : x
    return onAxis('T.repeatInterleave', flat, axis === undefined ? 0 : axis, (n, at, { shape }) => {
      const size = shape[at]!
      const bad = (reason: string): Node => refuse('T.repeatInterleave', [n], { reason, axis: at })
      if (!whole([repeats].flat())) return bad(`repeats [${[repeats].flat().join(', ')}] are not whole numbers`)
      if (typeof repeats === 'number') {
        const split = reshapeNode(n, [...shape.slice(0, at + 1), 1, ...shape.slice(at + 1)])
        const grown = expandNode(split, [...shape.slice(0, at + 1), repeats, ...shape.slice(at + 1)])
        return reshapeNode(
          grown,
          shape.map((d, i) => (i === at ? d * repeats : d)),
        )
      }
      if (repeats.length !== size) return bad(`${repeats.length} repeats for axis ${at} of size ${size}`)
      const runs = repeats.flatMap((count, i) => (count === 0 ? [] : [edge(n, at, i, count)]))
      return runs.length === 0 ? narrowNode(n, at, 0, 0) : concatNode(runs, at)
    })
  },
)
