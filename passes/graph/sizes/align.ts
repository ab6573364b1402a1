/**
 * Trials that differ by an operation which does nothing in some of them: a table that is cut to a size is left whole where it
 * has that size, and what is padded up to one is left as it is. There the operation is put back, for its rule to see.
 */
import * as E from '#fp/Either'
import { build, typeOf } from '../../../src/lang/build.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { type Thrice, thrice } from './trials.ts'

const everyAxis = (n: Node, of: (size: number) => number): readonly number[] => typeOf(n).shape.map(of)

/** `n` by the operation of `moved`, a slice or a padding, which leaves it alone. */
const untouched = (n: Node, moved: Node): Node => {
  const none = everyAxis(n, () => 0)
  if (moved.op === 'pad') return build.pad([n], { ...moved.params, low: none, high: none, interior: none })
  return build.slice([n], { start: none, stop: everyAxis(n, (d) => d), step: everyAxis(n, () => 1) })
}

/** `nodes` as nodes of one operation, where some of them are slices or paddings and the others what those leave alone. */
export const aligned = (nodes: Thrice<Node>): Thrice<Node> => {
  const [{ op }] = nodes
  const moved = nodes.find((n) => n.op === 'slice' || n.op === 'pad')
  if (!moved || nodes.every((n) => n.op === op) || nodes.some((n) => E.isLeft(n.type))) return nodes
  const { length: rank } = typeOf(moved).shape
  if (nodes.some((n) => typeOf(n).shape.length !== rank)) return nodes
  return thrice(nodes, (n) => (n.op === moved.op ? n : untouched(n, moved)))
}
