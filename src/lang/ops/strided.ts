/** Strided views for the reference interpreter: every movement is a list of offsets into a row-major array. */
import { type Dim, dimMul, floorDiv, type Shape, sizeOf } from '../dim.ts'
import { allocate, type HostArray } from '../dtype.ts'
import type { TensorType } from '../ir.ts'

/**
 * The element offsets `base + Σ index·stride` of a strided view, in row-major order of `shape`. Built a block at a time
 * from the innermost axis, so the cost is one addition an element.
 */
export const stridedOffsets = (shape: Shape, strides: readonly number[], base = 0): Int32Array => {
  const n = sizeOf(shape)
  const out = new Int32Array(n)
  if (n === 0) return out
  out[0] = base
  let block = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const stride = strides[axis]!
    for (let k = 1; k < shape[axis]!; k++) {
      const shift = k * stride
      const start = k * block
      for (let j = 0; j < block; j++) out[start + j] = out[j]! + shift
    }
    block = dimMul(block, shape[axis]!)
  }
  return out
}

/** Where line `line` of `n` elements begins, `inner` being the number of elements from one of them to the next. */
export const lineStart = (line: number, n: Dim, inner: Dim): number =>
  floorDiv(line, inner) * dimMul(n, inner) + (line % inner)

/** A new row-major array of `type` whose element i is `data[offsets[i]]`. */
export const take = (type: TensorType, data: HostArray, offsets: Int32Array): HostArray => {
  const out = allocate(type.dtype, offsets.length)
  for (let i = 0; i < offsets.length; i++) out[i] = data[offsets[i]!]!
  return out
}
