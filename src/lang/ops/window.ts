/** Rows of window (overlapping sliding windows as a view) and fold, its transpose: the heart of pooling and convolution. */
import * as E from '#fp/Either'
import { sizeOf, windowCount } from '../dim.ts'
import { allocate } from '../dtype.ts'
import type { Refusal } from '../errors.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { stridesOf } from '../shape.ts'
import { operandType, refuse, wrongAxes, wrongCount } from './operand-checks.ts'
import { stridedOffsets, take } from './strided.ts'

const wrongStep = (name: string, n: number): E.Either<Refusal, never> | undefined =>
  Number.isInteger(n) && n >= 1 ? undefined : refuse(`${name} ${n} is not a positive integer`)

/** Strides of the windows `[… count …, size]` over a row-major tensor of `shape`. */
const windowStrides = (shape: readonly number[], axis: number, stride: number, dilation: number): readonly number[] => {
  const strides = stridesOf(shape)
  return [...strides.map((s, a) => (a === axis ? s * stride : s)), strides[axis]! * dilation]
}

/**
 * `[… n …]` → `[… count …, size]`: element (i, k) is x[i·stride + k·dilation]. Any dtype. No window fits: count is 0.
 * Its transpose is fold.
 */
export const windowRow: Primitive<ParamsOf['window']> = {
  infer: (xs, { axis, size, stride, dilation }) => {
    const bad =
      wrongCount(xs, 1) ??
      wrongAxes([axis], xs[0]!.shape.length) ??
      wrongStep('window size', size) ??
      wrongStep('stride', stride) ??
      wrongStep('dilation', dilation)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    const counted = shape.map((n, a) => (a === axis ? windowCount(n, size, stride, dilation) : n))
    return E.right([{ shape: [...counted, size], dtype }])
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.window([tangents[0]], params)],
  transpose: ({ b, ct, args, params: { axis, stride, dilation } }) => [
    b.fold([ct], { axis, n: operandType(args[0]!).shape[axis]!, stride, dilation }),
  ],
  batch: ({ b, args, params }) => [b.window([args[0]!], { ...params, axis: params.axis + 1 })],
  eval: ([x], { axis, stride, dilation }, [type]) => {
    const strides = windowStrides(x!.shape, axis, stride, dilation)
    return [take(type!, x!.data, stridedOffsets(type!.shape, strides))]
  },
}

/**
 * `[… count …, size]` → `[… n …]`: out[p] sums every x(i, k) with i·stride + k·dilation = p. Numeric dtypes (integers
 * wrap). `count` must be what window gives for `n`, so that the two are exact transposes of each other.
 */
export const foldRow: Primitive<ParamsOf['fold']> = {
  infer: (xs, { axis, n, stride, dilation }) => {
    const bad = wrongCount(xs, 1)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    if (shape.length < 2) return refuse(`needs windows [count, size], got rank ${shape.length}`)
    const size = shape[shape.length - 1]!
    const wrong =
      wrongAxes([axis], shape.length - 1) ??
      wrongStep('window size', size) ??
      wrongStep('stride', stride) ??
      wrongStep('dilation', dilation)
    if (wrong) return wrong
    if (!Number.isInteger(n) || n < 0) return refuse(`size ${n} is not a whole number of elements`, axis)
    if (dtype === 'bool') return refuse('cannot sum bool', undefined, 'cast to i32 first')
    const count = windowCount(n, size, stride, dilation)
    if (shape[axis] !== count)
      return refuse(
        `axis ${axis} holds ${shape[axis]} windows of ${size}, but an axis of ${n} has ${count}`,
        axis,
        `stride ${stride}, dilation ${dilation}: fold undoes a window with the same parameters`,
      )
    return E.right([{ shape: shape.slice(0, -1).map((d, a) => (a === axis ? n : d)), dtype }])
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.fold([tangents[0]], params)],
  transpose: ({ b, ct, args, params: { axis, stride, dilation } }) => {
    const { shape } = operandType(args[0]!)
    return [b.window([ct], { axis, size: shape[shape.length - 1]!, stride, dilation })]
  },
  batch: ({ b, args, params }) => [b.fold([args[0]!], { ...params, axis: params.axis + 1 })],
  eval: ([x], { axis, stride, dilation }, [type]) => {
    const out = allocate(type!.dtype, sizeOf(type!.shape))
    const target = stridedOffsets(x!.shape, windowStrides(type!.shape, axis, stride, dilation))
    const { data } = x!
    for (let i = 0; i < target.length; i++) out[target[i]!] = out[target[i]!]! + data[i]!
    return [out]
  },
}
