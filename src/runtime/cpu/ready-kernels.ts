/** Kernels of a plan made ready to run over linear memory. */
import type { RunRange } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import { invariant } from '../../lang/errors.ts'
import type { Bound, Dispatch, Piece } from '../backend.ts'
import type { LinearMemory, Stretch } from './linear-memory.ts'
import { type Pace, unknownPace } from './pace.ts'
import type { KernelSource, PlanFunctions } from './plan-module.ts'
import type { Share } from './team/make-team.ts'

/** A dispatch with everything resolved. */
export interface Ready extends Dispatch {
  readonly workgroups: number
  /** What its work can be cut into: workgroups, or one piece where it can only be run as a whole. */
  readonly pieces: number
  /** Runs pieces `from` to `to` (exclusive) on this thread. */
  readonly run: RunRange
  /** The same with other addresses of its bindings; none where a user's function is bound to them. */
  readonly rebound?: (elsewhere: ReadonlyMap<number, Piece>) => Ready
  /** What other threads call; none where that is a user's function, which is here alone. */
  readonly call: Pick<Share, 'module' | 'kernel' | 'words' | 'addresses'> | undefined
  readonly pace: Pace
}

/** Where a piece begins. */
export const addressOf = ({ memory, offset }: Piece): number => (memory as Stretch).address + offset

/** Where kernels of a device run. */
export interface Workplace {
  readonly linear: LinearMemory
  /** The address of the caller's scratch memory. */
  readonly scratch: () => number
  readonly source: KernelSource
}

/** A dispatch of `kernel`, a kernel of the plan of `functions`, made ready: by its function, where there is one. */
export const readyKernel = (
  { linear, scratch, source }: Workplace,
  kernel: Kernel,
  { module, functions }: PlanFunctions,
  bound: Bound,
): Ready => {
  const { workgroups } = bound
  const f = functions[bound.kernel]
  if (!f) {
    const pieces = kernel.text ? 1 : workgroups
    invariant(source.interpret, `kernel ${kernel.name} has no function`)
    const run = source.interpret(linear, kernel, bound)
    return { workgroups, pieces, run, call: undefined, pace: unknownPace(pieces) }
  }
  const words = bound.words ? addressOf(bound.words) : 0
  const pace = unknownPace(workgroups)
  const at = (bindings: readonly Piece[]): Ready => {
    const addresses = bindings.map(addressOf)
    return {
      workgroups,
      pieces: workgroups,
      run: (from, to) => f.run(from, to, scratch(), words, ...addresses),
      rebound: (elsewhere) => at(bindings.map((piece, i) => elsewhere.get(i) ?? piece)),
      call: { module, kernel: f.number, words, addresses },
      pace,
    }
  }
  return at(bound.bindings)
}
