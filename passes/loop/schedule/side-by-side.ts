/**
 * Horizontal fusion: independent clusters that are ready at the same time share a dispatch, side by side on its grid.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { Profile } from '../../profile.ts'
import type { Group } from '../fuse/fusion.ts'
import { invocationsOf } from './roles.ts'
import { bytesOfArrays, eitherOf, type SharedArray } from './shared-arrays.ts'
import { stageArrays } from './tile.ts'
import { meetingArrays } from './workgroup.ts'

/** What another kernel takes to compile, whatever its text, in loads. */
const kernelText = 24

/** The invocations of a group's grid. */
const invocations = ({ solved }: Group): number =>
  solved ? invocationsOf(solved.schedule.nest.grid, solved.schedule.roles) : 0

/** What a group has in workgroup memory. */
const arrays = ({ solved }: Group): readonly SharedArray[] =>
  solved ? [...meetingArrays(solved.schedule), ...stageArrays(solved.schedule)] : []

/** Groups independent clusters that are ready at the same time into kernels. */
export const sideBySide = (
  groups: readonly Group[],
  successors: (f: Group) => readonly Group[],
  { costs, workgroupBytes }: Profile,
): readonly (readonly Group[])[] => {
  const waiting = new Map<Group, number>(groups.map((f) => [f, 0]))
  for (const f of groups) for (const s of successors(f)) waiting.set(s, waiting.get(s)! + 1)
  let ready = groups.filter((f) => waiting.get(f) === 0).sort((a, b) => a.id - b.id)
  const kernels: (readonly Group[])[] = []
  while (ready.length > 0) {
    const now: Group[] = []
    let [statements, threads] = [0, 0]
    let shared: readonly SharedArray[] = []
    for (const f of ready) {
      // A routine is not fused: it has dispatches of its own.
      if (now.length > 0 && (f.routine || now[0]!.routine)) continue
      if (now.length > 0 && statements + f.cost.statements > 2 * costs.statements) continue
      const memory = eitherOf(shared, arrays(f))
      if (bytesOfArrays(memory) > workgroupBytes) continue
      const own = invocations(f)
      // Where branches are masked, each invocation runs through what the others compute.
      const masked = (own * statements + threads * f.cost.statements) * costs.masked
      if (masked > costs.dispatch + kernelText * costs.text) continue
      now.push(f)
      statements += f.cost.statements
      threads += own
      shared = memory
    }
    kernels.push(now)
    const taken = new Set(now)
    const next = ready.filter((f) => !taken.has(f))
    for (const f of now) {
      for (const s of successors(f)) {
        waiting.set(s, waiting.get(s)! - 1)
        if (waiting.get(s) === 0) next.push(s)
      }
    }
    ready = next.sort((a, b) => a.id - b.id)
  }
  invariant(
    [...waiting.values()].every((n) => n === 0),
    'clusters wait for one another',
  )
  return kernels
}
