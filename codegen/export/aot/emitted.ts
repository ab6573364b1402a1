/** A plan as emitted modules contain it: only what is needed to run it. */
import { digestText, hashWords } from '../../../src/lang/digest.ts'
import type { DataSlot, InputSlot, Plan, PlannedKernel, Step } from '../../plan/plan.ts'
import { joined, name, section } from '../../targets/wasm/encode.ts'
import { printPlan } from '../../targets/wasm/print-plan.ts'
import { idSection, type WasmFile } from './wasm-id.ts'

/** A large constant, stored under the name `stored` in the safetensors file beside the module. */
export interface StoredData extends Omit<DataSlot, 'values'> {
  readonly stored: string
  readonly count: number
}

/** The same Plan that JIT runs, without Kernel IR trees, and with large constants by name. */
export interface EmittedPlan extends Omit<Plan, 'data'> {
  readonly data: readonly (DataSlot | StoredData)[]
  /** Of a plan for processors. */
  readonly wasm?: WasmFile
}

/** A constant moved out of a plan. */
export interface LargeConstant {
  readonly name: string
  readonly data: DataSlot
}

/** A plan in parts. */
export interface Emitted {
  readonly plan: EmittedPlan
  readonly constants: readonly LargeConstant[]
  /** Of a plan for processors: the bytes of its file. */
  readonly wasm?: Uint8Array
}

/** Constants of more elements than this are moved out of the module. */
const inlineElements = 64

const isSame = (a: DataSlot, b: DataSlot): boolean =>
  a.dtype === b.dtype &&
  (a.values === b.values ||
    (a.values.length === b.values.length && a.values.every((x: number, i: number) => Object.is(x, b.values[i]))))

/** The kernels without what only the compiler reads. Arrays are checked against the limits of a GPU, nothing else has any. */
const emittedKernel = ({ kernel: { text: _, ...kernel }, ...code }: PlannedKernel): PlannedKernel => ({
  kernel: { ...kernel, arrays: code.wgsl === undefined ? [] : kernel.arrays, body: [] },
  ...code,
})

/** An argument without the lines that index with it: modules do not depend on where their sources lay. */
const emittedInput = (slot: InputSlot): InputSlot =>
  slot.indexOf ? { ...slot, indexOf: slot.indexOf.map(({ site: _, ...range }) => range) } : slot

const wasmFile = (plan: Plan): { readonly file: WasmFile; readonly bytes: Uint8Array } => {
  const { bytes, scratchBytes } = printPlan(plan)
  const shared = printPlan(plan, { shared: true }).bytes
  const offset = bytes.findIndex((byte, i) => byte !== shared[i])
  const id = digestText(hashWords(bytes))
  return {
    file: { id, scratchBytes, shared: [offset, shared[offset]!] },
    bytes: joined([bytes, section(0, [...name(idSection), ...name(id)])]),
  }
}

/** Whether there are results that a processor computes where they are to stay: for that it must know who uses them. */
const canMove = ({ profile, outputs }: Plan): boolean =>
  profile.target === 'wasm' && outputs.some((slot) => slot.keep && slot.inPlaceOf === undefined)

/**
 * Splits a plan into the part emitted as text and what is stored beside it: constants, among them those `known` from the same
 * program's plan for another target, and WebAssembly. Kernel bodies are dropped, since the code is what runs; bindings stay.
 * The value numbers that `verifyPlan` follows are dropped as well, as the plan has been verified, unless results can move by them.
 */
export const emittedPlan = (plan: Plan, known: readonly LargeConstant[] = []): Emitted => {
  const constants = [...known]
  const data = plan.data.map((slot): DataSlot | StoredData => {
    if (slot.values.length <= inlineElements) return { ...slot, values: Array.from(slot.values) }
    const same = constants.find((c) => isSame(c.data, slot))
    const stored = same?.name ?? `constant${constants.length}`
    if (!same) constants.push({ name: stored, data: slot })
    return { place: slot.place, dtype: slot.dtype, stored, count: slot.values.length }
  })
  const rest = {
    ...plan,
    inputs: plan.inputs.map(emittedInput),
    kernels: plan.kernels.map(emittedKernel),
    steps: canMove(plan) ? plan.steps : plan.steps.map(emittedStep),
    data,
  }
  if (plan.profile.target !== 'wasm') return { plan: rest, constants }
  const { file, bytes } = wasmFile(plan)
  return { plan: { ...rest, wasm: file }, constants, wasm: bytes }
}

/** A step without the fields that only verification needs. */
const emittedStep = (step: Step): Step => {
  if (step.kind === 'copy') return step
  if (step.kind !== 'dispatch') return { ...step, steps: step.steps.map(emittedStep) }
  const { reads: _reads, writes: _writes, inParts: _inParts, ...dispatch } = step
  return dispatch
}
