/** What a target grants and what things cost there: data that passes plan against, never a live device. */

/**
 * What a target grants (limits in the units of WebGPU, features by name), how kernels are scheduled there, and what
 * things cost.
 */
export interface Profile {
  readonly name: string
  readonly storageBuffers: number
  readonly workgroupBytes: number
  readonly workgroupThreads: number
  readonly maxBindingBytes: number
  /** Of one GPU buffer: memory is cut into buffers of at most this size. */
  readonly maxBufferBytes: number
  readonly maxGridSide: number
  readonly offsetAlignment: number
  readonly features: readonly string[]
  /** `serial`: a thread a row, register tiles. `cooperative`: workgroup trees and staged tiles. */
  readonly schedule: 'serial' | 'cooperative'
  readonly costs: Costs
}

/** The terms of the cost model, in seconds, bytes a second and operations a second. */
export interface Costs {
  readonly dispatch: number
  readonly bandwidth: number
  readonly flops: number
  /** Invocations below which the machine is not full. */
  readonly threads: number
  /** Statements a kernel may have: compile time grows faster than linearly beyond. */
  readonly statements: number
}
