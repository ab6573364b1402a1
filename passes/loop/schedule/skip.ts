/**
 * Steps that a contraction passes over: the padded edges of a convolution, where all that it would add is zero. A sum never is
 * -0 once it is begun, so that leaving out zeros changes no bit of it.
 */
import type { Bound, Cluster, LoopValue, Range } from '../ir/cluster.ts'
import { rangesOfIndex } from '../ir/index-expression.ts'
import { boundKey, valuesBelow, valuesOfIndex } from '../ir/values.ts'
import { isUniformBound } from './lane-pattern.ts'
import type { ReduceValue } from './nest.ts'
import type { Schedule } from './roles.ts'

/** For loops over reduced ranges, where their steps add anything. */
export type Skips = ReadonlyMap<Range, readonly Bound[]>

/** The bounds outside of which a term is zero. */
const boundsOfTerm = (v: LoopValue): readonly Bound[] =>
  v.kind === 'guard' && v.outside.kind === 'const' && v.outside.value === 0
    ? [...v.bounds, ...boundsOfTerm(v.inside)]
    : []

const isContraction = (r: ReduceValue): boolean => r.order === 'blocks' && r.values.length === 1

/** `schedule` with the steps that its loops pass over, at the loop that says whether a bound holds for all copies and lanes. */
export const skipping = (cluster: Cluster, schedule: Schedule): Schedule => {
  const { nest, roles } = schedule
  const reductions = valuesBelow(cluster.stores.map((s) => s.value)).filter(
    (v): v is ReduceValue => v.kind === 'reduce',
  )
  /** The loop at which a bound is known: the innermost that it depends on. */
  const loopOf = ({ over }: ReduceValue, { index }: Bound): Range | undefined => {
    const ranges = rangesOfIndex(index)
    const isBound = [...ranges].every((r) => over.includes(r) || nest.grid.includes(r) || r === schedule.task?.range)
    // What is computed is not known before the steps are.
    return isBound && valuesOfIndex(index).length === 0 ? over.findLast((r) => ranges.has(r)) : undefined
  }
  const isOne = (b: Bound): boolean =>
    [...rangesOfIndex(b.index)].every((r) => {
      const role = roles.get(r)
      return !role || (role.unroll === 1 && (!role.vector || isUniformBound(b, r)))
    })
  const skips = new Map<Range, readonly Bound[]>()
  for (const range of new Set(reductions.flatMap((r) => r.over))) {
    const over = reductions.filter((r) => r.over.includes(range))
    const [first] = over
    if (!first || !over.every(isContraction) || cluster.stores.some((s) => s.ranges.includes(range))) continue
    const keys = over.map((r) => new Set(boundsOfTerm(r.values[0]!).map(boundKey)))
    const bounds = boundsOfTerm(first.values[0]!).filter(
      (b) => loopOf(first, b) === range && isOne(b) && keys.every((k) => k.has(boundKey(b))),
    )
    if (bounds.length > 0) skips.set(range, bounds)
  }
  return skips.size > 0 ? { ...schedule, skips } : schedule
}
