/** How far one element of a node's result may be from the true value, from the accuracy each op promises. */
import { accuracy } from '../../codegen/kernel/accuracy.ts'
import type { DType } from '../lang/dtype.ts'
import type { Node, Op } from '../lang/ir.ts'
import { roundTo } from '../lang/scalar-functions.ts'
import { functionRules } from '../lang/user-ops.ts'

/** The distance between neighbours of `dtype` around `x`; 0 around infinities and NaN. */
export const ulp = (x: number, dtype: DType): number => {
  const [digits, least] = dtype === 'f16' ? [10, -14] : dtype === 'bf16' ? [7, -126] : [23, -126]
  const a = Math.abs(x)
  if (!Number.isFinite(a)) return 0
  return 2 ** (Math.max(a === 0 ? least : Math.floor(Math.log2(a)), least) - digits)
}

/** Results that every IEEE machine gives exactly where they can be stored at all. */
const roundedOnce: ReadonlySet<Op> = new Set<Op>(['add', 'sub', 'mul', 'cast'])

/** The error of an element `v` of a float result that is computed from `terms` elements. Sums are not judged here. */
export const errorOf = (n: Node, v: number, dtype: DType, terms: number): number => {
  if (roundedOnce.has(n.op) && roundTo(dtype)(v) === v) return 0
  if (n.op === 'cast') return ulp(v, dtype)
  if (n.op === 'reduce' || n.op === 'cumulate') return n.params.monoid === 'prod' ? terms * ulp(v, dtype) : 0
  if (n.op === 'elementwise') return functionRules(n.params).ulp * ulp(v, dtype)
  if (!(n.op in accuracy)) return 0
  const { ulp: count, absolute } = accuracy[n.op as keyof typeof accuracy]
  return Math.max(count * ulp(v, dtype), absolute)
}
