/** Rows of the ops that cut and join along axes: slice (with steps), pad (negative and interior too), concat. */
import * as E from '#fp/Either'
import { ceilDiv, dimMul, type Shape, sizeOf, stepCount } from '../dim.ts'
import { allocate, type DType, integerRange, isInteger } from '../dtype.ts'
import { showOperand } from '../errors.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { stridesOf } from '../shape.ts'
import { operandType, refuse, wrongAxes, wrongCount, wrongLength } from './operand-checks.ts'
import { batchedArgs, fill } from './rule-parts.ts'
import { stridedOffsets, take } from './strided.ts'

type Pad = ParamsOf['pad']

const slicedShape = ({ start, stop, step }: ParamsOf['slice']): Shape =>
  start.map((a, i) => stepCount(a, stop[i]!, step[i]!))

/**
 * Python's `x[start:stop:step]` on every axis, bounds already resolved. Any dtype.
 * Its transpose is pad: `start` zeros before, `step - 1` between, what was cut off after.
 */
export const slice: Primitive<ParamsOf['slice']> = {
  infer: (xs, p) => {
    const bad = wrongCount(xs, 1)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    const length =
      wrongLength('start', p.start, shape.length) ??
      wrongLength('stop', p.stop, shape.length) ??
      wrongLength('step', p.step, shape.length)
    if (length) return length
    for (const [axis, n] of shape.entries()) {
      const [start, stop, step] = [p.start[axis]!, p.stop[axis]!, p.step[axis]!]
      if (!Number.isInteger(step) || step < 1)
        return refuse(`step ${step} on axis ${axis} is not a positive integer`, axis, 'flip first for a negative step')
      if (!Number.isInteger(start) || !Number.isInteger(stop) || start < 0 || start > stop || stop > n)
        return refuse(
          `slice ${start}:${stop} does not fit axis ${axis} of size ${n}`,
          axis,
          `bounds must satisfy 0 <= start <= stop <= ${n}`,
        )
    }
    return E.right([{ shape: slicedShape(p), dtype }])
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.slice([tangents[0]], params)],
  transpose: ({ b, ct, args, params: { start, step } }) => {
    const { shape } = operandType(args[0]!)
    const counts = operandType(ct).shape
    const taken = counts.map((m, i) => (m === 0 ? 0 : (m - 1) * step[i]! + 1))
    const high = shape.map((n, i) => n - start[i]! - taken[i]!)
    return [b.pad([ct], { low: start, high, interior: step.map((s) => s - 1), value: 0 })]
  },
  batch: ({ b, args, size, params: { start, stop, step } }) => [
    b.slice([args[0]!], { start: [0, ...start], stop: [size, ...stop], step: [1, ...step] }),
  ],
  eval: ([x], { start, step }, [type]) => {
    const strides = stridesOf(x!.shape)
    const base = strides.reduce((sum, s, i) => sum + s * start[i]!, 0)
    const scaled = strides.map((s, i) => s * step[i]!)
    return [take(type!, x!.data, stridedOffsets(type!.shape, scaled, base))]
  },
}

const paddedSize = (n: number, low: number, high: number, interior: number): number =>
  low + high + n + Math.max(n - 1, 0) * interior

/** Whether `value` can be stored exactly as an integer or bool, or is any number for a float. */
const holds = (dtype: DType, value: number): boolean => {
  if (dtype === 'bool') return value === 0 || value === 1
  if (!isInteger(dtype)) return true
  const [low, high] = integerRange[dtype]
  return Number.isInteger(value) && value >= low && value <= high
}

/**
 * XLA's pad: `low` and `high` elements of `value` at the ends (negative: cropped), `interior` between neighbours.
 * Any dtype. Linear when `value` is 0; the transpose then undoes low and high by their negatives and keeps every
 * `interior + 1`-th element.
 */
export const pad: Primitive<Pad> = {
  infer: (xs, p) => {
    const bad = wrongCount(xs, 1)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    const length =
      wrongLength('low', p.low, shape.length) ??
      wrongLength('high', p.high, shape.length) ??
      wrongLength('interior', p.interior, shape.length)
    if (length) return length
    if (!holds(dtype, p.value))
      return refuse(`cannot pad ${dtype} with ${p.value}`, undefined, 'cast the operand first')
    const out: number[] = []
    for (const [axis, n] of shape.entries()) {
      const [low, high, interior] = [p.low[axis]!, p.high[axis]!, p.interior[axis]!]
      if (!Number.isInteger(low) || !Number.isInteger(high))
        return refuse(`padding (${low}, ${high}) on axis ${axis} is not a pair of integers`, axis)
      if (!Number.isInteger(interior) || interior < 0)
        return refuse(`interior padding ${interior} on axis ${axis} is not a non-negative integer`, axis)
      const size = paddedSize(n, low, high, interior)
      if (size < 0)
        return refuse(`padding (${low}, ${high}) leaves axis ${axis} of size ${n} with ${size} elements`, axis)
      out.push(size)
    }
    return E.right([{ shape: out, dtype }])
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.pad([tangents[0]], { ...params, value: 0 })],
  transpose: ({ b, ct, params: { low, high, interior } }) => {
    const none = low.map(() => 0)
    const uncropped = b.pad([ct], {
      low: low.map((n) => 0 - n),
      high: high.map((n) => 0 - n),
      interior: none,
      value: 0,
    })
    if (interior.every((n) => n === 0)) return [uncropped]
    const { shape } = operandType(uncropped)
    return [b.slice([uncropped], { start: none, stop: shape, step: interior.map((n) => n + 1) })]
  },
  batch: ({ b, args, params: { low, high, interior, value } }) => [
    b.pad([args[0]!], { low: [0, ...low], high: [0, ...high], interior: [0, ...interior], value }),
  ],
  eval: ([x], { low, interior, value }, [type]) => {
    const out = allocate(type!.dtype, sizeOf(type!.shape)).fill(value)
    // On each axis the elements first … last-1 of the operand land inside the result; the others are cropped.
    const first = x!.shape.map((_, a) => Math.max(0, ceilDiv(-low[a]!, interior[a]! + 1)))
    const last = x!.shape.map((n, a) => Math.min(n, ceilDiv(type!.shape[a]! - low[a]!, interior[a]! + 1)))
    const box = x!.shape.map((_, a) => Math.max(0, last[a]! - first[a]!))
    const [from, to] = [stridesOf(x!.shape), stridesOf(type!.shape)]
    const source = stridedOffsets(box, from, offsetOf(first, from))
    const corner = first.map((f, a) => low[a]! + f * (interior[a]! + 1))
    const scaled = to.map((s, a) => s * (interior[a]! + 1))
    const target = stridedOffsets(box, scaled, offsetOf(corner, to))
    for (let i = 0; i < source.length; i++) out[target[i]!] = x!.data[source[i]!]!
    return [out]
  },
}

const offsetOf = (index: readonly number[], strides: readonly number[]): number =>
  index.reduce((sum, x, i) => sum + x * strides[i]!, 0)

/** Joins one or more operands of one dtype along `axis`; other sizes agree. Its transpose cuts the cotangent apart. */
export const concat: Primitive<ParamsOf['concat']> = {
  infer: (xs, { axis }) => {
    const first = xs[0]
    if (!first) return refuse('needs at least one operand')
    const rank = first.shape.length
    if (rank === 0) return refuse('cannot join scalars along an axis', undefined, 'stack them instead')
    const bad = wrongAxes([axis], rank)
    if (bad) return bad
    let total = 0
    for (const [i, x] of xs.entries()) {
      const what = `operand ${i} is ${showOperand(x)}, operand 0 is ${showOperand(first)}`
      if (x.dtype !== first.dtype) return refuse(`dtypes differ: ${what}`, undefined, 'cast them to one dtype')
      if (x.shape.length !== rank) return refuse(`ranks differ: ${what}`)
      const at = x.shape.findIndex((n, a) => a !== axis && n !== first.shape[a])
      if (at >= 0) return refuse(`sizes of axis ${at} differ: ${what}`, at, `only axis ${axis} may differ in size`)
      total += x.shape[axis]!
    }
    return E.right([{ shape: first.shape.map((n, a) => (a === axis ? total : n)), dtype: first.dtype }])
  },
  jvp: ({ b, args, tangents, params }) => [
    b.concat(
      tangents.map((t, i) => t ?? fill(b, operandType(args[i]!), 0)),
      params,
    ),
  ],
  transpose: ({ b, ct, args, linear, params: { axis } }) => {
    const { shape } = operandType(ct)
    let offset = 0
    return args.map((arg, i) => {
      const from = offset
      offset += operandType(arg).shape[axis]!
      if (!linear[i]) return undefined
      const start = shape.map((_, a) => (a === axis ? from : 0))
      const stop = shape.map((n, a) => (a === axis ? offset : n))
      return b.slice([ct], { start, stop, step: shape.map(() => 1) })
    })
  },
  batch: (c) => [c.b.concat(batchedArgs(c), { axis: c.params.axis + 1 })],
  eval: (xs, { axis }, [type]) => {
    const out = allocate(type!.dtype, sizeOf(type!.shape))
    const inner = sizeOf(type!.shape.slice(axis + 1))
    const outer = sizeOf(type!.shape.slice(0, axis))
    const row = dimMul(inner, type!.shape[axis]!)
    let offset = 0
    for (const x of xs) {
      const block = dimMul(inner, x.shape[axis]!)
      for (let o = 0; o < outer; o++) out.set(x.data.subarray(o * block, (o + 1) * block), o * row + offset)
      offset += block
    }
    return [out]
  },
}
