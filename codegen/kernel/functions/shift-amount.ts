/** Amounts of shifts that a word has bits for, by their form: there an instruction of any target shifts as the op does. */
import { constantOf } from '../build-leaf.ts'
import type { KExpr } from '../kernel.ts'

/** Whether `by` is in 0…31 whatever its operands are. */
export const isWithinWord = (by: KExpr): boolean => {
  const known = constantOf(by)
  if (known !== undefined) return known >= 0 && known < 32
  if (by.kind === 'bitcast') return isWithinWord(by.a)
  if (by.kind !== 'binary') return false
  const masks = by.op === 'and' || (by.op === 'min' && by.type.scalar === 'u32')
  return masks && [by.a, by.b].some((x) => constantOf(x) !== undefined && isWithinWord(x))
}
