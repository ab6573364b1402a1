/** Counts what a program asks of a GPUDevice, by wrapping the device's methods: works for any library that runs on it. */
import { type Counter, counterOf, makeCounts, wrap } from '../counter.ts'

const none = (): void => {}

/** `size` of copyBufferToBuffer(source, sourceOffset, destination, destinationOffset, size) or (source, destination, size?). */
const copySize = (args: readonly unknown[]): number => {
  if (typeof args[1] === 'number') return Number(args[4] ?? (args[0] as GPUBuffer).size - args[1])
  return Number(args[2] ?? (args[0] as GPUBuffer).size)
}

/** Bytes of writeBuffer(buffer, offset, data, dataOffset?, size?): elements of a typed array, else bytes. */
const writeSize = (args: readonly unknown[]): number => {
  const data = args[2] as ArrayBuffer | (ArrayBufferView & { readonly BYTES_PER_ELEMENT?: number })
  const unit = ArrayBuffer.isView(data) ? ((data as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1) : 1
  if (args[4] !== undefined) return Number(args[4]) * unit
  return data.byteLength - Number(args[3] ?? 0) * unit
}

/** Starts counting what is asked of `gpu`. */
export const countGpu = (gpu: GPUDevice): Counter => {
  const c = makeCounts()
  const onPass = (pass: GPUComputePassEncoder): void => {
    c.passes++
    wrap(pass, 'dispatchWorkgroups', ([x, y, z]) => {
      c.dispatches++
      c.workgroups += Number(x) * Number(y ?? 1) * Number(z ?? 1)
    })
    wrap(pass, 'dispatchWorkgroupsIndirect', () => c.dispatches++)
  }
  const onEncoder = (encoder: GPUCommandEncoder): void => {
    wrap(encoder, 'beginComputePass', none, (pass) => onPass(pass as GPUComputePassEncoder))
    wrap(encoder, 'copyBufferToBuffer', (args) => {
      c.copies++
      c.copiedBytes += copySize(args)
    })
  }
  const undo = [
    wrap(gpu, 'createBuffer', ([descriptor]) => {
      c.buffers++
      c.bufferBytes += (descriptor as GPUBufferDescriptor).size
    }),
    wrap(gpu, 'createShaderModule', () => c.modules++),
    wrap(gpu, 'createComputePipeline', () => c.pipelines++),
    wrap(gpu, 'createComputePipelineAsync', () => c.pipelines++),
    wrap(gpu, 'createBindGroup', () => c.bindGroups++),
    wrap(gpu, 'createCommandEncoder', none, (encoder) => onEncoder(encoder as GPUCommandEncoder)),
    wrap(gpu.queue, 'submit', () => c.submits++),
    wrap(gpu.queue, 'writeBuffer', (args) => {
      c.uploads++
      c.uploadedBytes += writeSize(args)
    }),
  ]
  return counterOf(c, undo)
}
