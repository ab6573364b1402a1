/**
 * A Plan as a text and back, to the last bit: JSON with a spelling for the numbers that it lacks. The code of kernels is not in it, as
 * the Kernel IR beside it says it all.
 */
import type { Kernel } from '../../codegen/kernel/kernel.ts'
import type { DataSlot, Plan } from '../../codegen/plan/plan.ts'
import { printerFor } from './targets.ts'

/** The key of what stands for something else; a record that has it itself stands for its entries. */
const mark = '$'

const arrays = { Float64Array, Float32Array, Int32Array, Uint32Array, Int8Array, Uint8Array } as const

const packed = (_: string, v: unknown): unknown => {
  if (typeof v === 'number')
    return Number.isFinite(v) && !Object.is(v, -0) ? v : { [mark]: String(Object.is(v, -0) ? '-0' : v) }
  if (typeof v !== 'object' || v === null || Array.isArray(v)) return v
  if (ArrayBuffer.isView(v)) return { [mark]: v.constructor.name, values: Array.from(v as Float32Array) }
  return Object.hasOwn(v, mark) ? { [mark]: 'entries', values: Object.entries(v) } : v
}

const unpacked = (_: string, v: unknown): unknown => {
  if (typeof v !== 'object' || v === null || !Object.hasOwn(v, mark)) return v
  const { [mark]: kind, values } = v as { readonly [mark]: string; readonly values?: unknown }
  if (values === undefined) return Number(kind)
  if (kind === 'entries') return Object.fromEntries(values as readonly [string, unknown][])
  return arrays[kind as keyof typeof arrays].from(values as readonly number[])
}

/** The text of anything that is numbers, texts, booleans, lists and plain records. */
export const textOfData = (data: unknown): string => JSON.stringify(data, packed)

/** What `textOfData` was given. Throws for a text that is none of its. */
export const dataOfText = (text: string): unknown => JSON.parse(text, unpacked)

/** A constant that a stored plan does not hold: the digest of its values, which are among those of the program. */
export interface AbsentData extends Omit<DataSlot, 'values'> {
  readonly absent: string
}

/** A plan without the constants that its program holds too. */
export interface LeanPlan extends Omit<Plan, 'data'> {
  readonly data: readonly (DataSlot | AbsentData)[]
}

/** The text of a plan. */
export const textOfPlan = (plan: LeanPlan): string =>
  textOfData({ ...plan, kernels: plan.kernels.map(({ kernel }) => kernel) })

interface Unprinted extends Omit<LeanPlan, 'kernels'> {
  readonly kernels: readonly Kernel[]
}

/** The plan of a text. Throws for one that is no plan's. */
export const planOfText = (text: string): LeanPlan => {
  const plan = dataOfText(text) as Unprinted
  const print = printerFor(plan.profile)
  return { ...plan, kernels: plan.kernels.map((kernel) => ({ kernel, ...print(kernel, plan.subnormals) })) }
}
