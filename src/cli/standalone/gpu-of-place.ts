/** The GPU devices of emitted modules: given by the caller, or opened once for all who ask at a GPU. */
import { raise } from '../../lang/errors.ts'
import { standingDevice } from '../../runtime/device.ts'
import { navigatorGpu, requestAdapter } from '../../runtime/gpu/adapter.ts'
import { deviceOf, type GpuDevice, wrapGpu } from '../../runtime/gpu/device.ts'
import { refuseUse } from './load-program.ts'

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

const noAdapter = (reason: string, hint: string): never => raise({ tag: 'NoAdapter', reason, hint })

const open = async (gpu: GPU): Promise<GpuDevice> => {
  const found = await requestAdapter(gpu)
  if (!found)
    return noAdapter(
      'WebGPU has none to offer',
      'without a GPU driver, give the software GPU of tensorloom: load((await T.openDevice({ prefer: "software" })).gpu); built with --target cpu, it needs none',
    )
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
  navigatorGpu() ??
  noAdapter('navigator.gpu is not there', 'load(device), or load(gpu) with `create([])` of npm webgpu in Node')

const isObject = (x: unknown): x is object => typeof x === 'object' && x !== null

/** The device that `on` stands for. UsageError for what is neither device nor GPU: an adapter, say. */
export const gpuOfPlace = (on: unknown): GpuDevice | Promise<GpuDevice> => {
  if (on === undefined || on === 'webgpu') return openShared(platformGpu())
  if (isObject(on) && 'createBuffer' in on) return adopt(on as GPUDevice)
  if (isObject(on) && 'requestAdapter' in on) return openShared(on as GPU)
  return on === 'cpu'
    ? refuseUse('this module has no WebAssembly', 'build it with --target webgpu,cpu')
    : refuseUse(
        'the first argument is neither a GPUDevice nor a GPU',
        'give a device, navigator.gpu, or `create([])` of npm webgpu in Node',
      )
}
