/** Why two dispatches are not one, as `explain` shows it: joins that fusion tried and refused, inside loops too. */
import type { Planned } from '../../codegen/plan/make-plan.ts'
import type { Fused, Fusion } from '../../passes/loop/fuse/fusion.ts'
import type { Node } from '../lang/ir.ts'
import { dispatchesOf, type NameOf } from './explain-loops.ts'

/** Why two dispatches (of a routine or loop the nearest one), of which the second reads what the first stores or both read the same, are not one. */
export interface BoundaryReport {
  readonly from: number
  readonly to: number
  readonly producer: readonly string[]
  readonly consumer: readonly string[]
  readonly reason: string
  readonly savedBytes: number
}

const whyNotTried = (a: Fused, b: Fused): string => {
  if (a.routine?.loop || b.routine?.loop) return 'a loop has kernels of its own'
  if (a.routine || b.routine) return 'a routine has kernels of its own'
  return 'not tried: parts of them were, and the cost model kept those apart'
}

/** The boundaries between the clusters of one fusion, what its loops hold left out. */
const boundariesWithin = (
  fusion: Fusion,
  dispatches: ReadonlyMap<Fused, readonly number[]>,
  nameOf: NameOf,
): readonly BoundaryReport[] => {
  const place = new Map<Fused, number>()
  const home = new Map<Node, Fused>()
  fusion.kernels.forEach((kernel, i) => {
    for (const f of kernel) {
      place.set(f, i)
      for (const n of f.stored) home.set(n, f)
    }
  })
  const found = new Map<string, BoundaryReport>()
  /** `a` runs before `b`; one that has no dispatch at all has no boundary. */
  const between = (a: Fused, b: Fused, rest: Omit<BoundaryReport, 'from' | 'to'>, isLast: boolean): void => {
    const to = Math.min(...(dispatches.get(b) ?? []))
    // In a loop the producer runs again after that; the turn that comes first is shown.
    const from = Math.max(...(dispatches.get(a) ?? []).filter((i) => i < to))
    if (!Number.isFinite(from) || !Number.isFinite(to) || (!isLast && found.has(`${from},${to}`))) return
    found.set(`${from},${to}`, { from, to, ...rest })
  }
  for (const { producer, consumer, reason, savedBytes } of fusion.refused) {
    const [a, b] = [home.get(producer[0]!), home.get(consumer[0]!)]
    if (!a || !b || place.get(a) === place.get(b)) continue
    // Clusters that merely read the same were tried in any order; here the dispatch that runs first stands first.
    const isInOrder = place.get(a)! < place.get(b)!
    const [first, second] = isInOrder ? [producer, consumer] : [consumer, producer]
    const rest = { producer: first.map(nameOf), consumer: second.map(nameOf), reason, savedBytes }
    between(isInOrder ? a : b, isInOrder ? b : a, rest, true)
  }
  for (const f of fusion.kernels.flat()) {
    for (const n of f.reads) {
      const from = home.get(n)
      if (!from || place.get(from) === place.get(f)) continue
      const rest = {
        producer: [nameOf(n)],
        consumer: f.stored.map(nameOf),
        reason: whyNotTried(from, f),
        savedBytes: 0,
      }
      between(from, f, rest, false)
    }
  }
  return [...found.values()]
}

/**
 * One line for every pair of dispatches where fusion was tried and refused (the last attempt holds), and for every pair
 * that passes a value on without one: there the clusters that were tried became parts of others.
 */
export const boundariesOf = ({ fusion, kernels }: Planned, nameOf: NameOf): readonly BoundaryReport[] => {
  const dispatches = dispatchesOf(fusion, kernels)
  const visit = (within: Fusion): readonly BoundaryReport[] => [
    ...boundariesWithin(within, dispatches, nameOf),
    ...within.kernels.flat().flatMap(({ routine }) => (routine?.loop ? visit(routine.loop.fusion) : [])),
  ]
  return [...visit(fusion)].sort((a, b) => a.from - b.from || a.to - b.to)
}
