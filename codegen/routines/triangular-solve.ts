/** Forward and back substitution: one thread per right-hand side, which reads back its own results. */
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import type { NodeOf } from '../../src/lang/ir.ts'
import { matrixSizes } from '../../src/lang/ops/matrix.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr } from '../kernel/kernel.ts'
import { perThread, type RoutineDispatch } from './dispatch.ts'
import { accumulated, elementsOf, loop } from './team.ts'

/** The dispatch of a triangularSolve node. */
export const triangularSolveRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const { params } = r.node as NodeOf<'triangularSolve'>
  const { rows: n, columns, matrices } = matrixSizes(typeOf(r.node).shape)
  const [a, b] = r.inputs
  const [x] = r.outputs
  const forwards = params.lower !== params.transposed
  const step = (s: KExpr): KExpr => (forwards ? s : k.sub(k.u32(n - 1), s))
  return [
    {
      name: 'triangular_solve',
      reads: [a!, b!],
      writes: [x!],
      ...perThread(matrices * columns, profile, (t, thread) => {
        const matrix = k.div(thread, k.u32(columns))
        const column = k.rem(thread, k.u32(columns))
        const [left, right, result] = [
          elementsOf(t, a!, matrix, n, n),
          elementsOf(t, b!, matrix, n, columns),
          elementsOf(t, x!, matrix, n, columns),
        ]
        const element = (i: KExpr, j: KExpr): KExpr => (params.transposed ? left.load(j, i) : left.load(i, j))
        return [
          loop(t, k.u32(0), k.u32(n), (s) => {
            const rest = accumulated(t, right.load(step(s), column), k.u32(0), s, (sum, u) =>
              k.sub(sum, k.mul(element(step(s), step(u)), result.load(step(u), column))),
            )
            const value = params.unit ? rest.value : k.div(rest.value, element(step(s), step(s)))
            return [...rest.statements, result.store(step(s), column, value)]
          }),
        ]
      }),
    },
  ]
}
