/** What compiling one program costs; the process of the bench that measures and the one that reports share it. */

/** Milliseconds from the function to its Plan, in parts, and what came of it. */
export interface CompileFigures {
  readonly total: number
  /** The function's own run: building nodes, differentiating. */
  readonly trace: number
  /** Checks and graph passes, up to fusion. */
  readonly passes: number
  /** From fusion on: memory, kernels, WGSL, verification. */
  readonly plan: number
  /** Processor time of all threads. */
  readonly cpu: number
  /** Nodes as traced. */
  readonly nodes: number
  readonly dispatches: number
  readonly kernels: number
  readonly wgslBytes: number
  /** The most memory that the process held. */
  readonly peakRss: number
}

/** The figures, or the line with which the program was refused, and after how long. */
export type CompileOutcome =
  | CompileFigures
  | { readonly refused: string; readonly total: number; readonly peakRss: number }
