/** Guarded forms of what targets leave underspecified at special values: max and min, sign, round, roots, conversions. */
import type { KExpr } from '../kernel.ts'
import { type Body, type Definition, type Definitions, lanewise, ofFloat, ofFloats } from './body.ts'
import {
  abs,
  add,
  and,
  bitsOf,
  clamp,
  div,
  eq,
  floatOf,
  floor,
  ge,
  gt,
  lt,
  mul,
  ne,
  or,
  pick,
  select,
  shiftLeft,
  sqrt,
  sub,
  toFloat,
  toInt,
  toWord,
} from './operators.ts'
import { type Case, infinityBits, isNan, isTinyBits, nanBits, patch, signBit, whereKept } from './patch.ts'

/** The bits `u` of a subnormal number as a number 2^150 times as large. */
const doubled = (u: KExpr): KExpr => toFloat(add(u, u))

/** The operand `a` where it `wins` or is NaN. */
const winner = (a: KExpr, b: KExpr, wins: KExpr): KExpr => select(or(wins, isNan(a)), a, b)

const extreme = (than: typeof gt, zeros: typeof and): Definition =>
  ofFloats((_f, a, b) =>
    patch(b, [eq(a, b), zeros(bitsOf(a), bitsOf(b))], [or(than(a, b), isNan(a)), bitsOf(a)], [isNan(b), bitsOf(b)]),
  )

/** The root where `f.keep` holds and the bits `u` are those of a subnormal number. */
const tinyRoot = (f: Body, u: KExpr, root: (x: KExpr) => KExpr): readonly Case[] =>
  whereKept(f, [isTinyBits(u), bitsOf(root(sqrt(doubled(u))))])

export type BasicName =
  | 'maxConst'
  | 'minConst'
  | 'max'
  | 'min'
  | 'sign'
  | 'round'
  | 'sqrt'
  | 'rsqrt'
  | 'toI32'
  | 'toU32'

export const basicFunctions: Definitions<BasicName> = {
  /** max with a constant `b` that is no NaN and no −0 (min: no +0). */
  maxConst: ofFloats((_f, a, b) => winner(a, b, gt(a, b))),
  minConst: ofFloats((_f, a, b) => winner(a, b, lt(a, b))),

  /** NaN if either operand is; of two zeros the positive. */
  max: extreme(gt, and),
  /** NaN if either operand is; of two zeros the negative. */
  min: extreme(lt, or),

  /** +0 for both zeros, NaN for NaN. */
  sign: ofFloat((f, x) => {
    const u = f.let('u', bitsOf(x))
    const a = f.let('a', and(u, 0x7fffffff))
    const one = f.let('one', or(and(u, signBit), 0x3f800000))
    return floatOf(select(gt(a, infinityBits), u, select(eq(a, 0), 0, one)))
  }),

  /** Ties to even, by integers: 2^23 and beyond, infinities and NaN are whole already. The sign of zero stays. */
  round: ofFloat((f, x) => {
    const u = f.let('u', bitsOf(x))
    const a = f.let('a', abs(x))
    const w = f.let('f', floor(a))
    const d = f.let('d', sub(a, w))
    const odd = f.let('odd', ne(mul(w, 0.5), floor(mul(w, 0.5))))
    const y = f.let('y', add(w, pick('f32', or(gt(d, 0.5), and(eq(d, 0.5), odd)), 1, 0)))
    const signed = f.let('signed', or(bitsOf(y), and(u, signBit)))
    return floatOf(select(ge(and(u, 0x7fffffff), 0x4b000000), u, signed))
  }),

  /** Zeros, infinity and NaN stay; below zero NaN. */
  sqrt: ofFloat((f, x) => {
    const u = f.let('u', bitsOf(x))
    return patch(
      sqrt(abs(x)),
      ...tinyRoot(f, u, (root) => mul(root, 2 ** -75)),
      [gt(u, signBit), nanBits],
      [or(eq(shiftLeft(u, 1), 0), and(ge(u, infinityBits), lt(u, signBit))), u],
    )
  }),

  /** A zero gives the infinity of its sign, infinity zero; below zero NaN. */
  rsqrt: ofFloat((f, x) => {
    const u = f.let('u', bitsOf(x))
    return patch(
      div(1, sqrt(abs(x))),
      ...tinyRoot(f, u, (root) => div(2 ** 75, root)),
      [gt(u, signBit), nanBits],
      [eq(shiftLeft(u, 1), 0), or(u, infinityBits)],
      [eq(u, infinityBits), 0],
      [isNan(x), u],
    )
  }),

  /** Truncates, saturates; NaN gives 0. */
  toI32: lanewise({ x: 'f32' }, (f, { x }) => {
    const y = f.let('y', toInt(clamp(x, -2147483648, 2147483520)))
    return select(isNan(x), 0, select(ge(x, 2147483648), 2147483647, y))
  }),
  toU32: lanewise({ x: 'f32' }, (f, { x }) => {
    const y = f.let('y', toWord(clamp(x, 0, 4294967040)))
    return select(isNan(x), 0, select(ge(x, 4294967296), 0xffffffff, y))
  }),
}
