/** Opening a device, whatever its back end, and what it grants. Emitted modules do without: they know their back end. */
import type { Profile } from '../../codegen/plan/plan.ts'
import { cpu } from '../../codegen/targets/wasm/profile.ts'
import { raise } from '../lang/errors.ts'
import { openCpu } from './cpu/device.ts'
import type { Device } from './device.ts'
import { type AdapterPreference, type AdapterProvider, findAdapter } from './gpu/adapter.ts'
import { deviceOf, type GpuDevice, gpuProfile } from './gpu/device.ts'
import { say } from './report-observations.ts'

/** What to open: a GPU of a kind, the processor, or the best there is. */
export type Preference = AdapterPreference | 'cpu'

/** Options of `openDevice`. */
export interface DeviceOptions {
  /** Default `auto`: a hardware GPU where there is any, else a software one; `cpu` is the processor without one. */
  readonly prefer?: Preference
  /** Do not print which device was chosen. */
  readonly quiet?: boolean
  /** Extra switches for Dawn in Node, e.g. `disable-dawn-features=timestamp_quantization`. */
  readonly dawn?: readonly string[]
  /** Where adapters come from; default: the platform, then Dawn. */
  readonly provider?: AdapterProvider
}

const preferences: readonly string[] = ['auto', 'hardware', 'cpu', 'software'] satisfies readonly Preference[]
const known: readonly string[] = ['prefer', 'quiet', 'dawn', 'provider'] satisfies readonly (keyof DeviceOptions)[]

/** UsageError for what `openDevice` does not know: nobody gets another device by a slip of the pen. */
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

const announced = new Set<string>()

const announce = (text: string): void => {
  if (announced.has(text)) return
  announced.add(text)
  say(text)
}

const openGpu = async (prefer: AdapterPreference, options: DeviceOptions): Promise<GpuDevice> => {
  const found = await (options.provider?.() ?? findAdapter(prefer, options.dawn ?? []))
  if (!found)
    return raise({
      tag: 'NoAdapter',
      reason: prefer === 'auto' ? 'WebGPU has none to offer' : `no ${prefer} adapter`,
      hint: 'a browser with WebGPU, or in Node: npm i webgpu, with @sparticuz/chromium where there is no GPU driver',
    })
  return deviceOf(found)
}

const nameOf = ({ kind, description }: Device): string =>
  kind === 'cpu' ? description : `${kind} adapter, ${description}`

/**
 * Opens the best device there is (`prefer`: hardware before software), prints the choice once to stderr unless `quiet`,
 * and asks for every limit and feature that kernels can use. `{ prefer: 'cpu' }` is the processor, without a GPU. Raises
 * NoAdapter, ValidationError, or UsageError for options that it does not know (as TensorloomError).
 * @example
 * const device = await T.openDevice({ prefer: 'cpu', quiet: true })
 * [device.kind, device.liveBytes()] // => ['cpu', 0]
 * device.destroy()
 * await T.openDevice({ provider: async () => null }) // => throws NoAdapter
 */
export function openDevice(options: DeviceOptions & { readonly prefer: 'hardware' | 'software' }): Promise<GpuDevice>
export function openDevice(options?: DeviceOptions): Promise<Device>
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  demandOptions(options)
  const { prefer = 'auto', quiet = false } = options
  const device = prefer === 'cpu' ? openCpu() : await openGpu(prefer, options)
  if (!quiet) announce(`tensorloom: ${nameOf(device)}`)
  return device
}

const isGpu = (device: Device): device is GpuDevice => device.gpu !== undefined

/**
 * What a live device grants, as the data plans are made against.
 * @example
 * T.profileOf(await T.defaultDevice()).storageBuffers >= T.portable.storageBuffers // => true
 */
export const profileOf = (device: Device): Profile => (isGpu(device) ? gpuProfile(device) : cpu)
