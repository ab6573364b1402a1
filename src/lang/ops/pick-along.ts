/** Elements picked along one axis by an index of the same rank: the tangent of what chooses elements. */
import type { Build, Node } from '../ir.ts'
import { operandType } from './operand-checks.ts'

/** out[…, j, …] = x[…, index[…, j, …], …] along `axis`; the other axes agree. Linear in x. */
export const gatherAlong = (b: Build, x: Node, index: Node, axis: number): Node => {
  const rank = operandType(x).shape.length
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)
  const toEnd = [...others, axis]
  const back = toEnd.map((_, i) => toEnd.indexOf(i))
  const picked = b.gather([b.permute([x], { axes: toEnd }), b.permute([index], { axes: toEnd })], { batch: rank - 1 })
  return b.permute([picked], { axes: back })
}
