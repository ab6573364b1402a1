/**
 * Fusion and places → kernels in execution order: horizontally fused clusters, the dispatches of routines, and loops,
 * whose kernels are specialised to the places from which an iteration reads its loop-carried values and to which it
 * writes them.
 */

import type { Fusion } from '../../passes/loop/fuse/fuse.ts'
import type { Fused, LoopKernels } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import { located } from '../../src/lang/provenance.ts'
import type { BoundKernel } from '../lower/assemble.ts'
import { numberOf, placeOf } from '../lower/buffer-names.ts'
import { fitKernels } from '../lower/fit-kernels.ts'
import { assembleDispatch, withoutEmpty } from '../routines/dispatch.ts'
import { dispatchesOf } from '../routines/routine-table.ts'
import type { Place, PlacedValue } from './plan.ts'

/**
 * A unit of execution: a kernel, a list repeated a number of times, or a list repeated while the word at `flag` is not
 * zero.
 */
export type Run =
  | { readonly kind: 'dispatch'; readonly bound: BoundKernel }
  | { readonly kind: 'repeat'; readonly times: number; readonly runs: readonly Run[] }
  | { readonly kind: 'while'; readonly flag: Place; readonly runs: readonly Run[] }

/** The first limit that a kernel exceeds, and the clusters of all kernels that exceed one. */
export interface Refusal {
  readonly error: LimitError
  readonly clusters: readonly Fused[]
}

type Runs = readonly Run[] | Refusal

export const isRefusal = (r: Runs): r is Refusal => 'error' in r

/** A refusal with the user's line of the node that exceeds a limit. */
const refusal = (error: LimitError, clusters: readonly Fused[]): Refusal => ({
  error: located(
    error,
    clusters.flatMap((f) => f.stored),
  ),
  clusters,
})

/** Concatenates runs, or everything that is refused. */
const inOrder = (parts: readonly (() => Runs)[]): Runs => {
  const runs: Run[] = []
  const refused: Refusal[] = []
  for (const part of parts) {
    const made = part()
    if (isRefusal(made)) refused.push(made)
    else runs.push(...made)
  }
  const [first] = refused
  return first ? { error: first.error, clusters: refused.flatMap((r) => r.clusters) } : runs
}

/** The dispatches of a routine other than a loop. */
const routineRuns = (group: readonly Fused[], memory: MemoryPlan, profile: Profile): Runs => {
  const routine = group[0]!.routine!
  const placed = (bs: readonly Buffer[]): readonly PlacedValue[] =>
    [...new Set(bs)].map((b) => ({ value: numberOf(memory, b), place: placeOf(memory, b) }))
  const runs: Run[] = []
  for (const d of dispatchesOf(routine, profile).map(withoutEmpty)) {
    const made = assembleDispatch(d, memory, profile)
    if ('tag' in made) return refusal(made, group)
    const { workgroups, reads, writes } = d
    const bound = { ...made, workgroups, reads: placed(reads), writes: placed(writes), fused: group, routine: true }
    runs.push({ kind: 'dispatch', bound })
  }
  return runs
}

/**
 * A loop. The first iteration reads the initial loop-carried values; later ones alternate between two places (double
 * buffering), so that no iteration overwrites what it reads, and the last one writes to the final place.
 */
const loopRuns = (loop: LoopKernels, memory: MemoryPlan, profile: Profile): Runs => {
  const { carries, fixed, turns, fusion } = loop
  /**
   * An iteration that reads every loop-carried value at its start (-1) or place `from`, and writes it to place `to`.
   */
  const turn = (from: -1 | 0 | 1, to: 0 | 1) => (): Runs => {
    const names = new Map(memory.names)
    for (const [b, outer] of fixed) names.set(b, outer)
    for (const c of carries) {
      names.set(c.read, from < 0 ? c.start : c.places[from as 0 | 1])
      names.set(c.write, c.places[to])
    }
    return runsOf(fusion, { ...memory, names }, profile)
  }
  const pair = (times: number) => (): Runs => {
    const runs = inOrder([turn(0, 1), turn(1, 0)])
    return isRefusal(runs) || times < 1 ? (times < 1 ? [] : runs) : [{ kind: 'repeat', times, runs }]
  }
  if (typeof turns === 'number') {
    // With an odd number of iterations, the first one writes to the final place.
    if (turns % 2 === 1) return inOrder([turn(-1, 0), pair((turns - 1) / 2)])
    return inOrder([turn(-1, 1), turn(1, 0), pair((turns - 2) / 2)])
  }
  const runs = pair(ceilDiv(turns.chunk, 2))()
  const first = turn(-1, 0)()
  if (isRefusal(runs) || isRefusal(first)) return isRefusal(runs) ? runs : first
  return [...first, { kind: 'while', flag: placeOf(memory, turns.flag), runs }]
}

/** The runs of `fusion`, or the limits that its kernels exceed. */
export const runsOf = (fusion: Fusion, memory: MemoryPlan, profile: Profile): Runs =>
  inOrder(
    fusion.kernels.map((group) => (): Runs => {
      const { routine } = group[0]!
      if (routine?.loop) return loopRuns(routine.loop, memory, profile)
      if (routine) return routineRuns(group, memory, profile)
      const fitted = fitKernels(group, memory, profile)
      if ('error' in fitted) return refusal(fitted.error, [fitted.fused])
      return fitted.map((bound) => ({ kind: 'dispatch', bound }))
    }),
  )

/** All kernels of the runs, each once, in order. */
export const kernelsOf = (runs: readonly Run[]): readonly BoundKernel[] =>
  runs.flatMap((r) => (r.kind === 'dispatch' ? [r.bound] : kernelsOf(r.runs)))
