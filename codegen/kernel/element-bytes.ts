/** How elements of the Kernel IR lie in memory. */
import type { KernelDType } from '../../src/lang/dtype.ts'
import type { KType, Scalar } from './kernel.ts'

/** What memory holds of a dtype: a bool is a word, 0 or 1. */
export const storageScalar = (dtype: KernelDType): Scalar => (dtype === 'bool' ? 'u32' : dtype)

/** Bytes of one lane. */
export const laneBytes = (scalar: Scalar): number => (scalar === 'f16' ? 2 : 4)

/** Lanes from one element of an array to the next: three lanes have the stride of four. */
export const laneStride = (width: KType['width']): number => (width === 3 ? 4 : width)

/** Bytes from one element of an array to the next. */
export const elementBytes = ({ scalar, width }: KType): number => laneBytes(scalar) * laneStride(width)
