/** Pooling to a given number of outputs: bin i of an axis of n elements holds those from ⌊i·n / out⌋ up to ⌈(i+1)·n / out⌉. */
import { build, constant, typeOf } from '../lang/build.ts'
import { isDim, pointsOf } from '../lang/dim.ts'
import type { DType } from '../lang/dtype.ts'
import type { Node } from '../lang/ir.ts'
import { dataFirst } from '../lang/tensor/dual.ts'
import { take } from '../lang/tensor/index/picking.ts'
import { binaryNode, likeNode, selectNode } from '../lang/tensor/math/arithmetic.ts'
import { expandNode, inSingle, onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { unaveraged } from './pool-windows.ts'
import { type PerAxis, perAxis } from './windows.ts'

/** How many outputs there are: one number for all spatial axes, or one each; null keeps a size. */
export type OutputSize = number | readonly (number | null)[]

type AdaptivePool = {
  (outputSize: OutputSize): <D extends DType>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends DType>(x: Tensor<Tensor['shape'], D>, outputSize: OutputSize): Tensor<Tensor['shape'], D>
}

/** The bins of one axis; all hold `size` elements unless `uneven`. */
interface Bins {
  readonly out: number
  readonly size: number
  readonly starts: readonly number[]
  readonly counts: readonly number[]
  readonly uneven: boolean
}

const binsOf = (n: number, out: number): Bins => {
  const starts = Array.from({ length: out }, (_, i) => Math.floor((i * n) / out))
  const counts = starts.map((start, i) => Math.ceil(((i + 1) * n) / out) - start)
  return { out, size: Math.max(1, ...counts), starts, counts, uneven: n % out !== 0 }
}

/** The axis replaced by `[out, size]`; a bin that is short repeats its last element. */
const binned = (n: Node, axis: number, { out, size, starts, counts, uneven }: Bins): Node => {
  const { shape } = typeOf(n)
  if (!uneven) return reshapeNode(n, [...shape.slice(0, axis), out, size, ...shape.slice(axis + 1)])
  const at = starts.flatMap((start, i) => Array.from({ length: size }, (_, k) => start + Math.min(k, counts[i]! - 1)))
  return nodeOf(take(tensorOf(n), tensorOf(constant({ shape: [out, size], dtype: 'i32' }, at)), { axis }))
}

/** A constant of values along `axis`, the same everywhere else. */
const along = (n: Node, axis: number, dtype: DType, shape: readonly number[], values: readonly number[]): Node => {
  const full = typeOf(n).shape
  const placed = full.map((_, i) => shape[i - axis] ?? 1).map((d, i) => (i < axis ? 1 : d))
  return expandNode(reshapeNode(constant({ shape, dtype }, values), placed), full)
}

/** The mean of each bin of one axis. */
const averaged = (n: Node, axis: number, bins: Bins): Node => {
  const parts = binned(n, axis, bins)
  const { dtype } = typeOf(n)
  const { out, size, counts, uneven } = bins
  const inside = counts.flatMap((c) => Array.from({ length: size }, (_, k) => (k < c ? 1 : 0)))
  const own = uneven
    ? selectNode(along(parts, axis, 'bool', [out, size], inside), parts, likeNode(0, typeOf(parts)))
    : parts
  const total = build.reduce([own], { monoid: 'sum', axes: [axis + 1] })
  return binaryNode('div', total, uneven ? along(total, axis, dtype, [out], counts) : likeNode(size, typeOf(total)))
}

const adaptive = (
  name: string,
  spatial: number,
  pooled: (n: Node, bins: readonly Bins[]) => Node,
  wrong: (name: string, x: Tensor) => Tensor | undefined = () => undefined,
): AdaptivePool =>
  dataFirst(
    name,
    2,
    (x: Tensor, outputSize: OutputSize) =>
      wrong(name, x) ??
      onTensor(name, x, (given, { shape }) => {
        const rank = shape.length
        if (rank !== spatial + 1 && rank !== spatial + 2)
          return refuse(name, [given], {
            reason: `takes rank ${spatial + 2} (or ${spatial + 1} without a batch), not ${rank}`,
          })
        const sizes = shape.slice(rank - spatial)
        const wanted: readonly (number | null)[] = perAxis(name, 'output size', outputSize as PerAxis, spatial)
        const outs = sizes.map((n, i) => wanted[i] ?? n)
        if (wanted.length !== spatial || !outs.every((d) => isDim(d) && d < 2 ** 31))
          return refuse(name, [given], {
            reason: `output sizes [${[outputSize].flat().join(', ')}] are not ${spatial} whole numbers`,
            hint: 'one number stands for all axes, null keeps a size',
          })
        const empty = sizes.findIndex((n, i) => n === 0 && outs[i]! > 0)
        if (empty >= 0)
          return refuse(name, [given], {
            reason: `axis ${rank - spatial + empty} has no elements`,
            axis: rank - spatial + empty,
          })
        if (outs.includes(0))
          return expandNode(likeNode(0, { ...typeOf(given), shape: [] }), [...shape.slice(0, rank - spatial), ...outs])
        return pooled(
          given,
          outs.map((out, i) => binsOf(sizes[i]!, out)),
        )
      }),
  )

const average = (name: string, spatial: number): AdaptivePool =>
  adaptive(
    name,
    spatial,
    (n, bins) => {
      const first = typeOf(n).shape.length - spatial
      return inSingle(n, (wide) => bins.reduce((m, b, i) => averaged(m, first + i, b), wide))
    },
    unaveraged,
  )

const maximum = (name: string, spatial: number): AdaptivePool =>
  adaptive(name, spatial, (n, bins) => {
    const first = typeOf(n).shape.length - spatial
    const cut = bins.reduceRight((m, b, i) => binned(m, first + i, b), n)
    const lead = Array.from({ length: first }, (_, i) => i)
    const order = [...lead, ...bins.map((_, i) => first + 2 * i), ...bins.map((_, i) => first + 2 * i + 1)]
    const together = build.permute([cut], { axes: order })
    const flat = reshapeNode(together, [...typeOf(together).shape.slice(0, first + spatial), pointsOf(bins)])
    // The first of equal elements takes the gradient, as in maxPool.
    return build.get([build.reduce([flat], { monoid: 'argmax', axes: [first + spatial] })], { index: 0 })
  })

/**
 * The means of `outputSize` bins of the last axis, which may overlap where the size does not divide: `[N, C, L]` (or
 * `[C, L]`) → `[N, C, out]`. ShapeError for an empty axis.
 * @example
 * T.reference(nn.adaptiveAvgPool1d(T.tensor([[1, 5, 2, 4.5]]), 2)).data // => [3, 3.25]
 * T.reference(nn.adaptiveAvgPool1d(T.tensor([[1, 5, 2.5]]), 2)).data // => [3, 3.75]
 */
export const adaptiveAvgPool1d: AdaptivePool = average('nn.adaptiveAvgPool1d', 1)

/**
 * The means of bins of the last two axes: `[N, C, H, W]` (or without N) → `[N, C, …outputSize]`; as
 * `adaptiveAvgPool1d`.
 * @example
 * T.reference(nn.adaptiveAvgPool2d(T.tensor([[[1, 5], [7, 4.5]]]), [null, 1])).data // => [3, 5.75]
 */
export const adaptiveAvgPool2d: AdaptivePool = average('nn.adaptiveAvgPool2d', 2)

/**
 * The means of bins of the last three axes: `[N, C, D, H, W]` (or without N) → `[N, C, …outputSize]`; as
 * `adaptiveAvgPool1d`.
 * @example
 * T.reference(nn.adaptiveAvgPool3d(T.tensor([[[[1, 5], [7, 4.5]]]]), 1)).data // => [4.375]
 */
export const adaptiveAvgPool3d: AdaptivePool = average('nn.adaptiveAvgPool3d', 3)

/**
 * The largest elements of `outputSize` bins of the last axis: `[N, C, L]` (or `[C, L]`) → `[N, C, out]`; NaN wins, ties
 * send the gradient to the first. ShapeError for an empty axis.
 * @example
 * T.reference(nn.adaptiveMaxPool1d(T.tensor([[1, 5, 2]]), 2)).data // => [5, 5]
 */
export const adaptiveMaxPool1d: AdaptivePool = maximum('nn.adaptiveMaxPool1d', 1)

/**
 * The largest elements of bins of the last two axes: `[N, C, H, W]` (or without N) → `[N, C, …outputSize]`; as
 * `adaptiveMaxPool1d`.
 * @example
 * T.reference(nn.adaptiveMaxPool2d(T.tensor([[[1, 5], [7, 4]]]), [1, 2])).data // => [7, 5]
 */
export const adaptiveMaxPool2d: AdaptivePool = maximum('nn.adaptiveMaxPool2d', 2)

/**
 * The largest elements of bins of the last three axes: `[N, C, D, H, W]` (or without N) → `[N, C, …outputSize]`; as
 * `adaptiveMaxPool1d`.
 * @example
 * T.reference(nn.adaptiveMaxPool3d(T.tensor([[[[1, 5], [7, 4]]]]), 1)).data // => [7]
 */
export const adaptiveMaxPool3d: AdaptivePool = maximum('nn.adaptiveMaxPool3d', 3)
