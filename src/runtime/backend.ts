/**
 * What a back end must do. Everything else of the runtime (arguments, handles, donation, loading, staging, pools, progress)
 * is written once upon these few primitives; `gpu/` and `cpu/` hold the two that exist. All work is done in the order of
 * the calls.
 */
import type { Plan } from '../../codegen/plan/plan.ts'
import type { RuntimeError } from '../lang/errors.ts'

/** Memory of a device as its back end has it: a GPUBuffer, or a stretch of linear memory. */
export interface Memory {
  readonly size: number
}

/** What memory is for: what kernels read and write, the words that dispatches give them, what the host reads. */
export type Use = 'storage' | 'words' | 'staging'

/** Bytes [offset, offset + bytes) of a memory. */
export interface Piece {
  readonly memory: Memory
  readonly offset: number
  readonly bytes: number
}

/** A dispatch of a plan with where everything lies that it reads and writes. */
export interface Bound {
  /** Its number in the plan. */
  readonly kernel: number
  readonly workgroups: number
  readonly bindings: readonly Piece[]
  readonly words: Piece | undefined
}

/** A dispatch made ready by the back end, which alone knows what it is. */
export type Dispatch = object

/** Work that starts, in order, when it is submitted; a submission is made once. */
export interface Commands {
  /** Writes what `bytes` hold at the call. */
  readonly write: (to: Piece, bytes: Uint8Array<ArrayBuffer>) => void
  readonly copy: (from: Memory, fromOffset: number, to: Memory, toOffset: number, bytes: number) => void
  readonly run: (dispatches: readonly Dispatch[]) => void
  readonly submit: () => void
}

/** What `guarded` gives: the result at once, and later whether the device took it. */
export interface Guarded<A> {
  readonly value: A
  /** Never rejects. */
  readonly trouble: Promise<RuntimeError | undefined>
}

/** The primitives. */
export interface Backend {
  /** The target whose plans it runs. */
  readonly target: string
  /** Bytes of all memory that was created and not destroyed. */
  readonly liveBytes: () => number
  /** May throw OutOfMemory or LimitError (as TensorloomError). */
  readonly create: (bytes: number, use: Use) => Memory
  /** Work that was submitted before may still use it. */
  readonly destroy: (memory: Memory) => void
  /** Writes what `bytes` hold at the call, after the work submitted so far. */
  readonly write: Commands['write']
  readonly begin: () => Commands
  /** Whether copies may have both ends in one memory. */
  readonly copiesWithin: boolean
  /** Resolves when the work submitted so far is done and `staging` can be seen by the host; rejects where it never will. */
  readonly map: (staging: Memory) => Promise<unknown>
  /** The bytes of mapped memory, until it is unmapped. */
  readonly mapped: (staging: Memory) => Uint8Array
  readonly unmap: (staging: Memory) => void
  /** Raises LimitError or UnsupportedFeature where the device cannot run `plan`. */
  readonly check: (plan: Plan) => void
  /** Makes dispatches of `plan` ready, what they are bound to at once. Rejects with ValidationError or DeviceLost. */
  readonly prepare: (plan: Plan, dispatches: readonly Bound[]) => Promise<readonly Dispatch[]>
  /** The same dispatch with some bindings, by their numbers, elsewhere: where that costs nothing, results need no copy. */
  readonly rebound?: (dispatch: Dispatch, elsewhere: ReadonlyMap<number, Piece>) => Dispatch
  /** Runs `action`, which must be synchronous. `bytes` is what it asks the device for, for the message. */
  readonly guarded: <A>(bytes: number, action: () => A) => Guarded<A>
  /** Resolves when the work submitted so far is done. */
  readonly settled: () => Promise<unknown>
}
