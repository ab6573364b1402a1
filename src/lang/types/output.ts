/** The results of runs as types: handles, which can be read, and stand for tensors wherever a program takes them. */
import type { Shape } from '../dim.ts'
import type { DType, HostArrayOf } from '../dtype.ts'
import type { Tensor } from './tensor.ts'

/** A result of a run: one that stays on the device, or one on its way to the host. */
export interface Output<S extends Shape = Shape, D extends DType = DType> {
  readonly kind: 'resident' | 'value'
  readonly path: string
  readonly shape: S
  readonly dtype: D
  /** True once it was given away to a run as a donated argument. */
  readonly consumed: boolean
  /** The elements on the host (bool as bytes, f16 and bf16 as f32). Rejects with ConsumedHandle, DeviceLost, ValidationError. */
  readonly read: () => Promise<HostArrayOf<D>>
  /** The one element of a result of size 1, bool as 0 or 1. Rejects as `read` does, and with UsageError for another size. */
  readonly item: () => Promise<number>
}

/**
 * A handle as programs give it: an Output that is a tensor for the types, so that state has one type, whether it is the tensors
 * that start a loop or what a run gave. Programs take both; other functions refuse a handle when they are called.
 */
export type Handle<S extends Shape = Shape, D extends DType = DType> = Output<S, D> & Tensor<S, D>
