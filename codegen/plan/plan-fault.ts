/** The faults that `verifyPlan` reports. */
import type { Step } from './plan.ts'

/** The rules of a sound plan. */
export type PlanRule =
  /** A place is outside its arena, misaligned, too small, or overlaps another that is live. */
  | 'place'
  /** Bindings do not fit the kernel, or an arena is bound in two ways. */
  | 'binding'
  /** A limit of the profile is exceeded. */
  | 'limit'
  /** A copy between dispatches. */
  | 'order'
  /** A read finds no value, or another value than the step names. */
  | 'stale'
  /** A constant, or an argument that is not donated, is overwritten. */
  | 'overwritten'
  /** A kernel accesses memory that its step does not name. */
  | 'access'
  /** A kernel overwrites in place what another invocation still reads. */
  | 'in place'
  /** A result is not at the place that its slot names. */
  | 'result'

export interface PlanFault {
  readonly rule: PlanRule
  /** The index of the step, where the fault belongs to one. */
  readonly step?: number
  /** The number of the value that is overwritten in place. */
  readonly value?: number
  readonly message: string
}

export type Dispatch = Extract<Step, { readonly kind: 'dispatch' }>
/** Records one fault. */
export type Report = (rule: PlanRule, message: string, step?: number, value?: number) => void

/** `step 3 (in place): …` */
export const showFault = ({ rule, step, message }: PlanFault): string =>
  `${step === undefined ? '' : `step ${step} `}(${rule}): ${message}`
