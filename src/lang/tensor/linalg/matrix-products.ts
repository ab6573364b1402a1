/** Products of fixed ranks (vectors, matrices, batches of them), with sums and powers of such products. */
import { build } from '../../build.ts'
import { floorDiv, type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { TensorType } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import type { Product } from '../../types/matmul.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dual, dualWith } from '../dual.ts'
import { add, mul } from '../math/arithmetic.ts'
import { castNode, expandNode, lift, refuse, reshapeNode, withTypes } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { innerDiffer, type Labels, matmul, pairOf, range } from './contraction.ts'
import { inv } from './linear-systems.ts'

type Binary = {
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

/**
 * The inner product of two vectors of one dtype: `[n]`, `[n]` → scalar. ShapeError for other ranks or sizes.
 * @example
 * T.reference(T.dot(T.tensor([1, 2]), T.tensor([3, 4]))).data // => [11]
 */
export const dot: Product<'dot'> = dual('T.dot', 2, ofRanks('T.dot', 1, 1, [0], [0], []))

/**
 * A matrix times a vector of one dtype: `[m, n]`, `[n]` → `[m]`. ShapeError for other ranks or sizes.
 * @example
 * T.reference(T.mv(T.tensor([[1, 2], [3, 4]]), T.tensor([5, 6]))).data // => [17, 39]
 */
export const mv: Product<'mv'> = dual('T.mv', 2, ofRanks('T.mv', 2, 1, [0, 1], [1], [0]))

/**
 * The product of two matrices of one dtype: `[m, k]`, `[k, n]` → `[m, n]`. ShapeError for other ranks or sizes.
 * @example
 * T.reference(T.mm(T.tensor([[1, 2]]), T.tensor([[3], [4]]))).data // => [11]
 */
export const mm: Product<'mm'> = dual('T.mm', 2, ofRanks('T.mm', 2, 2, [0, 1], [1, 2], [0, 2]))

/**
 * A batch of matrix products of one dtype: `[b, m, k]`, `[b, k, n]` → `[b, m, n]`. ShapeError for other ranks or sizes.
 * @example
 * T.reference(T.bmm(T.tensor([[[1, 2]], [[3, 4]]]), T.ones([2, 2, 1], { dtype: 'i32' }))).data // => [3, 7]
 */
export const bmm: Product<'bmm'> = dual('T.bmm', 2, ofRanks('T.bmm', 3, 3, [0, 1, 2], [0, 2, 3], [0, 1, 3]))

/**
 * All products of the elements of two vectors of one dtype: `[m]`, `[n]` → `[m, n]`.
 * @example
 * T.reference(T.outer(T.tensor([1, 2]), T.tensor([3, 4]))).data // => [3, 4, 6, 8]
 */
export const outer: Binary = dual('T.outer', 2, ofRanks('T.outer', 1, 1, [0], [1], [0, 1]))

/**
 * The sum of the products over the last axes of both, of one dtype and size: `[…a, n]`, `[…b, n]` → `[…a, …b]`; a scalar multiplies
 * (numpy.inner, torch.inner). ShapeError for unlike dtypes and sizes.
 * @example
 * T.reference(T.inner(T.tensor([[1, 2], [3, 4]]), T.tensor([5, 6]))).data // => [17, 39]
 */
export const inner: Binary = dual('T.inner', 2, (a: Tensor, b: Tensor) =>
  pairOf('T.inner', a, b, (x, y, ta, tb) => {
    const [ra, rb] = [ta.shape.length, tb.shape.length]
    const [la, lb] = [range(ra), range(rb, ra)]
    if (ra === 0 || rb === 0) return build.dot([x, y], { lhs: la, rhs: lb, out: [...la, ...lb] })
    const [p, q] = [ta.shape[ra - 1]!, tb.shape[rb - 1]!]
    if (p !== q) return refuse('T.inner', [x, y], innerDiffer(p, q, ra - 1, rb - 1, 'the last axes must have one size'))
    const [rowsA, rowsB] = [la.slice(0, -1), lb.slice(0, -1)]
    return build.dot([x, y], { lhs: la, rhs: [...rowsB, ra - 1], out: [...rowsA, ...rowsB] })
  }),
)

type Vdot = {
  <D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, NoInfer<D>>): Tensor<readonly [], D>
  <D extends DType>(b: Tensor<Shape, D>): (a: Tensor<Shape, D>) => Tensor<readonly [], D>
}

/**
 * The inner product of all elements of two tensors of one dtype and size, in row-major order → scalar (numpy.vdot). ShapeError
 * for unlike dtypes and numbers of elements.
 * @example
 * T.reference(T.vdot(T.tensor([[1, 2], [3, 4]]), T.tensor([1, 0, 0, 1]))).data // => [5]
 */
export const vdot: Vdot = dual('T.vdot', 2, (a: Tensor, b: Tensor) =>
  pairOf('T.vdot', a, b, (x, y, ta, tb) => {
    const [p, q] = [sizeOf(ta.shape), sizeOf(tb.shape)]
    if (p !== q)
      return refuse('T.vdot', [x, y], {
        reason: `${p} and ${q} elements`,
        hint: 'give tensors with the same number of them',
      })
    return build.dot([reshapeNode(x, [p]), reshapeNode(y, [q])], { lhs: [0], rhs: [0], out: [] })
  }),
)

/**
 * The Kronecker product: every element of `a` times all of `b`, as blocks. Ranks are aligned from the right, sizes
 * multiply (numpy.kron).
 * @example
 * T.reference(T.kron(T.tensor([1, 10]), T.tensor([1, 2]))).data // => [1, 2, 10, 20]
 */
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
  readonly beta?: number | undefined
  readonly alpha?: number | undefined
}

const addmmOptions: OptionNames<AddmmOptions> = { beta: 'number', alpha: 'number' }

type Addmm = {
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

/**
 * `beta·c + alpha·(a by b)` for matrices (both factors 1); with beta 0 `c` is not looked at (torch.addmm). `c`
 * broadcasts.
 * @example
 * T.reference(T.addmm(T.tensor([10]), T.tensor([[1, 2]]), T.tensor([[3], [4]]), { alpha: 2 })).data // => [32]
 */
export const addmm: Addmm = dualWith('T.addmm', 3, addmmOptions, addProduct(mm))

/**
 * `beta·c + alpha·(a by b)` for batches of matrices (both factors 1); with beta 0 `c` is not looked at (torch.baddbmm).
 * `c` broadcasts.
 * @example
 * T.reference(T.baddbmm(T.tensor([10]), T.tensor([[[1, 2]]]), T.tensor([[[3], [4]]]))).data // => [21]
 */
export const baddbmm: Addmm = dualWith('T.baddbmm', 3, addmmOptions, addProduct(bmm))

type MatrixPower = {
  (exponent: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, exponent: number): Tensor<S, D>
}

/**
 * A square matrix (or a batch) to a whole power by repeated squaring: the power 0 is the identity, negative powers are
 * those of the inverse, in floating point. ShapeError for other exponents and shapes.
 * @example
 * T.reference(T.matrixPower(T.tensor([[1, 1], [1, 0]]), 6)).data // => [13, 8, 8, 5]
 * T.reference(T.matrixPower(T.tensor([[1, 1], [0, 1]]), -2)).data // => [1, -2, 0, 1]
 */
export const matrixPower: MatrixPower = dual('T.matrixPower', 2, (x: Tensor, exponent: number) => {
  const n = lift('T.matrixPower', x)
  return tensorOf(
    withTypes('T.matrixPower', [n], ([{ shape, dtype }]: readonly [TensorType] | readonly TensorType[]) => {
      const size = shape.at(-1)
      if (shape.length < 2 || size !== shape.at(-2))
        return refuse('T.matrixPower', [n], { reason: `${showShape(shape)} is not a square matrix` })
      if (!Number.isInteger(exponent))
        return refuse('T.matrixPower', [n], { reason: `exponent ${exponent} is not a whole number` })
      const counts = [0, 1].map((axis) => build.iota([], { shape: [size!, size!], dtype: 'i32', axis }))
      const identity = expandNode(castNode(build.eq(counts, {}), dtype), shape)
      let out: Tensor | undefined
      let square: Tensor = exponent < 0 ? inv(tensorOf(n)) : tensorOf(n)
      for (let e = Math.abs(exponent); e > 0; e = floorDiv(e, 2)) {
        if (e % 2 === 1) out = out ? (matmul(out, square) as Tensor) : square
        if (e > 1) square = matmul(square, square) as Tensor
      }
      return out ? lift('T.matrixPower', out) : identity
    }),
  )
})
