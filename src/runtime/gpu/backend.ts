/** The back end upon WebGPU: buffers, one encoder a submission, pipelines and bind groups. */
import type { Backend, Commands, Dispatch, Memory, Piece, Use } from '../backend.ts'
import { layoutOf, pipelineOf } from './compute-pipeline.ts'
import type { Gpu } from './device.ts'
import { checkFit, foldGrid } from './fit-device.ts'
import { guarded } from './guard.ts'

/** Numeric values of GPUBufferUsage and GPUMapMode, which Node does not have as globals. */
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const
const mapRead = 1

const usageOf: Readonly<Record<Use, number>> = {
  storage: usage.copySource | usage.copyTarget | usage.storage,
  words: usage.copyTarget | usage.uniform,
  staging: usage.mapRead | usage.copyTarget,
}

/** A dispatch with everything resolved. */
export interface Ready {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly x: number
  readonly y: number
}

/** Encodes all there is in a pass, and ends it. */
export const encodeDispatches = (pass: GPUComputePassEncoder, dispatches: readonly Ready[]): void => {
  let current: GPUComputePipeline | undefined
  for (const { pipeline, group, x, y } of dispatches) {
    if (pipeline !== current) pass.setPipeline((current = pipeline))
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(x, y)
  }
  pass.end()
}

/** Consecutive dispatches are one compute pass; copies stand between passes. */
const commandsOf = (gpu: GPUDevice): Commands => {
  const encoder = gpu.createCommandEncoder()
  const spent: GPUBuffer[] = []
  return {
    write: ({ memory, offset }, bytes) => {
      const source = gpu.createBuffer({ size: bytes.length, usage: usage.copySource | usage.copyTarget })
      gpu.queue.writeBuffer(source, 0, bytes)
      encoder.copyBufferToBuffer(source, 0, memory as GPUBuffer, offset, bytes.length)
      spent.push(source)
    },
    copy: (from, fromOffset, to, toOffset, bytes) =>
      encoder.copyBufferToBuffer(from as GPUBuffer, fromOffset, to as GPUBuffer, toOffset, bytes),
    run: (dispatches) => encodeDispatches(encoder.beginComputePass(), dispatches as readonly Ready[]),
    submit: () => {
      gpu.queue.submit([encoder.finish()])
      for (const buffer of spent) buffer.destroy()
    },
  }
}

const entryOf = ({ memory, offset, bytes }: Piece, binding: number): GPUBindGroupEntry => ({
  binding,
  resource: { buffer: memory as GPUBuffer, offset, size: bytes },
})

/** Pipelines and bind groups of dispatches; distinct pipelines compile concurrently. */
const prepare =
  (device: Gpu): Backend['prepare'] =>
  async (plan, dispatches) => {
    const compiling = Promise.allSettled(plan.kernels.map(({ kernel, wgsl }) => pipelineOf(device, kernel, wgsl!)))
    const groups = dispatches.map(({ kernel, bindings, words }) =>
      device.gpu.createBindGroup({
        layout: layoutOf(device.gpu, plan.kernels[kernel]!.kernel),
        entries: (words ? [...bindings, words] : bindings).map(entryOf),
      }),
    )
    const pipelines = (await compiling).map((p) => {
      if (p.status === 'rejected') throw p.reason
      return p.value
    })
    const side = Math.min(plan.profile.maxGridSide, device.gpu.limits.maxComputeWorkgroupsPerDimension)
    return dispatches.map(({ kernel, workgroups }, i): Dispatch => {
      const [x, y] = foldGrid(workgroups, side)
      return { pipeline: pipelines[kernel]!, group: groups[i]!, x, y } satisfies Ready
    })
  }

/** The back end of a GPUDevice. */
export const gpuBackend = (device: Gpu): Backend => {
  const { gpu } = device
  let live = 0
  const alive = new WeakSet<Memory>()
  return {
    target: 'wgsl',
    liveBytes: () => live,
    create: (size, use) => {
      const buffer = gpu.createBuffer({ size, usage: usageOf[use] })
      alive.add(buffer)
      live += size
      return buffer
    },
    destroy: (memory) => {
      if (alive.delete(memory)) live -= memory.size
      ;(memory as GPUBuffer).destroy()
    },
    write: ({ memory, offset }, bytes) => gpu.queue.writeBuffer(memory as GPUBuffer, offset, bytes),
    begin: () => commandsOf(gpu),
    copiesWithin: false,
    map: (memory) => (memory as GPUBuffer).mapAsync(mapRead),
    mapped: (memory) => new Uint8Array((memory as GPUBuffer).getMappedRange()),
    unmap: (memory) => (memory as GPUBuffer).unmap(),
    check: (plan) => checkFit(gpu, plan),
    prepare: prepare(device),
    guarded: (bytes, action) => guarded(device, bytes, action),
    settled: () => gpu.queue.onSubmittedWorkDone(),
  }
}
