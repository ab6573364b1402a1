/** Elements added around a tensor. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { Tensor } from '../../types/tensor.ts'
import { demandChoice, demandList, demandNumber, type OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { expandNode, onTensor, refuse, toElement } from '../operand.ts'
import { concatNode } from './joining.ts'
import { narrowNode } from './reordering.ts'

/** How `pad` fills: with `value`, mirrored without the edge, with the edge, or around the other end. */
export interface PadOptions {
  readonly mode?: 'constant' | 'reflect' | 'replicate' | 'circular' | undefined
  readonly value?: number | boolean | undefined
}

const padOptions: OptionNames<PadOptions> = { mode: 'own', value: 'own' }

type Widths = readonly (readonly [before: number, after: number])[]

type Pad = {
  (widths: Widths, options?: PadOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, widths: Widths, options?: PadOptions): Tensor<Shape, D>
}

/** `n` with `low` and `high` (negative: cropped) elements of `value` at each end of each axis. */
export const padNode = (n: Node, low: readonly number[], high: readonly number[], value: number): Node =>
  low.every((d) => d === 0) && high.every((d) => d === 0)
    ? n
    : build.pad([n], { low, high, interior: low.map(() => 0), value: toElement(value, typeOf(n).dtype) })

const flipAlong = (n: Node, axis: number): Node => build.flip([n], { axes: [axis] })

/** The slice at `index` of `axis`, `width` times. */
export const edge = (n: Node, axis: number, index: number, width: number): Node => {
  const one = narrowNode(n, axis, index, index + 1)
  return expandNode(
    one,
    typeOf(one).shape.map((d, i) => (i === axis ? width : d)),
  )
}

/** What goes before and after along one axis of size `n`. */
const border = (
  n: Node,
  axis: number,
  size: number,
  before: number,
  after: number,
  mode: 'reflect' | 'replicate' | 'circular',
): readonly [Node, Node] => {
  if (mode === 'replicate') return [edge(n, axis, 0, before), edge(n, axis, size - 1, after)]
  if (mode === 'circular') return [narrowNode(n, axis, size - before, size), narrowNode(n, axis, 0, after)]
  return [
    flipAlong(narrowNode(n, axis, 1, before + 1), axis),
    flipAlong(narrowNode(n, axis, size - 1 - after, size - 1), axis),
  ]
}

/**
 * Elements added at both ends of each axis, `[[before, after], …]` from the first axis on: `value` (0, or false), or by `mode`
 * mirrored without the edge, the edge repeated, the other end. Negative widths crop: before the axis is wrapped around,
 * after it is mirrored or its edge repeated (as in PyTorch). ShapeError for widths that do not fit the rank, or a mirror
 * past the axis.
 * @example
 * T.reference(T.pad(T.tensor([1, 2]), [[1, 2]])).data // => [0, 1, 2, 0, 0]
 * T.reference(T.pad(T.tensor([false]), [[1, 2]], { value: true })).data // => [1, 0, 1, 1]
 * T.reference(T.pad(T.tensor([1, 2, 3]), [[2, 0]], { mode: 'reflect' })).data // => [3, 2, 1, 2, 3]
 */
export const pad: Pad = dataFirstWith(
  'T.pad',
  2,
  padOptions,
  (x: Tensor, widths: Widths, { mode = 'constant', value = 0 }: PadOptions = {}) => {
    demandChoice('T.pad', 'mode', mode, ['constant', 'reflect', 'replicate', 'circular'])
    const filler = Number(demandNumber('T.pad', 'the value', value))
    demandList('T.pad', widths, 'pairs of widths', 'T.pad(x, [[1, 1], [0, 2]])')
    return onTensor('T.pad', x, (n, { shape, dtype }) => {
      if (widths.length !== shape.length)
        return refuse('T.pad', [n], {
          reason: `${widths.length} pairs of widths for rank ${shape.length}`,
          hint: 'give [before, after] for every axis',
        })
      const odd = widths.findIndex((w) => !Array.isArray(w) || w.length !== 2 || !w.every(Number.isInteger))
      if (odd >= 0)
        return refuse('T.pad', [n], { reason: `the widths of axis ${odd} are not a pair of whole numbers`, axis: odd })
      const short = widths.findIndex(([a, b], i) => shape[i]! + a + b < 0)
      if (short >= 0)
        return refuse('T.pad', [n], {
          reason: `axis ${short} of size ${shape[short]} cannot lose that many elements`,
          axis: short,
        })
      if (mode === 'constant') {
        if (!isFloat(dtype) && toElement(filler, dtype) !== filler)
          return refuse('T.pad', [n], { reason: `${dtype} cannot hold ${value}` })
        return padNode(
          n,
          widths.map((w) => w[0]),
          widths.map((w) => w[1]),
          filler,
        )
      }
      let out = n
      for (const [axis, [before, after]] of widths.entries()) {
        if (before === 0 && after === 0) continue
        const size = shape[axis]!
        const crop = [Math.max(0, -before), Math.max(0, -after)] as const
        const kept = mode === 'circular' ? size - crop[0] - crop[1] : size
        const most =
          mode === 'reflect' ? size - 1 : mode === 'circular' ? kept : size === 0 ? 0 : Number.POSITIVE_INFINITY
        if (before > most || after > most)
          return refuse('T.pad', [n], {
            reason: `widths ${before} and ${after} on axis ${axis} of size ${size}: mode ${mode} allows up to ${most}`,
            axis,
          })
        const cropped = (m: Node): Node => narrowNode(m, axis, crop[0], typeOf(m).shape[axis]! - crop[1])
        if (mode === 'circular') out = cropped(out)
        const [left, right] = border(out, axis, kept, Math.max(0, before), Math.max(0, after), mode)
        const parts = [...(before > 0 ? [left] : []), out, ...(after > 0 ? [right] : [])]
        out = concatNode(parts, axis)
        if (mode !== 'circular') out = cropped(out)
      }
      return out
    })
  },
)
