/** Products that contract: matmul and its relatives, all through one labelled two-operand product. */
import * as E from '#fp/Either'
import { build } from '../build.ts'
import type { Shape } from '../dim.ts'
import { type DType, promote } from '../dtype.ts'
import type { Refusal } from '../errors.ts'
import type { Node, TensorType } from '../ir.ts'
import { normaliseAxis, showShape } from '../shape.ts'
import type { Product } from '../types/matmul.ts'
import { type Operand, type Tensor, tensorOf } from '../types.ts'
import { add, mul } from './arithmetic.ts'
import { dual, dualWith } from './dual.ts'
import { permuteNode } from './movement.ts'
import { castNode, expandNode, lift, refuse, reshapeNode, withTypes } from './operand.ts'

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

const range = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => i + from)

/** The refusal when contracted axes differ in size. */
const innerDiffer = (a: number, b: number, axisA: number, axisB: number, hint: string): Refusal => ({
  reason: `inner dimensions ${a} and ${b} differ (axis ${axisA} of the left, axis ${axisB} of the right operand)`,
  axis: axisA,
  hint,
})

/**
 * The matrix product with NumPy's rules: vectors count as a row on the left and a column on the right, leading axes
 * broadcast. Unlike dtypes are refused. Integers accumulate in their own dtype.
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

interface Binary {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, NoInfer<D>>): Tensor<Shape, D>
  <D extends DType>(b: Tensor<Shape, D>): (a: Tensor<Shape, D>) => Tensor<Shape, D>
}

const ofRanks =
  (name: string, ra: number, rb: number, la: Labels, lb: Labels, out: Labels) =>
  (a: Tensor, b: Tensor): Tensor =>
    pairOf(name, a, b, (x, y, ta, tb) => {
      if (ta.shape.length !== ra || tb.shape.length !== rb)
        return refuse(name, [x, y], {
          reason: `takes ranks ${ra} and ${rb}, not ${ta.shape.length} and ${tb.shape.length}`,
          hint: 'T.matmul broadcasts over leading axes',
        })
      for (const [i, l] of la.entries()) {
        const j = lb.indexOf(l)
        if (j >= 0 && ta.shape[i] !== tb.shape[j])
          return refuse(
            name,
            [x, y],
            out.includes(l)
              ? { reason: `batch sizes ${ta.shape[i]} and ${tb.shape[j]} differ`, axis: i }
              : innerDiffer(ta.shape[i]!, tb.shape[j]!, i, j, 'the contracted axes must have one size'),
          )
      }
      return build.dot([x, y], { lhs: la, rhs: lb, out })
    })

/** The inner product of two vectors. */
export const dot: Binary = dual('T.dot', 2, ofRanks('T.dot', 1, 1, [0], [0], []))
/** A matrix times a vector. */
export const mv: Binary = dual('T.mv', 2, ofRanks('T.mv', 2, 1, [0, 1], [1], [0]))
/** A batch of matrix products: `[b, m, k]` by `[b, k, n]`. */
export const bmm: Binary = dual('T.bmm', 2, ofRanks('T.bmm', 3, 3, [0, 1, 2], [0, 2, 3], [0, 1, 3]))
/** All products of the elements of two vectors: `[m]`, `[n]` → `[m, n]`. */
export const outer: Binary = dual('T.outer', 2, ofRanks('T.outer', 1, 1, [0], [1], [0, 1]))

interface Vecdot {
  <D extends DType>(
    a: Tensor<Shape, D>,
    b: Tensor<Shape, NoInfer<D>>,
    options?: { readonly axis?: number },
  ): Tensor<Shape, D>
  <D extends DType>(
    b: Tensor<Shape, D>,
    options?: { readonly axis?: number },
  ): (a: Tensor<Shape, D>) => Tensor<Shape, D>
}

/** Inner products along one axis (the last by default) of operands that broadcast elsewhere. */
export const vecdot: Vecdot = dualWith('T.vecdot', 2, (a: Tensor, b: Tensor, { axis = -1 }: { axis?: number } = {}) =>
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

interface Tensordot {
  <D extends DType>(
    a: Tensor<Shape, D>,
    b: Tensor<Shape, NoInfer<D>>,
    options?: { readonly axes?: TensordotAxes },
  ): Tensor<Shape, D>
  <D extends DType>(
    b: Tensor<Shape, D>,
    options?: { readonly axes?: TensordotAxes },
  ): (a: Tensor<Shape, D>) => Tensor<Shape, D>
}

/** Contracts axes of `a` with axes of `b`: the last n with the first n (2 by default), or as listed. */
export const tensordot: Tensordot = dualWith(
  'T.tensordot',
  2,
  (a: Tensor, b: Tensor, { axes = 2 }: { axes?: TensordotAxes } = {}) =>
    pairOf('T.tensordot', a, b, (x, y, ta, tb) => {
      const [ra, rb] = [ta.shape.length, tb.shape.length]
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
    }),
)

/** The Kronecker product: every element of `a` times all of `b`, as blocks. Ranks are aligned from the right. */
export const kron: Binary = dual('T.kron', 2, (a: Tensor, b: Tensor) =>
  pairOf('T.kron', a, b, (x, y, ta, tb) => {
    const rank = Math.max(ta.shape.length, tb.shape.length)
    const aligned = (s: Shape): Shape => [...Array.from({ length: rank - s.length }, () => 1), ...s]
    const [sa, sb] = [aligned(ta.shape), aligned(tb.shape)]
    const [x1, y1] = [reshapeNode(x, sa), reshapeNode(y, sb)]
    const blocks = build.dot([x1, y1], {
      lhs: range(rank),
      rhs: range(rank, rank),
      out: [...range(rank), ...range(rank, rank)],
    })
    const woven = permuteNode(
      blocks,
      range(rank).flatMap((i) => [i, rank + i]),
    )
    return reshapeNode(
      woven,
      sa.map((d, i) => d * sb[i]!),
    )
  }),
)

/** Options of `addmm` and `baddbmm`. */
export interface AddmmOptions {
  readonly beta?: number
  readonly alpha?: number
}

interface Addmm {
  <D extends DType>(
    c: Tensor<Shape, D>,
    a: Tensor<Shape, NoInfer<D>>,
    b: Tensor<Shape, NoInfer<D>>,
    options?: AddmmOptions,
  ): Tensor<Shape, D>
  <D extends DType>(
    a: Tensor<Shape, D>,
    b: Tensor<Shape, NoInfer<D>>,
    options?: AddmmOptions,
  ): (c: Tensor<Shape, D>) => Tensor<Shape, D>
}

const scaled = (x: Tensor, by: number): Operand => (by === 1 ? x : mul(x as Operand, by))

const addProduct =
  (product: Binary) =>
  (c: Tensor, a: Tensor, b: Tensor, { beta = 1, alpha = 1 }: AddmmOptions = {}): Operand =>
    beta === 0 ? scaled(product(a, b), alpha) : add(scaled(c, beta), scaled(product(a, b), alpha))

/** The product of two matrices. */
export const mm: Binary = dual('T.mm', 2, ofRanks('T.mm', 2, 2, [0, 1], [1, 2], [0, 2]))

/** `beta·c + alpha·(a by b)` for matrices. */
export const addmm: Addmm = dualWith('T.addmm', 3, addProduct(mm))
/** `beta·c + alpha·(a by b)` for batches of matrices. */
export const baddbmm: Addmm = dualWith('T.baddbmm', 3, addProduct(bmm))

interface MatrixPower {
  (exponent: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, exponent: number): Tensor<S, D>
}

/** A square matrix (or a batch) to a whole power ≥ 0, by repeated squaring. */
export const matrixPower: MatrixPower = dual('T.matrixPower', 2, (x: Tensor, exponent: number) => {
  const n = lift('T.matrixPower', x)
  return tensorOf(
    withTypes('T.matrixPower', [n], ([{ shape, dtype }]: readonly [TensorType] | readonly TensorType[]) => {
      const size = shape.at(-1)
      if (shape.length < 2 || size !== shape.at(-2))
        return refuse('T.matrixPower', [n], { reason: `${showShape(shape)} is not a square matrix` })
      if (!Number.isInteger(exponent) || exponent < 0)
        return refuse('T.matrixPower', [n], { reason: `exponent ${exponent} is not a whole number ≥ 0` })
      const counts = [0, 1].map((axis) => build.iota([], { shape: [size!, size!], dtype: 'i32', axis }))
      const identity = expandNode(castNode(build.eq(counts, {}), dtype), shape)
      let out: Tensor | undefined
      let square: Tensor = tensorOf(n)
      for (let e = exponent; e > 0; e = Math.floor(e / 2)) {
        if (e % 2 === 1) out = out ? (matmul(out, square) as Tensor) : square
        if (e > 1) square = matmul(square, square) as Tensor
      }
      return out ? lift('T.matrixPower', out) : identity
    }),
  )
})
