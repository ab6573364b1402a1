/** How programs print themselves: what they take and give, and what they cost. */
import type { InputSlot, OutputSlot, Plan } from '../../codegen/plan/plan.ts'
import { bytesText, plural } from '../lang/print/figures.ts'
import { printing } from '../lang/print/printing.ts'
import { showSized } from '../lang/size.ts'
import { visible } from '../lang/visible-text.ts'
import type { Device } from '../runtime/device.ts'

/** So many arguments or results are named. */
const most = 8

const list = (slots: readonly (InputSlot | OutputSlot)[], note: (slot: never) => boolean, word: string): string => {
  const named = slots
    .slice(0, most)
    .map((s) => `${`${visible(s.path)} ${showSized(s)}`.trimStart()}${note(s as never) ? ` ${word}` : ''}`)
  const rest = slots.length - named.length
  return [...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ') || 'nothing'
}

/** One line of what a plan is, and two of what it takes and gives. */
const showPlan = (plan: Plan, where: string, isPart: boolean): string => {
  const { name, kernels, inputs, outputs, observations, sizes = [], prediction } = plan
  const head = `Program '${visible(name)}' ${where}`
  if (isPart) return head
  const takes = inputs.slice(0, inputs.length - sizes.length)
  const gives = outputs.slice(0, outputs.length - observations.length)
  const costs = [
    plural(kernels.length, 'kernel'),
    `${plural(prediction.dispatches, 'dispatch', 'dispatches')} a run`,
    `${bytesText(plan.arenas.reduce((sum, bytes) => sum + bytes, 0))} of memory`,
  ]
  return [
    `${head}: ${costs.join(', ')}`,
    `  takes ${list(takes, (slot: InputSlot) => slot.donated, 'donated')}`,
    `  gives ${list(gives, (slot: OutputSlot) => slot.keep, 'kept')}`,
  ].join('\n')
}

/** Has a program print itself. */
export const printingProgram: <P extends { readonly plan: Plan }>(program: P) => P = printing<{ readonly plan: Plan }>(
  ({ plan }, isPart) => showPlan(plan, `for ${plan.profile.name}`, isPart),
)

interface LoadedPlan {
  readonly device: Device
  readonly executable: { readonly plan: Plan }
}

/** Has a program on a device print itself: `executable` has the plan for that device. */
export const printingLoaded: <L extends LoadedPlan>(loaded: L) => L = printing<LoadedPlan>(
  ({ executable: { plan }, device }, isPart) => showPlan(plan, `on ${device.description}`, isPart),
)
