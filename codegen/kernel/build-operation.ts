/** Elementwise operations of the Kernel IR: operands checked, integer and bool constants folded. */
import { invariant } from '../../src/lang/errors.ts'
import type { BinaryOp, UnaryOp } from '../../src/lang/ir.ts'
import { bool, constantOf, kType, lit, sameType, showType, splat } from './build-leaf.ts'
import type { KExpr, Scalar } from './kernel.ts'
import { castValue } from './scalar-value.ts'

const isFloatScalar = (s: Scalar): boolean => s === 'f32' || s === 'f16'
const isIntegerScalar = (s: Scalar): boolean => s === 'i32' || s === 'u32'
const words: readonly Scalar[] = ['f32', 'i32', 'u32']

const anyType: readonly Scalar[] = ['f32', 'i32', 'u32', 'bool', 'f16']
const numbers: readonly Scalar[] = ['f32', 'i32', 'u32', 'f16']
const integers: readonly Scalar[] = ['i32', 'u32']
const floats: readonly Scalar[] = ['f32', 'f16']
const bits: readonly Scalar[] = ['i32', 'u32', 'bool']

/** Scalars each unary op accepts; `floor`, `ceil`, `trunc` and `round` leave integers as they are. */
export const unaryDomain: { readonly [K in UnaryOp]: readonly Scalar[] } = {
  neg: numbers,
  abs: numbers,
  sign: numbers,
  floor: numbers,
  ceil: numbers,
  trunc: numbers,
  round: numbers,
  sqrt: floats,
  rsqrt: floats,
  exp: floats,
  exp2: floats,
  expm1: floats,
  log: floats,
  log2: floats,
  log10: floats,
  log1p: floats,
  sin: floats,
  cos: floats,
  tan: floats,
  asin: floats,
  acos: floats,
  atan: floats,
  sinh: floats,
  cosh: floats,
  tanh: floats,
  asinh: floats,
  acosh: floats,
  atanh: floats,
  erf: floats,
  erfc: floats,
  erfinv: floats,
  lgamma: floats,
  digamma: floats,
  sigmoid: floats,
  not: bits,
  isNan: numbers,
  isInf: numbers,
}

/** Scalars each binary op accepts. On bool, `add` and `max` are or, `mul` and `min` are and, `sub` is xor. */
export const binaryDomain: { readonly [K in BinaryOp]: readonly Scalar[] } = {
  add: anyType,
  sub: anyType,
  mul: anyType,
  div: numbers,
  rem: numbers,
  pow: numbers,
  atan2: floats,
  max: anyType,
  min: anyType,
  eq: anyType,
  lt: anyType,
  le: anyType,
  and: bits,
  or: bits,
  xor: bits,
  shiftLeft: integers,
  shiftRight: integers,
}

/** An elementwise op of one operand; the predicates give bool. */
export const unary = (op: UnaryOp, a: KExpr): KExpr => {
  invariant(unaryDomain[op].includes(a.type.scalar), `${op} of ${showType(a.type)}`)
  const integer = isIntegerScalar(a.type.scalar)
  if (op === 'isNan' || op === 'isInf') {
    if (integer) return splat(bool(false), a.type.width)
    return { kind: 'unary', op, a, type: kType('bool', a.type.width) }
  }
  if (integer && (op === 'floor' || op === 'ceil' || op === 'trunc' || op === 'round')) return a
  if (op === 'not' && a.kind === 'unary' && a.op === 'not') return a.a
  const value = a.kind === 'lit' ? a.value : undefined
  if (value !== undefined && op === 'neg') return lit(-value, a.type.scalar)
  if (value !== undefined && op === 'not' && a.type.scalar === 'bool') return bool(value === 0)
  return { kind: 'unary', op, a, type: a.type }
}

/** An elementwise op of two operands of one type; `eq lt le` give bool. Integer and bool constants are folded. */
export const binary = (op: BinaryOp, a: KExpr, b: KExpr): KExpr => {
  invariant(sameType(a.type, b.type), `${op} of ${showType(a.type)} and ${showType(b.type)}`)
  invariant(binaryDomain[op].includes(a.type.scalar), `${op} of ${showType(a.type)}`)
  const type = op === 'eq' || op === 'lt' || op === 'le' ? kType('bool', a.type.width) : a.type
  const folded =
    a.type.scalar === 'bool' ? foldBool(op, a, b) : isFloatScalar(a.type.scalar) ? undefined : foldInteger(op, a, b)
  return folded ?? { kind: 'binary', op, a, b, type }
}

const foldBool = (op: BinaryOp, a: KExpr, b: KExpr): KExpr | undefined => {
  const x = constantOf(a)
  const y = constantOf(b)
  const isAnd = op === 'and' || op === 'mul' || op === 'min'
  const isOr = op === 'or' || op === 'add' || op === 'max'
  if (!isAnd && !isOr) return undefined
  const [unit, zero] = isAnd ? [1, 0] : [0, 1]
  if (x === unit || y === zero) return b
  if (y === unit || x === zero) return a
  return undefined
}

const foldInteger = (op: BinaryOp, a: KExpr, b: KExpr): KExpr | undefined => {
  const scalar = a.type.scalar
  const x = constantOf(a)
  const y = constantOf(b)
  if (x !== undefined && y !== undefined) {
    const value = integerValue(op, x, y)
    if (value !== undefined) {
      const of = op === 'eq' || op === 'lt' || op === 'le' ? 'bool' : scalar
      return splat(lit(value, of), a.type.width)
    }
  }
  const zero = (): KExpr => splat(lit(0, scalar), a.type.width)
  switch (op) {
    case 'add':
      if (y === 0) return a
      if (x === 0) return b
      return x === undefined ? reassociate(op, a, b) : binary(op, b, a)
    case 'sub':
      return y === 0 ? a : undefined
    case 'mul':
      if (x === 0 || y === 0) return zero()
      if (y === 1) return a
      if (x === 1) return b
      return x === undefined ? reassociate(op, a, b) : binary(op, b, a)
    case 'div':
      return y === 1 ? a : undefined
    case 'rem':
      return y === 1 ? zero() : undefined
    case 'lt':
      return y === 0 && scalar === 'u32' ? splat(bool(false), a.type.width) : undefined
    case 'shiftLeft':
    case 'shiftRight':
      return y === 0 ? a : undefined
    case 'min':
      return scalar === 'u32' && (x === 0 || y === 0) ? zero() : undefined
    case 'max':
      return scalar !== 'u32' ? undefined : y === 0 ? a : x === 0 ? b : undefined
    default:
      return undefined
  }
}

/** (e + c) + d → e + (c + d), likewise for products: integer arithmetic wraps, so this is exact. */
const reassociate = (op: 'add' | 'mul', a: KExpr, b: KExpr): KExpr | undefined => {
  if (a.kind !== 'binary' || a.op !== op || constantOf(b) === undefined || constantOf(a.b) === undefined)
    return undefined
  return binary(op, a.a, binary(op, a.b, b))
}

const integerValue = (op: BinaryOp, x: number, y: number): number | undefined => {
  switch (op) {
    case 'add':
      return x + y
    case 'sub':
      return x - y
    case 'mul':
      return Math.imul(x, y)
    case 'div':
      return y === 0 ? undefined : Math.trunc(x / y)
    case 'rem':
      return y === 0 ? undefined : x % y
    case 'max':
      return Math.max(x, y)
    case 'min':
      return Math.min(x, y)
    case 'eq':
      return x === y ? 1 : 0
    case 'lt':
      return x < y ? 1 : 0
    case 'le':
      return x <= y ? 1 : 0
    default:
      return undefined
  }
}

export const add = (a: KExpr, b: KExpr): KExpr => binary('add', a, b)
export const sub = (a: KExpr, b: KExpr): KExpr => binary('sub', a, b)
export const mul = (a: KExpr, b: KExpr): KExpr => binary('mul', a, b)
export const div = (a: KExpr, b: KExpr): KExpr => binary('div', a, b)
export const rem = (a: KExpr, b: KExpr): KExpr => binary('rem', a, b)
export const max = (a: KExpr, b: KExpr): KExpr => binary('max', a, b)
export const min = (a: KExpr, b: KExpr): KExpr => binary('min', a, b)
export const eq = (a: KExpr, b: KExpr): KExpr => binary('eq', a, b)
export const lt = (a: KExpr, b: KExpr): KExpr => binary('lt', a, b)
export const le = (a: KExpr, b: KExpr): KExpr => binary('le', a, b)
export const and = (a: KExpr, b: KExpr): KExpr => binary('and', a, b)
export const or = (a: KExpr, b: KExpr): KExpr => binary('or', a, b)
export const xor = (a: KExpr, b: KExpr): KExpr => binary('xor', a, b)
export const not = (a: KExpr): KExpr => unary('not', a)
export const neg = (a: KExpr): KExpr => unary('neg', a)
export const shiftLeft = (a: KExpr, b: KExpr): KExpr => binary('shiftLeft', a, b)
export const shiftRight = (a: KExpr, b: KExpr): KExpr => binary('shiftRight', a, b)

/** `cond ? a : b`, lane by lane. */
export const select = (cond: KExpr, a: KExpr, b: KExpr): KExpr => {
  invariant(
    cond.type.scalar === 'bool' && cond.type.width === a.type.width,
    `select by ${showType(cond.type)} of ${showType(a.type)}`,
  )
  invariant(sameType(a.type, b.type), `select of ${showType(a.type)} and ${showType(b.type)}`)
  const known = constantOf(cond)
  if (known !== undefined) return known === 0 ? b : a
  return { kind: 'select', cond, a, b, type: a.type }
}

/** Conversion by value: float to integer truncates and saturates, NaN gives 0; anything but zero is true. */
export const cast = (a: KExpr, scalar: Scalar): KExpr => {
  if (a.type.scalar === scalar) return a
  if (a.kind === 'lit') return lit(castValue(a.type.scalar, scalar, a.value), scalar)
  return { kind: 'cast', a, type: kType(scalar, a.type.width) }
}

/** The same 32 bits read as another type. */
export const bitcast = (a: KExpr, scalar: Scalar): KExpr => {
  invariant(words.includes(scalar) && words.includes(a.type.scalar), `bitcast of ${showType(a.type)} to ${scalar}`)
  if (a.type.scalar === scalar) return a
  return { kind: 'bitcast', a, type: kType(scalar, a.type.width) }
}
