/** Greedy fusion of clusters where the cost model says that it pays; every rejection is recorded with its reason. */

import { typeOf } from '../../../src/lang/build.ts'
import { pointsOf, sizeOf } from '../../../src/lang/dim.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Profile } from '../../profile.ts'
import type { Store } from '../ir/cluster.ts'
import { bindingsNeeded } from '../schedule/bindings-needed.ts'
import type { ClusterGraph } from './cluster-graph.ts'
import { canRunTogether, leastCost, savedBytes } from './estimate.ts'
import { type Group, mayOverwrite, type Refused } from './fusion.ts'

/** Tries one join, `credit` dispatches being saved by it. */
type Join = (a: Group, b: Group, credit: number) => Group | undefined

/**
 * Joins until nothing is gained, leaving what stores nodes of `alone` as it is; returns the refusals and how many joins were
 * made.
 */
export const joinClusters = (
  clusters: ClusterGraph,
  profile: Profile,
  alone: ReadonlySet<Node>,
): { readonly refused: readonly Refused[]; readonly joins: number; readonly attempts: number } => {
  const refused = new Map<string, Refused>()
  let joins = 0
  const asked = clusters.counts.asked
  const join: Join = (a, b, credit) => {
    if (alone.size > 0 && [...a.stored, ...b.stored].some((n) => alone.has(n))) return undefined
    const key = `${a.id},${b.id}`
    if (refused.has(key)) return undefined
    const own = [...a.stored, ...b.stored]
    const inner = new Set(own.filter((n) => isInner(n, a, b, clusters)))
    const stored = own.filter((n) => !inner.has(n))
    const outcome = tryJoin(a, b, stored, inner, credit, clusters, profile)
    if (!('reason' in outcome)) {
      joins++
      clusters.replace(a, b, outcome, [...inner])
      return outcome
    }
    refused.set(key, { producer: a.stored, consumer: b.stored, ...outcome })
    return undefined
  }
  joinProducers(clusters, join)
  joinSiblings(clusters, join)
  joinProducers(clusters, join)
  return { refused: [...refused.values()], joins, attempts: clusters.counts.asked - asked }
}

/** Read by nobody but the two, and no result: not stored once they are one. */
const isInner = (n: Node, a: Group, b: Group, { outputs, readers }: ClusterGraph): boolean => {
  if (outputs.has(n)) return false
  for (const r of readers.get(n) ?? []) if (r !== a && r !== b) return false
  return true
}

/** Stored by a dead producer: under other ranges what a guard discards is looked at again. */
const isUnwritten = (n: Node, { groups, writer }: ClusterGraph): boolean => {
  const by = writer.get(n)
  return by !== undefined && !groups.has(by)
}

/** The most text, in loads, by which a joined cluster may be longer than its two parts. */
const mostRepeatedText = 48

/** The fused cluster, or the reason for rejecting the fusion. */
const tryJoin = (
  a: Group,
  b: Group,
  own: readonly Node[],
  inner: ReadonlySet<Node>,
  credit: number,
  clusters: ClusterGraph,
  profile: Profile,
): Group | Pick<Refused, 'reason' | 'savedBytes'> => {
  const { costs } = profile
  if (a.routine || b.routine) return { reason: 'a routine has kernels of its own', savedBytes: 0 }
  if (a.cost.statements + b.cost.statements > costs.statements)
    return { reason: 'the kernel would have too many statements', savedBytes: 0 }
  const atMost = savedBytes(a, b, inner)
  if (!canRunTogether(own)) return { reason: 'their results run over different ranges', savedBytes: atMost }
  const apart = a.cost.seconds + b.cost.seconds - (1 - credit) * costs.dispatch
  const worthwhile = credit === 1 ? 0 : costs.dispatch / 10
  const least = leastCost(a, b, own, inner, profile)
  const split = `${Math.round(a.cost.flops + b.cost.flops)} on ${a.cost.threads} and ${b.cost.threads}`
  if (least.seconds + worthwhile >= apart)
    return {
      reason: `together they need at least ${Math.round(least.flops)} operations, apart ${split}`,
      savedBytes: atMost,
    }
  if (clusters.areApart(a, b)) return { reason: 'another kernel lies between them', savedBytes: 0 }
  const made = clusters.attempt(own, [...inner])
  if ([...made.reads].some((n) => isUnwritten(n, clusters)))
    return { reason: 'it would read a result that nothing else needs, and that is not computed', savedBytes: 0 }
  const saved = a.cost.bytes + b.cost.bytes - made.cost.bytes
  if (made.cost.statements > costs.statements)
    return { reason: `the kernel would have ${made.cost.statements} statements`, savedBytes: saved }
  // Joined, what one computes for the other at several points is in the text for each of them.
  if (made.cost.text > a.cost.text + b.cost.text + mostRepeatedText)
    return { reason: 'the kernel would say the same at too many points', savedBytes: saved }
  if (!runTogether(made)) return { reason: 'their results run over different ranges', savedBytes: saved }
  if (made.cost.seconds + worthwhile >= apart) {
    const together = `${Math.round(made.cost.flops)} operations on ${made.cost.threads} invocations`
    return { reason: `together they need ${together}, apart ${split}`, savedBytes: saved }
  }
  if (bindings(made, profile) > Math.max(profile.storageBuffers, bindings(a, profile), bindings(b, profile)))
    return { reason: 'it would bind more than the target allows', savedBytes: saved }
  const overwrites = made.stored.some((output) => {
    const input = clusters.replaces.get(output)
    return input && !mayOverwrite(made, input, output)
  })
  if (overwrites)
    return { reason: 'it would overwrite an argument that the same kernel still reads elsewhere', savedBytes: saved }
  return made
}

const bindings = ({ solved }: Group, profile: Profile): number =>
  solved ? bindingsNeeded(solved.cluster, [...solved.loaded, ...solved.stores], profile) : 0

/** The largest store's ranges are all that the others run over. */
const runTogether = ({ solved }: Group): boolean => {
  const { cluster } = solved!
  const points = (s: Store): number => pointsOf(s.ranges)
  const largest = cluster.stores.reduce((a, s) => (points(s) > points(a) ? s : a))
  return cluster.stores.every((s) => s.ranges.every((r) => largest.ranges.includes(r)))
}

const points = ({ stored }: Group): number => Math.max(...stored.map((n) => sizeOf(typeOf(n).shape)))

/** Producer-consumer fusion: every cluster with its producers, nearest first, until nothing is gained. */
const joinProducers = ({ groups, writer, readers }: ClusterGraph, join: Join): void => {
  for (const start of [...groups].sort((a, b) => a.id - b.id)) {
    let f: Group | undefined = groups.has(start) ? start : undefined
    while (f) {
      const current: Group = f
      const producers = new Set<Group>()
      for (const n of current.reads) {
        const p = writer.get(n)
        if (p && p !== current && groups.has(p)) producers.add(p)
      }
      f = undefined
      for (const p of [...producers].sort((a, b) => b.id - a.id)) {
        // A producer that others read too is gone only when all of them have taken it in.
        const users =
          p.stored.length === 1
            ? (readers.get(p.stored[0]!)?.size ?? 0)
            : new Set(p.stored.flatMap((n) => [...(readers.get(n) ?? [])])).size
        // Over the same points nothing is computed twice, and what follows can start a kernel earlier.
        const least = points(p) === points(current) ? 0.5 : 0
        if (!f) f = join(p, current, Math.max(least, 1 / Math.max(1, users)))
      }
    }
  }
}

/** Sibling fusion: clusters that read the same tensor. */
const joinSiblings = ({ groups, readers, positionOf }: ClusterGraph, join: Join): void => {
  for (const [, rs] of [...readers].sort(([a], [b]) => positionOf(a) - positionOf(b))) {
    let list = [...rs].filter((f) => groups.has(f)).sort((a, b) => a.id - b.id)
    if (list.length > 24) list = list.slice(0, 24)
    for (let i = 0; i < list.length; i++) {
      for (let j = i + 1; j < list.length; j++) {
        const [a, b] = [list[i]!, list[j]!]
        if (!groups.has(a) || !groups.has(b)) continue
        // Independent clusters can share a dispatch by horizontal fusion anyway: the gain is their common reads only.
        const made = join(a, b, 0)
        if (made) list[i] = made
      }
    }
  }
}
