/** Rows that choose and convert element by element: select, cast, bitcast. */
import * as E from '#fp/Either'
import { allocate, byteSize, type DType, integerRange, isFloat } from '../dtype.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { roundTo } from '../scalar-functions.ts'
import { ShapeEq, showShape } from '../shape.ts'
import { operandType, refuse, wrongCount } from './operand-checks.ts'
import { batchPointwise, map, type None, type Unary, wrongPair } from './pointwise.ts'
import { zerosLike } from './rule-parts.ts'

/** select(condition, x, y): x where the bool condition holds, else y; an unselected NaN does not show. Any dtype. */
export const select: Primitive<None> = {
  infer: (xs) => {
    const bad = wrongCount(xs, 3)
    if (bad) return bad
    const [condition, x, y] = [xs[0]!, xs[1]!, xs[2]!]
    if (condition.dtype !== 'bool')
      return refuse(
        `the condition is ${condition.dtype}, not bool`,
        undefined,
        "compare with T.eq, T.lt or T.le, or convert with T.cast(x, 'bool')",
      )
    const unequal = wrongPair(x, y)
    if (unequal) return unequal
    return ShapeEq.equals(condition.shape, x.shape)
      ? E.right([x])
      : refuse(
          `the condition has shape ${showShape(condition.shape)}, the branches ${showShape(x.shape)}`,
          undefined,
          'primitives do not broadcast: give all three one shape with T.broadcastTo',
        )
  },
  jvp: ({ b, args, tangents: [, dx, dy] }) => {
    if (!dx && !dy) return [undefined]
    const zero = zerosLike(b, args[1]!)
    return [b.select([args[0]!, dx ?? zero, dy ?? zero], {})]
  },
  transpose: ({ b, ct, args: [condition], linear: [, x, y] }) => {
    const zero = zerosLike(b, ct)
    return [
      undefined,
      x ? b.select([condition!, ct, zero], {}) : undefined,
      y ? b.select([condition!, zero, ct], {}) : undefined,
    ]
  },
  batch: batchPointwise((b) => b.select),
  eval: ([condition, x, y], _p, [type]) => {
    const out = allocate(type!.dtype, condition!.data.length)
    for (let i = 0; i < out.length; i++) out[i] = condition!.data[i] ? x!.data[i]! : y!.data[i]!
    return [out]
  },
}

const clamp =
  (low: number, high: number): Unary =>
  (x) =>
    Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high)

/** The scalar conversion; the array it is stored in gives integers their wrap. */
const conversion = (from: DType, to: DType): Unary => {
  if (to === 'bool') return (x) => (x !== 0 ? 1 : 0)
  if (to === 'f32' || to === 'f16' || to === 'bf16') return from === to || holdsAll(to, from) ? (x) => x : roundTo(to)
  return isFloat(from) ? clamp(...integerRange[to]) : (x) => x
}

/**
 * Converts values. Float to integer truncates toward zero, saturates, and NaN is 0; integers keep their low bits; to bool
 * is x != 0 (NaN is true); integers beyond the float's precision round to nearest even. Linear between floats.
 */
export const cast: Primitive<ParamsOf['cast']> = {
  infer: (xs, { dtype }) => wrongCount(xs, 1) ?? E.right([{ shape: xs[0]!.shape, dtype }]),
  jvp: ({ b, tangents: [dx], params }) => [dx && isFloat(params.dtype) ? b.cast([dx], params) : undefined],
  transpose: ({ b, ct, args }) => [b.cast([ct], { dtype: operandType(args[0]!).dtype })],
  batch: batchPointwise((b) => b.cast),
  eval: ([x], { dtype }, [type]) => [map(type!, x!.data, conversion(x!.dtype, dtype))],
}

/** Whether every value of `from` is one of the float dtype `to`. */
const holdsAll = (to: DType, from: DType): boolean =>
  from === 'bool' || from === 'i8' || from === 'u8' || (to === 'f32' && (from === 'f16' || from === 'bf16'))

const words = new DataView(new ArrayBuffer(4))

/** The word of a value (the low bits of one, for 8-bit integers), and the value of a word. */
const toWord: { readonly [K in DType]: ((x: number) => number) | undefined } = {
  f32: (x) => {
    words.setFloat32(0, x)
    return words.getUint32(0)
  },
  i32: (x) => x >>> 0,
  u32: (x) => x,
  i8: (x) => x,
  u8: (x) => x,
  bool: undefined,
  f16: undefined,
  bf16: undefined,
}
const fromWord: typeof toWord = {
  f32: (w) => {
    words.setUint32(0, w)
    return words.getFloat32(0)
  },
  i32: (w) => w | 0,
  u32: (w) => w,
  i8: (w) => w,
  u8: (w) => w,
  bool: undefined,
  f16: undefined,
  bf16: undefined,
}

/** The same bits read as another dtype: among f32, i32 and u32, and between i8 and u8. Has no tangent. */
export const bitcast: Primitive<ParamsOf['bitcast']> = {
  infer: (xs, { dtype }) => {
    const bad = wrongCount(xs, 1)
    if (bad) return bad
    const { shape, dtype: from } = xs[0]!
    return toWord[from] && toWord[dtype] && byteSize(from) === byteSize(dtype)
      ? E.right([{ shape, dtype }])
      : refuse(
          `cannot reinterpret ${from} as ${dtype}: only f32, i32 and u32 are 32-bit words, i8 and u8 bytes`,
          undefined,
          'T.cast converts values between any dtypes',
        )
  },
  jvp: () => [undefined],
  transpose: 'nonlinear',
  batch: batchPointwise((b) => b.bitcast),
  eval: ([x], { dtype }, [type]) => {
    const [read, write] = [toWord[x!.dtype]!, fromWord[dtype]!]
    return [map(type!, x!.data, (v) => write(read(v)))]
  },
}
