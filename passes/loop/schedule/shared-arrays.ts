/** Arrays in workgroup memory. Clusters side by side run in different workgroups, and use the same ones. */
import { byteSize, type KernelDType } from '../../../src/lang/dtype.ts'

/** `element` is a dtype and the width of a vector of it, `f32x4`; `size` counts elements. */
export interface SharedArray {
  readonly element: string
  readonly size: number
}

const bytesOf = ({ element, size }: SharedArray): number => {
  const [dtype, width] = element.split('x')
  return size * byteSize(dtype as KernelDType) * Number(width)
}

export const bytesOfArrays = (arrays: readonly SharedArray[]): number => arrays.reduce((sum, a) => sum + bytesOf(a), 0)

/** What serves the one as well as the other: the first array of an element is the first of both, as large as the larger. */
export const eitherOf = (a: readonly SharedArray[], b: readonly SharedArray[]): readonly SharedArray[] => {
  const rest = [...b]
  const both = a.map((x) => {
    const at = rest.findIndex((y) => y.element === x.element)
    const [y] = at < 0 ? [] : rest.splice(at, 1)
    return y && y.size > x.size ? y : x
  })
  return [...both, ...rest]
}
