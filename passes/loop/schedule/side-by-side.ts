/**
 * Horizontal fusion: independent clusters that are ready at the same time share a dispatch, side by side on its grid.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { Profile } from '../../profile.ts'
import type { Group } from '../fuse/fusion.ts'

/** Groups independent clusters that are ready at the same time into kernels. */
export const sideBySide = (
  groups: readonly Group[],
  successors: (f: Group) => readonly Group[],
  profile: Profile,
): readonly (readonly Group[])[] => {
  const waiting = new Map<Group, number>(groups.map((f) => [f, 0]))
  for (const f of groups) for (const s of successors(f)) waiting.set(s, waiting.get(s)! + 1)
  let ready = groups.filter((f) => waiting.get(f) === 0).sort((a, b) => a.id - b.id)
  const kernels: (readonly Group[])[] = []
  while (ready.length > 0) {
    const now: Group[] = []
    let statements = 0
    for (const f of ready) {
      // A routine is not fused: it has dispatches of its own.
      if (now.length > 0 && (f.routine || now[0]!.routine)) continue
      if (now.length > 0 && statements + f.cost.statements > 2 * profile.costs.statements) continue
      now.push(f)
      statements += f.cost.statements
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
