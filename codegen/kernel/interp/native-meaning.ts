/** What the instructions of a target give for operands that they promise something for, on one lane. */
import type { NativeOp } from '../kernel.ts'

type Meaning = (x: number, y: number) => number

const rounded =
  (f: Meaning): Meaning =>
  (x, y) =>
    Math.fround(f(x, y))
const test =
  (f: (x: number, y: number) => boolean): Meaning =>
  (x, y) =>
    f(x, y) ? 1 : 0

/** Instructions lane by lane; those of one operand ignore the second. */
export type NativeMeaning = { readonly [K in Exclude<NativeOp, 'any' | 'all'>]: Meaning }

/** As IEEE 754 has them, special values included. */
export const nativeMeaning: NativeMeaning = {
  add: rounded((x, y) => x + y),
  sub: rounded((x, y) => x - y),
  mul: rounded((x, y) => x * y),
  div: rounded((x, y) => x / y),
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: rounded(Math.sqrt),
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  min: Math.min,
  max: Math.max,
  eq: test((x, y) => x === y),
  ne: test((x, y) => x !== y),
  lt: test((x, y) => x < y),
  le: test((x, y) => x <= y),
  gt: test((x, y) => x > y),
  ge: test((x, y) => x >= y),
  toI32: (x) => x | 0,
  wholeToI32: (x) => x | 0,
  toU32: (x) => x >>> 0,
  leadingZeros: Math.clz32,
}

/** Whether any or all lanes hold. */
export const laneTest: { readonly [K in 'any' | 'all']: (xs: readonly number[]) => number } = {
  any: (xs) => (xs.some((x) => x !== 0) ? 1 : 0),
  all: (xs) => (xs.every((x) => x !== 0) ? 1 : 0),
}
