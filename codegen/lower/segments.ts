/**
 * A store per part: where a target runs all branches and masks what they write, a cluster that chooses between many reads (a
 * concatenation of many parts, updates of one slice after another) is cut where its choices change, so that each part of
 * its result reads what that part is made of.
 */
import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Bound, Cluster, Range } from '../../passes/loop/ir/cluster.ts'
import { operandsOf, valuesBelow } from '../../passes/loop/ir/values.ts'
import { chooseGrid } from '../../passes/loop/schedule/cost.ts'
import { rangesToCut, restrictCluster } from '../../passes/loop/schedule/restrict.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { pointsOf } from '../../src/lang/dim.ts'
import { assembleKernel, type BoundKernel } from './assemble.ts'
import { overwrites, pieceOf } from './piece.ts'

/** The range that decides a bound, and the first of its points on either side; undefined where it takes more than one. */
const edgesOf = ({
  index,
  low,
  high,
}: Bound): { readonly range: Range; readonly edges: readonly number[] } | undefined => {
  const [term, ...more] = index.terms
  if (!term || more.length > 0 || term.coefficient !== 1) return undefined
  const edges = [low - index.constant, high - index.constant]
  if (term.atom.kind === 'range') return { range: term.atom.range, edges }
  if (term.atom.kind !== 'div') return undefined
  const { of, by } = term.atom
  const [inner, ...others] = of.terms
  if (!inner || others.length > 0 || inner.coefficient !== 1 || inner.atom.kind !== 'range') return undefined
  return { range: inner.atom.range, edges: edges.map((e) => e * by - of.constant) }
}

/** How a cluster is cut: a range, and the points at which parts begin. */
interface Cuts {
  readonly range: Range
  readonly starts: readonly number[]
  /** Reads that a point does not need and makes all the same. */
  readonly surplus: number
}

const cutsOf = (cluster: Cluster): Cuts | undefined => {
  const values = valuesBelow(cluster.stores.map((s) => s.value))
  if (values.some((v) => v.kind === 'reduce')) return undefined
  const reading = new Set<object>()
  for (const v of values) if (v.kind === 'load' || operandsOf(v).some((o) => reading.has(o))) reading.add(v)
  const cuts = new Map<Range, { readonly starts: Set<number>; surplus: number }>()
  const possible = new Set(rangesToCut(cluster))
  for (const v of values) {
    if (v.kind !== 'guard' || !reading.has(v.inside) || !reading.has(v.outside)) continue
    for (const bound of v.bounds) {
      const found = edgesOf(bound)
      if (!found || !possible.has(found.range)) continue
      const cut = cuts.get(found.range) ?? { starts: new Set([0]), surplus: 0 }
      cuts.set(found.range, cut)
      cut.surplus += 1
      for (const e of found.edges) if (e > 0 && e < found.range.size) cut.starts.add(e)
    }
  }
  const [best] = [...cuts].toSorted(([, a], [, b]) => b.surplus - a.surplus)
  if (!best || best[1].starts.size < 2) return undefined
  const [range, { starts, surplus }] = best
  return { range, starts: [...starts].sort((a, b) => a - b), surplus }
}

/** Statements that a read is worth. */
const perRead = 4

/** The kernels of a cluster's parts, where they cost less than the cluster as one and each fits; else undefined. */
export const segmentKernels = (f: Fused, memory: MemoryPlan, profile: Profile): readonly BoundKernel[] | undefined => {
  const { masked, dispatch } = profile.costs
  if (masked === 0 || f.routine || f.isPartial) return undefined
  const cuts = cutsOf(f.cluster)
  if (!cuts) return undefined
  const { range, starts, surplus } = cuts
  const points = pointsOf(f.schedule.nest.grid)
  if (surplus * perRead * points * masked < (starts.length - 1) * dispatch || overwrites(f, memory)) return undefined
  const kernels: BoundKernel[] = []
  for (const [i, from] of starts.entries()) {
    const count = (starts[i + 1] ?? range.size) - from
    const cluster = restrictCluster(f.cluster, { range, from, count })
    const { windows, ...piece } = pieceOf({ cluster, tensors: f.tensors }, memory, profile)
    const made = assembleKernel(
      [{ ...f, ...piece, ...chooseGrid(piece.cluster, profile) }],
      { ...memory, windows },
      profile,
    )
    if ('tag' in made) return undefined
    kernels.push({ ...made, inParts: true })
  }
  return kernels
}
