/** Kernels of a plan made ready to run over linear memory. */
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import { invariant } from '../../lang/errors.ts'
import type { Bound, Dispatch, Piece } from '../backend.ts'
import type { LinearMemory, Stretch } from './linear-memory.ts'
import type { KernelFunction, KernelSource } from './plan-module.ts'
import type { Task } from './work-queue.ts'

/** A dispatch with everything resolved. */
export interface Ready extends Dispatch {
  readonly workgroups: number
  /** A task that does all of it: a new one each time. */
  readonly task: () => Task
}

/** Milliseconds of work between two looks at the clock: engines replace a function by its faster form between calls. */
const chunkTime = 1

/** Where a piece begins. */
export const addressOf = ({ memory, offset }: Piece): number => (memory as Stretch).address + offset

/** The work of `workgroups` workgroups in chunks, whose size is what the chunks before it took. */
export const inChunks = (workgroups: number, run: (from: number, to: number) => void): (() => Task) => {
  let chunk = Math.max(1, workgroups >> 4)
  return () => {
    let from = 0
    return (until) => {
      let now = performance.now()
      while (from < workgroups && now < until) {
        const to = Math.min(workgroups, from + chunk)
        run(from, to)
        const before = now
        now = performance.now()
        chunk = Math.max(1, Math.min(2 * chunk, Math.round(((to - from) * chunkTime) / Math.max(now - before, 1e-3))))
        from = to
      }
      return from >= workgroups
    }
  }
}

/** A kernel by its function; `scratch` gives the address of scratch memory. */
const called = (f: KernelFunction, scratch: () => number, { bindings, words, workgroups }: Bound): (() => Task) => {
  const addresses = bindings.map(addressOf)
  const given = words ? addressOf(words) : 0
  return inChunks(workgroups, (from, to) => f(from, to, scratch(), given, ...addresses))
}

/** Where kernels of a device run. */
export interface Workplace {
  readonly linear: LinearMemory
  /** The address of scratch memory. */
  readonly scratch: () => number
  readonly source: KernelSource
}

/** A dispatch of `kernel` made ready: by `f`, its function, where there is one. */
export const readyKernel = (
  { linear, scratch, source }: Workplace,
  kernel: Kernel,
  f: KernelFunction | undefined,
  bound: Bound,
): Ready => {
  if (f) return { workgroups: bound.workgroups, task: called(f, scratch, bound) }
  invariant(source.interpret, `kernel ${kernel.name} has no function`)
  return { workgroups: bound.workgroups, task: source.interpret(linear, kernel, bound) }
}
