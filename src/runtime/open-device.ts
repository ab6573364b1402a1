/** Opening a device, whatever its back end, and what it grants. Emitted modules do without: they know their back end. */
import type { Profile } from '../../codegen/plan/plan.ts'
import { cpu } from '../../codegen/targets/wasm/profile.ts'
import { raise, TensorloomError } from '../lang/errors.ts'
import { demandChoice, demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { openCpu } from './cpu/open-cpu.ts'
import { mostThreads } from './cpu/team/thread-count.ts'
import type { Device } from './device.ts'
import { deviceOf, type GpuDevice, gpuProfile } from './gpu/device.ts'
import { type AdapterProvider, findAdapter } from './gpu/find-adapter.ts'
import { nameOf, printingDevice } from './print-device.ts'
import { say } from './report-observations.ts'

/** A kind of device that can be asked for. */
type Wish = Device['kind']

/** What to open: a GPU of a kind, the processor, or the best there is. */
export type Preference = Wish | 'auto'

/** Options of `openDevice`. */
export interface DeviceOptions {
  /**
   * Default `auto`: a hardware GPU where there is one, else the processor (`cpu`), whose kernels are faster than those of a
   * GPU that is emulated (`software`). The environment variable TENSORLOOM_DEVICE says what `auto` is instead: a kind, or a
   * list of which the first that is there is taken (`hardware,software`).
   */
  readonly prefer?: Preference | undefined
  /**
   * Threads of the processor that its kernels use, that of the caller among them; of no meaning for a GPU. Default: what the
   * machine has. It is one where memory cannot be shared: in a page that is not cross-origin isolated. Results do not depend on it.
   */
  readonly threads?: number | undefined
  /** Do not print which device was chosen. */
  readonly quiet?: boolean | undefined
  /** Extra switches for Dawn in Node, e.g. `disable-dawn-features=timestamp_quantization`. */
  readonly dawn?: readonly string[] | undefined
  /** Where adapters come from; default: the platform, then Dawn. */
  readonly provider?: AdapterProvider | undefined
}

const wishes: readonly Wish[] = ['hardware', 'cpu', 'software']
const deviceOptions: OptionNames<DeviceOptions> = {
  prefer: 'own',
  threads: 'count',
  quiet: 'boolean',
  dawn: 'own',
  provider: 'own',
}

/** UsageError for what `openDevice` does not know: nobody gets another device by a slip of the pen. */
const demandOptions = (options: DeviceOptions): void => {
  demandRecord('T.openDevice', deviceOptions, options)
  const { prefer, threads = 1, dawn = [] } = options
  demandChoice('T.openDevice', 'preference', prefer, ['auto', ...wishes])
  demandList('T.openDevice', dawn, "switches in 'dawn'", '{ dawn: [] }')
  if (threads > mostThreads)
    raise({
      tag: 'UsageError',
      message: `T.openDevice: threads is ${threads}`,
      hint: `write a whole number from 1 to ${mostThreads}, or leave it out for all that the machine has`,
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

/** The environment's word for `auto`, where there is an environment and it has one: an empty one is none. */
const environmentWish = (): string | undefined =>
  typeof process === 'undefined' ? undefined : process.env?.['TENSORLOOM_DEVICE'] || undefined

/** What to look for, in this order. */
const wishesOf = ({ prefer = 'auto', provider }: DeviceOptions): readonly Wish[] => {
  if (prefer !== 'auto') return [prefer]
  // Whoever brings adapters means them.
  if (provider) return ['hardware']
  const list = environmentWish()?.split(',') ?? ['hardware', 'cpu']
  const unknown = list.find((w) => !wishes.some((wish) => wish === w))
  if (unknown !== undefined)
    raise({
      tag: 'UsageError',
      message: `T.openDevice: the environment variable TENSORLOOM_DEVICE names '${unknown}'`,
      hint: `it is a list of ${wishes.join(', ')}, in the order of preference`,
    })
  return list as readonly Wish[]
}

const openGpu = async (kind: GpuDevice['kind'], { prefer = 'auto', provider, dawn = [] }: DeviceOptions) => {
  const found = await (provider?.() ?? findAdapter(kind, dawn))
  if (!found)
    return raise({
      tag: 'NoAdapter',
      reason: prefer === 'auto' ? 'WebGPU has none to offer' : `no ${prefer} adapter`,
      hint: 'a browser with WebGPU, or in Node: npm i webgpu, with @sparticuz/chromium where there is no GPU driver',
    })
  return deviceOf(found)
}

/** The first of `wishes` that is there; what is wrong with the last of them where none is. */
const openFirst = async ([wish, ...others]: readonly Wish[], options: DeviceOptions): Promise<Device> => {
  if (wish === 'cpu') return openCpu(options.threads === undefined ? {} : { threads: options.threads })
  try {
    return await openGpu(wish!, options)
  } catch (e) {
    if (others.length > 0 && e instanceof TensorloomError && e.error.tag === 'NoAdapter')
      return openFirst(others, options)
    throw e
  }
}

/**
 * Opens the best device there is: a hardware GPU, else the processor; or what `prefer` says. Prints the choice once to stderr
 * unless `quiet`, and asks a GPU for every limit and feature that kernels can use. Raises NoAdapter, ValidationError, or
 * UsageError for options that it does not know (as TensorloomError).
 * @example
 * const device = await T.openDevice({ prefer: 'cpu', quiet: true })
 * [device.kind, device.liveBytes()] // => ['cpu', 0]
 * device.destroy()
 * await T.openDevice({ provider: async () => null }) // => throws NoAdapter
 */
export function openDevice(options: DeviceOptions & { readonly prefer: GpuDevice['kind'] }): Promise<GpuDevice>
export function openDevice(options?: DeviceOptions): Promise<Device>
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  demandOptions(options)
  const device = await openFirst(wishesOf(options), options)
  if (!options.quiet) announce(`tensorloom: ${nameOf(device)}`)
  return printingDevice(device)
}

const isGpu = (device: Device): device is GpuDevice => device.gpu !== undefined

/**
 * What a live device grants, as the data plans are made against.
 * @example
 * T.profileOf(await T.defaultDevice()).storageBuffers >= T.portable.storageBuffers // => true
 */
export const profileOf = (device: Device): Profile => (isGpu(device) ? gpuProfile(device) : cpu)
