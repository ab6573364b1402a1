/** Columns as tensors, where something other than a program's `run` takes them. */
import { constant } from '../lang/build.ts'
import type { Shape } from '../lang/dim.ts'
import { arrayDTypes, type DType } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { type Tensor, tensorOf } from '../lang/types/tensor.ts'
import type { Column, Dataset, Elements } from './column.ts'

/** The dtype of each array type; doubles become f32. */
export interface DTypesOf {
  readonly Float32Array: 'f32'
  readonly Float64Array: 'f32'
  readonly Int8Array: 'i8'
  readonly Uint8Array: 'u8'
  readonly Int16Array: 'i32'
  readonly Int32Array: 'i32'
  readonly Uint32Array: 'u32'
}

const dtypes: DTypesOf = arrayDTypes

/** The dtype of a column's tensor. */
export type DTypeOf<A extends Elements> = A extends { readonly [Symbol.toStringTag]: infer N extends keyof DTypesOf }
  ? DTypesOf[N]
  : DType

/**
 * The columns of a data set as constant tensors, for `T.reference`; `T.jit` and a compiled program's `run` take columns as they
 * are. Bytes become u8, shorts i32, doubles f32.
 * @example
 * const batch = { x: { shape: [2], data: Int16Array.of(1, 2) } }
 * T.reference(T.add(data.asTensors(batch).x, 1)) // => { shape: [2], dtype: 'i32', data: [2, 3] }
 */
export const asTensors = <D extends Dataset>(data: D): { readonly [K in keyof D]: ColumnTensor<D[K]> } =>
  Object.fromEntries(Object.entries(data).map(([name, column]) => [name, tensorFrom(name, column)])) as never

/** The tensor of a column. */
export type ColumnTensor<C extends Column> = C extends Column<infer A> ? Tensor<Shape, DTypeOf<A>> : never

const tensorFrom = (name: string, { shape, data }: Column): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  if (size !== data.length)
    raise({
      tag: 'UsageError',
      message: `asTensors: ${name} has ${data.length} elements, its shape [${shape.join(', ')}] ${size}`,
    })
  return tensorOf(constant({ shape, dtype: dtypes[data[Symbol.toStringTag]] }, data))
}
