/**
 * Storage buffers and arrays of the interpreter: typed elements, bounds checks, and optional counts of the elements
 * touched.
 */
import { floorDiv } from '../../../src/lang/dim.ts'
import { invariant } from '../../../src/lang/errors.ts'
import { fromHalf, toHalf } from '../../../src/lang/half.ts'
import { laneStride } from '../element-bytes.ts'
import type { Binding, Scalar } from '../kernel.ts'

/** Host memory in the role of a storage buffer: a whole buffer, or part of an arena. */
export interface HostBinding {
  readonly buffer: ArrayBufferLike
  readonly byteOffset?: number
  readonly byteLength?: number
}

/** The costs of a run; `runKernel` adds to them. */
export interface Counters {
  /** Floating-point units (see `flops.ts`). */
  flops: number
  /** Bytes of distinct elements each workgroup reads or writes, summed over workgroups. */
  bytes: number
  /** The same per binding, in order. */
  readonly bindings: number[]
}

/** Counters at zero. */
export const makeCounters = (): Counters => ({ flops: 0, bytes: 0, bindings: [] })

/** Lane `lane` of element `index`, read and written as JavaScript numbers. */
export interface Memory {
  readonly name: string
  readonly size: number
  readonly get: (index: number, lane: number) => number
  readonly set: (index: number, lane: number, value: number) => void
  /** Bytes of the distinct elements touched, summed over the workgroups so far. */
  readonly touched: () => number
  /** Begins the next workgroup, in which elements count again. */
  readonly nextWorkgroup: () => void
}

const viewOf = (b: HostBinding, scalar: Scalar): Float32Array | Int32Array | Uint32Array | Uint16Array => {
  const { buffer, byteOffset = 0 } = b
  const bytes = b.byteLength ?? buffer.byteLength - byteOffset
  switch (scalar) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, bytes >> 2)
    case 'i32':
      return new Int32Array(buffer, byteOffset, bytes >> 2)
    case 'f16':
      return new Uint16Array(buffer, byteOffset, bytes >> 1)
    default:
      return new Uint32Array(buffer, byteOffset, bytes >> 2)
  }
}

/** A binding over host memory. An index out of range is a bug in the kernel, although devices tolerate it. */
export const bindMemory = (binding: Binding, host: HostBinding, counting: boolean, where: () => string): Memory => {
  const { scalar, width } = binding.element
  invariant(scalar !== 'bool', `binding ${binding.name} of bool`)
  const view = viewOf(host, scalar)
  const stride = laneStride(width)
  const size = floorDiv(view.length, stride)
  const bytes = view.BYTES_PER_ELEMENT * width
  const stamps = counting ? new Uint32Array(size) : undefined
  let workgroup = 0
  let count = 0
  const at = (index: number, lane: number, verb: string): number => {
    if (index >= size)
      throw new Error(`tensorloom bug: ${verb} ${binding.name}[${index}] of ${size} elements, ${where()}`)
    if (stamps && stamps[index] !== workgroup) {
      stamps[index] = workgroup
      count += 1
    }
    return index * stride + lane
  }
  const half = scalar === 'f16'
  return {
    name: binding.name,
    size,
    get: half ? (i, l) => fromHalf(view[at(i, l, 'load')]!) : (i, l) => view[at(i, l, 'load')]!,
    set: (i, l, x) => {
      view[at(i, l, 'store')] = half ? toHalf(x) : x
    },
    touched: () => count * bytes,
    nextWorkgroup: () => {
      workgroup += 1
    },
  }
}
