/** Finds a GPU adapter: the platform's own WebGPU, else Dawn in Node, hardware before software. */
import { raise } from '../../lang/errors.ts'
import { type FoundAdapter, navigatorGpu, requestAdapter } from './adapter.ts'

/** Gives a fresh adapter, or null when there is none. Tests and embedders put their own in. */
export type AdapterProvider = () => Promise<FoundAdapter | null>

/** Which adapters to accept; `auto` takes hardware where there is any, else software. */
export type AdapterPreference = 'auto' | 'hardware' | 'software'

/** Dawn hides `shader-f16` on NVIDIA Vulkan unless asked; the switch is ignored elsewhere. */
const dawnSwitches: readonly string[] = ['enable-dawn-features=vulkan_enable_f16_on_nvidia,allow_unsafe_apis']

const loadDawn = async (): Promise<(switches: string[]) => GPU> => {
  // A computed specifier: bundlers for browsers must not try to follow it.
  const name = 'webgpu'
  try {
    return ((await import(/* @vite-ignore */ name)) as { create: (switches: string[]) => GPU }).create
  } catch (e) {
    return raise({
      tag: 'NoAdapter',
      reason: `npm package webgpu cannot be loaded (${String(e)})`,
      hint: 'npm i webgpu',
    })
  }
}

const fromDawn = async (prefer: AdapterPreference, extra: readonly string[]): Promise<FoundAdapter | null> => {
  const { hasVulkanLoader, useSoftware } = await import('./software.ts')
  if (prefer === 'hardware' && !hasVulkanLoader()) return null
  const create = await loadDawn()
  const ask = (switches: readonly string[]): Promise<FoundAdapter | null> => requestAdapter(create([...switches]))
  if (prefer !== 'software' && hasVulkanLoader()) {
    const found = await ask([...dawnSwitches, ...extra])
    if (found && (prefer === 'auto' || found.kind === 'hardware')) return found
  }
  if (prefer === 'hardware') return null
  useSoftware()
  return ask(extra)
}

const isNode = (): boolean => typeof process !== 'undefined' && process.versions?.node !== undefined

/**
 * A fresh adapter from `navigator.gpu` where the platform has it, else from Dawn (npm `webgpu`) in Node. `null` when
 * nothing fits `prefer`; raises NoAdapter with the way out where there is one. `dawn` are extra switches for Dawn.
 */
export const findAdapter = async (prefer: AdapterPreference, dawn: readonly string[]): Promise<FoundAdapter | null> => {
  const own = navigatorGpu()
  if (own) {
    const found = await requestAdapter(own)
    return found && (prefer === 'auto' || found.kind === prefer) ? found : null
  }
  return isNode() ? fromDawn(prefer, dawn) : null
}
