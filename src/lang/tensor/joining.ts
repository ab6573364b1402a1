/** Tensors joined, cut apart, repeated and padded. */
import * as E from '#fp/Either'
import { build, typeOf } from '../build.ts'
import { type Shape, sizeOf } from '../dim.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { Node } from '../ir.ts'
import { normaliseAxis, showShape } from '../shape.ts'
import { type Tensor, tensorOf } from '../types.ts'
import { dataFirst } from './dual.ts'
import { narrowNode } from './movement.ts'
import { expandNode, lift, onAxis, onTensor, refuse, reshapeNode, scalar, toElement, withTypes } from './operand.ts'

/** The axis a function works along; 0 by default. */
export interface AlongOptions {
  readonly axis?: number
}

const joined = (
  name: string,
  xs: readonly Tensor[],
  axis: number,
  extra: number,
  join: (nodes: readonly Node[], axis: number) => Node,
): Tensor => {
  const nodes = xs.map((x, i) => lift(name, x, i))
  return tensorOf(
    withTypes(name, nodes, (types) => {
      const first = types[0]
      if (!first) return refuse(name, nodes, { reason: 'needs at least one tensor' })
      const other = types.find((t) => t.dtype !== first.dtype)
      if (other)
        return refuse(name, nodes, {
          reason: `dtypes ${first.dtype} and ${other.dtype} differ`,
          hint: 'cast the tensors to one dtype with T.cast',
        })
      const rank = first.shape.length + extra
      const at = normaliseAxis(axis, rank)
      if (E.isLeft(at))
        return refuse(name, nodes, {
          reason: at.left,
          axis,
          hint: rank === 0 ? 'T.stack joins scalars' : `axes go from ${-rank} to ${rank - 1}`,
        })
      for (const [i, t] of types.entries()) {
        const free = (k: number): boolean => extra === 0 && k === at.right
        if (t.shape.length !== first.shape.length || t.shape.some((d, k) => d !== first.shape[k] && !free(k)))
          return refuse(name, nodes, {
            reason: `tensor ${i} has shape ${showShape(t.shape)}, tensor 0 ${showShape(first.shape)}`,
            axis: Math.max(
              0,
              t.shape.findIndex((d, k) => d !== first.shape[k] && !free(k)),
            ),
            hint: extra === 0 ? `only sizes of axis ${at.right} may differ` : 'all shapes must be equal',
          })
      }
      return join(nodes, at.right)
    }),
  )
}

const concatNode = (nodes: readonly Node[], axis: number): Node =>
  nodes.length === 1 ? nodes[0]! : build.concat(nodes, { axis })

/** Tensors of one dtype joined along an existing axis (default 0); other sizes agree. */
export const concat = <D extends DType>(
  xs: readonly Tensor<Shape, D>[],
  { axis = 0 }: AlongOptions = {},
): Tensor<Shape, D> => joined('T.concat', xs, axis, 0, concatNode) as Tensor<Shape, D>

/** Tensors of one type joined along a new axis (default 0). */
export const stack = <D extends DType>(
  xs: readonly Tensor<Shape, D>[],
  { axis = 0 }: AlongOptions = {},
): Tensor<Shape, D> =>
  joined('T.stack', xs, axis, 1, (nodes, at) =>
    concatNode(
      nodes.map((n) => {
        const { shape } = typeOf(n)
        return reshapeNode(n, [...shape.slice(0, at), 1, ...shape.slice(at)])
      }),
      at,
    ),
  ) as Tensor<Shape, D>

/** Several results of one operand; when it is refused, each of them is that mistake (at least one, so that it is seen). */
const pieces = (
  name: string,
  x: unknown,
  axis: number,
  cut: (size: number, at: number, n: Node) => readonly number[] | string,
): readonly Tensor[] => {
  const n = lift(name, x)
  if (E.isLeft(n.type)) return [tensorOf(n)]
  const { shape } = typeOf(n)
  const at = normaliseAxis(axis, shape.length)
  if (E.isLeft(at)) return [tensorOf(refuse(name, [n], { reason: at.left, axis }))]
  const sizes = cut(shape[at.right]!, at.right, n)
  if (typeof sizes === 'string') return [tensorOf(refuse(name, [n], { reason: sizes, axis: at.right }))]
  let from = 0
  return sizes.map((size) => tensorOf(narrowNode(n, at.right, from, (from += size))))
}

type Pieces = readonly Tensor[]

interface Split {
  (sizes: number | readonly number[], options?: AlongOptions): (x: Tensor) => Pieces
  (x: Tensor, sizes: number | readonly number[], options?: AlongOptions): Pieces
}

const evenly = (total: number, size: number): readonly number[] =>
  Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, i) => Math.min(size, total - i * size))

/** Cut along an axis (default 0) into pieces of one size (the last may be smaller) or of the listed sizes. */
export const split: Split = dataFirst(
  'T.split',
  (x: Tensor, sizes: number | readonly number[], { axis = 0 }: AlongOptions = {}) =>
    pieces('T.split', x, axis, (total) => {
      if (typeof sizes === 'number')
        return Number.isInteger(sizes) && sizes > 0
          ? evenly(total, sizes)
          : `size ${sizes} is not a positive whole number`
      const covered = sizes.reduce((a, b) => a + b, 0)
      return covered === total && sizes.every((s) => Number.isInteger(s) && s >= 0)
        ? sizes
        : `sizes [${sizes.join(', ')}] add up to ${covered}, the axis has ${total}`
    }),
)

interface Chunk {
  (count: number, options?: AlongOptions): (x: Tensor) => Pieces
  (x: Tensor, count: number, options?: AlongOptions): Pieces
}

/** Cut along an axis (default 0) into at most `count` pieces of equal size, the last possibly smaller. */
export const chunk: Chunk = dataFirst('T.chunk', (x: Tensor, count: number, { axis = 0 }: AlongOptions = {}) =>
  pieces('T.chunk', x, axis, (total) => {
    if (!Number.isInteger(count) || count < 1) return `${count} is not a positive number of pieces`
    return total === 0 ? Array.from({ length: count }, () => 0) : evenly(total, Math.ceil(total / count))
  }),
)

interface Unbind {
  (options?: AlongOptions): (x: Tensor) => Pieces
  (x: Tensor, options?: AlongOptions): Pieces
}

/** The slices along an axis (default 0), which is dropped. */
export const unbind: Unbind = dataFirst('T.unbind', (x: Tensor, { axis = 0 }: AlongOptions = {}) =>
  pieces('T.unbind', x, axis, (total) => Array.from({ length: total }, () => 1)).map((piece) =>
    onTensor('T.unbind', piece, (n, { shape }) => {
      const at = axis < 0 ? axis + shape.length : axis
      return reshapeNode(
        n,
        shape.filter((_, i) => i !== at),
      )
    }),
  ),
)

/** How `pad` fills: with `value`, mirrored without the edge, with the edge, or around the other end. */
export interface PadOptions {
  readonly mode?: 'constant' | 'reflect' | 'replicate' | 'circular'
  readonly value?: number
}

type Widths = readonly (readonly [before: number, after: number])[]

interface Pad {
  (widths: Widths, options?: PadOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, widths: Widths, options?: PadOptions): Tensor<Shape, D>
}

/** `n` with `low` and `high` (negative: cropped) elements of `value` at each end of each axis. */
export const padNode = (n: Node, low: readonly number[], high: readonly number[], value: number): Node =>
  low.every((d) => d === 0) && high.every((d) => d === 0)
    ? n
    : build.pad([n], { low, high, interior: low.map(() => 0), value: toElement(value, typeOf(n).dtype) })

const flipAlong = (n: Node, axis: number): Node => build.flip([n], { axes: [axis] })

const edge = (n: Node, axis: number, index: number, width: number): Node => {
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

/** Elements added at both ends of each axis, `[[before, after], …]` from the first axis on. Negative widths crop (constant mode). */
export const pad: Pad = dataFirst(
  'T.pad',
  (x: Tensor, widths: Widths, { mode = 'constant', value = 0 }: PadOptions = {}) =>
    onTensor('T.pad', x, (n, { shape, dtype }) => {
      if (widths.length !== shape.length)
        return refuse('T.pad', [n], {
          reason: `${widths.length} pairs of widths for rank ${shape.length}`,
          hint: 'give [before, after] for every axis',
        })
      const odd = widths.findIndex((w) => w.length !== 2 || !w.every(Number.isInteger))
      if (odd >= 0)
        return refuse('T.pad', [n], { reason: `the widths of axis ${odd} are not a pair of whole numbers`, axis: odd })
      const short = widths.findIndex(([a, b], i) => shape[i]! + a + b < 0)
      if (short >= 0)
        return refuse('T.pad', [n], {
          reason: `axis ${short} of size ${shape[short]} cannot lose that many elements`,
          axis: short,
        })
      if (mode === 'constant') {
        if (!isFloat(dtype) && toElement(value, dtype) !== value)
          return refuse('T.pad', [n], { reason: `${dtype} cannot hold ${value}` })
        return padNode(
          n,
          widths.map((w) => w[0]),
          widths.map((w) => w[1]),
          value,
        )
      }
      let out = n
      for (const [axis, [before, after]] of widths.entries()) {
        if (before === 0 && after === 0) continue
        const size = shape[axis]!
        const most =
          mode === 'reflect' ? size - 1 : mode === 'circular' ? size : size === 0 ? 0 : Number.POSITIVE_INFINITY
        if (before < 0 || after < 0 || before > most || after > most)
          return refuse('T.pad', [n], {
            reason: `widths ${before} and ${after} on axis ${axis} of size ${size}: mode ${mode} allows 0 to ${most}`,
            axis,
          })
        const [left, right] = border(out, axis, size, before, after, mode)
        const parts = [...(before > 0 ? [left] : []), out, ...(after > 0 ? [right] : [])]
        out = concatNode(parts, axis)
      }
      return out
    }),
)

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

interface Repeat {
  (counts: readonly number[]): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, counts: readonly number[]): Tensor<Shape, D>
}

/** torch's repeat: `counts` has at least the rank; extra ones are new leading axes. */
export const repeat: Repeat = dataFirst('T.repeat', (x: Tensor, counts: readonly number[]) =>
  onTensor('T.repeat', x, (n, { shape }) =>
    counts.length < shape.length || !whole(counts)
      ? refuse('T.repeat', [n], {
          reason: `counts [${counts.join(', ')}] do not cover rank ${shape.length}`,
          hint: 'T.tile aligns fewer counts to the last axes',
        })
      : tileNode(n, counts),
  ),
)

/** NumPy's tile: as `repeat`, where missing leading counts are 1. */
export const tile: Repeat = dataFirst('T.tile', (x: Tensor, counts: readonly number[]) =>
  onTensor('T.tile', x, (n, { shape }) =>
    whole(counts)
      ? tileNode(n, [...Array.from({ length: Math.max(0, shape.length - counts.length) }, () => 1), ...counts])
      : refuse('T.tile', [n], { reason: `counts [${counts.join(', ')}] are not whole numbers` }),
  ),
)

interface RepeatInterleave {
  (
    repeats: number | readonly number[],
    options?: AlongOptions,
  ): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, repeats: number | readonly number[], options?: AlongOptions): Tensor<Shape, D>
}

/** Each element along an axis repeated in place, `repeats` times or as many times as its entry says; flattened when no axis is given. */
export const repeatInterleave: RepeatInterleave = dataFirst(
  'T.repeatInterleave',
  (x: Tensor, repeats: number | readonly number[], { axis }: AlongOptions = {}) => {
    const flat =
      axis === undefined ? onTensor('T.repeatInterleave', x, (n, { shape }) => reshapeNode(n, [sizeOf(shape)])) : x
    return onAxis('T.repeatInterleave', flat, axis ?? 0, (n, at, { shape }) => {
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

/** A scalar constant broadcast to a shape. */
export const filledNode = (shape: Shape, dtype: DType, value: number | boolean): Node =>
  expandNode(scalar(value, dtype), shape)
