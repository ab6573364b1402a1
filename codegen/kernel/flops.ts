/**
 * Floating-point work of kernel expressions: one unit per arithmetic operation and lane; integer operations and
 * comparisons are free. Planner and interpreter share this table.
 */
import type { BinaryOp, UnaryOp } from '../../src/lang/ir.ts'
import type { KExpr } from './kernel.ts'
import { operandsOf } from './parts.ts'

/** Units per lane of each elementwise operation on floats. A transcendental counts as one, as users count flops. */
export const flopWeight: { readonly [K in UnaryOp | BinaryOp]: number } = {
  neg: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  ceil: 1,
  trunc: 1,
  round: 1,
  sqrt: 1,
  rsqrt: 1,
  exp: 1,
  exp2: 1,
  expm1: 1,
  log: 1,
  log2: 1,
  log10: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  tan: 1,
  asin: 1,
  acos: 1,
  atan: 1,
  sinh: 1,
  cosh: 1,
  tanh: 1,
  asinh: 1,
  acosh: 1,
  atanh: 1,
  erf: 1,
  erfc: 1,
  erfinv: 1,
  lgamma: 1,
  digamma: 1,
  sigmoid: 1,
  not: 0,
  isNan: 0,
  isInf: 0,
  add: 1,
  sub: 1,
  mul: 1,
  div: 1,
  rem: 1,
  pow: 1,
  atan2: 1,
  max: 1,
  min: 1,
  eq: 0,
  lt: 0,
  le: 0,
  and: 0,
  or: 0,
  xor: 0,
  shiftLeft: 0,
  shiftRight: 0,
}

/** Units per lane of an expression itself; a function counts as one. */
const weightOf = (e: KExpr): number => {
  if (e.kind === 'apply') return 1
  if (e.kind === 'native') return flopWeight[e.op as BinaryOp] ?? 0
  return e.kind === 'unary' || e.kind === 'binary' ? flopWeight[e.op] : 0
}

/** Units of one evaluation of an expression. Both arms of a select count, as both may be evaluated. */
export const flopsOf = (e: KExpr): number => {
  const inner = operandsOf(e).reduce((n, x) => n + flopsOf(x), 0)
  const operand = e.kind === 'unary' || e.kind === 'binary' ? e.a : e
  const isFloat = operand.type.scalar === 'f32' || operand.type.scalar === 'f16'
  return isFloat ? inner + weightOf(e) * operand.type.width : inner
}
