/**
 * The semantics of each elementwise operation on one lane, per kernel type: computed in Float64, rounded once. Total
 * over the operations.
 */
import { invariant } from '../../../src/lang/errors.ts'
import { roundHalf } from '../../../src/lang/half.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { digamma, lgamma } from '../../../src/lang/log-gamma.ts'
import {
  erf,
  erfc,
  erfinv,
  isInfinite,
  pow,
  powInteger,
  roundHalfEven,
  sigmoid,
  sign,
} from '../../../src/lang/scalar-functions.ts'
import type { Scalar } from '../kernel.ts'

export type Unary = (x: number) => number
export type Binary = (x: number, y: number) => number

/** Meanings by kind of type; bools are 0 and 1. */
interface Kinds<F> {
  readonly float?: F
  readonly i32?: F
  readonly u32?: F
  readonly bool?: F
}

const same: Unary = (x) => x
const float = (f: Unary): Kinds<Unary> => ({ float: f })
const rounding = (f: Unary): Kinds<Unary> => ({ float: f, i32: same, u32: same })
const numeric = (f: Unary, u32: Unary = f): Kinds<Unary> => ({ float: f, i32: f, u32 })

const unaryMeaning: { readonly [K in UnaryOp]: Kinds<Unary> } = {
  neg: numeric((x) => -x),
  abs: numeric(Math.abs, same),
  sign: numeric(sign),
  floor: rounding(Math.floor),
  ceil: rounding(Math.ceil),
  trunc: rounding(Math.trunc),
  round: rounding(roundHalfEven),
  sqrt: float(Math.sqrt),
  rsqrt: float((x) => 1 / Math.sqrt(x)),
  exp: float(Math.exp),
  exp2: float((x) => 2 ** x),
  expm1: float(Math.expm1),
  log: float(Math.log),
  log2: float(Math.log2),
  log10: float(Math.log10),
  log1p: float(Math.log1p),
  sin: float(Math.sin),
  cos: float(Math.cos),
  tan: float(Math.tan),
  asin: float(Math.asin),
  acos: float(Math.acos),
  atan: float(Math.atan),
  sinh: float(Math.sinh),
  cosh: float(Math.cosh),
  tanh: float(Math.tanh),
  asinh: float(Math.asinh),
  acosh: float(Math.acosh),
  atanh: float(Math.atanh),
  erf: float(erf),
  erfc: float(erfc),
  erfinv: float(erfinv),
  lgamma: float(lgamma),
  digamma: float(digamma),
  sigmoid: float(sigmoid),
  not: { i32: (x) => ~x, u32: (x) => ~x, bool: (x) => 1 - x },
  isNan: float((x) => (Number.isNaN(x) ? 1 : 0)),
  isInf: float((x) => (isInfinite(x) ? 1 : 0)),
}

const or: Binary = (x, y) => x | y
const and: Binary = (x, y) => x & y
const xor: Binary = (x, y) => x ^ y
const everywhere = (f: Binary, bool: Binary = f): Kinds<Binary> => ({ float: f, i32: f, u32: f, bool })
const inWord = (n: number): boolean => n >= 0 && n < 32

const divide: Binary = (x, y) => (y === 0 ? x : Math.trunc(x / y))
const remainder: Binary = (x, y) => (y === 0 ? 0 : x % y)

const binaryMeaning: { readonly [K in BinaryOp]: Kinds<Binary> } = {
  add: everywhere((x, y) => x + y, or),
  sub: everywhere((x, y) => x - y, xor),
  mul: { float: (x, y) => x * y, i32: Math.imul, u32: Math.imul, bool: and },
  div: { float: (x, y) => x / y, i32: divide, u32: divide },
  rem: { float: (x, y) => x % y, i32: remainder, u32: remainder },
  pow: { float: pow, i32: powInteger, u32: (x, y) => powInteger(x, y) },
  atan2: { float: Math.atan2 },
  max: everywhere(Math.max),
  min: everywhere(Math.min),
  eq: everywhere((x, y) => (x === y ? 1 : 0)),
  lt: everywhere((x, y) => (x < y ? 1 : 0)),
  le: everywhere((x, y) => (x <= y ? 1 : 0)),
  and: { i32: and, u32: and, bool: and },
  or: { i32: or, u32: or, bool: or },
  xor: { i32: xor, u32: xor, bool: xor },
  shiftLeft: { i32: (x, n) => (inWord(n) ? x << n : 0), u32: (x, n) => (inWord(n) ? x << n : 0) },
  shiftRight: {
    i32: (x, n) => (inWord(n) ? x >> n : x < 0 ? -1 : 0),
    u32: (x, n) => (inWord(n) ? x >>> n : 0),
  },
}

const kindOf = (s: Scalar): keyof Kinds<never> => (s === 'f32' || s === 'f16' ? 'float' : s)
const isPredicate = (op: UnaryOp | BinaryOp): boolean =>
  op === 'eq' || op === 'lt' || op === 'le' || op === 'isNan' || op === 'isInf'

/** The function of an elementwise op on one lane of `scalar`, rounded to that type (predicates give 0 or 1). */
export const unaryFunction = (op: UnaryOp, scalar: Scalar): Unary => {
  const f = unaryMeaning[op][kindOf(scalar)]
  invariant(f, `${op} of ${scalar}`)
  if (isPredicate(op) || scalar === 'bool') return f
  switch (scalar) {
    case 'f32':
      return (x) => Math.fround(f(x))
    case 'f16':
      return (x) => roundHalf(f(x))
    case 'i32':
      return (x) => f(x) | 0
    case 'u32':
      return (x) => f(x) >>> 0
  }
}

/** As `unaryFunction`, for two operands. */
export const binaryFunction = (op: BinaryOp, scalar: Scalar): Binary => {
  const f = binaryMeaning[op][kindOf(scalar)]
  invariant(f, `${op} of ${scalar}`)
  if (isPredicate(op) || scalar === 'bool') return f
  switch (scalar) {
    case 'f32':
      return (x, y) => Math.fround(f(x, y))
    case 'f16':
      return (x, y) => roundHalf(f(x, y))
    case 'i32':
      return (x, y) => f(x, y) | 0
    case 'u32':
      return (x, y) => f(x, y) >>> 0
  }
}

const rotate = (x: number, n: number): number => (x << n) | (x >>> (32 - n))

/** One word of Threefry-2x32 with 20 rounds (Salmon et al. 2011). */
export const threefryWord = (word: 0 | 1, k0: number, k1: number, c0: number, c1: number): number => {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda]
  let a = (c0 + k0) | 0
  let b = (c1 + k1) | 0
  for (let group = 0; group < 5; group++) {
    for (const n of group % 2 === 0 ? [13, 15, 26, 6] : [17, 29, 16, 24]) {
      a = (a + b) | 0
      b = rotate(b, n) ^ a
    }
    a = (a + keys[(group + 1) % 3]!) | 0
    b = (b + keys[(group + 2) % 3]! + group + 1) | 0
  }
  return (word === 0 ? a : b) >>> 0
}
