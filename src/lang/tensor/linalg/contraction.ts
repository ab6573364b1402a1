/** Products that contract axes: matmul, tensordot, vecdot, all through one labelled two-operand product. */
import * as E from '#fp/Either'
import { build } from '../../build.ts'
import { isDim, type Shape } from '../../dim.ts'
import { type DType, promote } from '../../dtype.ts'
import { type Refusal, raise } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import { normaliseAxis } from '../../shape.ts'
import type { Product } from '../../types/matmul.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dual, dualWith } from '../dual.ts'
import { castNode, lift, refuse, reshapeNode, withTypes } from '../operand.ts'
import { type AlongOptions, alongOptions } from '../shape/joining.ts'

/** Labels of the axes of one operand; a size-1 axis may meet a larger one of the same label. */
export type Labels = readonly number[]

const sumAway = (n: Node, labels: Labels, keep: (label: number) => boolean): readonly [Node, Labels] => {
  const axes = labels.flatMap((l, i) => (keep(l) ? [] : [i]))
  return axes.length === 0 ? [n, labels] : [build.reduce([n], { monoid: 'sum', axes }), labels.filter(keep)]
}

/**
 * The labelled product of two nodes: labels in both and not in `out` are contracted. A size-1 axis that meets a larger
 * one is dropped from its operand (so nothing is broadcast in memory); labels of one operand alone that `out` lacks
 * are summed first. Sizes must agree otherwise.
 */
export const contractNode = (
  a: Node,
  b: Node,
  ta: TensorType,
  tb: TensorType,
  la: Labels,
  lb: Labels,
  out: Labels,
): Node => {
  const sizeIn = (labels: Labels, shape: Shape, l: number): number | undefined => shape[labels.indexOf(l)]
  const thin = (labels: Labels, shape: Shape, other: Labels, otherShape: Shape): readonly number[] =>
    labels.filter((l, i) => shape[i] === 1 && other.includes(l) && sizeIn(other, otherShape, l) !== 1)
  const [dropA, dropB] = [thin(la, ta.shape, lb, tb.shape), thin(lb, tb.shape, la, ta.shape)]
  const squeeze = (n: Node, labels: Labels, shape: Shape, drop: readonly number[]): readonly [Node, Labels] => [
    reshapeNode(
      n,
      shape.filter((_, i) => !drop.includes(labels[i]!)),
    ),
    labels.filter((l) => !drop.includes(l)),
  ]
  const [thinA, labelsA] = squeeze(a, la, ta.shape, dropA)
  const [thinB, labelsB] = squeeze(b, lb, tb.shape, dropB)
  const [x, lx] = sumAway(thinA, labelsA, (l) => labelsB.includes(l) || out.includes(l))
  const [y, ly] = sumAway(thinB, labelsB, (l) => lx.includes(l) || out.includes(l))
  return build.dot([x, y], { lhs: lx, rhs: ly, out })
}

/** Two tensors of one dtype lifted; unlike dtypes are refused, numbers too. bool is counted as i32. */
export const pairOf = (
  name: string,
  a: unknown,
  b: unknown,
  body: (a: Node, b: Node, ta: TensorType, tb: TensorType) => Node,
): Tensor => {
  const nodes = [lift(name, a, 0), lift(name, b, 1)]
  return tensorOf(
    withTypes(name, nodes, ([ta, tb]) => {
      if (ta!.dtype !== tb!.dtype)
        return refuse(name, nodes, {
          reason: `dtypes ${ta!.dtype} and ${tb!.dtype} differ`,
          hint: `cast one operand, e.g. T.cast(x, '${promote(ta!.dtype, tb!.dtype)}')`,
        })
      if (ta!.dtype === 'bool') {
        const [p, q] = nodes.map((n) => castNode(n, 'i32'))
        return body(p!, q!, { ...ta!, dtype: 'i32' }, { ...tb!, dtype: 'i32' })
      }
      return body(nodes[0]!, nodes[1]!, ta!, tb!)
    }),
  )
}

/** `n` whole numbers from `from` on. */
export const range = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => i + from)

/** The refusal when contracted axes differ in size. */
export const innerDiffer = (a: number, b: number, axisA: number, axisB: number, hint: string): Refusal => ({
  reason: `inner dimensions ${a} and ${b} differ (axis ${axisA} of the left, axis ${axisB} of the right operand)`,
  axis: axisA,
  hint,
})

/**
 * The matrix product with NumPy's rules: `[…, m, k]` by `[…, k, n]` → `[…, m, n]`, leading axes broadcast; a vector is
 * a row on the left, a column on the right. f16 and bf16 accumulate in f32, bool counts as i32, integers wrap: i8 and u8
 * after a sum in 32 bits, which a cast to i32 before keeps. ShapeError for unlike dtypes, inner sizes that differ,
 * scalars.
 * @example
 * T.reference(T.matmul(T.tensor([[1, 2], [3, 4]]), T.tensor([5, 6]))).data // => [17, 39]
 */
export const matmul: Product<'matmul'> = dual('T.matmul', 2, (a: Tensor, b: Tensor) =>
  pairOf('T.matmul', a, b, (x, y, ta, tb) => {
    const [ra, rb] = [ta.shape.length, tb.shape.length]
    if (ra === 0 || rb === 0)
      return refuse('T.matmul', [x, y], {
        reason: 'a scalar has no matrix product',
        hint: 'multiply by a scalar with T.mul',
      })
    const [ka, kb] = [ra - 1, Math.max(0, rb - 2)]
    if (ta.shape[ka] !== tb.shape[kb])
      return refuse(
        'T.matmul',
        [x, y],
        innerDiffer(
          ta.shape[ka]!,
          tb.shape[kb]!,
          ka,
          kb,
          'transpose an operand with T.matrixTranspose if its axes are in the other order',
        ),
      )
    // Labels: batch axes 0 … from the left of the longer operand, then row, inner, column.
    const batch = Math.max(ra, rb, 2) - 2
    const [row, inner, column] = [batch, batch + 1, batch + 2]
    const la = ra === 1 ? [inner] : [...range(ra - 2, batch - ra + 2), row, inner]
    const lb = rb === 1 ? [inner] : [...range(rb - 2, batch - rb + 2), inner, column]
    for (const l of range(batch)) {
      const [p, q] = [ta.shape[la.indexOf(l)] ?? 1, tb.shape[lb.indexOf(l)] ?? 1]
      if (p !== q && p !== 1 && q !== 1)
        return refuse('T.matmul', [x, y], {
          reason: `batch sizes ${p} and ${q} do not broadcast at axis ${l}`,
          axis: l,
        })
    }
    const out = [...range(batch), ...(ra === 1 ? [] : [row]), ...(rb === 1 ? [] : [column])]
    return contractNode(x, y, ta, tb, la, lb, out)
  }),
)

type Vecdot = {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, NoInfer<D>>, options?: AlongOptions): Tensor<Shape, D>
  <D extends DType>(b: Tensor<Shape, D>, options?: AlongOptions): (a: Tensor<Shape, D>) => Tensor<Shape, D>
}

/**
 * Inner products along `axis` (the last by default) of operands of one dtype that broadcast elsewhere. ShapeError where
 * the sizes of the axis differ.
 * @example
 * T.reference(T.vecdot(T.tensor([[1, 2], [3, 4]]), T.tensor([5, 6]))).data // => [17, 39]
 */
export const vecdot: Vecdot = dualWith(
  'T.vecdot',
  2,
  alongOptions,
  (a: Tensor, b: Tensor, { axis = -1 }: AlongOptions = {}) =>
    pairOf('T.vecdot', a, b, (x, y, ta, tb) => {
      const rank = Math.max(ta.shape.length, tb.shape.length)
      const at = normaliseAxis(axis, Math.min(ta.shape.length, tb.shape.length))
      if (E.isLeft(at)) return refuse('T.vecdot', [x, y], { reason: at.left, axis })
      const fromEnd = axis < 0 ? axis : axis - rank
      const contracted = rank + fromEnd
      const [la, lb] = [range(ta.shape.length, rank - ta.shape.length), range(tb.shape.length, rank - tb.shape.length)]
      for (const l of range(rank)) {
        const [p, q] = [ta.shape[la.indexOf(l)] ?? 1, tb.shape[lb.indexOf(l)] ?? 1]
        if (l === contracted ? p !== q : p !== q && p !== 1 && q !== 1)
          return refuse('T.vecdot', [x, y], { reason: `sizes ${p} and ${q} differ at axis ${l}`, axis: l })
      }
      return contractNode(
        x,
        y,
        ta,
        tb,
        la,
        lb,
        range(rank).filter((l) => l !== contracted),
      )
    }),
)

/** How many trailing and leading axes to contract, or the two lists of axes. */
export type TensordotAxes = number | readonly [readonly number[], readonly number[]]

/** What `tensordot` contracts: 2 axes of each unless said. */
export interface TensordotOptions {
  readonly axes?: TensordotAxes | undefined
}

const tensordotOptions: OptionNames<TensordotOptions> = { axes: 'own' }

/** UsageError unless `axes` is a number or two lists. */
const demandSides = (axes: TensordotAxes): void => {
  if (typeof axes === 'number' || (Array.isArray(axes) && axes.length === 2 && axes.every((a) => Array.isArray(a))))
    return
  raise({
    tag: 'UsageError',
    message: 'T.tensordot: axes is neither a number nor two lists of axes',
    hint: 'write { axes: [[1], [0]] } to contract axis 1 of the first operand with axis 0 of the second',
  })
}

type Tensordot = {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, NoInfer<D>>, options?: TensordotOptions): Tensor<Shape, D>
  <D extends DType>(b: Tensor<Shape, D>, options?: TensordotOptions): (a: Tensor<Shape, D>) => Tensor<Shape, D>
}

/**
 * Contracts axes of `a` with axes of `b`, operands of one dtype: the last n with the first n (`axes: n`, 2 by default),
 * or the pairs of two lists. The axes left of `a`, then those of `b` remain (numpy.tensordot).
 * @example
 * T.reference(T.tensordot(T.tensor([[1, 2], [3, 4]]), T.tensor([5, 6]), { axes: 1 })).data // => [17, 39]
 */
export const tensordot: Tensordot = dualWith(
  'T.tensordot',
  2,
  tensordotOptions,
  (a: Tensor, b: Tensor, { axes = 2 }: TensordotOptions = {}) => {
    demandSides(axes)
    return pairOf('T.tensordot', a, b, (x, y, ta, tb) => {
      const [ra, rb] = [ta.shape.length, tb.shape.length]
      if (typeof axes === 'number' && !(isDim(axes) && axes <= Math.min(ra, rb)))
        return refuse('T.tensordot', [x, y], { reason: `ranks ${ra} and ${rb} have no ${axes} axes to contract` })
      const [pa, pb] = typeof axes === 'number' ? [range(axes, ra - axes), range(axes)] : axes
      if (pa.length !== pb.length)
        return refuse('T.tensordot', [x, y], { reason: `${pa.length} axes cannot meet ${pb.length}` })
      const lb: number[] = range(rb, ra)
      const la = range(ra)
      for (const [i, p] of pa.entries()) {
        const [at, bt] = [normaliseAxis(p, ra), normaliseAxis(pb[i]!, rb)]
        if (E.isLeft(at)) return refuse('T.tensordot', [x, y], { reason: at.left, axis: p })
        if (E.isLeft(bt)) return refuse('T.tensordot', [x, y], { reason: bt.left, axis: pb[i]! })
        if (ta.shape[at.right] !== tb.shape[bt.right])
          return refuse(
            'T.tensordot',
            [x, y],
            innerDiffer(
              ta.shape[at.right]!,
              tb.shape[bt.right]!,
              at.right,
              bt.right,
              'the contracted axes must have one size',
            ),
          )
        lb[bt.right] = at.right
      }
      const shared = la.filter((l) => lb.includes(l))
      return contractNode(
        x,
        y,
        ta,
        tb,
        la,
        lb,
        [...la, ...lb].filter((l) => !shared.includes(l)),
      )
    })
  },
)
