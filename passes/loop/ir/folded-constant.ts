/**
 * Folding of constant arithmetic that lowering itself creates (an empty sum, for example), which must not reach a
 * driver.
 */
import { allocate, type KernelDType } from '../../../src/lang/dtype.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import type { PointwiseOp } from '../../../src/lang/ir.ts'
import { roundTo } from '../../../src/lang/scalar-functions.ts'
import type { LoopValue } from './cluster.ts'

/**
 * `op` of constant operands, rounded to `dtype`; undefined when an operand is not constant. Drivers may fold NaN / 0 to
 * an infinity, and reject non-finite constant expressions.
 */
export const foldedConstant = (op: PointwiseOp, dtype: KernelDType, args: readonly LoopValue[]): number | undefined => {
  const operands = args.flatMap((a) => {
    if (a.kind !== 'const') return []
    const data = allocate(a.dtype, 1)
    data[0] = a.value
    return [{ shape: [], dtype: a.dtype, data }]
  })
  if (operands.length < args.length) return undefined
  const [result] = evaluateRow(op, operands, { dtype }, [{ shape: [], dtype }])
  return roundTo(dtype)(result![0]!)
}
