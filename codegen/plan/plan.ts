/**
 * The Plan: everything needed to run a program, as plain data that survives JSON. JIT and AOT run the same Plan.
 */

import type { Observation } from '../../passes/graph/observe.ts'
import type { Profile } from '../../passes/profile.ts'
import type { DType, HostArray } from '../../src/lang/dtype.ts'
import type { TreeShape } from '../../src/lang/tree.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { IndexRange } from './index-inputs.ts'

export type { Profile } from '../../passes/profile.ts'
export type { TreeShape }

/** Bytes [offset, offset + bytes) of a program-owned arena. `offset` is a multiple of the profile's alignment. */
export interface Place {
  readonly arena: number
  readonly offset: number
  readonly bytes: number
}

/** A kernel: its IR (interpreted, explained) and the WGSL printed from it (run). */
export interface PlannedKernel {
  readonly kernel: Kernel
  readonly wgsl: string
}

/** A value of the program (each its own number) and where it lies: what a dispatch reads or writes, for `verifyPlan`. */
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
      readonly reads?: readonly PlacedValue[]
      readonly writes?: readonly PlacedValue[]
      /** One dispatch of a routine, or of a turn of a loop: it may read what it writes, and need not write all of it. */
      readonly inParts?: boolean
    }
  /** Only before the first and after the last dispatch. */
  | { readonly kind: 'copy'; readonly from: Place; readonly to: Place }
  /** `steps`, `times` times over, in the same submission. */
  | { readonly kind: 'repeat'; readonly times: number; readonly steps: readonly Step[] }
  /** `steps`, a submission each time, as long as the word at `flag` is not zero: the host reads it in between. */
  | { readonly kind: 'while'; readonly flag: Place; readonly steps: readonly Step[] }

/** An argument or result leaf. Bool travels as u32 words on the device, as Uint8Array on the host. */
export interface Slot {
  /** Where in the argument (result) tree, e.g. `[0].params.w1`. */
  readonly path: string
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly place: Place
  /** The number of the value among the steps' `reads` and `writes`. */
  readonly value?: number
}

export interface InputSlot extends Slot {
  /** The caller gives the value away: its bytes may be overwritten, a handle to it is consumed. */
  readonly donated: boolean
  /** Reaches a gather or scatter as its index: the host checks 0 <= value < size before upload. */
  readonly indexOf?: readonly IndexRange[]
}

export interface OutputSlot extends Slot {
  /** Stays on the device and is returned as a resident handle; others are copied to staging and read lazily. */
  readonly keep: boolean
  /** The donated input whose place this output took: the next run finds it there without a copy. */
  readonly inPlaceOf?: number
}

/** A large constant: uploaded once when the program is loaded. */
export interface DataSlot {
  readonly place: Place
  readonly value?: number
  readonly dtype: DType
  readonly values: readonly number[] | HostArray
}

/** Whether f32 numbers below 2^-126 count on every device, or as the device has it. */
export type Subnormals = 'device' | 'keep'

/** What the planner says the program will cost; the Kernel IR interpreter counts the same figures. */
export interface Prediction {
  readonly dispatches: number
  readonly submits: number
  readonly bytes: number
  readonly flops: number
  readonly peakBytes: number
}

/**
 * A program as data: kernels with their WGSL, the steps that run them, the arenas they share, arguments, results and
 * constants, and what it will cost. Survives JSON.
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
  readonly outputs: readonly OutputSlot[]
  readonly data: readonly DataSlot[]
  /** What is told at every run: the last outputs are theirs. */
  readonly observations: readonly Observation[]
  /** Argument and result trees with leaves replaced by their index into inputs and outputs. */
  readonly inputTree: TreeShape
  readonly outputTree: TreeShape
  readonly prediction: Prediction
}
