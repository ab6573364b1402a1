/** Eigendecomposition of symmetric matrices by two-sided Jacobi rotations, on 2×2 blocks. */

import { jacobiSize } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { matrixSizes } from '../../src/lang/ops/matrix.ts'
import * as k from '../kernel/build-kernel.ts'
import { hold, type RoutineDispatch } from './dispatch.ts'
import { rankOf, rotation, rounds, signOfColumn, turned } from './jacobi.ts'
import { elementsOf, loop, perMatrix } from './team.ts'

/** The dispatch of an eigh node. A matrix of odd size is padded by a row and a column of zeros. */
export const eighRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const { rows: n, matrices } = matrixSizes(typeOf(r.node.args[0]!).shape)
  const size = jacobiSize(n)
  const half = size / 2
  const [x] = r.inputs
  const [values, vectors] = r.outputs
  const [work, turns, basis] = r.scratch
  const zero = k.u32(0)
  return [
    {
      name: 'eigh',
      reads: [x!],
      writes: [values!, vectors!, work!, turns!, basis!],
      ...perMatrix(matrices, half * half, profile, (t, team) => {
        const given = elementsOf(t, x!, team.matrix, n, n)
        const a = elementsOf(t, work!, team.matrix, size, size)
        const v = elementsOf(t, basis!, team.matrix, size, size)
        const turn = elementsOf(t, turns!, team.matrix, half, 2)
        const w = elementsOf(t, values!, team.matrix, 1, n)
        const out = elementsOf(t, vectors!, team.matrix, n, n)
        return [
          team.share(zero, size, (i) => [
            loop(t, zero, k.u32(size), (j) => {
              const inside = k.and(k.lt(i, k.u32(n)), k.lt(j, k.u32(n)))
              return [
                v.store(i, j, k.select(k.eq(i, j), k.lit(1), k.lit(0))),
                k.ifStmt(
                  inside,
                  [a.store(i, j, k.mul(k.lit(0.5), k.add(given.load(i, j), given.load(j, i))))],
                  [a.store(i, j, k.lit(0))],
                ),
              ]
            }),
          ]),
          ...team.meet,
          rounds(t, n, (pair) => [
            team.share(zero, half, (i) => {
              const { p, q, statements } = pair(i)
              const off = hold(t, a.load(p, q))
              const by = rotation(t, a.load(p, p), a.load(q, q), off.value, k.eq(off.value, k.lit(0)))
              return [
                ...statements,
                off.statement,
                ...by.statements,
                turn.store(i, zero, by.c),
                turn.store(i, k.u32(1), by.s),
              ]
            }),
            ...team.meet,
            team.share(zero, half * half, (block) => {
              const [i, j] = [hold(t, k.div(block, k.u32(half))), hold(t, k.rem(block, k.u32(half)))]
              const [row, column] = [pair(i.value), pair(j.value)]
              const loads = [row.p, row.q].flatMap((y) => [column.p, column.q].map((z) => hold(t, a.load(y, z))))
              const by = [i.value, j.value].flatMap((y) => [zero, k.u32(1)].map((z) => hold(t, turn.load(y, z))))
              const [ci, si, cj, sj] = by.map((h) => h.value)
              const [pp, pq, qp, qq] = loads.map((h) => h.value)
              const [first, second] = [turned(pp!, pq!, cj!, sj!), turned(qp!, qq!, cj!, sj!)]
              const [left, right] = [turned(first[0], second[0], ci!, si!), turned(first[1], second[1], ci!, si!)]
              return [
                i.statement,
                j.statement,
                ...row.statements,
                ...column.statements,
                ...[...loads, ...by].map((h) => h.statement),
                a.store(row.p, column.p, left[0]),
                a.store(row.q, column.p, left[1]),
                a.store(row.p, column.q, right[0]),
                a.store(row.q, column.q, right[1]),
              ]
            }),
            team.share(zero, n * half, (place) => {
              const [i, row] = [hold(t, k.rem(place, k.u32(half))), hold(t, k.div(place, k.u32(half)))]
              const { p, q, statements } = pair(i.value)
              const held = [
                v.load(row.value, p),
                v.load(row.value, q),
                turn.load(i.value, zero),
                turn.load(i.value, k.u32(1)),
              ].map((e) => hold(t, e))
              const [y, z, c, s] = held.map((h) => h.value)
              const [vp, vq] = turned(y!, z!, c!, s!)
              return [
                i.statement,
                row.statement,
                ...statements,
                ...held.map((h) => h.statement),
                v.store(row.value, p, vp),
                v.store(row.value, q, vq),
              ]
            }),
            ...team.meet,
          ]),
          team.share(zero, n, (j) => {
            const rank = rankOf(t, n, (i) => a.load(i, i), k.lt, j)
            const sign = signOfColumn(t, v, n, j)
            return [
              ...rank.statements,
              ...sign.statements,
              w.store(zero, rank.value, a.load(j, j)),
              loop(t, zero, k.u32(n), (i) => [out.store(i, rank.value, k.mul(sign.value, v.load(i, j)))]),
            ]
          }),
        ]
      }),
    },
  ]
}
