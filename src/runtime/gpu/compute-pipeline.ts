/** Compute pipelines and bind group layouts, made once per device and text: programs share them. */
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import { raise, TensorloomError } from '../../lang/errors.ts'
import { explain } from '../loss.ts'
import type { Gpu } from './device.ts'

interface Cache {
  readonly layouts: Map<string, GPUBindGroupLayout>
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>
}

const caches = new WeakMap<GPUDevice, Cache>()

const cacheOf = (gpu: GPUDevice): Cache => {
  let cache = caches.get(gpu)
  if (!cache) caches.set(gpu, (cache = { layouts: new Map(), pipelines: new Map() }))
  return cache
}

const compute = 4

/** One letter a binding: what tells the layouts of two kernels apart. */
const accessKey = ({ bindings, words }: Kernel): string =>
  bindings.map((b) => (b.access === 'read' ? 'r' : 'w')).join('') + (words ? 'u' : '')

/** The layout of a kernel's bindings. Explicit, so that bind groups can be made before pipelines are compiled. */
export const layoutOf = (gpu: GPUDevice, kernel: Kernel): GPUBindGroupLayout => {
  const { layouts } = cacheOf(gpu)
  const key = accessKey(kernel)
  let layout = layouts.get(key)
  if (!layout) {
    const entries = [...key].map(
      (letter, binding): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: compute,
        buffer: { type: letter === 'u' ? 'uniform' : letter === 'r' ? 'read-only-storage' : 'storage' },
      }),
    )
    layouts.set(key, (layout = gpu.createBindGroupLayout({ entries })))
  }
  return layout
}

/** What the compiler says of a text: line, message, the line itself; and whose it is, where it is in a user's op. */
const compileErrors = async (
  module: GPUShaderModule,
  wgsl: string,
): Promise<{ readonly text: string; readonly op: string | undefined }> => {
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter((m) => m.type === 'error')
  const lines = wgsl.split('\n')
  const above = lines.slice(0, errors[0]?.lineNum ?? 0).reverse()
  return {
    text: errors.map((m) => `${m.lineNum}:${m.linePos} ${m.message}\n    ${lines[m.lineNum - 1] ?? ''}`).join('\n  '),
    op: above.map((l) => /^\/\/ op (\w+)$/.exec(l)?.[1]).find((name) => name !== undefined),
  }
}

const compile = async (
  device: Gpu,
  kernel: Kernel,
  wgsl: string,
  layout: GPUBindGroupLayout,
): Promise<GPUComputePipeline> => {
  const { gpu } = device
  // The module's own error is told below with its lines; the scope keeps it from the console.
  gpu.pushErrorScope('validation')
  const module = gpu.createShaderModule({ code: wgsl, label: kernel.name })
  gpu.popErrorScope().catch(() => {})
  try {
    return await gpu.createComputePipelineAsync({
      label: kernel.name,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module },
    })
  } catch (e) {
    const byText = e instanceof Error && 'reason' in e && e.reason === 'validation'
    const refused = byText ? undefined : await explain(device, e)
    if (refused?.tag === 'DeviceLost') throw new TensorloomError(refused)
    const { text, op } = await compileErrors(module, wgsl)
    return raise({
      tag: 'ValidationError',
      message: `${op ? `the WGSL of ${op}, in ` : ''}kernel ${kernel.name} does not compile\n  ${text || String(e)}`,
      hint: op ? `correct the text of ${op}: its names have a prefix here` : 'this is a bug of tensorloom',
    })
  }
}

/**
 * The pipeline of a kernel; compiling starts at the first call for its text and is shared by all later ones. Rejects with
 * ValidationError, which holds the compiler's messages, or DeviceLost.
 */
export const pipelineOf = (device: Gpu, kernel: Kernel, wgsl: string): Promise<GPUComputePipeline> => {
  const { pipelines } = cacheOf(device.gpu)
  const key = `${accessKey(kernel)}\n${wgsl}`
  let pipeline = pipelines.get(key)
  if (!pipeline) {
    pipeline = compile(device, kernel, wgsl, layoutOf(device.gpu, kernel))
    pipelines.set(key, pipeline)
    pipeline.catch(() => pipelines.delete(key))
  }
  return pipeline
}
