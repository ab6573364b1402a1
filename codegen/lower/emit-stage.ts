/**
 * Staged operands: the invocations of a workgroup compute them for the points of its tile and the steps of a slab, write them
 * to workgroup memory, and read there what each of them contracts. See `passes/loop/schedule/tile.ts`.
 */
import type { LoopValue, Range } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../passes/loop/ir/values.ts'
import { isBeside } from '../../passes/loop/schedule/lane-pattern.ts'
import { type Schedule, type Stage, stepIn, type Tile, tileIn } from '../../passes/loop/schedule/roles.ts'
import { stageStride } from '../../passes/loop/schedule/tile.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt, LocalArray } from '../kernel/kernel.ts'
import type { Arrays, Namer } from './emit.ts'
import type { IndexEmitter, Lanes } from './emit-index.ts'

/** What the emitter of a cluster lends to that of its stages. */
export interface Surroundings {
  readonly schedule: Schedule
  readonly index: IndexEmitter
  readonly name: Namer
  readonly push: (s: KStmt) => void
  readonly inScope: (ranges: readonly Range[], fill: () => void) => readonly KStmt[]
  readonly instances: (ranges: Iterable<Range>) => readonly Lanes[]
  readonly record: (v: LoopValue, lanes: Lanes, e: KExpr) => void
  /** Computes one of `vs` after another at a single point, forgets them, and gives the last. */
  readonly computeApart: (vs: readonly LoopValue[], single: readonly Range[]) => KExpr
  readonly arrayOf: Arrays
}

export interface StageEmitter {
  /** The invocation's place along a range of the tile. */
  readonly bind: (range: Range, local: KExpr) => void
  /** Fills the arrays of `values` with the steps of the slab that begins at step `first`, which may not be whole. */
  readonly fill: (values: readonly LoopValue[], first: KExpr, isWhole: boolean) => void
  /** From here on step `number` of the slab is meant. */
  readonly at: (number: KExpr) => void
  /** Reads a value that is staged; whether it is. */
  readonly read: (v: LoopValue) => boolean
}

export const stageEmitter = (around: Surroundings): StageEmitter => {
  const { schedule, index, name, push, inScope, instances, record, computeApart, arrayOf } = around
  const stages = new Map((schedule.workgroup?.tile?.stages ?? []).map((s) => [s.value, s]))
  const arrays = new Map<LoopValue, LocalArray>()
  const locals = new Map<Range, KExpr>()
  let step: KExpr = k.u32(0)
  const isVector = (r: Range): boolean => schedule.roles.get(r)?.vector ?? false
  /** Elements of an array that are one: scalars, or vectors along its range. */
  const widthOf = ({ along }: Stage): 1 | 4 => (isVector(along) ? 4 : 1)
  const strideOf = (s: Stage): number => stageStride(schedule, s.along) / widthOf(s)

  const arrayFor = (s: Stage, tile: Tile): LocalArray => {
    const known = arrays.get(s.value)
    if (known) return known
    const made = arrayOf(k.kType(s.value.dtype, widthOf(s)), strideOf(s) * tile.slab, 'workgroup')
    arrays.set(s.value, made)
    return made
  }

  /** Neighbouring invocations read neighbours in memory: along the contracted range, where it runs fastest there. */
  const isAlongSteps = ({ value, along }: Stage, over: Range): boolean => {
    const loads = valuesBelow([value]).filter((v) => v.kind === 'load')
    return loads.some((v) => isBeside(v.index, over) && !isBeside(v.index, along))
  }

  const fillOne = (s: Stage, tile: Tile, first: KExpr, isWhole: boolean): void => {
    const { along, value } = s
    const { over, slab } = tile
    const points = tileIn(schedule, along) / widthOf(s)
    const cell = k.ref(name('n'))
    const byStep = isAlongSteps(s, over)
    const inner = k.u32(byStep ? slab : points)
    const [low, high] = [k.rem(cell, inner), k.div(cell, inner)]
    const [point, number] = byStep ? [high, low] : [low, high]
    const { copy, restore } = index.inTileAt(along, point)
    const statements = inScope([over, copy], () => {
      const here = k.add(first, number)
      // Beyond the end nobody reads what is here.
      index.bind(over, isWhole ? here : k.min(here, k.u32(over.size - 1)))
      const e = computeApart(valuesBelow([value]), [along])
      const at = k.add(k.mul(number, k.u32(strideOf(s))), point)
      push(k.write(arrayFor(s, tile), at, e.type.width === widthOf(s) ? e : k.splat(e, widthOf(s))))
    })
    restore()
    if (cell.kind === 'ref')
      push(k.forStmt(cell.name, k.builtin('localIndex'), k.u32(points * slab), schedule.workgroup!.threads, statements))
  }

  return {
    bind: (range, local) => void locals.set(range, local),
    fill: (values, first, isWhole) => {
      const { tile } = schedule.workgroup!
      for (const v of values) fillOne(stages.get(v)!, tile!, first, isWhole)
    },
    at: (number) => {
      step = number
    },
    read: (v) => {
      const s = stages.get(v)
      if (!s) return false
      const own = stepIn(schedule.roles, s.along) / widthOf(s)
      const start = k.add(k.mul(step, k.u32(strideOf(s))), k.mul(locals.get(s.along)!, k.u32(own)))
      for (const lanes of instances(v.ranges)) {
        const id = name('v')
        const array = arrays.get(v)!
        push(k.letStmt(id, k.read(array, k.add(start, k.u32((lanes.get(s.along) ?? 0) / widthOf(s))))))
        record(v, lanes, k.ref(id, array.element))
      }
      return true
    },
  }
}
