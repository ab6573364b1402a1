/** What `verifyPlan` can say about a Plan. */
import type { Step } from './plan.ts'

/** What a plan can be wrong about. */
export type PlanRule =
  /** A place is outside its arena, misaligned, too small, or overlaps another that is live. */
  | 'place'
  /** Bindings do not fit the kernel, or an arena is bound in two ways. */
  | 'binding'
  /** More than the profile grants. */
  | 'limit'
  /** A copy between dispatches. */
  | 'order'
  /** A read finds nothing, or another value than it names. */
  | 'stale'
  /** A constant, or an argument that was not given away, is overwritten. */
  | 'overwritten'
  /** A kernel touches memory that its step does not name. */
  | 'access'
  /** A kernel overwrites what another of its invocations still reads. */
  | 'in place'
  /** A result is not where its slot says. */
  | 'result'

export interface PlanFault {
  readonly rule: PlanRule
  /** The number of the step, where it is about one. */
  readonly step?: number
  /** The number of the value that is overwritten in place. */
  readonly value?: number
  readonly message: string
}

export type Dispatch = Extract<Step, { readonly kind: 'dispatch' }>
/** Takes down one fault. */
export type Report = (rule: PlanRule, message: string, step?: number, value?: number) => void

/** `step 3 (in place): …` */
export const showFault = ({ rule, step, message }: PlanFault): string =>
  `${step === undefined ? '' : `step ${step} `}(${rule}): ${message}`
