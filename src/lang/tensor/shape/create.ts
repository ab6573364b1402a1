/** Tensors out of nothing: constants from data, and constants of one value. */
import { constant, illTyped } from '../../build.ts'
import { isDim, type Shape, sizeOf } from '../../dim.ts'
import { arrayDTypes, type DType, isFloat } from '../../dtype.ts'
import { raise } from '../../errors.ts'
import { showShape } from '../../shape.ts'
import { strangerName, wayToTensor } from '../../strangers.ts'
import { isTensor } from '../../tree.ts'
import type { DataShape, DTypeOfData, Nested, TypedArray } from '../../types/literals.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandDType, demandNumber, demandRecord, demandShape, type OptionNames, showArgument } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { holds, onTensor, refuse, toElement } from '../operand.ts'
import { filledNode } from './joining.ts'

/** The dtype of a new tensor. */
export interface DTypeOptions<D extends DType = DType> {
  readonly dtype?: D | undefined
}

export const dtypeOptions: OptionNames<DTypeOptions> = { dtype: 'own' }

/** The dtype that the options of `name` give; both are checked. */
export const dtypeIn = <D extends DType>(name: string, options: DTypeOptions<D> | undefined): D | undefined => {
  demandRecord(name, dtypeOptions, options)
  return options?.dtype === undefined ? undefined : demandDType(name, options.dtype)
}

/** A tensor that is a mistake: `reason` is reported when it is checked. */
export const bad = <S extends Shape, D extends DType>(name: string, reason: string, hint?: string): Tensor<S, D> =>
  tensorOf(illTyped(name, [], { reason, ...(hint ? { hint } : {}) }))

const notData = (name: string, data: unknown, wanted: string, hint: string): never =>
  raise({
    tag: 'UsageError',
    message: `${name}: the data is ${showArgument(data)}, not ${wanted}`,
    hint: strangerName(data) === undefined ? hint : wayToTensor(data),
  })

const wayToNumber = (x: unknown): string => {
  if (isTensor(x)) return 'T.stack makes one tensor of many'
  return typeof x === 'string' ? 'write numbers without quotes, or Number(x)' : wayToTensor(x)
}

/** True for an array, typed ones too. */
const isArray = (x: unknown): x is readonly Nested[] =>
  Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView))

/** The shape of nested arrays along their first elements. */
const shapeOf = (data: Nested): Shape => {
  const out: number[] = []
  for (let at: Nested | undefined = data; isArray(at); at = at[0]) out.push(at.length)
  return out
}

/** All leaves in order; the first array that does not fit `shape` and the first leaf that is no number, if any. */
const leavesOf = (
  data: Nested,
  shape: Shape,
): {
  readonly values: readonly (number | boolean)[]
  readonly ragged: string | undefined
  readonly odd: readonly [unknown, path: string] | undefined
} => {
  const values: (number | boolean)[] = []
  let ragged: string | undefined
  let odd: readonly [unknown, path: string] | undefined
  const walk = (x: Nested, depth: number, path: string): void => {
    if (isArray(x)) {
      if (depth >= shape.length || x.length !== shape[depth])
        ragged ??= `${path || 'the data'} has ${x.length} elements where ${shape[depth] ?? 'a number'} belong`
      else for (let i = 0; i < x.length; i++) walk(x[i]!, depth + 1, `${path}[${i}]`)
    } else if (depth === shape.length && (typeof x === 'number' || typeof x === 'boolean')) values.push(x)
    else if (typeof x !== 'number' && typeof x !== 'boolean') odd ??= [x, path]
    else {
      const wanted = depth < shape.length ? 'an array' : 'a number'
      ragged ??= `${path || 'the data'} is ${showArgument(x)} where ${wanted} belongs`
    }
  }
  walk(data, 0, '')
  return { values, ragged, odd }
}

const leafDtype = (values: readonly (number | boolean)[]): DType => {
  if (values.length === 0) return 'f32'
  if (values.every((v) => typeof v === 'boolean')) return 'bool'
  return values.every((v) => typeof v === 'boolean' || (Number.isInteger(v) && !Object.is(v, -0))) ? 'i32' : 'f32'
}

/**
 * A constant from nested arrays (copied), of their shape. Without `dtype`: i32 when all numbers are whole, f32 when
 * some is not, bool for booleans; a typed array is a vector of its own dtype (as `fromArray`). ShapeError for ragged arrays, and for whole numbers past i32 without a dtype; with
 * one, numbers are rounded to f32 or cut to whole ones; ShapeError for NaN and what is past the range of integers.
 * @example
 * T.tensor([[1, 2, 3], [4, 5, 6]]).shape // => [2, 3]
 * T.reference(T.tensor([0.5, 1])) // => { shape: [2], dtype: 'f32', data: [0.5, 1] }
 * T.reference(T.tensor(Float32Array.of(1, 2))) // => { shape: [2], dtype: 'f32', data: [1, 2] }
 */
export const tensor = <const A extends Nested | TypedArray, const D extends DType = DTypeOfData<A>>(
  data: A,
  options: DTypeOptions<D> = {},
): Tensor<DataShape<A>, NoInfer<D>> => {
  if (!isArray(data) && typeof data !== 'number' && typeof data !== 'boolean')
    return notData(
      'T.tensor',
      data,
      'a number, a typed array or nested arrays of numbers',
      'T.stack makes one tensor of many',
    )
  const dtype = dtypeIn('T.tensor', options)
  const shape = shapeOf(data)
  const { values, ragged, odd } = leavesOf(data, shape)
  if (odd !== undefined)
    return bad('T.tensor', `${odd[1]} is ${showArgument(odd[0])}, not a number`, wayToNumber(odd[0]))
  if (ragged !== undefined)
    return bad('T.tensor', `ragged data: ${ragged}`, 'all arrays of one depth must have one length')
  const to = dtype ?? (ArrayBuffer.isView(data) ? arrayDtype(data as never) : leafDtype(values))
  const lost = values.find((v) => !holds(v, to))
  if (lost !== undefined) {
    const inferred = "say which dtype is meant: { dtype: 'u32' } or { dtype: 'f32' }"
    const hint = dtype === undefined ? inferred : 'give another dtype, or the numbers that are meant'
    return bad('T.tensor', `${String(lost)} does not fit ${to}`, hint)
  }
  return tensorOf(
    constant(
      { shape, dtype: to },
      values.map((v) => toElement(v, to)),
    ),
  )
}

/**
 * A constant of `shape` from a flat array in row-major order (copied). Typed arrays say their dtype (Int8Array i8,
 * Uint8Array u8), shorts count as i32 or u32, Float64Array as f32; others as in `tensor`. ShapeError when the number of elements does not fit.
 * @example
 * T.reference(T.fromArray(Float32Array.of(1, 2, 3, 4), [2, 2])).dtype // => 'f32'
 * T.reference(T.at(T.fromArray([1, 2, 3, 4], [2, 2]), 1)).data // => [3, 4]
 * T.reference(T.add(T.fromArray(Uint8Array.of(250, 9), [2]), 10)) // => { shape: [2], dtype: 'u8', data: [4, 19] }
 */
export const fromArray = <const S extends Shape, const D extends DType = DType>(
  data: ArrayLike<number> | ArrayLike<boolean>,
  shape: S,
  options: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => {
  if (!isArrayLike(data))
    return notData('T.fromArray', data, 'an array of numbers', 'T.full fills a shape with one number')
  const sizes = demandShape('T.fromArray', shape)
  const dtype = dtypeIn('T.fromArray', options)
  if (!sizes.every(isDim)) return bad('T.fromArray', `${showShape(sizes)} is not a shape`)
  if (sizeOf(sizes) !== data.length)
    return bad('T.fromArray', `${data.length} elements do not fill shape ${showShape(sizes)}`)
  const to = dtype ?? arrayDtype(data)
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!
    if (typeof x !== 'number' && typeof x !== 'boolean')
      return bad('T.fromArray', `element ${i} is ${showArgument(x)}, not a number`)
    if (!holds(x, to)) return bad('T.fromArray', `element ${i} is ${x}, which does not fit ${to}`)
  }
  const exact =
    (to === 'f32' && data instanceof Float32Array) ||
    (to === 'i32' && data instanceof Int32Array) ||
    (to === 'u32' && data instanceof Uint32Array)
  if (exact) return tensorOf(constant({ shape: sizes, dtype: to }, data))
  const numbers = data as ArrayLike<number>
  const element = (v: number): number => toElement(v, to)
  const values = isFloat(to) ? Float32Array.from(numbers, element) : Float64Array.from(numbers, element)
  return tensorOf(constant({ shape: sizes, dtype: to }, values))
}

const isArrayLike = (x: unknown): boolean =>
  typeof x === 'object' && x !== null && 'length' in x && typeof x.length === 'number'

const arrayDtype = (data: ArrayLike<number | boolean>): DType => {
  const known: Readonly<Record<string, DType>> = arrayDTypes
  return known[(data as TypedArray)[Symbol.toStringTag]] ?? leafDtype(Array.from(data))
}

const filled = <S extends Shape, D extends DType>(
  name: string,
  shape: S,
  value: number | boolean,
  options: DTypeOptions<D>,
): Tensor<S, D> => {
  const sizes = demandShape(name, shape)
  demandNumber(name, 'the value', value)
  const dtype = dtypeIn(name, options) ?? (typeof value === 'boolean' ? 'bool' : 'f32')
  if (!sizes.every(isDim)) return bad(name, `${showShape(sizes)} is not a shape`)
  return holds(value, dtype) ? tensorOf(filledNode(sizes, dtype, value)) : bad(name, `${value} does not fit ${dtype}`)
}

/**
 * All zeros of `shape`; f32 unless `dtype` says otherwise. ShapeError where a size is not a whole number ≥ 0.
 * @example
 * T.reference(T.zeros([2, 2])).data // => [0, 0, 0, 0]
 */
export const zeros = <const S extends Shape, const D extends DType = 'f32'>(
  shape: S,
  options: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => filled('T.zeros', shape, 0, options)

/**
 * All ones of `shape`; f32 unless `dtype` says otherwise. ShapeError where a size is not a whole number ≥ 0.
 * @example
 * T.reference(T.ones([2], { dtype: 'i32' })) // => { shape: [2], dtype: 'i32', data: [1, 1] }
 */
export const ones = <const S extends Shape, const D extends DType = 'f32'>(
  shape: S,
  options: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => filled('T.ones', shape, 1, options)

/**
 * All `value`, of `shape`; f32 (bool for a boolean) unless `dtype` says otherwise. ShapeError where a size is not a
 * whole number ≥ 0.
 * @example
 * T.reference(T.full([3], 0.5)).data // => [0.5, 0.5, 0.5]
 */
export const full = <const S extends Shape, const D extends DType = 'f32'>(
  shape: S,
  value: number | boolean,
  options: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => filled('T.full', shape, value, options)

type Like = {
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S>, options: { readonly dtype: D }): Tensor<S, NoInfer<D>>
  (options?: DTypeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
}

const like =
  (name: string, value: number | boolean) =>
  (x: Tensor, { dtype }: DTypeOptions = {}): Tensor => {
    demandNumber(name, 'the value', value)
    if (dtype !== undefined) demandDType(name, dtype)
    return onTensor(name, x, (n, type) =>
      holds(value, dtype ?? type.dtype)
        ? filledNode(type.shape, dtype ?? type.dtype, value)
        : refuse(name, [n], { reason: `${value} does not fit ${dtype ?? type.dtype}` }),
    )
  }

/**
 * Zeros of the operand's shape, and of its dtype unless `dtype` says otherwise.
 * @example
 * T.reference(T.zerosLike(T.tensor([[1.5, 2]]))) // => { shape: [1, 2], dtype: 'f32', data: [0, 0] }
 */
export const zerosLike: Like = dataFirstWith('T.zerosLike', 1, dtypeOptions, like('T.zerosLike', 0))

/**
 * Ones of the operand's shape, and of its dtype unless `dtype` says otherwise.
 * @example
 * T.reference(T.onesLike(T.tensor([7, 8]), { dtype: 'f32' })) // => { shape: [2], dtype: 'f32', data: [1, 1] }
 */
export const onesLike: Like = dataFirstWith('T.onesLike', 1, dtypeOptions, like('T.onesLike', 1))

type FullLike = {
  (value: number | boolean, options?: DTypeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, value: number | boolean, options?: DTypeOptions): Tensor<S, D>
}

/**
 * `value` in the operand's shape, and in its dtype unless `dtype` says otherwise.
 * @example
 * T.reference(T.fullLike(T.tensor([7, 8]), 3)) // => { shape: [2], dtype: 'i32', data: [3, 3] }
 */
export const fullLike: FullLike = dataFirstWith(
  'T.fullLike',
  2,
  dtypeOptions,
  (x: Tensor, value: number | boolean, options: DTypeOptions = {}) => like('T.fullLike', value)(x, options),
)
