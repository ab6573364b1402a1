/** One adapter for every library: ours as its runtime finds it, the peers' as the `navigator.gpu` that they look for. */
import { createRequire } from 'node:module'
import { findAdapter } from '../../../src/runtime/gpu/find-adapter.ts'

/** Kinds of adapters. */
export type AdapterKind = 'software' | 'hardware'

/** What the libraries compute on: an adapter of WebGPU, or the processor by WebAssembly. */
export type Kind = AdapterKind | 'cpu'

/** The adapter that all libraries use; throws one line where there is none. */
export const demandAdapter = async (kind: AdapterKind): Promise<GPUAdapter> => {
  const found = await findAdapter(kind, [])
  if (!found) throw new Error(`no ${kind} adapter here (WebGPU in Node: npm webgpu)`)
  return found.adapter
}

/** Makes this process look like a browser with WebGPU, to libraries that are written for one. */
export const provideNavigator = async (kind: AdapterKind): Promise<void> => {
  const adapter = await demandAdapter(kind)
  const { globals } = (await import('webgpu')) as unknown as { readonly globals: object }
  Object.assign(globalThis, globals)
  // Newer versions of Node have a getter of this name.
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true,
    value: { userAgent: 'node', hardwareConcurrency: 2, gpu: { requestAdapter: async () => adapter } },
  })
}

/** A peer's package from `test/bench/peers/node_modules`, whose types are not ours to depend on. */
export const peer = (folder: string, name: string): unknown => createRequire(`${folder}/package.json`)(name)
