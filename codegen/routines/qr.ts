/** QR by Householder reflections, computed in the memory of Q. */
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import type { NodeOf } from '../../src/lang/ir.ts'
import { matrixSizes } from '../../src/lang/ops/matrix.ts'
import * as k from '../kernel/build-kernel.ts'
import type { RoutineDispatch } from './dispatch.ts'
import { factorise, formQ } from './householder.ts'
import { elementsOf, loop, perMatrix } from './team.ts'

/** The dispatch of a qr node. */
export const qrRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const { complete } = (r.node as NodeOf<'qr'>).params
  const { rows: m, columns: n, matrices } = matrixSizes(typeOf(r.node.args[0]!).shape)
  const width = complete ? m : n
  const [x] = r.inputs
  const [outQ, outR] = r.outputs
  const zero = k.u32(0)
  return [
    {
      name: 'qr',
      reads: [x!],
      writes: [outQ!, outR!],
      ...perMatrix(matrices, m, profile, (t, team) => {
        const a = elementsOf(t, x!, team.matrix, m, n)
        const q = elementsOf(t, outQ!, team.matrix, m, width)
        const upper = elementsOf(t, outR!, team.matrix, width, n)
        return [
          team.share(zero, m, (i) => [loop(t, zero, k.u32(n), (j) => [q.store(i, j, a.load(i, j))])]),
          ...team.meet,
          ...factorise(t, team, q, m, n),
          team.share(zero, width, (i) => [
            loop(t, zero, k.u32(n), (j) => [upper.store(i, j, k.select(k.lt(j, i), k.lit(0), q.load(i, j)))]),
          ]),
          ...team.meet,
          ...formQ(t, team, q, m, width, n),
        ]
      }),
    },
  ]
}
