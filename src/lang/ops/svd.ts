/** The row of svd: singular values and vectors by one-sided Jacobi rotations. */
import * as E from '#fp/Either'
import { allocate } from '../dtype.ts'
import type { Node, ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { factorise, formQ } from './householder.ts'
import { mostSweeps, rotate, rotation, signOfColumn, sortedOrder } from './jacobi.ts'
import {
  diagonalOf,
  eachMatrix,
  leadingBatch,
  matrixSizes,
  product,
  safeInverse,
  spread,
  transposed,
  wrongTall,
} from './matrix.ts'
import { operandType, wrongCount } from './operand-checks.ts'

/**
 * `[…, m, n]` of f32 with m ≥ n → U `[…, m, n]`, s `[…, n]` descending, V `[…, n, n]`, A = U diag(s) Vᵀ. Rotations from the
 * right make the columns of A V orthogonal (Hestenes 1958); their QR gives U, whole where singular values are 0. The
 * first of the largest components of each column of V is positive. With D = Uᵀ dA V and Fᵢⱼ = 1 / (sⱼ² - sᵢ²):
 * ds = diag D, dU = U (F ∘ (D S + S Dᵀ)) + (dA V - U D) S⁻¹, dV = V (F ∘ (S D + Dᵀ S)); a quotient by 0, where singular
 * values are equal or vanish, counts as 0.
 */
export const svd: Primitive<ParamsOf['svd']> = {
  infer: (xs) => {
    const bad = wrongCount(xs, 1) ?? wrongTall(xs[0]!)
    if (bad) return bad
    const { columns, lead } = matrixSizes(xs[0]!.shape)
    return E.right([
      xs[0]!,
      { shape: [...lead, columns], dtype: 'f32' },
      { shape: [...lead, columns, columns], dtype: 'f32' },
    ])
  },
  jvp: ({ b, tangents: [da], out }) => {
    const { columns: n, rows, lead } = matrixSizes(operandType(da!).shape)
    const [u, s, v] = [0, 1, 2].map((index) => b.get([out], { index }) as Node)
    const square = [...lead, n, n]
    const [sj, si] = [spread(b, s!, square, 'rows'), spread(b, s!, square, 'columns')]
    const turned = product(b, da!, v!)
    const d = product(b, u!, turned, 'xᵀ y')
    const f = safeInverse(b, b.mul([b.add([sj, si], {}), b.sub([sj, si], {})], {}))
    const both = (x: Node): Node => b.mul([f, b.add([x, transposed(b, x)], {})], {})
    const du = product(b, u!, both(b.mul([d, sj], {})))
    const rest = b.sub([turned, product(b, u!, d)], {})
    const outside = b.mul([rest, safeInverse(b, spread(b, s!, [...lead, rows, n], 'rows'))], {})
    return [rows > n ? b.add([du, outside], {}) : du, diagonalOf(b, d), product(b, v!, both(b.mul([d, si], {})))]
  },
  transpose: 'nonlinear',
  batch: leadingBatch((b, args) => b.svd(args, {}), 3),
  eval: ([x]) => {
    const { rows: m, columns: n, matrices } = matrixSizes(x!.shape)
    const outs = [allocate('f32', matrices * m * n), allocate('f32', matrices * n), allocate('f32', matrices * n * n)]
    eachMatrix(matrices, [x!.data, ...outs], [m * n, m * n, n, n * n], (given, u, s, vectors) => {
      const w = Float64Array.from(given!)
      const v = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
      const inner = (p: number, q: number): number => {
        let sum = 0
        for (let i = 0; i < m; i++) sum += w[i * n + p]! * w[i * n + q]!
        return sum
      }
      for (let sweep = 0, turns = 1; sweep < mostSweeps && turns > 0; sweep++) {
        turns = 0
        for (let p = 0; p < n; p++) {
          for (let q = p + 1; q < n; q++) {
            const [pp, qq, pq] = [inner(p, p), inner(q, q), inner(p, q)]
            if (!(Math.abs(pq) > 1e-16 * Math.sqrt(pp * qq))) continue
            turns++
            const turn = rotation(pp, qq, pq)
            rotate(w, p, q, n, m, turn)
            rotate(v, p, q, n, n, turn)
          }
        }
      }
      const norms = Array.from({ length: n }, (_, j) => Math.sqrt(inner(j, j)))
      sortedOrder(norms, -1).forEach((from, to) => {
        const sign = signOfColumn(v, n, from)
        for (let i = 0; i < m; i++) u![i * n + to] = sign * w[i * n + from]!
        for (let i = 0; i < n; i++) vectors![i * n + to] = sign * v[i * n + from]!
      })
      factorise(u!, m, n, n)
      for (let j = 0; j < n; j++) s![j] = u![j * n + j]!
      formQ(u!, m, n, n)
      for (let j = 0; j < n; j++) {
        if (s![j]! >= 0) continue
        s![j] = -s![j]!
        for (let i = 0; i < m; i++) u![i * n + j] = -u![i * n + j]!
      }
    })
    return outs
  },
}
