/** Rows of the nodes without operands: input, const, data, iota. */
import * as E from '#fp/Either'
import { floorDiv, isDim, sizeOf } from '../dim.ts'
import { allocate, type HostArray } from '../dtype.ts'
import { invariant, type Refusal } from '../errors.ts'
import type { Build, Node, ParamsOf, TensorType } from '../ir.ts'
import type { BatchContext, Primitive } from '../primitive.ts'
import { stridesOf } from '../shape.ts'
import { plural, refuse, wrongAxes, wrongCount, wrongPositions } from './operand-checks.ts'
import { stack } from './rule-parts.ts'

/** The type a leaf's own parameters say, or why it cannot be. */
const leafType = (
  xs: readonly TensorType[],
  { shape, dtype }: TensorType,
): E.Either<Refusal, readonly TensorType[]> => {
  const bad = wrongCount(xs, 0)
  if (bad) return bad
  const axis = shape.findIndex((d) => !isDim(d))
  return axis < 0
    ? E.right([{ shape, dtype }])
    : refuse(`size ${shape[axis]} of axis ${axis} is not a whole number of elements`, axis)
}

const wrongLength = ({ shape }: TensorType, n: number): E.Either<Refusal, never> | undefined =>
  n === sizeOf(shape)
    ? undefined
    : refuse(
        `got ${plural(n, 'value')} for ${plural(sizeOf(shape), 'element')}`,
        undefined,
        'give one value per element',
      )

/** A leaf has no operand that could be batched: should a walk ask all the same, every example sees the same leaf. */
const batchLeaf =
  <P>(make: (b: Build) => (args: readonly Node[], params: P) => Node) =>
  ({ b, size, params }: BatchContext<P>): readonly Node[] => [stack(b, make(b)([], params), size)]

const noTangent = (): readonly undefined[] => [undefined]

/** `values` as an array of the dtype. */
const store = ({ dtype }: TensorType, values: ArrayLike<number>): HostArray => {
  const out = allocate(dtype, values.length)
  out.set(values)
  return out
}

/** An argument of a traced function. It has no value of its own: the interpreter binds it. */
export const input: Primitive<ParamsOf['input']> = {
  infer: (xs, p) => leafType(xs, p),
  jvp: noTangent,
  transpose: 'nonlinear',
  batch: batchLeaf((b) => b.input),
  eval: () => {
    invariant(false, 'an input was evaluated instead of bound')
  },
}

/** A constant of up to 64 elements, inside the node. */
export const constRow: Primitive<ParamsOf['const']> = {
  infer: (xs, p) => wrongLength(p, p.values.length) ?? leafType(xs, p),
  jvp: noTangent,
  transpose: 'nonlinear',
  batch: batchLeaf((b) => b.const),
  eval: (_xs, { values }, [type]) => [store(type!, values)],
}

/** A larger constant, by identity. The interpreter shares its array and never writes to it. */
export const data: Primitive<ParamsOf['data']> = {
  infer: (xs, p) => wrongLength(p, p.payload.array.length) ?? leafType(xs, p),
  jvp: noTangent,
  transpose: 'nonlinear',
  batch: batchLeaf((b) => b.data),
  eval: (_xs, { payload: { array } }, [type]) => [array instanceof Float64Array ? array : store(type!, array)],
}

/** Counts 0, 1, 2 … along `axis`, repeated along the others. Floats and integers. */
export const iota: Primitive<ParamsOf['iota']> = {
  infer: (xs, p) =>
    p.dtype === 'bool'
      ? refuse('cannot count in bool', undefined, "count in 'i32' and compare")
      : (wrongAxes([p.axis], p.shape.length) ??
        (p.dtype === 'i32' ? wrongPositions(p.shape, p.axis) : undefined) ??
        leafType(xs, p)),
  jvp: noTangent,
  transpose: 'nonlinear',
  batch: batchLeaf((b) => b.iota),
  eval: (_xs, { shape, axis }, [type]) => {
    const out = allocate(type!.dtype, sizeOf(shape))
    const stride = stridesOf(shape)[axis]!
    const n = shape[axis]!
    for (let i = 0; i < out.length; i++) out[i] = floorDiv(i, stride) % n
    return [out]
  },
}
