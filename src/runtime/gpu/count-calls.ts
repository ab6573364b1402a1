/** Counts what a program asks of a GPUDevice, by wrapping the device's methods: works for any library that runs on it. */

/** Calls since the last reset, and the bytes they moved. */
export interface CallCounts {
  readonly dispatches: number
  readonly workgroups: number
  readonly passes: number
  readonly submits: number
  readonly copies: number
  readonly copiedBytes: number
  readonly uploads: number
  readonly uploadedBytes: number
  readonly buffers: number
  readonly bufferBytes: number
  readonly modules: number
  readonly pipelines: number
  readonly bindGroups: number
}

/** A count in progress, as `countCalls` gives it. */
export interface Counter {
  /** The counts so far. */
  readonly read: () => CallCounts
  readonly reset: () => void
  /** Takes the wrapping off the device; encoders that are open go on counting. */
  readonly stop: () => void
}

type Mutable = { -readonly [K in keyof CallCounts]: number }

const zero = (): Mutable => ({
  dispatches: 0,
  workgroups: 0,
  passes: 0,
  submits: 0,
  copies: 0,
  copiedBytes: 0,
  uploads: 0,
  uploadedBytes: 0,
  buffers: 0,
  bufferBytes: 0,
  modules: 0,
  pipelines: 0,
  bindGroups: 0,
})

/**
 * Puts an own method `name` on `target` that calls `before` with the arguments, then the method it hides, then `after` with
 * the result. Returns the way back.
 */
const wrap = <T extends object, K extends keyof T>(
  target: T,
  name: K,
  before: (args: readonly unknown[]) => void,
  after: (result: unknown) => void = () => {},
): (() => void) => {
  const hidden = target[name] as unknown as (...args: unknown[]) => unknown
  const value = (...args: unknown[]): unknown => {
    before(args)
    const result = hidden.apply(target, args)
    after(result)
    return result
  }
  const own = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { value, configurable: true, writable: true })
  return () => {
    if (own) Object.defineProperty(target, name, own)
    else delete (target as Record<PropertyKey, unknown>)[name as PropertyKey]
  }
}

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

/**
 * Starts counting what is asked of `gpu`, by wrapping its methods: works for any library that runs on it. `stop()`
 * takes the wrapping off.
 * @example
 * const double = T.jit((x: T.Tensor) => T.mul(x, 2))
 * const counter = T.countCalls((await T.defaultDevice()).gpu)
 * await double(T.tensor([1, 2]))
 * const { dispatches, submits } = counter.read()
 * counter.stop()
 * [dispatches, submits] // => [1, 1]
 */
export const countCalls = (gpu: GPUDevice): Counter => {
  let c = zero()
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
  return {
    read: () => ({ ...c }),
    reset: () => {
      c = zero()
    },
    stop: () => {
      for (const u of undo) u()
    },
  }
}
