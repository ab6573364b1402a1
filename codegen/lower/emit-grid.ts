/** The place of an invocation in the grid: which point of each range it computes, which tile, which of several tasks it is. */
import type { Range } from '../../passes/loop/ir/cluster.ts'
import { type Schedule, tasksOf, tileIn } from '../../passes/loop/schedule/roles.ts'
import { ceilDiv, productOf } from '../../src/lang/dim.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import type { Namer } from './emit.ts'
import type { IndexEmitter } from './emit-index.ts'

/** The number of invocations of a cluster; of workgroups, where those share points or tiles. */
export const threadsOf = (schedule: Schedule): number =>
  productOf(schedule.nest.grid, (r) => ceilDiv(r.size, tileIn(schedule, r))) * tasksOf(schedule)

interface Surroundings {
  readonly schedule: Schedule
  readonly index: IndexEmitter
  readonly name: Namer
  readonly push: (s: KStmt) => void
  /** Says where along a range of its tile the invocation is. */
  readonly bindPlace: (range: Range, local: KExpr) => void
  /** The number of steps of a range that a run needs, where that is not known before. */
  readonly limitOf: (range: Range) => KExpr | undefined
}

/** What an invocation is: which of the tasks that share tiles, and whether a run needs what it computes. */
export interface Place {
  readonly task: KExpr
  readonly isNeeded: KExpr | undefined
}

/** Binds all ranges of the grid for invocation (or workgroup) `thread`. */
export const bindGrid = ({ schedule, index, name, push, bindPlace, limitOf }: Surroundings, thread: KExpr): Place => {
  const { grid } = schedule.nest
  const named = (prefix: string, e: KExpr): KExpr => {
    const id = name(prefix)
    push(k.letStmt(id, e))
    return k.ref(id)
  }
  const tasks = tasksOf(schedule)
  const task = tasks > 1 ? named('g', k.rem(thread, k.u32(tasks))) : k.u32(0)
  let rest = tasks > 1 ? named('t', k.div(thread, k.u32(tasks))) : thread
  const { along = new Map<Range, number>() } = schedule.workgroup?.tile ?? {}
  const places = new Map<Range, KExpr>()
  let local: KExpr = k.builtin('localIndex')
  for (const [i, [r, threads]] of [...along].reverse().entries()) {
    const place = named('l', i === along.size - 1 ? local : k.rem(local, k.u32(threads)))
    places.set(r, place)
    bindPlace(r, place)
    local = k.div(local, k.u32(threads))
  }
  let isNeeded: KExpr | undefined
  for (const r of [...grid].reverse()) {
    const steps = ceilDiv(r.size, tileIn(schedule, r))
    const isLast = r === grid[0]
    const id = name('g')
    if (steps > 1) push(k.letStmt(id, isLast ? rest : k.rem(rest, k.u32(steps))))
    const number = steps > 1 ? k.ref(id) : k.u32(0)
    const limit = limitOf(r)
    if (limit) isNeeded = k.lt(number, limit)
    const place = places.get(r)
    if (place) index.bindTile(r, number, place, along.get(r)!)
    else index.bind(r, number)
    if (!isLast) rest = named('t', k.div(rest, k.u32(steps)))
  }
  return { task, isNeeded }
}
