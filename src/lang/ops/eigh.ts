/** The row of eigh: eigenvalues and eigenvectors of symmetric matrices by Jacobi's rotations. */

import * as E from '#fp/Either'
import { floorDiv } from '../dim.ts'
import { allocate } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { mostSweeps, rotate, rotation, signOfColumn, sortedOrder } from './jacobi.ts'
import {
  diagonalOf,
  eachMatrix,
  leadingBatch,
  matrixSizes,
  product,
  safeInverse,
  spread,
  symmetricPart,
  wrongSquare,
} from './matrix.ts'
import { operandType, wrongCount } from './operand-checks.ts'

/**
 * `[…, n, n]` of f32 → w `[…, n]` ascending and V `[…, n, n]`, A = V diag(w) Vᵀ for the symmetric part A. The first of the
 * largest components of an eigenvector is positive. With E = Vᵀ dA V: dw = diag E, dV = V (F ∘ E), Fᵢⱼ = 1 / (wⱼ - wᵢ),
 * and 0 where eigenvalues are equal: eigenvectors of one eigenvalue have no derivative of their own.
 */
export const eigh: Primitive<ParamsOf['eigh']> = {
  infer: (xs) =>
    wrongCount(xs, 1) ?? wrongSquare(xs[0]!) ?? E.right([{ shape: xs[0]!.shape.slice(0, -1), dtype: 'f32' }, xs[0]!]),
  jvp: ({ b, tangents: [da], out }) => {
    const { shape } = operandType(da!)
    const [w, v] = [b.get([out], { index: 0 }), b.get([out], { index: 1 })]
    const e = product(b, v, product(b, symmetricPart(b, da!), v), 'xᵀ y')
    const gaps = b.sub([spread(b, w, shape, 'rows'), spread(b, w, shape, 'columns')], {})
    return [diagonalOf(b, e), product(b, v, b.mul([safeInverse(b, gaps), e], {}))]
  },
  transpose: 'nonlinear',
  batch: leadingBatch((b, args) => b.eigh(args, {}), 2),
  eval: ([x]) => {
    const { rows: n, matrices } = matrixSizes(x!.shape)
    const outs = [allocate('f32', matrices * n), allocate('f32', matrices * n * n)]
    eachMatrix(matrices, [x!.data, ...outs], [n * n, n, n * n], (given, w, vectors) => {
      const a = Float64Array.from(given!, (_, i) => {
        const [row, column] = [floorDiv(i, n), i % n]
        return (given![row * n + column]! + given![column * n + row]!) / 2
      })
      const v = Float64Array.from(given!, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
      const size = a.reduce((m, e) => Math.max(m, Math.abs(e)), 0)
      for (let sweep = 0, off = size; sweep < mostSweeps && off > size * 1e-17; sweep++) {
        off = 0
        for (let p = 0; p < n; p++) {
          for (let q = p + 1; q < n; q++) {
            off = Math.max(off, Math.abs(a[p * n + q]!))
            const turn = rotation(a[p * n + p]!, a[q * n + q]!, a[p * n + q]!)
            rotate(a, p, q, n, n, turn)
            rotate(a, p * n, q * n, 1, n, turn)
            rotate(v, p, q, n, n, turn)
          }
        }
      }
      const values = Array.from({ length: n }, (_, i) => a[i * n + i]!)
      sortedOrder(values, 1).forEach((from, to) => {
        w![to] = values[from]!
        const sign = signOfColumn(v, n, from)
        for (let i = 0; i < n; i++) vectors![i * n + to] = sign * v[i * n + from]!
      })
    })
    return outs
  },
}
