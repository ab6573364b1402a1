/** The worst result of an elementwise op on f32 against the reference. */
import { type Accuracy, accuracy } from '../../../codegen/kernel/accuracy.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { predicates } from './elementwise.ts'
import { floatOf, leastDistance, readings } from './sweep.ts'

/** The reference's value of one op on one tuple of operands. */
export const reference = (op: UnaryOp | BinaryOp, dtype: DType, xs: readonly number[]): number => {
  const result: DType = predicates.has(op) ? 'bool' : dtype
  const values = xs.map((x) => ({ shape: [1], dtype, data: Float64Array.of(x) }))
  const [out] = evaluateRow(op, values, {}, [{ shape: [1], dtype: result }])
  return Number(out![0])
}

interface Worst {
  ulp: number
  absolute: number
  at: string
}

/** The worst result of an op on f32 inputs; signs of zeros are compared too. */
export const worstOf = (
  op: UnaryOp | BinaryOp,
  inputs: readonly Uint32Array[],
  got: Uint32Array,
  allowed: Pick<Accuracy, 'absolute'> = accuracy[op],
): Worst => {
  const worst: Worst = { ulp: 0, absolute: 0, at: '' }
  const predicate = predicates.has(op)
  for (let i = 0; i < got.length; i++) {
    const xs = inputs.map((words) => floatOf(words[i]!))
    const y = predicate ? got[i]! : floatOf(got[i]!)
    const seen = xs.map(readings)
    const [first, second] = seen
    const tuples = second ? first!.flatMap((a) => second.map((b) => [a, b])) : first!.map((a) => [a])
    const wants = tuples.map((t) => reference(op, 'f32', t))
    const d = leastDistance(y, wants)
    const zero = y === 0 && wants[0] === 0 && !wants.some((w) => Object.is(w, y))
    if (d.absolute <= allowed.absolute && !zero) continue
    const ulp = zero ? Number.POSITIVE_INFINITY : d.ulp
    if (ulp > worst.ulp)
      Object.assign(worst, { ulp, absolute: d.absolute, at: `${op}(${xs.join(', ')}) = ${y}, not ${wants[0]}` })
  }
  return worst
}
