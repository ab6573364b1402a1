/** Tensors joined and cut apart. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { ceilDiv, type Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { normaliseAxis, showShape } from '../../shape.ts'
import type { Sized } from '../../types/movement.ts'
import type { Only } from '../../types/options.ts'
import type { Concatenated, DTypeAmong, Stacked, Taken } from '../../types/parts.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { useOperands } from '../../unused-conditions.ts'
import { demandList, demandRecord, type OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { expandNode, lift, onTensor, refuse, reshapeNode, scalar, withTypes } from '../operand.ts'
import { narrowNode } from './reordering.ts'

/** The one axis a function works along. */
export interface AlongOptions {
  readonly axis?: number | undefined
}

export const alongOptions: OptionNames<AlongOptions> = { axis: 'own' }

const joined = (
  name: string,
  xs: readonly Tensor[],
  options: AlongOptions | undefined,
  extra: number,
  join: (nodes: readonly Node[], axis: number) => Node,
): Tensor => {
  const nodes = demandList(name, xs).map((x, i) => lift(name, x, i))
  demandRecord(name, alongOptions, options ?? {})
  useOperands(xs)
  const { axis = 0 } = options ?? {}
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

/** Nodes one after another along `axis`; a single one as it is. */
export const concatNode = (nodes: readonly Node[], axis: number): Node =>
  nodes.length === 1 ? nodes[0]! : build.concat(nodes, { axis })

/**
 * Tensors of one dtype joined along an existing axis (default 0); all other sizes agree. ShapeError for no tensors,
 * unlike dtypes, ranks or sizes.
 * @example
 * T.reference(T.concat([T.tensor([1, 2]), T.tensor([3])])).data // => [1, 2, 3]
 */
export const concat = <const Xs extends readonly Tensor[], const O extends AlongOptions = object>(
  xs: Xs,
  options?: O & Only<O, AlongOptions>,
): Tensor<Concatenated<Xs, O>, DTypeAmong<Xs>> => joined('T.concat', xs, options, 0, concatNode) as never

/**
 * Tensors of one shape and dtype joined along a new axis (default 0). ShapeError for no tensors, unlike dtypes or
 * shapes.
 * @example
 * T.reference(T.stack([T.tensor([1, 2]), T.tensor([3, 4])], { axis: 1 })).data // => [1, 3, 2, 4]
 */
export const stack = <const Xs extends readonly Tensor[], const O extends AlongOptions = object>(
  xs: Xs,
  options?: O & Only<O, AlongOptions>,
): Tensor<Stacked<Xs, O>, DTypeAmong<Xs>> =>
  joined('T.stack', xs, options, 1, (nodes, at) =>
    concatNode(
      nodes.map((n) => {
        const { shape } = typeOf(n)
        return reshapeNode(n, [...shape.slice(0, at), 1, ...shape.slice(at)])
      }),
      at,
    ),
  ) as never

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

/** Parts of a tensor of shape `S`: of its dtype and rank. */
type Pieces<S extends Shape, D extends DType> = readonly Tensor<Sized<S>, D>[]

type Split = {
  (
    sizes: number | readonly number[],
    options?: AlongOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Pieces<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    sizes: number | readonly number[],
    options?: AlongOptions,
  ): Pieces<S, D>
}

const evenly = (total: number, size: number): readonly number[] =>
  Array.from({ length: Math.max(1, ceilDiv(total, size)) }, (_, i) => Math.min(size, total - i * size))

/**
 * Cut along an axis (default 0) into pieces of one size (the last may be smaller) or of the listed sizes, which add up
 * to the axis; a list of views (torch.split). ShapeError where they do not.
 * @example
 * T.split(T.arange(5), 2).map((t) => T.reference(t).data) // => [[0, 1], [2, 3], [4]]
 */
export const split: Split = dataFirstWith(
  'T.split',
  2,
  alongOptions,
  (x: Tensor, sizes: number | readonly number[], { axis = 0 }: AlongOptions = {}) => {
    if (typeof sizes !== 'number') demandList('T.split', sizes, 'sizes', 'T.split(x, 2) or T.split(x, [2, 3])')
    return pieces('T.split', x, axis, (total) => {
      if (typeof sizes === 'number')
        return Number.isInteger(sizes) && sizes > 0
          ? evenly(total, sizes)
          : `size ${sizes} is not a positive whole number`
      const covered = sizes.reduce((a, b) => a + b, 0)
      return covered === total && sizes.every((s) => Number.isInteger(s) && s >= 0)
        ? sizes
        : `sizes [${sizes.join(', ')}] add up to ${covered}, the axis has ${total}`
    })
  },
)

type Chunk = {
  (count: number, options?: AlongOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Pieces<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, count: number, options?: AlongOptions): Pieces<S, D>
}

/**
 * Cut along an axis (default 0) into at most `count` pieces of equal size, the last possibly smaller; a list of views
 * (torch.chunk).
 * @example
 * T.chunk(T.arange(5), 2).map((t) => T.reference(t).data) // => [[0, 1, 2], [3, 4]]
 */
export const chunk: Chunk = dataFirstWith(
  'T.chunk',
  2,
  alongOptions,
  (x: Tensor, count: number, { axis = 0 }: AlongOptions = {}) =>
    pieces('T.chunk', x, axis, (total) => {
      if (!Number.isInteger(count) || count < 1) return `${count} is not a positive number of pieces`
      return total === 0 ? Array.from({ length: count }, () => 0) : evenly(total, ceilDiv(total, count))
    }),
)

type Unbind = {
  <const O extends AlongOptions = object>(
    options?: O & Only<O, AlongOptions>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => readonly Tensor<Taken<S, readonly [], O>, D>[]
  <S extends Shape, D extends DType, const O extends AlongOptions = object>(
    x: Tensor<S, D>,
    options?: O & Only<O, AlongOptions>,
  ): readonly Tensor<Taken<S, readonly [], O>, D>[]
}

/**
 * The slices along an axis (default 0), which is dropped; a list of views (torch.unbind).
 * @example
 * T.unbind(T.tensor([[1, 2], [3, 4]])).map((t) => T.reference(t).data) // => [[1, 2], [3, 4]]
 */
export const unbind: Unbind = dataFirstWith('T.unbind', 1, alongOptions, (x: Tensor, { axis = 0 }: AlongOptions = {}) =>
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

/** A scalar constant broadcast to a shape. */
export const filledNode = (shape: Shape, dtype: DType, value: number | boolean): Node =>
  expandNode(scalar(value, dtype), shape)
