/** The row of cholesky: the lower factor of the symmetric part. */
import * as E from '#fp/Either'
import { allocate } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import {
  diagonalPart,
  eachMatrix,
  leadingBatch,
  lowerPart,
  matrixSizes,
  product,
  symmetricPart,
  transposed,
  wrongSquare,
} from './matrix.ts'
import { wrongCount } from './operand-checks.ts'
import { scale } from './rule-parts.ts'

/**
 * `[…, n, n]` of f32 → L of the same type, L Lᵀ = (A + Aᵀ) / 2, all NaN on and below the diagonal where that is not
 * positive definite. dL = L Φ(L⁻¹ dA L⁻ᵀ) where Φ keeps the lower triangle and half of the diagonal (Murray 2016).
 */
export const cholesky: Primitive<ParamsOf['cholesky']> = {
  infer: (xs) => wrongCount(xs, 1) ?? wrongSquare(xs[0]!) ?? E.right([xs[0]!]),
  jvp: ({ b, tangents: [da], out }) => {
    const solve = { lower: true, transposed: false, unit: false }
    const left = b.triangularSolve([out, symmetricPart(b, da!)], solve)
    const both = b.triangularSolve([out, transposed(b, left)], solve)
    const phi = b.sub([lowerPart(b, both), scale(b, diagonalPart(b, both), 0.5)], {})
    return [product(b, out, phi)]
  },
  transpose: 'nonlinear',
  batch: leadingBatch((b, args) => b.cholesky(args, {}), 1),
  eval: ([x]) => {
    const { rows: n, matrices } = matrixSizes(x!.shape)
    const out = allocate('f32', x!.data.length)
    eachMatrix(matrices, [x!.data, out], [n * n, n * n], (a, l) => {
      for (let j = 0; j < n; j++) {
        for (let i = j; i < n; i++) {
          let rest = (a![i * n + j]! + a![j * n + i]!) / 2
          for (let k = 0; k < j; k++) rest -= l![i * n + k]! * l![j * n + k]!
          l![i * n + j] = i > j ? rest / l![j * n + j]! : rest > 0 ? Math.sqrt(rest) : Number.NaN
        }
      }
      if (n > 0 && Number.isNaN(l![n * n - 1]!)) for (let i = 0; i < n; i++) l!.fill(Number.NaN, i * n, i * n + i + 1)
    })
    return [out]
  },
}
