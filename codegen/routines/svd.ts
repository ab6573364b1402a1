/** Singular value decomposition by one-sided Jacobi rotations of columns; a QR gives the left vectors. */

import { jacobiSize } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { matrixSizes } from '../../src/lang/ops/matrix.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { hold, type RoutineDispatch } from './dispatch.ts'
import { factorise, formQ } from './householder.ts'
import { rankOf, rotation, rounds, signOfColumn, turned } from './jacobi.ts'
import { accumulated, type Computed, type Elements, elementsOf, loop, perMatrix } from './team.ts'

/** Columns with a cosine below this are taken to be orthogonal. */
const enough = 1e-7

/** The dispatch of an svd node. An odd number of columns is padded by a column of zeros. */
export const svdRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const { rows: m, columns: n, matrices } = matrixSizes(typeOf(r.node.args[0]!).shape)
  const size = jacobiSize(n)
  const [x] = r.inputs
  const [outU, values, outV] = r.outputs
  const [work, basis, norms] = r.scratch
  const zero = k.u32(0)
  const below = (c: KExpr): KExpr => k.lt(c, k.u32(n))
  return [
    {
      name: 'svd',
      reads: [x!],
      writes: [outU!, values!, outV!, work!, basis!, norms!],
      ...perMatrix(matrices, m, profile, (t, team) => {
        const given = elementsOf(t, x!, team.matrix, m, n)
        const a = elementsOf(t, work!, team.matrix, m, size)
        const v = elementsOf(t, basis!, team.matrix, n, size)
        const norm = elementsOf(t, norms!, team.matrix, 1, n)
        const u = elementsOf(t, outU!, team.matrix, m, n)
        const s = elementsOf(t, values!, team.matrix, 1, n)
        const right = elementsOf(t, outV!, team.matrix, n, n)
        const inner = (p: KExpr, q: KExpr): Computed =>
          accumulated(t, k.lit(0), zero, k.u32(m), (sum, i) => k.add(sum, k.mul(a.load(i, p), a.load(i, q))))
        return [
          team.share(zero, m, (i) => [
            loop(t, zero, k.u32(size), (j) => [
              k.ifStmt(below(j), [a.store(i, j, given.load(i, j))], [a.store(i, j, k.lit(0))]),
            ]),
          ]),
          team.share(zero, n, (i) => [
            loop(t, zero, k.u32(size), (j) => [v.store(i, j, k.select(k.eq(i, j), k.lit(1), k.lit(0)))]),
          ]),
          ...team.meet,
          rounds(t, n, (pair) => [
            team.share(zero, size / 2, (i) => {
              const { p, q, statements } = pair(i)
              const [pp, qq, pq] = [inner(p, p), inner(q, q), inner(p, q)]
              const bound = k.mul(k.lit(enough), k.mul(k.unary('sqrt', pp.value), k.unary('sqrt', qq.value)))
              const skip = hold(t, k.le(k.unary('abs', pq.value), bound))
              const by = rotation(t, pp.value, qq.value, pq.value, skip.value)
              const turnColumns = (of: Elements, rows: number): KStmt =>
                loop(t, zero, k.u32(rows), (row) => {
                  const [y, z] = [hold(t, of.load(row, p)), hold(t, of.load(row, q))]
                  const [first, second] = turned(y.value, z.value, by.c, by.s)
                  return [y.statement, z.statement, of.store(row, p, first), of.store(row, q, second)]
                })
              return [
                ...statements,
                ...pp.statements,
                ...qq.statements,
                ...pq.statements,
                skip.statement,
                k.ifStmt(k.not(skip.value), [...by.statements, turnColumns(a, m), turnColumns(v, n)]),
              ]
            }),
            ...team.meet,
          ]),
          team.share(zero, n, (j) => {
            const square = inner(j, j)
            return [...square.statements, norm.store(zero, j, k.unary('sqrt', square.value))]
          }),
          ...team.meet,
          team.share(zero, n, (j) => {
            const rank = rankOf(
              t,
              n,
              (i) => norm.load(zero, i),
              (p, q) => k.lt(q, p),
              j,
            )
            const sign = signOfColumn(t, v, n, j)
            return [
              ...rank.statements,
              ...sign.statements,
              loop(t, zero, k.u32(m), (i) => [u.store(i, rank.value, k.mul(sign.value, a.load(i, j)))]),
              loop(t, zero, k.u32(n), (i) => [right.store(i, rank.value, k.mul(sign.value, v.load(i, j)))]),
            ]
          }),
          ...team.meet,
          ...factorise(t, team, u, m, n),
          team.share(zero, n, (j) => [s.store(zero, j, u.load(j, j))]),
          ...team.meet,
          ...formQ(t, team, u, m, n, n),
          team.share(zero, n, (j) => {
            const value = hold(t, s.load(zero, j))
            return [
              value.statement,
              s.store(zero, j, k.unary('abs', value.value)),
              k.ifStmt(k.lt(value.value, k.lit(0)), [
                loop(t, zero, k.u32(m), (i) => [u.store(i, j, k.neg(u.load(i, j)))]),
              ]),
            ]
          }),
        ]
      }),
    },
  ]
}
