/** The row of qr: orthogonal columns by Householder reflections. */
import * as E from '#fp/Either'
import { allocate } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { factorise, formQ } from './householder.ts'
import { eachMatrix, leadingBatch, lowerPart, matrixSizes, product, resized, transposed, wrongTall } from './matrix.ts'
import { operandType, wrongCount } from './operand-checks.ts'

/**
 * `[…, m, n]` of f32 with m ≥ n → Q `[…, m, k]` with orthonormal columns and upper triangular R `[…, k, n]`, in LAPACK's
 * signs. With X = dA R⁻¹, M = Qᵀ X and Ω the skew matrix that has M's part below the diagonal: dQ = Q Ω + (X - Q M),
 * dR = (M - Ω) R. Columns of Q beyond n turn as little as they can: right for all that does not depend on their choice.
 */
export const qr: Primitive<ParamsOf['qr']> = {
  infer: (xs, { complete }) => {
    const bad = wrongCount(xs, 1) ?? wrongTall(xs[0]!)
    if (bad) return bad
    const { rows, columns, lead } = matrixSizes(xs[0]!.shape)
    const k = complete ? rows : columns
    return E.right([
      { shape: [...lead, rows, k], dtype: 'f32' },
      { shape: [...lead, k, columns], dtype: 'f32' },
    ])
  },
  jvp: ({ b, tangents: [da], out, params }) => {
    const { rows, columns } = matrixSizes(operandType(da!).shape)
    const k = params.complete ? rows : columns
    const [q, fullR] = [b.get([out], { index: 0 }), b.get([out], { index: 1 })]
    const r = resized(b, fullR, columns, columns)
    const solve = { lower: false, transposed: true, unit: false }
    const x = transposed(b, b.triangularSolve([r, transposed(b, da!)], solve))
    const m = product(b, q, x, 'xᵀ y')
    const below = lowerPart(b, resized(b, m, k, k), -1)
    const omega = b.sub([below, transposed(b, below)], {})
    const turned = product(b, q, omega)
    const dq = params.complete ? turned : b.add([turned, b.sub([x, product(b, q, m)], {})], {})
    return [dq, product(b, b.sub([m, resized(b, omega, k, columns)], {}), r)]
  },
  transpose: 'nonlinear',
  batch: leadingBatch((b, args, params) => b.qr(args, params), 2),
  eval: ([x], { complete }) => {
    const { rows: m, columns: n, matrices } = matrixSizes(x!.shape)
    const k = complete ? m : n
    const outs = [allocate('f32', matrices * m * k), allocate('f32', matrices * k * n)]
    eachMatrix(matrices, [x!.data, ...outs], [m * n, m * k, k * n], (a, q, r) => {
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) q![i * k + j] = a![i * n + j]!
      factorise(q!, m, n, k)
      for (let i = 0; i < n; i++) for (let j = i; j < n; j++) r![i * n + j] = q![i * k + j]!
      formQ(q!, m, k, n)
    })
    return outs
  },
}
