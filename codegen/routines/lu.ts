/** Gaussian elimination with partial pivoting: every thread finds the pivot, rows and columns are distributed. */
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { matrixSizes } from '../../src/lang/ops/matrix.ts'
import * as k from '../kernel/build-kernel.ts'
import { hold, type RoutineDispatch } from './dispatch.ts'
import { elementsOf, loop, perMatrix } from './team.ts'

/** The dispatch of an lu node. */
export const luRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const { rows: m, columns: n, matrices } = matrixSizes(typeOf(r.node).shape)
  const count = Math.min(m, n)
  const [x] = r.inputs
  const [packed, pivots, permutation] = r.outputs
  const zero = k.u32(0)
  return [
    {
      name: 'lu',
      reads: [x!],
      writes: [packed!, pivots!, permutation!],
      ...perMatrix(matrices, Math.max(m, n), profile, (t, team) => {
        const a = elementsOf(t, x!, team.matrix, m, n)
        const f = elementsOf(t, packed!, team.matrix, m, n)
        const exchanged = elementsOf(t, pivots!, team.matrix, 1, count)
        const order = elementsOf(t, permutation!, team.matrix, 1, m)
        return [
          team.share(zero, m, (i) => [
            order.store(zero, i, k.cast(i, 'i32')),
            loop(t, zero, k.u32(n), (j) => [f.store(i, j, a.load(i, j))]),
          ]),
          ...team.meet,
          loop(t, zero, k.u32(count), (step) => {
            const [best, row] = [k.ref(t.name('best'), k.kType('f32')), k.ref(t.name('row'))]
            const nameOf = (e: typeof best): string => (e.kind === 'ref' ? e.name : '')
            const next = k.add(step, k.u32(1))
            const pivot = hold(t, f.load(step, step))
            return [
              k.varStmt(nameOf(best), best.type, k.unary('abs', f.load(step, step))),
              k.varStmt(nameOf(row), row.type, step),
              loop(t, next, k.u32(m), (i) => {
                const size = hold(t, k.unary('abs', f.load(i, step)))
                return [
                  size.statement,
                  k.ifStmt(k.lt(best, size.value), [k.assign(nameOf(best), size.value), k.assign(nameOf(row), i)]),
                ]
              }),
              ...team.meet,
              team.share(zero, n, (j) => {
                const [here, there] = [hold(t, f.load(step, j)), hold(t, f.load(row, j))]
                return [here.statement, there.statement, f.store(step, j, there.value), f.store(row, j, here.value)]
              }),
              team.share(zero, 1, () => {
                const [here, there] = [hold(t, order.load(zero, step)), hold(t, order.load(zero, row))]
                return [
                  here.statement,
                  there.statement,
                  order.store(zero, step, there.value),
                  order.store(zero, row, here.value),
                  exchanged.store(zero, step, k.cast(row, 'i32')),
                ]
              }),
              ...team.meet,
              pivot.statement,
              team.share(next, m, (i) => {
                const value = f.load(i, step)
                const isZero = k.eq(pivot.value, k.lit(0))
                return [f.store(i, step, k.select(isZero, value, k.div(value, pivot.value)))]
              }),
              ...team.meet,
              team.share(next, n, (j) => {
                const top = hold(t, f.load(step, j))
                return [
                  top.statement,
                  loop(t, next, k.u32(m), (i) => [
                    f.store(i, j, k.sub(f.load(i, j), k.mul(f.load(i, step), top.value))),
                  ]),
                ]
              }),
              ...team.meet,
            ]
          }),
        ]
      }),
    },
  ]
}
