/** Tests and repairs of special values, all on bits: comparisons with NaN and arithmetic with infinities promise nothing. */
import * as k from '../build-kernel.ts'
import type { KExpr } from '../kernel.ts'
import type { Body } from './body.ts'
import { and, bitsOf, floatOf, ge, lt, type Operand, or, select, sub } from './operators.ts'

/** The bits of the canonical NaN, of infinity, of the sign, of everything else. */
export const nanBits = 0x7fc00000
export const infinityBits = 0x7f800000
export const signBit = 0x80000000
const magnitudeMask = 0x7fffffff

/** The bits of |x|. */
export const magnitude = (x: KExpr): KExpr => and(bitsOf(x), magnitudeMask)

/** The sign bit of x. */
export const signOf = (x: KExpr): KExpr => and(bitsOf(x), signBit)

/** Whether x is NaN, lane by lane. */
export const isNan = (x: KExpr): KExpr => k.unary('isNan', x)

/** Whether x is an infinity, lane by lane. */
export const isInfinite = (x: KExpr): KExpr => k.unary('isInf', x)

/** Whether x is an infinity or NaN, lane by lane. */
export const isNonFinite = (x: KExpr): KExpr => ge(magnitude(x), infinityBits)

/** Whether the bits `u` of a magnitude are those of a subnormal number, zero excluded. */
export const isTinyBits = (u: KExpr): KExpr => lt(sub(u, 1), 0x007fffff)

/** Whether x is subnormal, lane by lane. */
export const isTiny = (x: KExpr): KExpr => isTinyBits(magnitude(x))

/** |x|, whatever x is. */
export const absolute = (x: KExpr): KExpr => floatOf(magnitude(x))

/** A condition and the bits that replace a value where it holds. */
export type Case = readonly [condition: KExpr, bits: Operand]

/** Cases that only matter where subnormal numbers are kept. */
export const whereKept = (f: Body, ...cases: readonly Case[]): readonly Case[] => (f.keep ? cases : [])

/** Where subnormal numbers are kept, `x` times the slope at 0 in place of what an odd function makes of a tiny `x`. */
export const slope = (f: Body, x: KExpr, factor: number): readonly Case[] =>
  f.keep ? [[lt(magnitude(x), 0x0d800000), bitsOf(f.call('keptMul', x, factor))]] : []

/** Where an odd function whose slope at 0 is 1 gives its argument back: at NaN, and at subnormal numbers if they are kept. */
export const isItself = (f: Body, x: KExpr): KExpr => (f.keep ? or(isNan(x), isTiny(x)) : isNan(x))

/** `y` with its bits replaced where a condition holds; later cases win. */
export const patch = (y: KExpr, ...cases: readonly Case[]): KExpr =>
  cases.length === 0
    ? y
    : floatOf(cases.reduce((bits, [condition, other]) => select(condition, other, bits), bitsOf(y)))

/** `size` (not negative) with the sign of x, −0 included. */
export const oddSign = (size: KExpr, x: KExpr): KExpr => floatOf(or(bitsOf(size), signOf(x)))
