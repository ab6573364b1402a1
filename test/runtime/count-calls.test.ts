/** Counting calls on any device, in any spelling that WebGPU allows. */
import { describe, expect, it } from 'vitest'
import { countCalls } from '../../src/runtime/count-calls.ts'
import { sharedDevice } from '../device.ts'

const [copySource, copyTarget, storage] = [4, 8, 128]

describe('countCalls', () => {
  it('counts what is asked of the device, and leaves it as it was', async () => {
    const { gpu } = await sharedDevice()
    const plain = gpu.createBuffer
    const counter = countCalls(gpu)
    const a = gpu.createBuffer({ size: 64, usage: copySource | copyTarget | storage })
    const b = gpu.createBuffer({ size: 32, usage: copyTarget })
    const module = gpu.createShaderModule({
      code: '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(1) fn main() { x[0] = 7u; }',
    })
    const pipeline = await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } })
    gpu.createComputePipeline({ layout: 'auto', compute: { module } })
    const group = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: a } }],
    })
    gpu.queue.writeBuffer(a, 0, new Float32Array(4))
    gpu.queue.writeBuffer(a, 0, new Float32Array(8), 2, 4)
    gpu.queue.writeBuffer(a, 0, new ArrayBuffer(12), 4)
    const encoder = gpu.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(2, 3)
    pass.dispatchWorkgroups(5)
    pass.end()
    encoder.copyBufferToBuffer(a, 0, b, 0, 16)
    gpu.queue.submit([encoder.finish()])
    expect(counter.read()).toEqual({
      dispatches: 2,
      workgroups: 11,
      passes: 1,
      submits: 1,
      copies: 1,
      copiedBytes: 16,
      uploads: 3,
      uploadedBytes: 16 + 16 + 8,
      buffers: 2,
      bufferBytes: 96,
      modules: 1,
      pipelines: 2,
      bindGroups: 1,
    })
    counter.reset()
    expect(counter.read().dispatches).toBe(0)
    counter.stop()
    expect(gpu.createBuffer).toBe(plain)
    gpu.createBuffer({ size: 4, usage: copyTarget }).destroy()
    expect(counter.read().buffers).toBe(0)
    a.destroy()
    b.destroy()
  })
})
