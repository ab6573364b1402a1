/**
 * The Plan: everything needed to run a program, as plain data that survives JSON. JIT and AOT run the same Plan.
 */

import type { IndexRange } from '../../passes/graph/index-inputs.ts'
import type { Observation } from '../../passes/graph/observe.ts'
import type { LoopLimit } from '../../passes/loop/schedule/limit.ts'
import type { Place } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import type { DType, HostArray } from '../../src/lang/dtype.ts'
import type { Size } from '../../src/lang/size.ts'
import type { TreeShape } from '../../src/lang/tree.ts'
import type { Kernel } from '../kernel/kernel.ts'

export type { Place, Profile, TreeShape }

/** What is run of a kernel, by the target that its plan is for; nothing where all kernels become one module at loading. */
export interface KernelCode {
  readonly wgsl?: string
}

/** A kernel: its IR (interpreted, explained) and the code printed from it (run). */
export interface PlannedKernel extends KernelCode {
  readonly kernel: Kernel
}

/** How a target prints kernels. */
export type PrintCode = (kernel: Kernel, subnormals: Subnormals) => KernelCode

/** A value of the program, by its unique number, and its place: what a dispatch reads or writes, for `verifyPlan`. */
export interface PlacedValue {
  readonly value: number
  readonly place: Place
}

export type Step =
  /** Runs `kernel` on `workgroups` workgroups (folded by the runtime into x, y when past `maxGridSide`). */
  | {
      readonly kind: 'dispatch'
      readonly kernel: number
      readonly workgroups: number
      readonly bindings: readonly Place[]
      /** The constants that the kernel reads as its words. */
      readonly words?: readonly number[]
      /** What its words are where sizes are named; `words` are those at the bounds. */
      readonly limits?: readonly LoopLimit[]
      readonly reads?: readonly PlacedValue[]
      readonly writes?: readonly PlacedValue[]
      /**
       * A dispatch of a routine, or of a loop iteration that writes rows: it may read what it writes, and write it
       * partially.
       */
      readonly inParts?: boolean
    }
  /** Copies precede the first dispatch or follow the last. */
  | { readonly kind: 'copy'; readonly from: Place; readonly to: Place }
  /** `steps`, repeated `times` times in the same submission. */
  | { readonly kind: 'repeat'; readonly times: number; readonly steps: readonly Step[] }
  /** `steps`, submitted again while the word at `flag` is not zero; the host reads it after each submission. */
  | { readonly kind: 'while'; readonly flag: Place; readonly steps: readonly Step[] }

/** An argument or result leaf. Bool travels as u32 words on the device, as Uint8Array on the host. */
export interface Slot {
  /** Where in the argument (result) tree, e.g. `[0].params.w1`. */
  readonly path: string
  readonly shape: readonly number[]
  /** The sizes of its axes where not all are known before a run: it is laid out as `shape` says, and these count. */
  readonly axes?: readonly Size[]
  readonly dtype: DType
  readonly place: Place
  /** The value number, as in the steps' `reads` and `writes`. */
  readonly value?: number
}

export interface InputSlot extends Slot {
  /** The caller donates the value: its memory may be reused, and a handle to it is consumed. */
  readonly donated: boolean
  /** The argument is used as an index of a gather or scatter: the host checks 0 <= value < size before upload. */
  readonly indexOf?: readonly IndexRange<Size>[]
}

export interface OutputSlot extends Slot {
  /** Stays on the device and is returned as a resident handle; others are copied to staging and read lazily. */
  readonly keep: boolean
  /** The donated input that this output replaces in place: the next run finds it there without a copy. */
  readonly inPlaceOf?: number
}

/** A large constant: uploaded once when the program is loaded. */
export interface DataSlot {
  readonly place: Place
  readonly value?: number
  readonly dtype: DType
  readonly values: readonly number[] | HostArray
}

/** Whether subnormal f32 numbers are preserved on every device, or treated as the device does. */
export type Subnormals = 'device' | 'keep'

/** A size that is known when a program runs: the arguments say it, and the last inputs of the plan are given it. */
export interface PlannedSize {
  readonly name: string
  readonly least: number
  readonly max: number
}

/** The predicted costs of a run, at the bounds of named sizes; the Kernel IR interpreter counts the same figures. */
export interface Prediction {
  readonly dispatches: number
  readonly submits: number
  readonly bytes: number
  readonly flops: number
  readonly peakBytes: number
}

/**
 * A compiled program as data: kernels with their code, the steps that run them, the arenas, arguments, results and
 * constants, and the predicted costs. Survives JSON.
 */
export interface Plan {
  readonly version: 1
  readonly name: string
  readonly profile: Profile
  readonly subnormals: Subnormals
  /** Sizes in bytes of the program-owned buffers. */
  readonly arenas: readonly number[]
  readonly kernels: readonly PlannedKernel[]
  readonly steps: readonly Step[]
  readonly inputs: readonly InputSlot[]
  /** The last inputs, one each. */
  readonly sizes?: readonly PlannedSize[]
  readonly outputs: readonly OutputSlot[]
  readonly data: readonly DataSlot[]
  /** What is reported at every run; the last outputs belong to them. */
  readonly observations: readonly Observation[]
  /** Argument and result trees with leaves replaced by their index into inputs and outputs. */
  readonly inputTree: TreeShape
  readonly outputTree: TreeShape
  readonly prediction: Prediction
}
