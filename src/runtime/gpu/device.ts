/** A GPUDevice as a device of the runtime. */

import type { Profile } from '../../../codegen/plan/plan.ts'
import { hardware, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { type RuntimeError, raise, TensorloomError } from '../../lang/errors.ts'
import { type Device, type Losable, lostHint, nextGeneration } from '../device.ts'
import type { WebGpuDevice } from '../global-types.ts'
import { printingDevice } from '../print-device.ts'
import type { FoundAdapter } from './adapter.ts'
import { gpuBackend } from './backend.ts'
import { errorOf } from './guard.ts'

/** A device that works on a GPUDevice. */
export interface GpuDevice extends Device {
  readonly gpu: WebGpuDevice
  readonly kind: 'hardware' | 'software'
}

/** What its back end must know of it. */
export type Gpu = Losable & Pick<GpuDevice, 'gpu'>

/**
 * The limits that decide whether a plan fits, worth raising over the defaults; all are maxima but the alignment, of which
 * the adapter gives its least.
 */
export const wantedLimits = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
  'minStorageBufferOffsetAlignment',
] as const

const wantedFeatures = ['shader-f16', 'subgroups', 'timestamp-query'] as const

/** Wraps a GPUDevice; `kind` picks the schedule, `description` is what it is called. */
export const wrapGpu = (gpu: WebGpuDevice, kind: GpuDevice['kind'], description: string): GpuDevice => {
  let loss: RuntimeError | undefined
  let refusal: RuntimeError | undefined
  const lose = (reason: string): RuntimeError => (loss ??= { tag: 'DeviceLost', reason, hint: lostHint })
  gpu.addEventListener('uncapturederror', (event) => {
    refusal = errorOf(event.error, 0)
  })
  const whenLost = gpu.lost.then((info) => lose(`${info.reason || 'unknown'}: ${info.message}`))
  const backend = gpuBackend({ gpu, lost: () => loss, whenLost })
  return {
    gpu,
    kind,
    description,
    generation: nextGeneration(),
    lost: () => loss,
    whenLost,
    refusal: () => refusal,
    liveBytes: backend.liveBytes,
    destroy: () => {
      lose('destroyed: by a call of destroy')
      gpu.destroy()
    },
    backend,
  }
}

/**
 * Wraps a device somebody else opened (an application that draws with it, say). `kind` picks the schedule,
 * `description` is what it is called.
 * @example
 * const { gpu, kind } = await T.openDevice({ prefer: 'software', quiet: true })
 * T.adoptDevice(gpu, kind, 'the canvas').description // => 'the canvas'
 */
export const adoptDevice = (gpu: WebGpuDevice, kind: 'hardware' | 'software', description: string): GpuDevice => {
  if (typeof gpu?.createBuffer !== 'function')
    raise({
      tag: 'UsageError',
      message: `T.adoptDevice: the first argument is ${gpu === null ? 'null' : typeof gpu}, not a GPUDevice`,
      hint: 'T.openDevice() opens one',
    })
  return printingDevice(wrapGpu(gpu, kind, description))
}

/** What an adapter calls itself. */
const describe = ({ vendor, architecture, description }: GPUAdapterInfo): string =>
  description || `${vendor} ${architecture}`.trim() || 'unnamed adapter'

/**
 * The device of an adapter nobody has used yet, with every limit and feature that kernels can use. Raises NoAdapter
 * (as TensorloomError).
 */
export const deviceOf = async ({ adapter, kind }: FoundAdapter): Promise<GpuDevice> => {
  const requiredLimits: Record<string, number> = {}
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name]
  const requiredFeatures = wantedFeatures.filter((f) => adapter.features.has(f))
  let gpu: GPUDevice
  try {
    gpu = await adapter.requestDevice({ requiredLimits, requiredFeatures })
  } catch (e) {
    throw e instanceof TensorloomError
      ? e
      : new TensorloomError({
          tag: 'NoAdapter',
          reason: `the adapter gives no device (${String(e)})`,
          hint: 'ask for a fresh adapter',
        })
  }
  return wrapGpu(gpu, kind, describe(adapter.info))
}

/** What a GPUDevice grants, as the data plans are made against. */
export const gpuProfile = ({ gpu, kind }: GpuDevice): Profile => {
  const { limits, features } = gpu
  const { schedule, costs } = kind === 'software' ? software : hardware
  return {
    name: kind,
    target: 'wgsl',
    storageBuffers: limits.maxStorageBuffersPerShaderStage,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    workgroupThreads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    maxBindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    maxBufferBytes: limits.maxBufferSize,
    maxGridSide: limits.maxComputeWorkgroupsPerDimension,
    offsetAlignment: Math.max(256, limits.minStorageBufferOffsetAlignment),
    features: wantedFeatures.filter((f) => features.has(f)),
    schedule,
    costs,
  }
}
