/** Adapters of a GPU. */
import type { WebGpu, WebGpuAdapter } from '../global-types.ts'

/** An adapter nobody has made a device of yet (an adapter gives one device only). */
export interface FoundAdapter {
  readonly adapter: WebGpuAdapter
  readonly kind: 'hardware' | 'software'
}

/** Dawn crashes where an instance is collected before its devices: those that gave an adapter stay. */
const instances: Set<GPU> = new Set()

/** What `gpu` (a browser's `navigator.gpu`, an instance of Dawn) has to offer, or null. */
export const requestAdapter = async (gpu: WebGpu): Promise<FoundAdapter | null> => {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) return null
  instances.add(gpu)
  const { isFallbackAdapter, architecture, description } = adapter.info
  const software = isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp/i.test(`${architecture} ${description}`)
  return { adapter, kind: software ? 'software' : 'hardware' }
}

/** `navigator.gpu`, where it is there. */
export const navigatorGpu = (): WebGpu | undefined =>
  typeof navigator === 'undefined' ? undefined : (navigator as { gpu?: GPU }).gpu
