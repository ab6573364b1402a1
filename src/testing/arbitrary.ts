/** Arbitraries of sizes, dtypes and tensors for users' own properties. */
import * as fc from 'fast-check'
import { constant } from '../lang/build.ts'
import { type Shape, sizeOf } from '../lang/dim.ts'
import { type DType, integerRange, isInteger } from '../lang/dtype.ts'
import type { TensorType } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { roundTo } from '../lang/scalar-functions.ts'
import { demandDType, demandList, demandRecord, demandShape, type OptionNames } from '../lang/tensor/arguments.ts'
import { type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { commonDims, extremes, specials, storedData } from './dice.ts'

/** Whether `arbDim` may give 0. */
type DimOptions = {
  readonly empty?: boolean
}

const dimOptions: OptionNames<DimOptions> = { empty: 'boolean' }

/**
 * Sizes that break things: 0 (rarely, unless `empty` is false), 1, primes, 4k and 4k+1. Shrinks to smaller ones.
 * @example
 * const sizes = fc.sample(testing.arbDim({ empty: false }), { seed: 42 })
 * sizes.every((d) => d > 0) // => true
 */
export const arbDim = (options: DimOptions = {}): fc.Arbitrary<number> => {
  demandRecord('arbDim', dimOptions, options)
  const { empty = true } = options
  const sizes = [...new Set(commonDims)].sort((a, b) => a - b)
  return fc.oneof(
    { weight: 19, arbitrary: fc.constantFrom(...sizes) },
    { weight: empty ? 1 : 0, arbitrary: fc.constant(0) },
  )
}

/** What `arbShape` may give. */
export interface ShapeOptions {
  readonly maxRank?: number | undefined
  /** Elements altogether; 64 unless said. */
  readonly maxElements?: number | undefined
  /** Whether a size may be 0; true unless said. */
  readonly empty?: boolean | undefined
}

const shapeOptions: OptionNames<ShapeOptions> = { maxRank: 'size', maxElements: 'size', empty: 'boolean' }

/**
 * Shapes of rank 0 to `maxRank` (4) with at most `maxElements` (64) elements; a size may be 0 unless `empty` is false.
 * @example
 * const shapes = fc.sample(testing.arbShape({ maxRank: 2 }), { seed: 42 })
 * shapes.every((s) => s.length <= 2) // => true
 */
export const arbShape = (options: ShapeOptions = {}): fc.Arbitrary<Shape> => {
  demandRecord('arbShape', shapeOptions, options)
  const { maxRank = 4, maxElements = 64, empty = true } = options
  return fc.array(arbDim({ empty }), { maxLength: maxRank }).map((sizes) => {
    const shape: number[] = []
    for (const d of sizes) shape.push(sizeOf(shape) * d <= maxElements ? d : 1)
    return shape
  })
}

/**
 * Any dtype of the list; f32, i32, u32 and bool unless said.
 * @example
 * fc.sample(testing.arbDType(['i32']), 2) // => ['i32', 'i32']
 */
export const arbDType = (list: readonly DType[] = ['f32', 'i32', 'u32', 'bool']): fc.Arbitrary<DType> =>
  fc.constantFrom(...demandList('arbDType', list, 'dtypes', "arbDType(['f32'])").map((d) => demandDType('arbDType', d)))

/** Which numbers a tensor may hold. */
export interface NumberOptions {
  /** NaN, infinities, both zeros, huge and tiny numbers, the extremes of the integers; true unless said. */
  readonly specials?: boolean | undefined
  readonly min?: number | undefined
  readonly max?: number | undefined
}

const numberOptions: OptionNames<NumberOptions> = { specials: 'boolean', min: 'number', max: 'number' }

/**
 * One number that `dtype` can hold exactly: whole numbers, quarters, any others between `min` and `max` (-4 and 4), and
 * now and then what `specials` lists. Shrinks to whole numbers.
 * @example
 * const numbers = fc.sample(testing.arbNumber('f32', { specials: false, max: 0 }), { seed: 42 })
 * numbers.every((x) => x >= -4 && x <= 0) // => true
 */
export const arbNumber = (dtype: DType, options: NumberOptions = {}): fc.Arbitrary<number> => {
  demandDType('arbNumber', dtype)
  demandRecord('arbNumber', numberOptions, options)
  const { specials: special = true, min = -4, max = 4 } = options
  if (dtype === 'bool') return fc.constantFrom(0, 1)
  const [least, most] = isInteger(dtype) ? integerRange[dtype] : [min, max]
  const whole = fc.integer({ min: Math.ceil(Math.max(least, min)), max: Math.floor(Math.min(most, max)) })
  if (isInteger(dtype)) {
    const ends = extremes[dtype]
    return special
      ? fc.oneof(
          { withCrossShrink: true },
          { weight: 8, arbitrary: whole },
          { weight: 1, arbitrary: fc.constantFrom(...ends) },
        )
      : whole
  }
  const round = roundTo(dtype)
  const plain = fc.oneof(
    { withCrossShrink: true },
    whole,
    fc.integer({ min: Math.ceil(min * 4), max: Math.floor(max * 4) }).map((x) => x / 4),
    fc.double({ min, max, noNaN: true }).map(round),
  )
  if (!special) return plain
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 8, arbitrary: plain },
    { weight: 1, arbitrary: fc.constantFrom(...specials).map(round) },
  )
}

/**
 * Host values of one type, floats as the dtype stores them.
 * @example
 * fc.sample(testing.arbValue({ shape: [2, 3], dtype: 'f32' }), { seed: 42 })[0]!.data.length // => 6
 */
export const arbValue = (type: TensorType, options: NumberOptions = {}): fc.Arbitrary<Value> => {
  demandRecord('arbValue', numberOptions, options)
  const size = sizeOf(demandShape('arbValue', type.shape))
  return fc
    .array(arbNumber(type.dtype, options), { minLength: size, maxLength: size, size: 'max' })
    .map((values) => ({ shape: type.shape, dtype: type.dtype, data: storedData(type.dtype, values) }))
}

/**
 * Constant tensors of one type, for properties of functions of tensors.
 * @example
 * const x = testing.arbTensor({ shape: [2], dtype: 'i32' }, { specials: false })
 * const twice = (t: T.Tensor) => T.reference([T.add(t, t), T.mul(t, 2)]).map((v) => v.data.join())
 * fc.assert(fc.property(x, (t) => new Set(twice(t)).size === 1), { seed: 42 })
 * fc.sample(testing.arbTensor({ shape: [2], dtype: 'i32' }), { seed: 42 })[0]!.shape // => [2]
 */
export const arbTensor = <const S extends Shape, D extends DType>(
  type: { readonly shape: S; readonly dtype: D },
  options: NumberOptions = {},
): fc.Arbitrary<Tensor<S, D>> => {
  demandRecord('arbTensor', numberOptions, options)
  return arbValue(type, options).map((v) => tensorOf<S, D>(constant(type, v.data)))
}
