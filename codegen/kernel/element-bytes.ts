/** The memory layout of Kernel IR elements. */
import type { KernelDType } from '../../src/lang/dtype.ts'
import type { KType, Scalar } from './kernel.ts'

/** The storage type of a dtype: a bool is stored as a word, 0 or 1. */
export const storageScalar = (dtype: KernelDType): Scalar => (dtype === 'bool' ? 'u32' : dtype)

/** Bytes of one lane. */
export const laneBytes = (scalar: Scalar): number => (scalar === 'f16' ? 2 : 4)

/** The array stride of a vector, in lanes: three lanes have the stride of four. */
export const laneStride = (width: KType['width']): number => (width === 3 ? 4 : width)

/** The array stride of an element, in bytes. */
export const elementBytes = ({ scalar, width }: KType): number => laneBytes(scalar) * laneStride(width)
