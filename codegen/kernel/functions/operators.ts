/**
 * What the bodies of functions are written in: instructions of the target on floats, elementwise operations on integers and
 * bools. A number beside an operand is a constant of the operand's type. Sums and products of several go from left to right:
 * no rounding is moved.
 */
import { invariant } from '../../../src/lang/errors.ts'
import { native } from '../build-function.ts'
import * as k from '../build-kernel.ts'
import type { KExpr, KType, Scalar } from '../kernel.ts'

export type Operand = KExpr | number

/** A number in every lane. */
export const constant = (x: number, { scalar, width }: KType): KExpr => k.splat(k.lit(x, scalar), width)

/** `x` as an operand of type `like`. */
export const operand = (x: Operand, like: KType): KExpr => (typeof x === 'number' ? constant(x, like) : x)

/** Two operands, of which one may be a number, with one type. */
const alike = (a: Operand, b: Operand): readonly [KExpr, KExpr] => {
  const like = typeof a === 'number' ? b : a
  invariant(typeof like !== 'number', 'an operation on two numbers')
  return [operand(a, like.type), operand(b, like.type)]
}

const isFloat = (x: KExpr): boolean => x.type.scalar === 'f32'

type Fold = (a: Operand, b: Operand, ...more: readonly Operand[]) => KExpr

const fold =
  (f: (a: KExpr, b: KExpr) => KExpr): Fold =>
  (a, b, ...more) =>
    more.reduce<KExpr>((x, y) => f(...alike(x, y)), f(...alike(a, b)))

const arithmetic = (op: 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max'): Fold =>
  fold((a, b) => (isFloat(a) ? native(op, a, b) : k.binary(op, a, b)))

export const add: Fold = arithmetic('add')
export const sub: Fold = arithmetic('sub')
export const mul: Fold = arithmetic('mul')
export const div: Fold = arithmetic('div')
export const min: Fold = arithmetic('min')
export const max: Fold = arithmetic('max')
export const and: Fold = fold(k.and)
export const or: Fold = fold(k.or)
export const xor: Fold = fold(k.xor)

/** x, but no less than `low` and no more than `high`. */
export const clamp = (x: KExpr, low: number, high: number): KExpr => min(max(x, low), high)

/** The remainder of integers. */
export const rem = (a: KExpr, b: KExpr): KExpr => k.rem(a, b)

export const neg = (a: KExpr): KExpr => (isFloat(a) ? native('neg', a) : k.neg(a))
export const abs = (a: KExpr): KExpr => (isFloat(a) ? native('abs', a) : k.unary('abs', a))
export const not = (a: KExpr): KExpr => k.not(a)
export const sqrt = (a: KExpr): KExpr => native('sqrt', a)
export const floor = (a: KExpr): KExpr => native('floor', a)
export const ceil = (a: KExpr): KExpr => native('ceil', a)
export const trunc = (a: KExpr): KExpr => native('trunc', a)
export const leadingZeros = (a: KExpr): KExpr => native('leadingZeros', a)

type Compare = (a: Operand, b: Operand) => KExpr

const comparison =
  (op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge', integers: (a: KExpr, b: KExpr) => KExpr): Compare =>
  (a, b) => {
    const [x, y] = alike(a, b)
    return isFloat(x) ? native(op, x, y) : integers(x, y)
  }

export const eq: Compare = comparison('eq', k.eq)
export const ne: Compare = comparison('ne', (a, b) => k.not(k.eq(a, b)))
export const lt: Compare = comparison('lt', k.lt)
export const le: Compare = comparison('le', k.le)
export const gt: Compare = comparison('gt', (a, b) => k.lt(b, a))
export const ge: Compare = comparison('ge', (a, b) => k.le(b, a))

/** Whether any or all lanes hold. */
export const any = (a: KExpr): KExpr => (a.type.width === 1 ? a : native('any', a))
export const all = (a: KExpr): KExpr => (a.type.width === 1 ? a : native('all', a))

/** `cond ? a : b`, lane by lane. */
export const select = (cond: KExpr, a: Operand, b: Operand): KExpr => k.select(cond, ...alike(a, b))

/** One of two constants, lane by lane. */
export const pick = (scalar: Scalar, cond: KExpr, a: number, b: number): KExpr => {
  const type = k.kType(scalar, cond.type.width)
  return k.select(cond, constant(a, type), constant(b, type))
}

/** Shifts of integers. An amount that is no constant is masked: `and(n, 31)`. */
export const shiftLeft = (a: KExpr, by: Operand): KExpr => k.shiftLeft(a, operand(by, a.type))
export const shiftRight = (a: KExpr, by: Operand): KExpr => k.shiftRight(a, operand(by, a.type))

/** The same bits as another type. */
export const bitsOf = (x: KExpr): KExpr => k.bitcast(x, 'u32')
export const intOf = (x: KExpr): KExpr => k.bitcast(x, 'i32')
export const floatOf = (x: KExpr): KExpr => k.bitcast(x, 'f32')

/** x without all but 12 significant bits. */
export const head12 = (x: KExpr): KExpr => floatOf(and(bitsOf(x), 0xfffff000))

/** The same number as another type. */
export const toFloat = (x: KExpr): KExpr => k.cast(x, 'f32')
export const toInt = (x: KExpr): KExpr => native('toI32', x)
/** Of a whole number below 2^22 in size. */
export const wholeToInt = (x: KExpr): KExpr => native('wholeToI32', x)
export const toWord = (x: KExpr): KExpr => native('toU32', x)

/** Horner's rule: c0 + x·(c1 + x·(…)). */
export const horner = (x: KExpr, [first, ...rest]: readonly number[]): KExpr => {
  invariant(first !== undefined, 'a polynomial without coefficients')
  return rest.length === 0 ? constant(first, x.type) : add(first, mul(x, horner(x, rest)))
}
