/** Runs the WGSL of a kernel on the shared device: buffers in, buffers out. Any refusal of the device is a failure. */

import type { Kernel } from '../../codegen/kernel/kernel.ts'
import { type PrintOptions, printKernel } from '../../codegen/targets/wgsl/print-module.ts'
import { sharedDevice } from '../device.ts'

const storage = 0x80 | 0x8 | 0x4
const mapRead = 0x1 | 0x8

/** Runs module `code` over `workgroups` workgroups (folded past 64 to try both grid axes); the buffers come back as written. */
export const runWgsl = async (
  code: string,
  workgroups: number,
  buffers: readonly ArrayBuffer[],
  access: readonly string[],
): Promise<readonly ArrayBuffer[]> => {
  const { gpu } = await sharedDevice()
  gpu.pushErrorScope('validation')
  const module = gpu.createShaderModule({ code })
  const info = await module.getCompilationInfo()
  const mistakes = info.messages.filter((m) => m.type === 'error')
  if (mistakes.length > 0) {
    await gpu.popErrorScope()
    const lines = code.split('\n')
    throw new Error(
      mistakes.map((m) => `${m.lineNum}:${m.linePos} ${m.message}\n${lines[m.lineNum - 1] ?? ''}`).join('\n'),
    )
  }
  const layout = gpu.createBindGroupLayout({
    entries: access.map((a, binding) => ({
      binding,
      visibility: 4,
      buffer: { type: a === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
    })),
  })
  const pipeline = gpu.createComputePipeline({
    layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  })
  const device = buffers.map((b) => {
    const buffer = gpu.createBuffer({ size: b.byteLength, usage: storage })
    gpu.queue.writeBuffer(buffer, 0, b)
    return buffer
  })
  const group = gpu.createBindGroup({
    layout,
    entries: device.map((buffer, binding) => ({ binding, resource: { buffer } })),
  })
  const encoder = gpu.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  const folded = workgroups > 64 && workgroups % 2 === 0
  pass.dispatchWorkgroups(folded ? workgroups / 2 : workgroups, folded ? 2 : 1)
  pass.end()
  const staging = buffers.map((b, i) => {
    const s = gpu.createBuffer({ size: b.byteLength, usage: mapRead })
    encoder.copyBufferToBuffer(device[i]!, 0, s, 0, b.byteLength)
    return s
  })
  gpu.queue.submit([encoder.finish()])
  const error = await gpu.popErrorScope()
  if (error) throw new Error(`${error.message}\n${code}`)
  const out = await Promise.all(
    staging.map(async (s) => {
      await s.mapAsync(1)
      const copy = s.getMappedRange().slice(0)
      s.destroy()
      return copy
    }),
  )
  for (const b of device) b.destroy()
  return out
}

/** Runs a kernel through its WGSL. */
export const runOnDevice = (
  k: Kernel,
  workgroups: number,
  buffers: readonly ArrayBuffer[],
  options: PrintOptions = {},
): Promise<readonly ArrayBuffer[]> =>
  runWgsl(
    printKernel(k, options),
    workgroups,
    buffers,
    k.bindings.map((b) => b.access),
  )
