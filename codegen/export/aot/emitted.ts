/** A plan as emitted modules carry it: what running needs and no more. */
import type { DataSlot, Plan, Step } from '../../plan/plan.ts'

/** A large constant whose values lie beside the module, under `stored` in its safetensors file. */
export interface StoredData extends Omit<DataSlot, 'values'> {
  readonly stored: string
  readonly count: number
}

/** The same Plan that JIT runs, without Kernel IR trees, and with large constants by name. */
export interface EmittedPlan extends Omit<Plan, 'data'> {
  readonly data: readonly (DataSlot | StoredData)[]
}

/** A constant taken out of a plan. */
export interface LargeConstant {
  readonly name: string
  readonly data: DataSlot
}

/** Constants of more elements than this leave the module. */
const inlineElements = 64

/**
 * Splits a plan into what the module's text holds and the constants that do not belong into text. Kernels lose their
 * bodies, as the WGSL beside them is what runs; their bindings and arrays stay, for the check against a device's limits.
 * What `verifyPlan` follows values by goes too: it has passed the plan already.
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
  const kernels = plan.kernels.map(({ kernel: { text: _text, ...kernel }, wgsl }) => ({
    kernel: { ...kernel, body: [] },
    wgsl,
  }))
  return { plan: { ...plan, kernels, steps: plan.steps.map(emittedStep), data }, constants }
}

/** A step without what only checking needs. */
const emittedStep = (step: Step): Step => {
  if (step.kind === 'copy') return step
  if (step.kind !== 'dispatch') return { ...step, steps: step.steps.map(emittedStep) }
  const { reads: _reads, writes: _writes, inParts: _inParts, ...dispatch } = step
  return dispatch
}
