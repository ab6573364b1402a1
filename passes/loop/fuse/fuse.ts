/**
 * Fusion: which stored values are computed in one cluster, and which clusters share a dispatch. Greedy joining under the
 * cost model; every join that was tried and refused is kept with its reason, so that one can ask why. The graphs of loops
 * are fused in their turn.
 */
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'
import type { Profile } from '../../profile.ts'
import { sideBySide } from '../schedule/side-by-side.ts'
import { createClusterGraph } from './cluster-graph.ts'
import type { Fusion, InPlace } from './fusion.ts'
import { joinClusters } from './join.ts'
import type { BufferNumbers, RowTargets } from './loop-kernels.ts'

export type { Fusion } from './fusion.ts'

const nobody: ReadonlySet<Node> = new Set()

/**
 * `graph.outputs` are computed; `results` are all results, leaves included. Nodes of `alone` are stored, each by a cluster
 * of its own.
 */
export const fuse = (
  given: Graph,
  results: readonly Node[],
  donations: readonly InPlace[],
  profile: Profile,
  alone: ReadonlySet<Node> = nobody,
  numbers: BufferNumbers = { next: 0 },
  rows: RowTargets = new Map(),
): Fusion => {
  const fuseTurn = (turn: Graph, targets: RowTargets): Fusion =>
    fuse(turn, turn.outputs, [], profile, alone, numbers, targets)
  const more = alone.size > 0 ? topological(given.outputs).filter((n) => alone.has(n)) : []
  const graph: Graph = { ...given, outputs: [...new Set([...given.outputs, ...more])] }
  const clusters = createClusterGraph(graph, donations, profile, numbers, rows, fuseTurn)
  const refused = joinClusters(clusters, profile, alone)
  const groups = [...clusters.groups]
  const kernels = sideBySide(groups, clusters.successors, profile)
  const used = new Set<Node>([...graph.inputs, ...results, ...groups.flatMap((f) => [...f.stored, ...f.reads])])
  for (const n of used) clusters.bufferOf(n)
  return {
    kernels,
    buffers: new Map([...clusters.buffers].filter(([n]) => used.has(n))),
    constants: clusters.constants,
    inPlace: clusters.inPlace,
    refused: refused.filter((r) => [...r.producer, ...r.consumer].every((n) => used.has(n))),
  }
}
