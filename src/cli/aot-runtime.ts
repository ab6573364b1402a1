/**
 * What emitted modules import as `./runtime.js`: the executor, trees, safetensors; no compiler and nothing of Node. The
 * command line bundles this file, so everything it reaches is shipped.
 */
import type { EmittedPlan } from '../../codegen/export/aot/emitted.ts'
import type { DataSlot, Plan } from '../../codegen/plan/plan.ts'
import { readSafetensors, type SafeTensors } from '../io/safetensors.ts'
import { raise } from '../lang/errors.ts'
import { standingDevice } from '../runtime/device.ts'
import { loadPlan } from '../runtime/execute.ts'
import { requestAdapter } from '../runtime/gpu/adapter.ts'
import { deviceOf, type GpuDevice, wrapGpu } from '../runtime/gpu/device.ts'
import { runTree } from '../runtime/tree-arguments.ts'

export { TensorloomError } from '../lang/errors.ts'

export interface LoadOptions {
  /** The bytes of the safetensors file that was written beside the module. */
  readonly weights?: ArrayBuffer | Uint8Array
}

/** An emitted program on a device. */
export interface Loaded {
  readonly plan: EmittedPlan
  readonly device: GPUDevice
  readonly run: (...args: readonly unknown[]) => Promise<unknown>
}

/** Programs that are given one GPUDevice share its bookkeeping, so that handles pass from one to the other. */
const adopted = new WeakMap<GPUDevice, GpuDevice>()
const opened = new WeakMap<GPU, Promise<GpuDevice>>()

const adopt = (gpu: GPUDevice): GpuDevice => {
  const known = adopted.get(gpu)
  if (known) return known
  const device = wrapGpu(gpu, 'hardware', 'given by the caller')
  adopted.set(gpu, device)
  return device
}

const open = async (gpu: GPU): Promise<GpuDevice> => {
  const found = await requestAdapter(gpu)
  if (!found)
    return raise({
      tag: 'NoAdapter',
      reason: 'WebGPU has none to offer',
      hint: 'a machine with a GPU driver, or a browser with a software one',
    })
  const device = await deviceOf(found)
  adopted.set(device.gpu, device)
  return device
}

/** One device for all who ask at a GPU, opened anew after a loss or a failure. */
const openShared = (gpu: GPU): Promise<GpuDevice> => {
  const device = standingDevice(opened.get(gpu), () => open(gpu))
  opened.set(gpu, device)
  return device
}

const platformGpu = (): GPU =>
  (typeof navigator === 'undefined' ? undefined : (navigator as { gpu?: GPU }).gpu) ??
  raise({
    tag: 'NoAdapter',
    reason: 'navigator.gpu is not there',
    hint: 'load(device), or load(gpu) with `create([])` of npm webgpu in Node',
  })

const deviceFor = (on: GPUDevice | GPU | undefined): GpuDevice | Promise<GpuDevice> =>
  typeof on === 'object' && on && 'createBuffer' in on ? adopt(on) : openShared(gpuOf(on))

/** UsageError for what is no `navigator.gpu`: an adapter, say, or nothing of the kind. */
const gpuOf = (on: GPU | undefined): GPU =>
  on === undefined || typeof on?.requestAdapter === 'function'
    ? (on ?? platformGpu())
    : raise({
        tag: 'UsageError',
        message: 'load: the first argument is neither a GPUDevice nor a GPU',
        hint: 'give a device, navigator.gpu, or `create([])` of npm webgpu in Node',
      })

/** Puts large constants back into the plan. Raises ArgumentError when the weights are not those of this program. */
const withWeights = (plan: EmittedPlan, weights: LoadOptions['weights']): Plan => {
  let file: SafeTensors | undefined
  const data = plan.data.map((slot): DataSlot => {
    if (!('stored' in slot)) return slot
    const refuse = (reason: string): never =>
      raise({
        tag: 'ArgumentError',
        path: 'weights',
        reason,
        hint: 'give the bytes of the .safetensors file beside the module',
      })
    file ??= weights ? readSafetensors(weights) : refuse('missing: the program has large constants')
    const found = file.tensors[slot.stored] ?? refuse(`no tensor ${slot.stored} is in it`)
    if (found.dtype !== slot.dtype || found.data.length !== slot.count)
      refuse(
        `${slot.stored} is ${found.dtype}[${found.shape.join(', ')}], ${slot.count} elements of ${slot.dtype} were expected`,
      )
    return { place: slot.place, dtype: slot.dtype, values: found.data as DataSlot['values'] }
  })
  return { ...plan, data }
}

/** The `load` of a module: puts `plan` on a device, given or opened. Rejects with TensorloomError. */
export const loader =
  (plan: EmittedPlan) =>
  async (on?: GPUDevice | GPU, options: LoadOptions = {}): Promise<Loaded> => {
    const complete = withWeights(plan, options.weights)
    const device = await deviceFor(on)
    const executable = await loadPlan(device, complete)
    return { plan, device: device.gpu, run: (...args) => runTree(executable, args) }
  }
