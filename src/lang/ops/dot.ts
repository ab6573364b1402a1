/** The row of dot: a two-operand einsum over labelled axes, of which every matmul, outer product and contraction is one. */
import * as E from '#fp/Either'
import { sizeOf } from '../dim.ts'
import { allocate } from '../dtype.ts'
import type { Refusal } from '../errors.ts'
import type { ParamsOf, TensorType } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { stridesOf } from '../shape.ts'
import { plural, refuse, wrongCount } from './operand-checks.ts'
import { stridedOffsets } from './strided.ts'

type Dot = ParamsOf['dot']

/** Why the labels themselves are no einsum, whatever the operands. */
const wrongLabels = (xs: readonly TensorType[], { lhs, rhs, out }: Dot): E.Either<Refusal, never> | undefined => {
  for (const [name, labels, x] of [
    ['left', lhs, xs[0]!],
    ['right', rhs, xs[1]!],
  ] as const) {
    if (labels.length !== x.shape.length)
      return refuse(`${plural(labels.length, 'label')} for a ${name} operand of rank ${x.shape.length}`)
  }
  for (const [name, labels] of [
    ['left operand', lhs],
    ['right operand', rhs],
    ['result', out],
  ] as const) {
    const axis = labels.findIndex((l, i) => labels.indexOf(l) !== i)
    if (axis >= 0) return refuse(`label ${labels[axis]} repeats inside the ${name}`, axis)
  }
  for (const label of new Set([...lhs, ...rhs, ...out])) {
    if ([lhs, rhs, out].filter((labels) => labels.includes(label)).length >= 2) continue
    const [where, axis] = lhs.includes(label)
      ? ['left operand', lhs.indexOf(label)]
      : rhs.includes(label)
        ? ['right operand', rhs.indexOf(label)]
        : ['result', out.indexOf(label)]
    return refuse(
      `label ${label} is only in the ${where}`,
      axis,
      'sum over the axis before, or broadcast the result after',
    )
  }
  return undefined
}

/** The size of each label, from whichever operand has it. */
const sizesOf = (xs: readonly TensorType[], { lhs, rhs }: Dot): ReadonlyMap<number, number> =>
  new Map([...rhs.map((l, i) => [l, xs[1]!.shape[i]!] as const), ...lhs.map((l, i) => [l, xs[0]!.shape[i]!] as const)])

/** The stride each of `wanted` has in an operand labelled `labels`: 0 where the operand lacks it. */
const labelStrides = (wanted: readonly number[], labels: readonly number[], x: TensorType): readonly number[] => {
  const strides = stridesOf(x.shape)
  return wanted.map((l) => strides[labels.indexOf(l)] ?? 0)
}

/**
 * Contracts labels that both operands have and the result lacks. f32, f16, i32, u32 (integers wrap); an empty contraction
 * gives zeros. Linear in either operand; the transposes are dot with the labels permuted.
 */
export const dot: Primitive<Dot> = {
  infer: (xs, p) => {
    const bad = wrongCount(xs, 2) ?? wrongLabels(xs, p)
    if (bad) return bad
    const [x, y] = [xs[0]!, xs[1]!]
    if (x.dtype !== y.dtype)
      return refuse(`dtypes differ: ${x.dtype} and ${y.dtype}`, undefined, 'cast one operand to the dtype of the other')
    if (x.dtype === 'bool') return refuse('cannot multiply bool', undefined, 'cast to i32 or f32 first')
    for (const [i, label] of p.lhs.entries()) {
      const j = p.rhs.indexOf(label)
      if (j < 0 || x.shape[i] === y.shape[j]) continue
      const kind = p.out.includes(label) ? 'batch' : 'contracted'
      return refuse(
        `${kind} axes differ: ${x.shape[i]} and ${y.shape[j]}`,
        i,
        `axis ${i} of the left operand goes with axis ${j} of the right`,
      )
    }
    const sizes = sizesOf(xs, p)
    return E.right([{ shape: p.out.map((l) => sizes.get(l)!), dtype: x.dtype }])
  },
  jvp: ({ b, args, tangents: [dx, dy], params }) => {
    const left = dx && b.dot([dx, args[1]!], params)
    const right = dy && b.dot([args[0]!, dy], params)
    return [left && right ? b.add([left, right], {}) : (left ?? right)]
  },
  transpose: ({ b, ct, args, linear, params: { lhs, rhs, out } }) =>
    linear[0]
      ? [b.dot([ct, args[1]!], { lhs: out, rhs, out: lhs }), undefined]
      : [undefined, b.dot([args[0]!, ct], { lhs, rhs: out, out: rhs })],
  batch: ({ b, args, batched, params: { lhs, rhs, out } }) => {
    const fresh = Math.max(-1, ...lhs, ...rhs) + 1
    const labels = {
      lhs: batched[0] ? [fresh, ...lhs] : lhs,
      rhs: batched[1] ? [fresh, ...rhs] : rhs,
      out: [fresh, ...out],
    }
    return [b.dot(args, labels)]
  },
  eval: (xs, p, [type]) => {
    const [x, y] = [xs[0]!, xs[1]!]
    const sizes = sizesOf(xs, p)
    const inner = p.lhs.filter((l) => !p.out.includes(l))
    const innerShape = inner.map((l) => sizes.get(l)!)
    // Offsets of one contraction, and where each result element's contraction starts, in either operand.
    const xk = stridedOffsets(innerShape, labelStrides(inner, p.lhs, x))
    const yk = stridedOffsets(innerShape, labelStrides(inner, p.rhs, y))
    const xo = stridedOffsets(type!.shape, labelStrides(p.out, p.lhs, x))
    const yo = stridedOffsets(type!.shape, labelStrides(p.out, p.rhs, y))
    const out = allocate(type!.dtype, sizeOf(type!.shape))
    const float = out instanceof Float64Array
    const [a, c] = [x.data, y.data]
    for (let i = 0; i < out.length; i++) {
      const [s, t] = [xo[i]!, yo[i]!]
      let acc = 0
      if (float) for (let k = 0; k < xk.length; k++) acc += a[s + xk[k]!]! * c[t + yk[k]!]!
      else for (let k = 0; k < xk.length; k++) acc = (acc + Math.imul(a[s + xk[k]!]!, c[t + yk[k]!]!)) | 0
      out[i] = acc
    }
    return [out]
  },
}
