/** The slots of a plan as they are in one run, in which named sizes are known. */
import type { InputSlot, OutputSlot, Plan, Slot } from '../../codegen/plan/plan.ts'
import type { Observation } from '../../passes/graph/observe.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import type { Argument } from './argument.ts'
import type { Commands } from './backend.ts'
import type { Loaded } from './load.ts'
import type { HostValues } from './words.ts'

/** How elements lie in memory that are not in a row. */
export interface Layout {
  /** Elements have the positions in it that they have in the shape of the run. */
  readonly shape: readonly number[]
  readonly spread: (values: HostValues) => HostValues
  readonly gather: (held: HostArrayOf<DType>) => HostArrayOf<DType>
}

/** A slot in one run. */
export type SlotAt<S extends Slot> = S & { readonly layout?: Layout | undefined }

/** What a run takes and gives. */
export interface Fitted {
  readonly inputs: readonly SlotAt<InputSlot>[]
  readonly outputs: readonly SlotAt<OutputSlot>[]
  readonly observations: readonly Observation[]
  /** Those of the caller, and the sizes behind them. */
  readonly args: readonly Argument[]
  /** Writes the words of this run. */
  readonly begin?: (loaded: Loaded, commands: Commands) => void
}

/** How a run finds its sizes. Throws ArgumentError where arguments do not agree on one, or it is out of bounds. */
export type FitRun = (plan: Plan, args: readonly Argument[]) => Fitted

/** Of plans without named sizes. */
export const asPlanned: FitRun = (plan, args) => ({ ...plan, args })
