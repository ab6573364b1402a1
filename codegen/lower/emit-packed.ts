/** Packed values: written to an array of the task for all their points, then read by the loops over its tiles. */
import type { LoopValue, Range } from '../../passes/loop/ir/cluster.ts'
import { addIndex, constantIndex, rangeIndex, scaleIndex } from '../../passes/loop/ir/index-expression.ts'
import type { Packed } from '../../passes/loop/schedule/nest.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import { productOf } from '../../src/lang/dim.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt, LocalArray } from '../kernel/kernel.ts'
import { vectorOf } from './access.ts'
import type { Arrays, Namer } from './emit.ts'
import type { IndexEmitter, Lanes } from './emit-index.ts'

/** What the emitter of a cluster lends to that of its packed values. */
export interface Surroundings {
  readonly schedule: Schedule
  readonly index: IndexEmitter
  readonly name: Namer
  readonly push: (s: KStmt) => void
  readonly instances: (ranges: Iterable<Range>) => readonly Lanes[]
  readonly exprOf: (v: LoopValue, lanes: Lanes) => KExpr
  readonly record: (v: LoopValue, lanes: Lanes, e: KExpr) => void
  readonly arrayOf: Arrays
}

export interface PackedEmitter {
  /** Writes the value, which has just been computed, to its array. */
  readonly keep: (packed: Packed) => void
  /** Reads a value that is in an array; whether it is. */
  readonly read: (v: LoopValue) => boolean
}

/** A packed value in its array: an element for each point of its ranges and each register copy. */
interface Kept {
  readonly packed: Packed
  readonly array: LocalArray
  readonly copies: readonly Lanes[]
}

export const packedEmitter = (around: Surroundings): PackedEmitter => {
  const { schedule, index, name, push, instances, exprOf, record, arrayOf } = around
  const keptIn = new Map<LoopValue, Kept>()

  /** Every register copy of a packed value, and the element of its array. */
  const cells = ({ packed: { over }, copies }: Kept): readonly { readonly lanes: Lanes; readonly at: KExpr }[] => {
    let position = constantIndex(0)
    for (const r of over) position = addIndex(scaleIndex(position, r.size), rangeIndex(r))
    const place = vectorOf(over, schedule) ? index.quarter : index.scalar
    return instances(over).flatMap((step) =>
      copies.map((copy, i) => ({
        lanes: new Map([...copy, ...step]),
        at: k.add(k.mul(place(position, step), k.u32(copies.length)), k.u32(i)),
      })),
    )
  }

  return {
    keep: (packed) => {
      const { value, over, twin } = packed
      const copies = instances([...value.ranges].filter((r) => !over.includes(r)))
      const element = k.kType(value.dtype, vectorOf(value.ranges, schedule) ? 4 : 1)
      const points = productOf(over, (r) => r.size) / (vectorOf(over, schedule) ? 4 : 1)
      const array = arrayOf(element, points * copies.length, 'packed')
      const kept = { packed, array, copies }
      for (const { lanes, at } of cells(kept)) {
        const e = exprOf(value, lanes)
        push(k.write(array, at, e.type.width === element.width ? e : k.splat(e, element.width)))
      }
      if (twin) keptIn.set(twin.value, { ...kept, packed: twin })
      else keptIn.set(value, kept)
    },
    read: (v) => {
      const kept = keptIn.get(v)
      if (!kept) return false
      for (const { lanes, at } of cells(kept)) {
        const id = name('v')
        push(k.letStmt(id, k.read(kept.array, at)))
        record(v, lanes, k.ref(id, kept.array.element))
      }
      return true
    },
  }
}
