/** Cholesky factorisation, left-looking: column by column, one thread per element of the column. */
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { matrixSizes } from '../../src/lang/ops/matrix.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr } from '../kernel/kernel.ts'
import type { RoutineDispatch } from './dispatch.ts'
import { accumulated, type Computed, elementsOf, loop, perMatrix } from './team.ts'

/** The dispatch of a cholesky node. */
export const choleskyRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const { rows: n, matrices } = matrixSizes(typeOf(r.node).shape)
  const [x] = r.inputs
  const [out] = r.outputs
  const [zero, one, size] = [k.u32(0), k.u32(1), k.u32(n)]
  return [
    {
      name: 'cholesky',
      reads: [x!],
      writes: [out!],
      ...perMatrix(matrices, n, profile, (t, team) => {
        const a = elementsOf(t, x!, team.matrix, n, n)
        const l = elementsOf(t, out!, team.matrix, n, n)
        const rest = (i: KExpr, j: KExpr): Computed =>
          accumulated(t, k.mul(k.lit(0.5), k.add(a.load(i, j), a.load(j, i))), zero, j, (sum, c) =>
            k.sub(sum, k.mul(l.load(i, c), l.load(j, c))),
          )
        const nan = k.lit(Number.NaN)
        return [
          loop(t, zero, size, (j) => {
            // Every thread computes the pivot for itself.
            const square = rest(j, j)
            const pivot = k.ref(t.name('pivot'), k.kType('f32'))
            const isPositive = k.lt(k.lit(0), square.value)
            return [
              ...square.statements,
              k.letStmt(
                pivot.kind === 'ref' ? pivot.name : '',
                k.select(isPositive, k.unary('sqrt', square.value), nan),
              ),
              team.share(zero, n, (i) => [
                k.ifStmt(
                  k.lt(i, j),
                  [l.store(i, j, k.lit(0))],
                  [
                    k.ifStmt(
                      k.eq(i, j),
                      [l.store(i, j, pivot)],
                      ((below) => [...below.statements, l.store(i, j, k.div(below.value, pivot))])(rest(i, j)),
                    ),
                  ],
                ),
              ]),
              ...team.meet,
            ]
          }),
          // A NaN pivot makes all later ones NaN, so checking the last one suffices.
          team.share(zero, n, (i) => [
            k.ifStmt(k.unary('isNan', l.load(k.u32(n - 1), k.u32(n - 1))), [
              loop(t, zero, k.add(i, one), (j) => [l.store(i, j, nan)]),
            ]),
          ]),
        ]
      }),
    },
  ]
}
