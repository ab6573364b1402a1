/** Fusion and places → kernels in the order they run: clusters side by side, the dispatches of routines. */
import type { Fusion } from '../passes/loop/fuse.ts'
import type { Buffer } from '../passes/loop/ir.ts'
import type { MemoryPlan } from '../passes/loop/memory.ts'
import type { Profile } from '../passes/target.ts'
import type { LimitError } from '../src/lang/errors.ts'
import { assembleKernel, type BoundKernel } from './assemble.ts'
import type { PlacedValue } from './plan.ts'
import { assembleDispatch } from './routine.ts'
import { dispatchesOf } from './routines/table.ts'

/** The kernels of `fusion`, or the limit that one of them breaks. */
export const boundKernels = (
  fusion: Fusion,
  memory: MemoryPlan,
  profile: Profile,
): readonly BoundKernel[] | LimitError => {
  const placed = (bs: readonly Buffer[]): readonly PlacedValue[] =>
    [...new Set(bs)].map((b) => ({ value: b.id, place: memory.places.get(b)! }))
  const kernels: BoundKernel[] = []
  for (const group of fusion.kernels) {
    const { routine } = group[0]!
    if (!routine) {
      const bound = assembleKernel(group, memory, profile)
      if ('tag' in bound) return bound
      kernels.push(bound)
      continue
    }
    for (const d of dispatchesOf(routine, profile)) {
      const made = assembleDispatch(d, memory, profile)
      if ('tag' in made) return made
      const { workgroups, reads, writes } = d
      kernels.push({ ...made, workgroups, reads: placed(reads), writes: placed(writes), fused: group, routine: true })
    }
  }
  return kernels
}
