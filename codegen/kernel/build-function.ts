/** Constructors of what functions are made of beside elementwise operations: instructions of the target, and other functions. */
import { invariant } from '../../src/lang/errors.ts'
import { kType, sameType, showType } from './build-leaf.ts'
import type { KExpr, KFunction, KType, NativeOp, Scalar } from './kernel.ts'

interface Signature {
  readonly of: Scalar
  readonly operands: 1 | 2
  /** The scalar of the result where it is another. */
  readonly gives?: Scalar
}

const arithmetic = (operands: 1 | 2): Signature => ({ of: 'f32', operands })
const comparison: Signature = { of: 'f32', operands: 2, gives: 'bool' }

const signatures: { readonly [K in NativeOp]: Signature } = {
  add: arithmetic(2),
  sub: arithmetic(2),
  mul: arithmetic(2),
  div: arithmetic(2),
  neg: arithmetic(1),
  abs: arithmetic(1),
  sqrt: arithmetic(1),
  floor: arithmetic(1),
  ceil: arithmetic(1),
  trunc: arithmetic(1),
  min: arithmetic(2),
  max: arithmetic(2),
  eq: comparison,
  ne: comparison,
  lt: comparison,
  le: comparison,
  gt: comparison,
  ge: comparison,
  toI32: { of: 'f32', operands: 1, gives: 'i32' },
  toU32: { of: 'f32', operands: 1, gives: 'u32' },
  wholeToI32: { of: 'f32', operands: 1, gives: 'i32' },
  leadingZeros: { of: 'u32', operands: 1 },
  any: { of: 'bool', operands: 1 },
  all: { of: 'bool', operands: 1 },
}

const list = (args: readonly KExpr[]): string => args.map((a) => showType(a.type)).join(', ')

/** The type of an instruction's result, or the violation. */
export const nativeType = (op: NativeOp, args: readonly KExpr[]): KType | string => {
  const { of, operands, gives = of } = signatures[op]
  const width = args[0]?.type.width ?? 1
  if (args.length !== operands || args.some((a) => !sameType(a.type, kType(of, width))))
    return `native ${op} of ${list(args)}`
  return kType(gives, op === 'any' || op === 'all' ? 1 : width)
}

/** An instruction of the target. */
export const native = (op: NativeOp, ...args: readonly KExpr[]): KExpr => {
  const type = nativeType(op, args)
  if (typeof type === 'string') return invariant(false, type) as never
  return { kind: 'native', op, args, type }
}

/** The type of a result of a function, or the violation. */
export const applyType = (callee: KFunction, args: readonly KExpr[], result: number): KType | string => {
  const given = callee.results[result]
  const fits = args.length === callee.params.length && args.every((a, i) => sameType(a.type, callee.params[i]!.type))
  return fits && given ? given.type : `result ${result} of ${callee.name} of ${list(args)}`
}

/** A result of a function; where several are wanted, with the same `args`. */
export const apply = (callee: KFunction, args: readonly KExpr[], result = 0): KExpr => {
  const type = applyType(callee, args, result)
  if (typeof type === 'string') return invariant(false, type) as never
  return { kind: 'apply', callee, args, result, type }
}
