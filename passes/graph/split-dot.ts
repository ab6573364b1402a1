/**
 * Split-K: a long contraction with few results (such as the dot product of two long vectors) becomes partial dots over
 * blocks, then their sum.
 */

import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import { ceilSqrt, floorDiv, productOf, sizeOf } from '../../src/lang/dim.ts'
import type { Build, Node } from '../../src/lang/ir.ts'
import { type Rule, rule } from '../rewrite.ts'
import { blocksOf, inF32, isLong } from './two-stages.ts'

/** `x` with `axis` split into `outer` blocks of `block` elements, zero-padded at the end. */
const cutAxis = (b: Build, x: Node, axis: number, outer: number, block: number): Node => {
  const { shape } = typeOf(x)
  const none = shape.map(() => 0)
  const extra = outer * block - shape[axis]!
  const whole = extra === 0 ? x : b.pad([x], { low: none, high: none.with(axis, extra), interior: none, value: 0 })
  return b.reshape([whole], { shape: [...shape.slice(0, axis), outer, block, ...shape.slice(axis + 1)] })
}

/** Splits the longest contracted axis: its blocks become a batch axis, which is then summed. */
export const splitDot: Rule = rule('splitDot', ['dot'], (n, b) => {
  if (E.isLeft(n.type)) return undefined
  const { lhs, rhs, out } = n.params
  const [x, y] = [n.args[0]!, n.args[1]!]
  const { shape } = typeOf(x)
  const contracted = lhs.filter((l) => rhs.includes(l) && !out.includes(l))
  const sizeOfLabel = (l: number): number => shape[lhs.indexOf(l)]!
  const count = productOf(contracted, sizeOfLabel)
  if (!isLong(count, sizeOf(typeOf(n).shape))) return undefined
  const longest = contracted.reduce((a, l) => (sizeOfLabel(l) > sizeOfLabel(a) ? l : a))
  const size = sizeOfLabel(longest)
  const wanted = floorDiv(ceilSqrt(count), count / size)
  const { outer, block } = wanted < 2 ? { outer: size, block: 1 } : blocksOf(size, wanted)
  const batch = Math.max(...lhs, ...rhs) + 1
  const cut = (labels: readonly number[]): readonly number[] =>
    labels.flatMap((l) => (l === longest ? [batch, l] : [l]))
  return inF32(b, [x, y], ([p, q]) => {
    const parts = [
      cutAxis(b, p!, lhs.indexOf(longest), outer, block),
      cutAxis(b, q!, rhs.indexOf(longest), outer, block),
    ]
    const partial = b.dot(parts, { lhs: cut(lhs), rhs: cut(rhs), out: [batch, ...out] })
    return b.reduce([partial], { monoid: 'sum', axes: [0] })
  })
})
