/** Which function computes an elementwise operation where an instruction does not: one total table for all targets. */
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import type { Scalar } from '../kernel.ts'
import type { FunctionName } from './table.ts'

/** By scalar; `kept` on f32 where subnormal numbers are kept. Nothing where any target has an instruction that will do. */
interface Row {
  readonly f32?: FunctionName
  readonly kept?: FunctionName
  readonly i32?: FunctionName
  readonly u32?: FunctionName
}

const none: Row = {}
const float = (f32: FunctionName): Row => ({ f32, kept: f32 })
const kept = (name: FunctionName): Row => ({ kept: name })

export const elementwiseFunctions: { readonly [K in UnaryOp | BinaryOp]: Row } = {
  neg: none,
  abs: none,
  sign: float('sign'),
  floor: kept('keptFloor'),
  ceil: kept('keptCeil'),
  trunc: none,
  round: float('round'),
  sqrt: float('sqrt'),
  rsqrt: float('rsqrt'),
  exp: float('exp'),
  exp2: float('exp2'),
  expm1: float('expm1'),
  log: float('log'),
  log2: float('log2'),
  log10: float('log10'),
  log1p: float('log1p'),
  sin: float('sin'),
  cos: float('cos'),
  tan: float('tan'),
  asin: float('asin'),
  acos: float('acos'),
  atan: float('atan'),
  sinh: float('sinh'),
  cosh: float('cosh'),
  tanh: float('tanh'),
  asinh: float('asinh'),
  acosh: float('acosh'),
  atanh: float('atanh'),
  erf: float('erf'),
  erfc: float('erfc'),
  erfinv: float('erfinv'),
  lgamma: float('lgamma'),
  digamma: float('digamma'),
  sigmoid: float('sigmoid'),
  not: none,
  isNan: none,
  isInf: none,
  add: kept('keptAdd'),
  sub: kept('keptSub'),
  mul: kept('keptMul'),
  div: kept('keptDiv'),
  rem: float('rem'),
  pow: { ...float('pow'), i32: 'powI32', u32: 'powU32' },
  atan2: float('atan2'),
  max: { f32: 'max', kept: 'keptMax' },
  min: { f32: 'min', kept: 'keptMin' },
  eq: kept('keptEq'),
  lt: kept('keptLt'),
  le: kept('keptLe'),
  and: none,
  or: none,
  xor: none,
  shiftLeft: { i32: 'shiftLeftSigned', u32: 'shiftLeft' },
  shiftRight: { i32: 'shiftRightSigned', u32: 'shiftRight' },
}

/** A function, and whether the operands change places. */
export interface Choice {
  readonly name: FunctionName
  readonly turned: boolean
}

/** With a constant that is neither NaN nor the zero that loses against the other zero, one test is enough. */
const withConstant: Partial<Record<UnaryOp | BinaryOp, { readonly name: FunctionName; readonly losing: number }>> = {
  max: { name: 'maxConst', losing: -0 },
  min: { name: 'minConst', losing: 0 },
}

/**
 * The function of an op on `scalar`, if it takes one; `constantAt(i)` is the value of operand i where it is a constant. f16 is
 * computed as f32.
 */
export const functionFor = (
  op: UnaryOp | BinaryOp,
  scalar: Scalar,
  keep: boolean,
  constantAt: (i: number) => number | undefined,
): Choice | undefined => {
  if (scalar === 'bool' || scalar === 'f16') return undefined
  const row = elementwiseFunctions[op]
  const name = scalar === 'f32' && keep ? row.kept : row[scalar]
  const easy = scalar === 'f32' && !keep ? withConstant[op] : undefined
  if (easy)
    for (const i of [1, 0]) {
      const c = constantAt(i)
      if (c !== undefined && !Number.isNaN(c) && !Object.is(c, easy.losing)) return { name: easy.name, turned: i === 0 }
    }
  return name && { name, turned: false }
}
