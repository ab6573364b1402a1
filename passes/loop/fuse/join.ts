/** Joining clusters, greedily, where the cost model says that it pays; every refusal is kept with its reason. */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Profile } from '../../profile.ts'
import type { Store } from '../ir/cluster.ts'
import type { ClusterGraph } from './cluster-graph.ts'
import { type Fused, type Refused, readsOnlyInPlace } from './fusion.ts'

/** Tries one join, `credit` dispatches being saved by it. */
type Join = (a: Fused, b: Fused, credit: number) => Fused | undefined

/** Join attempts a program may take; large programs keep the first cut beyond it. */
const maxAttempts = 10_000

/** Joins until nothing is gained, leaving what stores nodes of `alone` as it is; returns the refusals. */
export const joinClusters = (
  clusters: ClusterGraph,
  profile: Profile,
  alone: ReadonlySet<Node>,
): readonly Refused[] => {
  const refused = new Map<string, Refused>()
  let attempts = 0
  const join: Join = (a, b, credit) => {
    if (alone.size > 0 && [...a.stored, ...b.stored].some((n) => alone.has(n))) return undefined
    const key = `${a.id},${b.id}`
    if (refused.has(key) || attempts >= maxAttempts) return undefined
    attempts++
    const own = [...a.stored, ...b.stored]
    const inner = own.filter((n) => isInner(n, a, b, clusters))
    const outcome = tryJoin(
      a,
      b,
      own.filter((n) => !inner.includes(n)),
      inner,
      credit,
      clusters,
      profile,
    )
    if ('cluster' in outcome) {
      clusters.replace(a, b, outcome, inner)
      return outcome
    }
    refused.set(key, { producer: a.stored, consumer: b.stored, ...outcome })
    return undefined
  }
  joinProducers(clusters, join)
  joinSiblings(clusters, join)
  joinProducers(clusters, join)
  return [...refused.values()]
}

/** Read by nobody but the two, and no result: not stored once they are one. */
const isInner = (n: Node, a: Fused, b: Fused, { outputs, readers }: ClusterGraph): boolean =>
  !outputs.has(n) && [...(readers.get(n) ?? [])].every((r) => r === a || r === b)

/** Stored by a cluster that went because nobody read it: under other ranges what a guard discards is looked at again. */
const isUnwritten = (n: Node, { groups, writer }: ClusterGraph): boolean => {
  const by = writer.get(n)
  return by !== undefined && !groups.has(by)
}

/** The joined cluster, or why not. */
const tryJoin = (
  a: Fused,
  b: Fused,
  own: readonly Node[],
  inner: readonly Node[],
  credit: number,
  clusters: ClusterGraph,
  { costs }: Profile,
): Fused | Pick<Refused, 'reason' | 'savedBytes'> => {
  if (a.routine || b.routine) return { reason: 'a routine has kernels of its own', savedBytes: 0 }
  if (a.cost.statements + b.cost.statements > costs.statements)
    return { reason: 'the kernel would have too many statements', savedBytes: 0 }
  if (clusters.reaches(a, b, false) || clusters.reaches(b, a, true))
    return { reason: 'another kernel lies between them', savedBytes: 0 }
  const made = clusters.attempt(own, inner)
  if ([...made.reads].some((n) => isUnwritten(n, clusters)))
    return { reason: 'it would read a result that nothing else needs, and that is not computed', savedBytes: 0 }
  const savedBytes = a.cost.bytes + b.cost.bytes - made.cost.bytes
  if (made.cost.statements > costs.statements)
    return { reason: `the kernel would have ${made.cost.statements} statements`, savedBytes }
  if (!runTogether(made)) return { reason: 'their results run over different ranges', savedBytes }
  const apart = a.cost.seconds + b.cost.seconds - (1 - credit) * costs.dispatch
  const worthwhile = credit === 1 ? 0 : costs.dispatch / 10
  if (made.cost.seconds + worthwhile >= apart) {
    const together = `${Math.round(made.cost.flops)} operations on ${made.cost.threads} invocations`
    const split = `${Math.round(a.cost.flops + b.cost.flops)} on ${a.cost.threads} and ${b.cost.threads}`
    return { reason: `together they need ${together}, apart ${split}`, savedBytes }
  }
  const overwrites = clusters.inPlace.some(
    (d) =>
      made.stored.includes(d.output) &&
      !readsOnlyInPlace(made, clusters.bufferOf(d.input), clusters.bufferOf(d.output)),
  )
  if (overwrites)
    return { reason: 'it would overwrite an argument that the same kernel still reads elsewhere', savedBytes }
  return made
}

/** The largest store's ranges are all that the others run over. */
const runTogether = ({ cluster }: Fused): boolean => {
  const points = (s: Store): number => s.ranges.reduce((n, r) => n * r.size, 1)
  const largest = cluster.stores.reduce((a, s) => (points(s) > points(a) ? s : a))
  return cluster.stores.every((s) => s.ranges.every((r) => largest.ranges.includes(r)))
}

const points = ({ stored }: Fused): number => Math.max(...stored.map((n) => sizeOf(typeOf(n).shape)))

/** Joins every cluster with those whose results it reads, nearest first, until nothing is gained. */
const joinProducers = ({ groups, writer, readers }: ClusterGraph, join: Join): void => {
  for (const start of [...groups].sort((a, b) => a.id - b.id)) {
    let f: Fused | undefined = groups.has(start) ? start : undefined
    while (f) {
      const current: Fused = f
      const producers = new Set<Fused>()
      for (const n of current.reads) {
        const p = writer.get(n)
        if (p && p !== current && groups.has(p)) producers.add(p)
      }
      f = undefined
      for (const p of [...producers].sort((a, b) => b.id - a.id)) {
        // A producer that others read too is gone only when all of them have taken it in.
        const users = new Set(p.stored.flatMap((n) => [...(readers.get(n) ?? [])]))
        // Over the same points nothing is computed twice, and what follows can start a kernel earlier.
        const least = points(p) === points(current) ? 0.5 : 0
        if (!f) f = join(p, current, Math.max(least, 1 / Math.max(1, users.size)))
      }
    }
  }
}

/** Joins clusters that read the same tensor. */
const joinSiblings = ({ groups, readers, positionOf }: ClusterGraph, join: Join): void => {
  for (const [, rs] of [...readers].sort(([a], [b]) => positionOf(a) - positionOf(b))) {
    let list = [...rs].filter((f) => groups.has(f)).sort((a, b) => a.id - b.id)
    if (list.length > 24) list = list.slice(0, 24)
    for (let i = 0; i < list.length; i++) {
      for (let j = i + 1; j < list.length; j++) {
        const [a, b] = [list[i]!, list[j]!]
        if (!groups.has(a) || !groups.has(b)) continue
        // Independent clusters can share a dispatch side by side: only what they read in common is gained.
        const made = join(a, b, 0)
        if (made) list[i] = made
      }
    }
  }
}
