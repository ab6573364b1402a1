/** Target profiles: limits and costs as data that passes plan against, never a live device. */
import { alignDown } from '../src/lang/dim.ts'

/** A class of devices of one target: its limits (in the units of WebGPU), features by name, kind of schedule, and costs. */
export interface Profile {
  readonly name: string
  /** The language that kernels are printed in: what plans for this profile run on. */
  readonly target: string
  readonly storageBuffers: number
  readonly workgroupBytes: number
  readonly workgroupThreads: number
  readonly maxBindingBytes: number
  /** Of one GPU buffer: memory is cut into buffers of at most this size. */
  readonly maxBufferBytes: number
  readonly maxGridSide: number
  readonly offsetAlignment: number
  readonly features: readonly string[]
  /**
   * `serial`: one thread per row, register tiling. `cooperative`: workgroup reductions and tiles in workgroup memory.
   * `task`: an invocation is a task of a processor's core, which goes over many tiles, with operands packed for all of them.
   */
  readonly schedule: 'serial' | 'cooperative' | 'task'
  readonly costs: Costs
}

/** Invocations that a workgroup of a user's own kernel may have: where kernels are tasks, its reference computes it. */
export const userThreads = ({ schedule, workgroupThreads }: Profile): number =>
  schedule === 'task' ? Number.POSITIVE_INFINITY : workgroupThreads

/** The most bytes of a larger place that one binding can hold: the next part starts where a binding may start. */
export const largestPart = ({ maxBindingBytes, maxBufferBytes, offsetAlignment }: Profile): number =>
  Math.max(offsetAlignment, alignDown(Math.min(maxBindingBytes, maxBufferBytes), offsetAlignment))

/**
 * Bytes of one buffer: an arena is a row of buffers of this size, the last one shorter. No tensor lies across the end of
 * one unless it is larger than a buffer; then it starts where one starts, so that its parts do not lie across either.
 */
export const largestBuffer = (profile: Profile): number => {
  const part = largestPart(profile)
  return Math.max(part, alignDown(profile.maxBufferBytes, part))
}

/** Parameters of the cost model, in seconds, bytes per second and operations per second. */
export interface Costs {
  readonly dispatch: number
  readonly bandwidth: number
  readonly flops: number
  /** Invocations needed to saturate the device. */
  readonly threads: number
  /** The most statements of a fused kernel: a driver's compile time grows superlinearly beyond. */
  readonly statements: number
  /** Seconds of a run that a load in the text is worth: what a driver needs to compile it, spread over many runs. */
  readonly text: number
  /**
   * Seconds for a statement and invocation that a branch leaves out: an emulator runs all branches and masks what they
   * write. 0 where a branch is skipped.
   */
  readonly masked: number
  /** What a load of four neighbours takes, in loads of one. */
  readonly vectorLoad: number
  /** Seconds until all invocations of a workgroup have come to a barrier. */
  readonly barrier: number
}
