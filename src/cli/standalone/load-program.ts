/** What the runtimes of emitted modules share: an emitted plan made whole, and put on a device. */
import type { EmittedPlan } from '../../../codegen/export/aot/emitted.ts'
import type { AotTarget } from '../../../codegen/export/aot/module.ts'
import type { DataSlot, Plan } from '../../../codegen/plan/plan.ts'
import { type OpenSafetensors, openSafetensors, tensorAt } from '../../io/safetensors.ts'
import { raise, showOperand } from '../../lang/errors.ts'
import { showSized } from '../../lang/size.ts'
import type { Device } from '../../runtime/device.ts'
import { loadWith } from '../../runtime/executable.ts'
import { asPlanned } from '../../runtime/fitted.ts'
import { showFlat } from '../../runtime/report-observations.ts'
import { fitRun } from '../../runtime/run-sizes.ts'
import { runTree } from '../../runtime/tree-arguments.ts'

/** Whether some of the modules have named sizes: said when the runtime is bundled, which leaves out what is not needed. */
declare const HAS_NAMED_SIZES: boolean

/** WebAssembly as bytes, or compiled. */
export type Wasm = ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module

export interface LoadOptions {
  /** The bytes of the safetensors file that was written beside the module. */
  readonly weights?: ArrayBuffer | Uint8Array | undefined
  /** The WebAssembly that was written beside the module, or what gives it; default: the file itself. */
  readonly wasm?: (Wasm | (() => Wasm | Promise<Wasm>)) | undefined
  /** How many threads work on the processor; default: as many as there are. Counts for the first program that is loaded. */
  readonly threads?: number | undefined
}

/** An emitted program on a device. */
export interface Loaded {
  readonly target: AotTarget
  readonly plan: EmittedPlan
  readonly device: GPUDevice | undefined
  readonly run: (...args: readonly unknown[]) => Promise<unknown>
}

/** The `load` of a module: `on` says where, a device or a word. Rejects with TensorloomError. */
export type Load = (on?: unknown, options?: LoadOptions) => Promise<Loaded>

/** ArgumentError about a file that was written beside the module. */
export const refuseFile = (path: 'weights' | 'wasm', reason: string, extension: string = path): never =>
  raise({
    tag: 'ArgumentError',
    path,
    reason,
    hint: `give the bytes of the .${extension} file beside the module`,
  })

/** UsageError for a place or a number of threads that `load` does not know. */
export const refuseUse = (message: string, hint: string): never =>
  raise({ tag: 'UsageError', message: `load: ${message}`, hint })

/** Puts large constants back into the plan. Raises ArgumentError when the weights are not those of this program. */
export const withWeights = (plan: EmittedPlan, weights: LoadOptions['weights']): Plan => {
  let file: OpenSafetensors | undefined
  const refuse = (reason: string): never => refuseFile('weights', reason, 'safetensors')
  const data = plan.data.map((slot): DataSlot => {
    if (!('stored' in slot)) return slot
    file ??= openSafetensors(weights ?? refuse('missing: the program has large constants'))
    if (!(slot.stored in file.header)) refuse(`no tensor ${slot.stored} is in it`)
    const found = tensorAt(file, slot.stored)
    if (found.dtype !== slot.dtype || found.data.length !== slot.count)
      refuse(`${slot.stored} is ${showOperand(found)}, ${slot.count} elements of ${slot.dtype} were expected`)
    return { place: slot.place, dtype: slot.dtype, values: found.data as DataSlot['values'] }
  })
  return { ...plan, data }
}

/** Loads `complete`, which is `plan` with its weights. */
export const loadOn = async (target: AotTarget, device: Device, plan: EmittedPlan, complete: Plan): Promise<Loaded> => {
  const executable = await loadWith(HAS_NAMED_SIZES ? fitRun : asPlanned, device, complete, showFlat)
  const show = HAS_NAMED_SIZES ? showSized : undefined
  return { target, plan, device: device.gpu, run: (...args) => runTree(executable, args, show) }
}
