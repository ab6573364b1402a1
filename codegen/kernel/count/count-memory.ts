/** Counts the distinct elements of one binding that each workgroup touches, with a stamp per element. */
import { floorDiv } from '../../../src/lang/dim.ts'
import { elementBytes, laneBytes } from '../element-bytes.ts'
import type { Binding } from '../kernel.ts'

export interface Touched {
  /** Element `index` is touched in the current workgroup. */
  readonly one: (index: number) => void
  /** The elements `first + offset` for every offset, modulo 2³². */
  readonly row: (first: number, offsets: Int32Array) => void
  /** Bytes of distinct elements, summed over the workgroups so far. */
  readonly bytes: () => number
  readonly nextWorkgroup: () => void
}

/** Bytes of an element, and from one to the next. */
export const elementOf = (b: Binding): { readonly bytes: number; readonly stride: number } => {
  const { scalar, width } = b.element
  return { bytes: laneBytes(scalar) * width, stride: elementBytes(b.element) }
}

/** A counter for a binding of `bytes` bytes; an index out of range is a bug in the kernel. */
export const touchedOf = (binding: Binding, bytes: number, where: () => string): Touched => {
  const unit = elementOf(binding)
  const size = floorDiv(bytes, unit.stride)
  const stamps = new Uint32Array(size)
  let workgroup = 0
  let count = 0
  const out = (index: number): never => {
    throw new Error(`tensorloom bug: ${binding.name}[${index}] of ${size} elements, ${where()}`)
  }
  return {
    one: (index) => {
      if (!(index < size)) out(index)
      if (stamps[index] === workgroup) return
      stamps[index] = workgroup
      count += 1
    },
    row: (first, offsets) => {
      for (let i = 0; i < offsets.length; i++) {
        const index = (first + offsets[i]!) >>> 0
        if (index >= size) out(index)
        if (stamps[index] === workgroup) continue
        stamps[index] = workgroup
        count += 1
      }
    },
    bytes: () => count * unit.bytes,
    nextWorkgroup: () => {
      workgroup += 1
    },
  }
}
