/**
 * Split-K: a long contraction with few results (such as the dot product of two long vectors) becomes partial contractions
 * of blocks, then their sum.
 */

import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import { productOf, sizeOf } from '../../src/lang/dim.ts'
import type { Build, Node } from '../../src/lang/ir.ts'
import { contractionRuns } from '../../src/lang/monoids.ts'
import { type Rule, rule } from '../rewrite.ts'
import { cutOf, inWide, isLong } from './two-stages.ts'

/** `x` with `axis` split into `outer` blocks of `block` elements, zero-padded at the end. */
const cutAxis = (b: Build, x: Node, axis: number, outer: number, block: number): Node => {
  const { shape } = typeOf(x)
  const none = shape.map(() => 0)
  const extra = outer * block - shape[axis]!
  const whole = extra === 0 ? x : b.pad([x], { low: none, high: none.with(axis, extra), interior: none, value: 0 })
  return b.reshape([whole], { shape: [...shape.slice(0, axis), outer, block, ...shape.slice(axis + 1)] })
}

/** Cuts one contracted axis: its blocks, and the contracted axes before it, become batch axes, which are then summed. */
export const splitDot: Rule = rule('splitDot', ['dot'], (n, b) => {
  if (E.isLeft(n.type)) return undefined
  const { lhs, rhs, out } = n.params
  const [x, y] = [n.args[0]!, n.args[1]!]
  const { shape } = typeOf(x)
  const contracted = lhs.filter((l) => rhs.includes(l) && !out.includes(l))
  const sizes = contracted.map((l) => shape[lhs.indexOf(l)]!)
  if (
    !isLong(
      productOf(sizes, (s) => s),
      sizeOf(typeOf(n).shape),
    )
  )
    return undefined
  const runs = contractionRuns(sizes)
  const { axis, outer, block } = cutOf(sizes.map((size, i) => ({ size, run: runs[i]!, isOneRun: true })))
  const label = contracted[axis]!
  const number = block === 1 ? label : Math.max(...lhs, ...rhs) + 1
  const cut = (labels: readonly number[]): readonly number[] =>
    block === 1 ? labels : labels.flatMap((l) => (l === label ? [number, l] : [l]))
  return inWide(b, [x, y], ([p, q]) => {
    const inBlocks = (z: Node, of: readonly number[]): Node =>
      block === 1 ? z : cutAxis(b, z, of.indexOf(label), outer, block)
    const left = [...contracted.slice(0, axis), number]
    const parts = [inBlocks(p!, lhs), inBlocks(q!, rhs)]
    const partial = b.dot(parts, { lhs: cut(lhs), rhs: cut(rhs), out: [...left, ...out] })
    return b.reduce([partial], { monoid: 'sum', axes: left.map((_, i) => i), states: left.map(() => joinRun) })
  })
})

/** Above a cut, sums are joined in fours. */
const joinRun = 4
