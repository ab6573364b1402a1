/**
 * Error bounds of each elementwise operation on f32 against the Float64 reference, by which random tests scale their
 * tolerance. Measured on SwiftShader over dense sweeps and special values (test/codegen/accuracy.test.ts), and rounded
 * up to allow for devices whose division and square root have the 2.5 ULP error that WGSL permits.
 */
import type { BinaryOp, UnaryOp } from '../../src/lang/ir.ts'

/** A result passes within `ulp` units in the last place of the reference, or within `absolute`. */
export interface Accuracy {
  readonly ulp: number
  readonly absolute: number
}

const exact: Accuracy = { ulp: 0, absolute: 0 }
/** One rounding: to nearest, or towards either neighbour. */
const rounded: Accuracy = { ulp: 1, absolute: 0 }
const within = (ulp: number, absolute = 0): Accuracy => ({ ulp, absolute })

/** The table, total over the ops. */
export const accuracy: { readonly [K in UnaryOp | BinaryOp]: Accuracy } = {
  neg: exact,
  abs: exact,
  sign: exact,
  floor: exact,
  ceil: exact,
  trunc: exact,
  round: exact,
  sqrt: within(3),
  rsqrt: within(4),
  exp: within(2),
  exp2: within(2),
  expm1: within(2),
  log: within(2),
  log2: within(2),
  log10: within(2),
  log1p: within(2),
  sin: within(3),
  cos: within(3),
  tan: within(5),
  asin: within(4),
  acos: within(4),
  atan: within(4),
  sinh: within(3),
  cosh: within(3),
  tanh: within(3),
  asinh: within(4),
  acosh: within(4),
  atanh: within(4),
  erf: within(3),
  erfc: within(5),
  erfinv: within(5),
  // The reflection at 0 is a difference: absolute precision beside the zeros on the left.
  lgamma: within(6, 4e-6),
  digamma: within(6, 4e-6),
  sigmoid: within(4),
  not: exact,
  isNan: exact,
  isInf: exact,
  add: rounded,
  sub: rounded,
  mul: rounded,
  div: within(3),
  rem: exact,
  pow: within(3),
  atan2: within(4),
  max: exact,
  min: exact,
  eq: exact,
  lt: exact,
  le: exact,
  and: exact,
  or: exact,
  xor: exact,
  shiftLeft: exact,
  shiftRight: exact,
}
