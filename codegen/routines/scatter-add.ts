/**
 * The kernels of a large scatterAdd: indices are sorted (stably), so that the updates of a row are contiguous; then one
 * thread per element of the result adds its own updates. Without atomics, deterministic, and linear in the sizes of
 * result and updates, not in their product.
 */

import { scatterSizes } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { KernelDType } from '../../src/lang/dtype.ts'
import type { NodeOf } from '../../src/lang/ir.ts'
import { heightOf, radix, stateMonoids, treeRun } from '../../src/lang/monoids.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr } from '../kernel/kernel.ts'
import type { Kind } from '../kernel/states.ts'
import { buildStatements } from './build-statements.ts'
import { computeType, hold, perThread, type RoutineDispatch } from './dispatch.ts'
import { sortDispatches } from './sort.ts'

/** The dispatches of a scatterAdd node. */
export const scatterAddRoutine = (
  { node, inputs, outputs, scratch }: Routine,
  profile: Profile,
): readonly RoutineDispatch[] => {
  const { lines, positions, size, row } = scatterSizes(node as NodeOf<'scatterAdd'>)
  const [index, updates] = [inputs[0]!, inputs[1]!]
  const [sorted, order, starts, ...rest] = scratch
  const sorting = sortDispatches(
    {
      x: index,
      shape: [lines, positions],
      axis: 1,
      descending: false,
      values: sorted!,
      indices: order!,
      scratch: rest,
    },
    profile,
  )
  // Binary search, from the highest bit: how many indices of a line precede a row.
  const bits = Math.floor(Math.log2(positions)) + 1
  const search: RoutineDispatch = {
    name: 'scatter_add_starts',
    reads: [sorted!],
    writes: [starts!],
    ...perThread(lines * (size + 1), profile, (t, thread) => {
      const line = hold(t, k.mul(k.div(thread, k.u32(size + 1)), k.u32(positions)))
      const wanted = hold(t, k.cast(k.rem(thread, k.u32(size + 1)), computeType(sorted!.dtype)))
      const found = t.name('found')
      const step = t.name('step')
      const next = hold(t, k.add(k.ref(found), k.shiftRight(k.u32(2 ** (bits - 1)), k.ref(step))))
      const other = t.load(sorted!, k.add(line.value, k.sub(next.value, k.u32(1))))
      return [
        line.statement,
        wanted.statement,
        k.varStmt(found, k.kType('u32')),
        k.forStmt(step, k.u32(0), k.u32(bits), 1, [
          next.statement,
          k.ifStmt(k.le(next.value, k.u32(positions)), [
            k.ifStmt(k.lt(other, wanted.value), [k.assign(found, next.value)]),
          ]),
        ]),
        t.store(starts!, thread, k.ref(found)),
      ]
    }),
  }
  const [result] = outputs
  const kind: Kind = { row: stateMonoids.terms, dtype: computeType(result!.dtype) as KernelDType, width: 1 }
  // Sums of floats by the position of the update among those of its row, in runs and fours.
  const height = kind.row.order(kind.dtype) === 'any' ? 1 : 1 + heightOf(ceilDiv(positions, treeRun))
  const add: RoutineDispatch = {
    name: 'scatter_add',
    reads: [order!, starts!, updates],
    writes: [result!],
    ...perThread(lines * size * row, profile, (t, thread) => {
      const column = hold(t, k.rem(thread, k.u32(row)))
      const place = hold(t, k.div(thread, k.u32(row)))
      const line = hold(t, k.div(place.value, k.u32(size)))
      const first = hold(t, k.add(place.value, line.value))
      const bound = (at: KExpr): KExpr => k.min(t.load(starts!, at), k.u32(positions))
      const [from, to] = [first.value, k.add(first.value, k.u32(1))].map((at) => hold(t, bound(at)))
      const base = hold(t, k.mul(line.value, k.u32(positions)))
      const summed = buildStatements(t, ({ states, loop, when, push }) => {
        const sum = states.begin(kind)
        const levels = Array.from({ length: height }, () => states.begin(kind))
        loop(from!.value, to!.value, (at) => {
          const source = k.cast(t.load(order!, k.add(base.value, at)), 'u32')
          const update = t.load(updates, k.add(k.mul(k.add(base.value, source), k.u32(row)), column.value))
          states.assign(levels[0]!, states.merge(kind, levels[0]!, states.lift(kind, k.cast(update, kind.dtype))))
          // The first of the levels takes in a run.
          states.carry([{ kind, levels }], k.sub(at, from!.value), treeRun / radix)
        })
        // Most rows have no update at all.
        when(k.lt(from!.value, to!.value), () => states.assign(sum, states.total({ kind, levels })))
        push(t.store(result!, thread, sum[0]!))
      })
      return [...[column, place, line, first, base, from!, to!].map((h) => h.statement), ...summed]
    }),
  }
  return [...sorting, search, add]
}
