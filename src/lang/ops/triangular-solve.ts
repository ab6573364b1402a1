/** The row of triangularSolve: substitution, linear in the right-hand side. */
import * as E from '#fp/Either'
import { allocate } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import {
  eachMatrix,
  leadingBatch,
  lowerPart,
  matrixSizes,
  product,
  transposed,
  upperPart,
  wrongSquare,
} from './matrix.ts'
import { refuse, wrongCount } from './operand-checks.ts'

type P = ParamsOf['triangularSolve']

/**
 * A `[…, n, n]`, B `[…, n, m]` of f32 with the same leading axes → X of B's type. dX = A⁻¹ (dB - dA X), where dA counts in
 * the triangle that is looked at. A zero on the diagonal gives infinities.
 */
export const triangularSolve: Primitive<P> = {
  infer: (xs) => {
    const bad = wrongCount(xs, 2) ?? wrongSquare(xs[0]!)
    if (bad) return bad
    const [a, b] = [xs[0]!, xs[1]!]
    if (b.dtype !== 'f32') return refuse(`the right-hand side is ${b.dtype}, not f32`)
    const [lead, other] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
    if (b.shape.length !== a.shape.length || lead.some((d, i) => d !== other[i]))
      return refuse('the leading axes of the matrix and of the right-hand side differ')
    if (b.shape.at(-2) !== a.shape.at(-1))
      return refuse(`a matrix of ${a.shape.at(-1)} rows and a right-hand side of ${b.shape.at(-2)}`, b.shape.length - 2)
    return E.right([b])
  },
  jvp: ({ b, args, tangents: [da, db], params, out }) => {
    if (!da) return [db && b.triangularSolve([args[0]!, db], params)]
    const part = params.lower ? lowerPart(b, da, params.unit ? -1 : 0) : upperPart(b, da, params.unit ? 0 : -1)
    const moved = product(b, params.transposed ? transposed(b, part) : part, out)
    const rest = db ? b.sub([db, moved], {}) : b.neg([moved], {})
    return [b.triangularSolve([args[0]!, rest], params)]
  },
  transpose: ({ b, ct, args, params }) => [
    undefined,
    b.triangularSolve([args[0]!, ct], { ...params, transposed: !params.transposed }),
  ],
  batch: leadingBatch((b, args, params) => b.triangularSolve(args, params), 1),
  eval: ([a, b], { lower, transposed: isTransposed, unit }) => {
    const { rows: n, columns, matrices } = matrixSizes(b!.shape)
    const out = allocate('f32', b!.data.length)
    const forwards = lower !== isTransposed
    eachMatrix(matrices, [a!.data, b!.data, out], [n * n, n * columns, n * columns], (m, rhs, x) => {
      const element = (i: number, j: number): number => (isTransposed ? m![j * n + i]! : m![i * n + j]!)
      for (let c = 0; c < columns; c++) {
        for (let s = 0; s < n; s++) {
          const i = forwards ? s : n - 1 - s
          let rest = rhs![i * columns + c]!
          for (let u = 0; u < s; u++) {
            const j = forwards ? u : n - 1 - u
            rest -= element(i, j) * x![j * columns + c]!
          }
          x![i * columns + c] = unit ? rest : rest / element(i, i)
        }
      }
    })
    return [out]
  },
}
