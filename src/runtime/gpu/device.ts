/** A device with what the runtime must know about it: kind, grants, losses, refusals, and how many bytes live on it. */
import type { Profile } from '../../../codegen/plan/plan.ts'
import { hardware, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { type RuntimeError, raise, TensorloomError } from '../../lang/errors.ts'
import { say } from '../report-observations.ts'
import { type AdapterProvider, type FoundAdapter, findAdapter, type Preference } from './adapter.ts'

/** Options of `openDevice`. */
export interface DeviceOptions {
  /** Default `auto`: hardware where there is any, else software. */
  readonly prefer?: Preference
  /** Do not print which adapter was chosen. */
  readonly quiet?: boolean
  /** Extra switches for Dawn in Node, e.g. `disable-dawn-features=timestamp_quantization`. */
  readonly dawn?: readonly string[]
  /** Where adapters come from; default: the platform, then Dawn. */
  readonly provider?: AdapterProvider
}

/** A device and its bookkeeping. Programs loaded on it share its pipelines and pools. */
export interface Device {
  readonly gpu: GPUDevice
  readonly kind: 'hardware' | 'software'
  /** What the driver calls itself. */
  readonly description: string
  /** Counts devices opened in this process: handles of an earlier generation are not valid on a later one. */
  readonly generation: number
  /** The loss, once it is known. */
  readonly lost: () => RuntimeError | undefined
  /** Resolves when the device is lost, never rejects. */
  readonly whenLost: Promise<RuntimeError>
  /** The latest refusal that no error scope caught; undefined while all is well. */
  readonly refusal: () => RuntimeError | undefined
  /** Bytes of all buffers the runtime made on this device and has not destroyed. */
  readonly liveBytes: () => number
  readonly createBuffer: (bytes: number, usage: GPUBufferUsageFlags, mapped?: boolean) => GPUBuffer
  readonly destroyBuffer: (buffer: GPUBuffer) => void
  /** Gives the device back to the system; everything loaded on it is lost. Not needed at exit. */
  readonly destroy: () => void
}

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

const lostHint = 'open a device again and call reload on the program; give it host copies of the state'

let generations = 0
const announced = new Set<string>()

const announce = (text: string): void => {
  if (announced.has(text)) return
  announced.add(text)
  say(text)
}

const memoryHint = 'use smaller batches or checkpoint(f)'

/** Mapped buffers are the one kind whose lack of memory is thrown at once (as RangeError) instead of scoped. */
const create = (gpu: GPUDevice, size: number, usage: GPUBufferUsageFlags, mappedAtCreation: boolean): GPUBuffer => {
  try {
    return gpu.createBuffer({ size, usage, mappedAtCreation })
  } catch (e) {
    if (e instanceof RangeError) return raise({ tag: 'OutOfMemory', bytes: size, hint: memoryHint })
    throw e
  }
}

/**
 * Wraps a device somebody else opened (an application that draws with it, say). `kind` picks the schedule,
 * `description` is what it is called.
 * @example
 * const { gpu, kind } = await T.defaultDevice()
 * T.adoptDevice(gpu, kind, 'the canvas').description // => 'the canvas'
 */
export const adoptDevice = (gpu: GPUDevice, kind: 'hardware' | 'software', description: string): Device => {
  if (typeof gpu?.createBuffer !== 'function')
    raise({
      tag: 'UsageError',
      message: `T.adoptDevice: the first argument is ${gpu === null ? 'null' : typeof gpu}, not a GPUDevice`,
      hint: 'T.openDevice() opens one',
    })
  let loss: RuntimeError | undefined
  let refusal: RuntimeError | undefined
  let live = 0
  const sizes = new WeakMap<GPUBuffer, number>()
  const lose = (reason: string): RuntimeError => (loss ??= { tag: 'DeviceLost', reason, hint: lostHint })
  gpu.addEventListener('uncapturederror', (event) => {
    refusal = errorOf(event.error, 0)
  })
  return {
    gpu,
    kind,
    description,
    generation: ++generations,
    lost: () => loss,
    whenLost: gpu.lost.then((info) => lose(`${info.reason || 'unknown'}: ${info.message}`)),
    refusal: () => refusal,
    liveBytes: () => live,
    createBuffer: (bytes, usage, mapped = false) => {
      const buffer = create(gpu, bytes, usage, mapped)
      sizes.set(buffer, bytes)
      live += bytes
      return buffer
    },
    destroyBuffer: (buffer) => {
      live -= sizes.get(buffer) ?? 0
      sizes.delete(buffer)
      buffer.destroy()
    },
    destroy: () => {
      lose('destroyed: by a call of destroy')
      gpu.destroy()
    },
  }
}

/**
 * The device of an earlier opening; where there is none, or it failed or is lost, that of a new one. Gives the promise at
 * once: all who ask meanwhile share it.
 */
export const standingDevice = (earlier: Promise<Device> | undefined, open: () => Promise<Device>): Promise<Device> =>
  earlier ? earlier.then((device) => (device.lost() ? open() : device), open) : open()

/**
 * A refusal of the device as a typed error; `bytes` is what was being asked for, where memory is the matter. The class
 * is told by its name: Node has no global of it.
 */
export const errorOf = (error: GPUError, bytes: number): RuntimeError =>
  error.constructor.name === 'GPUOutOfMemoryError'
    ? { tag: 'OutOfMemory', bytes, hint: memoryHint }
    : {
        tag: 'ValidationError',
        message: error.message,
        hint: 'this is a bug of tensorloom unless the kernel is your own',
      }

/** What an adapter calls itself. */
const describe = ({ vendor, architecture, description }: GPUAdapterInfo): string =>
  description || `${vendor} ${architecture}`.trim() || 'unnamed adapter'

/**
 * The device of an adapter nobody has used yet, with every limit and feature that kernels can use. Prints the adapter
 * once to stderr unless `quiet`. Raises NoAdapter (as TensorloomError).
 */
export const deviceOf = async ({ adapter, kind }: FoundAdapter, quiet: boolean): Promise<Device> => {
  const requiredLimits: Record<string, number> = {}
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name]
  const requiredFeatures = wantedFeatures.filter((f) => adapter.features.has(f))
  const text = describe(adapter.info)
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
  if (!quiet) announce(`tensorloom: ${kind} adapter, ${text}`)
  return adoptDevice(gpu, kind, text)
}

const preferences: readonly string[] = ['auto', 'hardware', 'software'] satisfies readonly Preference[]
const known: readonly string[] = ['prefer', 'quiet', 'dawn', 'provider'] satisfies readonly (keyof DeviceOptions)[]

/** UsageError for what `openDevice` does not know: nobody gets a software GPU by a slip of the pen. */
const demandOptions = (options: DeviceOptions): void => {
  if (typeof options !== 'object' || options === null)
    raise({
      tag: 'UsageError',
      message: `T.openDevice: the options are ${String(options)}`,
      hint: 'write { quiet: true }',
    })
  const unknown = Object.keys(options).find((k) => !known.includes(k))
  if (unknown !== undefined)
    raise({
      tag: 'UsageError',
      message: `T.openDevice: there is no option '${unknown}'`,
      hint: `it knows ${known.join(', ')}`,
    })
  if (options.prefer !== undefined && !preferences.includes(options.prefer))
    raise({
      tag: 'UsageError',
      message: `T.openDevice: prefer is '${options.prefer}'`,
      hint: `it can be ${preferences.join(', ')}`,
    })
  if (options.provider !== undefined && typeof options.provider !== 'function')
    raise({
      tag: 'UsageError',
      message: `T.openDevice: the provider is of type ${typeof options.provider}, not a function`,
      hint: 'give a function that resolves to an adapter and its kind',
    })
}

/**
 * Opens the best device there is (`prefer`: hardware before software), prints the choice once to stderr unless `quiet`,
 * and asks for every limit and feature that kernels can use. Raises NoAdapter, ValidationError, or UsageError for options
 * that it does not know (as TensorloomError).
 * @example
 * const device = await T.openDevice({ quiet: true })
 * device.liveBytes() // => 0
 * device.destroy()
 * await T.openDevice({ provider: async () => null }) // => throws NoAdapter
 */
export const openDevice = async (options: DeviceOptions = {}): Promise<Device> => {
  demandOptions(options)
  const prefer = options.prefer ?? 'auto'
  const found = await (options.provider?.() ?? findAdapter(prefer, options.dawn ?? []))
  if (!found)
    return raise({
      tag: 'NoAdapter',
      reason: prefer === 'auto' ? 'WebGPU has none to offer' : `no ${prefer} adapter`,
      hint: 'a browser with WebGPU, or in Node: npm i webgpu, with @sparticuz/chromium where there is no GPU driver',
    })
  return deviceOf(found, options.quiet ?? false)
}

/**
 * What a live device grants, as the data plans are made against.
 * @example
 * T.profileOf(await T.defaultDevice()).storageBuffers >= T.portable.storageBuffers // => true
 */
export const profileOf = (device: Device): Profile => {
  const { limits, features } = device.gpu
  const { schedule, costs } = device.kind === 'software' ? software : hardware
  return {
    name: device.kind,
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
