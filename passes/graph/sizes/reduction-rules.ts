/** Named sizes through reductions and contractions: elements that are not there count as the identity. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../../src/lang/build.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import type { Monoid, Node } from '../../../src/lang/ir.ts'
import { type MonoidRow, rowOf, treeRun } from '../../../src/lang/monoids.ts'
import { nodeArithmetic } from '../../../src/lang/ops/node-arithmetic.ts'
import { monoidTable } from '../../../src/lang/ops/reductions.ts'
import { flipped } from './movement-rules.ts'
import {
  asItIs,
  demandWithin,
  lengthNode,
  masked,
  resultsOf,
  type SizeContext,
  type SizeRule,
  spread,
} from './size-rule.ts'

/** The value of one element that counts for nothing. */
const identityOf = (row: MonoidRow, dtype: DType): number => row.identity(dtype as 'f32')[0]!

export const reduce: SizeRule<'reduce'> = (c) => {
  const { monoid, axes, states } = c.params
  const sizes = c.sizes[0]!
  if (axes.every((a) => typeof sizes[a] === 'number')) return asItIs(c)
  if (!monoidTable[monoid].hasIdentity && !states) for (const a of axes) demandWithin(c, 1, sizes[a]!)
  const x = c.args[0]!
  if (monoid === 'meanVar') return E.right(meanAndVariance(c))
  const kept = masked(c, x, sizes, axes, identityOf(rowOf(monoid), typeOf(x).dtype))
  return E.right(resultsOf(build.reduce([kept], c.params)))
}

/** An element is a state of one element, or of none. */
const meanAndVariance = (c: SizeContext<'reduce'>): readonly Node[] => {
  const { axes } = c.params
  const x = c.args[0]!
  const sizes = c.sizes[0]!
  const type = typeOf(x)
  const monoid: Monoid = 'meanVar'
  const a = nodeArithmetic(build)
  const state = rowOf(monoid)
    .lift(a, x, 'f32', undefined)
    .map((part) => masked(c, part, sizes, axes, 0))
  const sorted = axes.toSorted((p, q) => p - q)
  const states = resultsOf(build.reduce(state, { monoid, axes: sorted, states: sorted.map(() => treeRun) }))
  const [total] = resultsOf(build.reduce([masked(c, x, sizes, axes, -0)], { monoid: 'sum', axes }))
  const count = axes.reduce(
    (product, axis) => build.mul([product, lengthNode(c, sizes[axis]!)], {}) as Node,
    lengthNode(c, 1),
  )
  const counted = spread(build.cast([count], { dtype: type.dtype }), typeOf(total!).shape)
  return [build.div([total!, counted], {}), rowOf(monoid).finish(a, states, 'f32')[0]!]
}

export const cumulate: SizeRule<'cumulate'> = (c) => {
  const { axis, reverse } = c.params
  const sizes = c.sizes[0]!
  const size = sizes[axis]!
  if (!reverse || typeof size === 'number') return asItIs(c)
  // From the last element on, not from the bound: sums are joined in blocks, which begin there.
  const turned = flipped(c, c.args[0]!, axis, size)
  const sums = resultsOf(build.cumulate([turned], { ...c.params, reverse: false }))
  const [values, positions] = sums.map((x) => flipped(c, x, axis, size))
  if (!positions) return E.right([values!])
  const last = spread(build.sub([lengthNode(c, size), lengthNode(c, 1)], {}), typeOf(positions).shape)
  return E.right([values!, build.sub([last, positions], {})])
}

export const dot: SizeRule<'dot'> = (c) => {
  const { lhs, rhs, out } = c.params
  const kept = [lhs, rhs].map((labels, i) => {
    const summed = labels.flatMap((label, axis) => (out.includes(label) ? [] : [axis]))
    return masked(c, c.args[i]!, c.sizes[i]!, summed, 0)
  })
  return E.right([build.dot(kept, c.params)])
}

/** Windows that are not there, and elements that windows do not have, add nothing to the axis they lie on. */
export const fold: SizeRule<'fold'> = (c) => {
  const sizes = c.sizes[0]!
  return E.right([build.fold([masked(c, c.args[0]!, sizes, [c.params.axis, sizes.length - 1], 0)], c.params)])
}
