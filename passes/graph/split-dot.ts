/**
 * Split-K: a long contraction with few results (such as the dot product of two long vectors) becomes partial contractions
 * of blocks, then their sum.
 */

import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import type { Node } from '../../src/lang/ir.ts'
import { contractionRuns, radix } from '../../src/lang/monoids.ts'
import { type Rule, rule } from '../rewrite.ts'
import { cutOf, inBlocks, inWide, isLong } from './two-stages.ts'

/** Cuts one contracted axis: its blocks, and the contracted axes before it, become batch axes, which are then summed. */
export const splitDot: Rule = rule('splitDot', ['dot'], (n, b) => {
  if (E.isLeft(n.type)) return undefined
  const { lhs, rhs, out } = n.params
  const [x, y] = [n.args[0]!, n.args[1]!]
  const { shape } = typeOf(x)
  const contracted = lhs.filter((l) => rhs.includes(l) && !out.includes(l))
  const sizes = contracted.map((l) => shape[lhs.indexOf(l)]!)
  if (!isLong(sizeOf(sizes), sizeOf(typeOf(n).shape))) return undefined
  const runs = contractionRuns(sizes)
  const place = cutOf(sizes.map((size, i) => ({ size, run: runs[i]!, isOneRun: true })))
  const { axis, block } = place
  const label = contracted[axis]!
  const number = block === 1 ? label : Math.max(...lhs, ...rhs) + 1
  const cut = (labels: readonly number[]): readonly number[] =>
    block === 1 ? labels : labels.flatMap((l) => (l === label ? [number, l] : [l]))
  return inWide(b, [x, y], ([p, q]) => {
    const split = (z: Node, of: readonly number[]): Node =>
      block === 1 ? z : inBlocks(b, z, of.indexOf(label), place, 0)
    const left = [...contracted.slice(0, axis), number]
    const parts = [split(p!, lhs), split(q!, rhs)]
    const partial = b.dot(parts, { lhs: cut(lhs), rhs: cut(rhs), out: [...left, ...out] })
    return b.reduce([partial], { monoid: 'sum', axes: left.map((_, i) => i), states: left.map(() => radix) })
  })
})
