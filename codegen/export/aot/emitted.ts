/** A plan as emitted modules contain it: only what is needed to run it. */
import type { DataSlot, Plan, Step } from '../../plan/plan.ts'

/** A large constant, stored under the name `stored` in the safetensors file beside the module. */
export interface StoredData extends Omit<DataSlot, 'values'> {
  readonly stored: string
  readonly count: number
}

/** The same Plan that JIT runs, without Kernel IR trees, and with large constants by name. */
export interface EmittedPlan extends Omit<Plan, 'data'> {
  readonly data: readonly (DataSlot | StoredData)[]
}

/** A constant moved out of a plan. */
export interface LargeConstant {
  readonly name: string
  readonly data: DataSlot
}

/** Constants of more elements than this are moved out of the module. */
const inlineElements = 64

/**
 * Splits a plan into the part emitted as text and the constants stored beside it. Kernel bodies are dropped, since the
 * WGSL is what runs; bindings and arrays stay, for the check against a device's limits. The value numbers that
 * `verifyPlan` follows are dropped as well: the plan has been verified.
 */
export const emittedPlan = (
  plan: Plan,
): { readonly plan: EmittedPlan; readonly constants: readonly LargeConstant[] } => {
  const constants: LargeConstant[] = []
  const data = plan.data.map((slot): DataSlot | StoredData => {
    if (slot.values.length <= inlineElements) return { ...slot, values: Array.from(slot.values) }
    const name = `constant${constants.length}`
    constants.push({ name, data: slot })
    return { place: slot.place, dtype: slot.dtype, stored: name, count: slot.values.length }
  })
  const kernels = plan.kernels.map(({ kernel: { text: _text, ...kernel }, ...code }) => ({
    kernel: { ...kernel, body: [] },
    ...code,
  }))
  return { plan: { ...plan, kernels, steps: plan.steps.map(emittedStep), data }, constants }
}

/** A step without the fields that only verification needs. */
const emittedStep = (step: Step): Step => {
  if (step.kind === 'copy') return step
  if (step.kind !== 'dispatch') return { ...step, steps: step.steps.map(emittedStep) }
  const { reads: _reads, writes: _writes, inParts: _inParts, ...dispatch } = step
  return dispatch
}
