/** Stores: every element once, though tiles at the end of a range are moved back and invocations may know the same. */
import type { LoopValue, Range, Store } from '../../passes/loop/ir/cluster.ts'
import { type Schedule, stepIn } from '../../passes/loop/schedule/roles.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { vectorOf } from './access.ts'
import type { IndexEmitter, Lanes } from './emit-index.ts'
import type { MemoryEmitter } from './emit-memory.ts'
import type { Crew } from './emit-workgroup.ts'

interface Surroundings {
  readonly schedule: Schedule
  readonly index: IndexEmitter
  readonly memory: MemoryEmitter
  readonly instances: (ranges: Iterable<Range>) => readonly Lanes[]
  readonly exprOf: (v: LoopValue, lanes: Lanes) => KExpr
  readonly push: (s: KStmt) => void
  /** Whether a loop takes the copies of a range in turn. */
  readonly isRolled: (r: Range) => boolean
  readonly crew: Crew | undefined
}

/** Stores a value that has been computed, all copies of it. */
export const storeAt = (s: Store, around: Surroundings): void => {
  const { schedule, index, memory, instances, exprOf, push, isRolled, crew } = around
  const vector = vectorOf(s.ranges, schedule)
  // What all invocations know, one of them stores.
  const isOne = crew?.isTogether() ? k.eq(k.builtin('localIndex'), k.u32(0)) : undefined
  const guarded = (at: Lanes, ranges: readonly Range[], statements: readonly KStmt[]): void => {
    const inTile = statements.length > 0 ? index.inTile(ranges, at) : undefined
    const guard = isOne && inTile ? k.and(isOne, inTile) : (isOne ?? inTile)
    for (const statement of guard ? [k.ifStmt(guard, statements)] : statements) push(statement)
  }
  const inTiles = schedule.workgroup?.tile !== undefined
  for (const lanes of instances(s.ranges)) {
    const body = memory.store(s, exprOf(s.value, lanes), lanes)
    // Tiles of a workgroup are moved back by whole vectors, where those fill the range.
    if (!vector || !index.hasEdge(vector) || (inTiles && vector.size % 4 === 0)) {
      guarded(lanes, s.ranges, body)
      continue
    }
    const offset = lanes.get(vector) ?? 0
    if (inTiles || isRolled(vector)) {
      for (const [l, one] of body.entries()) guarded(new Map(lanes).set(vector, offset + l), s.ranges, [one])
      continue
    }
    // Of the last tile, which is moved back, the first points belong to the one before it.
    const step = stepIn(schedule.roles, vector)
    const old = Math.min(4, Math.max(0, step - (vector.size % step) - offset))
    guarded(new Map(lanes).set(vector, 0), s.ranges, body.slice(0, old))
    guarded(
      lanes,
      s.ranges.filter((r) => r !== vector),
      body.slice(old),
    )
  }
}
