/** The row of lu: Gaussian elimination with partial pivoting. */
import * as E from '#fp/Either'
import { allocate } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import {
  diagonalMask,
  eachMatrix,
  leadingBatch,
  lowerPart,
  matrixSizes,
  product,
  resized,
  transposed,
  upperPart,
  wrongMatrix,
} from './matrix.ts'
import { operandType, wrongCount } from './operand-checks.ts'
import { fill, zerosLike } from './rule-parts.ts'

/** What a pivot of 0 is taken for where a derivative divides by it: what is finite in the limit comes out right. */
export const leastPivot: number = 2 ** -40

/**
 * `[…, m, n]` of f32 → L and U packed in one `[…, m, n]`, the row that each step exchanged with its own, and the
 * permutation of rows that this makes. The first of the largest candidates is the pivot; a column without one is left
 * as it is. With L and U completed to squares by ones on the diagonal and X = L⁻¹ dA[permutation] U⁻¹:
 * dL = L tril(X, -1), dU = triu(X) U.
 */
export const lu: Primitive<ParamsOf['lu']> = {
  infer: (xs) => {
    const bad = wrongCount(xs, 1) ?? wrongMatrix(xs[0]!)
    if (bad) return bad
    const { rows, columns, lead } = matrixSizes(xs[0]!.shape)
    return E.right([
      xs[0]!,
      { shape: [...lead, Math.min(rows, columns)], dtype: 'i32' },
      { shape: [...lead, rows], dtype: 'i32' },
    ])
  },
  jvp: ({ b, tangents: [da], out }) => {
    const { shape } = operandType(out)
    const { rows, columns, lead } = matrixSizes(shape)
    const packed = b.get([out], { index: 0 })
    const moved = b.gather([da!, b.get([out], { index: 2 })], { batch: lead.length })
    const lower = resized(b, packed, rows, rows)
    const square = resized(b, packed, columns, columns)
    const squareShape = [...lead, columns, columns]
    // Rows that U lacks have a one on the diagonal.
    const row = b.iota([], { shape: squareShape, dtype: 'i32', axis: lead.length })
    const bound = b.broadcast([b.const([], { shape: [], dtype: 'i32', values: [rows] })], {
      shape: squareShape,
      axes: squareShape.map((_, i) => i),
    })
    const added = b.cast([b.and([diagonalMask(b, squareShape), b.le([bound, row], {})], {})], { dtype: 'f32' })
    const own = b.add([upperPart(b, square, -1), added], {})
    const isMissing = b.and([diagonalMask(b, squareShape), b.eq([own, zerosLike(b, own)], {})], {})
    const upper = b.select([isMissing, fill(b, { shape: squareShape, dtype: 'f32' }, leastPivot), own], {})
    const left = b.triangularSolve([lower, moved], { lower: true, transposed: false, unit: true })
    const both = transposed(
      b,
      b.triangularSolve([upper, transposed(b, left)], { lower: false, transposed: true, unit: false }),
    )
    const unitLower = b.add(
      [lowerPart(b, lower, -1), b.cast([diagonalMask(b, [...lead, rows, rows])], { dtype: 'f32' })],
      {},
    )
    const dl = product(b, unitLower, lowerPart(b, both, -1))
    const du = product(b, upperPart(b, both, -1), upper)
    return [b.add([dl, du], {}), undefined, undefined]
  },
  transpose: 'nonlinear',
  batch: leadingBatch((b, args) => b.lu(args, {}), 3),
  eval: ([x], _, types) => {
    const { rows: m, columns: n, matrices } = matrixSizes(x!.shape)
    const count = Math.min(m, n)
    const outs = types.map((t) => allocate(t.dtype, matrices * (t.dtype === 'f32' ? m * n : t.shape.at(-1)!)))
    eachMatrix(matrices, [x!.data, ...outs], [m * n, m * n, count, m], (a, f, pivots, permutation) => {
      f!.set(a!)
      for (let i = 0; i < m; i++) permutation![i] = i
      for (let k = 0; k < count; k++) {
        let p = k
        for (let i = k + 1; i < m; i++) if (Math.abs(f![i * n + k]!) > Math.abs(f![p * n + k]!)) p = i
        pivots![k] = p
        for (let j = 0; j < n; j++) [f![k * n + j], f![p * n + j]] = [f![p * n + j]!, f![k * n + j]!]
        const here = permutation![k]!
        permutation![k] = permutation![p]!
        permutation![p] = here
        const pivot = f![k * n + k]!
        for (let i = k + 1; i < m; i++) {
          if (pivot !== 0) f![i * n + k]! /= pivot
          const factor = f![i * n + k]!
          for (let j = k + 1; j < n; j++) f![i * n + j]! -= factor * f![k * n + j]!
        }
      }
    })
    return outs
  },
}
