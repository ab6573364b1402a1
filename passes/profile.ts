/** Target profiles: limits and costs as data that passes plan against, never a live device. */

/** A target: its limits (in the units of WebGPU), features by name, kind of schedule, and costs. */
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
  /**
   * `serial`: one thread per row, register tiling. `cooperative`: workgroup reductions and tiles in workgroup memory.
   */
  readonly schedule: 'serial' | 'cooperative'
  readonly costs: Costs
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
  /** Seconds of a run that one statement of text is worth: what a driver needs to compile it, spread over many runs. */
  readonly statement: number
}
