/** Evaluates tensors without inputs, for tests that compare with numbers worked out elsewhere. */
import { isLeft } from '#fp/Either'
import { typeOf } from '../../../src/lang/build.ts'
import type { ShapeError } from '../../../src/lang/errors.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { nodeOf, type Tensor } from '../../../src/lang/types/tensor.ts'

/** The value of a tensor, floats rounded to float32 after every operation as on a device. */
export const evaluated = (x: Tensor): Value => {
  const n = nodeOf(x)
  typeOf(n)
  return evaluate({ inputs: [], outputs: [n] }, [], { precision: 'f32' })[0]!
}

/** The elements in row-major order. */
export const flat = (x: Tensor): readonly number[] => Array.from(evaluated(x).data)

/** Nested arrays, as one would write the tensor; booleans are 0 and 1. */
export const nested = (x: Tensor): unknown => {
  const { shape, data } = evaluated(x)
  let at = 0
  const build = (axis: number): unknown =>
    axis === shape.length ? data[at++]! : Array.from({ length: shape[axis]! }, () => build(axis + 1))
  return build(0)
}

/** The mistake that an ill-typed tensor is. */
export const mistakeOf = (x: Tensor): ShapeError => {
  const { type } = nodeOf(x)
  if (isLeft(type)) return type.left
  throw new Error('this tensor is well-typed')
}
