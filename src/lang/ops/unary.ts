/** Rows of the elementwise ops of one operand: scalar meaning, tangent, and for neg the transpose. */

import type { Build, Node, UnaryOp } from '../ir.ts'
import { digamma, lgamma } from '../log-gamma.ts'
import type { Linear, Primitive } from '../primitive.ts'
import { erf, erfc, erfinv, isInfinite, roundHalfEven, sigmoid, sign } from '../scalar-functions.ts'
import { type None, type Scalars, type Unary, type UnaryJvp, unaryRow } from './pointwise.ts'
import { polygamma } from './polygamma.ts'
import { offset, scale, subtractFrom } from './rule-parts.ts'

const mul = (b: Build, x: Node, y: Node): Node => b.mul([x, y], {})
const div = (b: Build, x: Node, y: Node): Node => b.div([x, y], {})
const square = (b: Build, x: Node): Node => b.mul([x, x], {})

const float = (f: Unary): Scalars<Unary> => ({ float: f, i32: undefined, u32: undefined, bool: undefined })
const numeric = (f: Unary, i32: Unary, u32: Unary): Scalars<Unary> => ({ float: f, i32, u32, bool: undefined })

/** 1 - x², as (1 - x)(1 + x): no cancellation beside ±1. */
const oneMinusSquare = (b: Build, x: Node): Node => mul(b, subtractFrom(b, 1, x), offset(b, x, 1))

interface Meaning {
  readonly scalars: Scalars<Unary>
  readonly result?: 'same' | 'bool'
  readonly tangent?: (c: UnaryJvp) => Linear
  readonly transpose?: Primitive<None>['transpose']
}

/** A float function and its tangent; without one the derivative is zero wherever it exists. */
const smooth = (f: Unary, tangent: (c: UnaryJvp) => Linear): Meaning => ({ scalars: float(f), tangent })
const step = (f: Unary): Meaning => ({ scalars: float(f) })

const meanings: { readonly [K in UnaryOp]: Meaning } = {
  neg: {
    scalars: numeric(
      (x) => -x,
      (x) => -x,
      (x) => -x,
    ),
    tangent: ({ b, dx }) => b.neg([dx], {}),
    transpose: ({ b, ct }) => [b.neg([ct], {})],
  },
  // abs'(0) = 0, which sign(0) = 0 gives.
  abs: {
    scalars: numeric(Math.abs, Math.abs, (x) => x),
    tangent: ({ b, x, dx }) => mul(b, dx, b.sign([x], {})),
  },
  sign: { scalars: numeric(sign, sign, sign) },
  floor: step(Math.floor),
  ceil: step(Math.ceil),
  trunc: step(Math.trunc),
  round: step(roundHalfEven),
  sqrt: smooth(Math.sqrt, ({ b, dx, out }) => div(b, dx, b.add([out, out], {}))),
  rsqrt: smooth(
    (x) => 1 / Math.sqrt(x),
    ({ b, dx, out }) => mul(b, dx, scale(b, mul(b, out, square(b, out)), -0.5)),
  ),
  exp: smooth(Math.exp, ({ b, dx, out }) => mul(b, dx, out)),
  exp2: smooth(
    (x) => 2 ** x,
    ({ b, dx, out }) => mul(b, dx, scale(b, out, Math.LN2)),
  ),
  expm1: smooth(Math.expm1, ({ b, dx, out }) => mul(b, dx, offset(b, out, 1))),
  log: smooth(Math.log, ({ b, x, dx }) => div(b, dx, x)),
  log2: smooth(Math.log2, ({ b, x, dx }) => div(b, dx, scale(b, x, Math.LN2))),
  log10: smooth(Math.log10, ({ b, x, dx }) => div(b, dx, scale(b, x, Math.LN10))),
  log1p: smooth(Math.log1p, ({ b, x, dx }) => div(b, dx, offset(b, x, 1))),
  sin: smooth(Math.sin, ({ b, x, dx }) => mul(b, dx, b.cos([x], {}))),
  cos: smooth(Math.cos, ({ b, x, dx }) => mul(b, dx, b.neg([b.sin([x], {})], {}))),
  tan: smooth(Math.tan, ({ b, dx, out }) => mul(b, dx, offset(b, square(b, out), 1))),
  asin: smooth(Math.asin, ({ b, x, dx }) => mul(b, dx, b.rsqrt([oneMinusSquare(b, x)], {}))),
  acos: smooth(Math.acos, ({ b, x, dx }) => mul(b, dx, b.neg([b.rsqrt([oneMinusSquare(b, x)], {})], {}))),
  atan: smooth(Math.atan, ({ b, x, dx }) => div(b, dx, offset(b, square(b, x), 1))),
  sinh: smooth(Math.sinh, ({ b, x, dx }) => mul(b, dx, b.cosh([x], {}))),
  cosh: smooth(Math.cosh, ({ b, x, dx }) => mul(b, dx, b.sinh([x], {}))),
  tanh: smooth(Math.tanh, ({ b, dx, out }) => mul(b, dx, subtractFrom(b, 1, square(b, out)))),
  asinh: smooth(Math.asinh, ({ b, x, dx }) => mul(b, dx, b.rsqrt([offset(b, square(b, x), 1)], {}))),
  acosh: smooth(Math.acosh, ({ b, x, dx }) => mul(b, dx, b.rsqrt([mul(b, offset(b, x, -1), offset(b, x, 1))], {}))),
  atanh: smooth(Math.atanh, ({ b, x, dx }) => div(b, dx, oneMinusSquare(b, x))),
  erf: smooth(erf, ({ b, x, dx }) => mul(b, dx, gauss(b, x, 2 / Math.sqrt(Math.PI)))),
  erfc: smooth(erfc, ({ b, x, dx }) => mul(b, dx, gauss(b, x, -2 / Math.sqrt(Math.PI)))),
  erfinv: smooth(erfinv, ({ b, dx, out }) => mul(b, dx, scale(b, b.exp([square(b, out)], {}), Math.sqrt(Math.PI) / 2))),
  lgamma: smooth(lgamma, ({ b, x, dx }) => mul(b, dx, b.digamma([x], {}))),
  digamma: smooth(digamma, ({ b, x, dx }) => mul(b, dx, polygamma(b, x, 1))),
  sigmoid: smooth(sigmoid, ({ b, dx, out }) => mul(b, dx, mul(b, out, subtractFrom(b, 1, out)))),
  not: {
    scalars: {
      float: undefined,
      i32: (x) => ~x,
      u32: (x) => ~x,
      bool: (x) => 1 - x,
    },
  },
  isNan: { scalars: float((x) => (Number.isNaN(x) ? 1 : 0)), result: 'bool' },
  isInf: { scalars: float((x) => (isInfinite(x) ? 1 : 0)), result: 'bool' },
}

/** factor · exp(-x²). */
const gauss = (b: Build, x: Node, factor: number): Node => scale(b, b.exp([b.neg([square(b, x)], {})], {}), factor)

/** One row per elementwise op of one operand. */
export const unaryRows: { readonly [K in UnaryOp]: Primitive<None> } = Object.fromEntries(
  Object.entries(meanings).map(([op, meaning]) => [op, unaryRow({ make: (b) => b[op as UnaryOp], ...meaning })]),
) as { readonly [K in UnaryOp]: Primitive<None> }
