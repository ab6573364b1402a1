/**
 * Fusion: which stored values are computed in one cluster, and which clusters share a dispatch. Greedy fusion under the
 * cost model; every rejected fusion is recorded with its reason, for `explain`. Loop bodies are fused in the same way.
 */
import type { Graph, Node } from '../../../src/lang/ir.ts'
import type { Profile } from '../../profile.ts'
import { sideBySide } from '../schedule/side-by-side.ts'
import { createClusterGraph } from './cluster-graph.ts'
import type { Fusion, InPlace } from './fusion.ts'
import { joinClusters } from './join.ts'
import type { BufferNumbers, RowTargets } from './loop-kernels.ts'

export type { Fusion } from './fusion.ts'

/** `graph.outputs` are the results to compute; `results` are all results, leaves included. */
export const fuse = (
  graph: Graph,
  results: readonly Node[],
  donations: readonly InPlace[],
  profile: Profile,
  numbers: BufferNumbers = { next: 0 },
  rows: RowTargets = new Map(),
): Fusion => {
  const fuseTurn = (turn: Graph, targets: RowTargets): Fusion => fuse(turn, turn.outputs, [], profile, numbers, targets)
  const clusters = createClusterGraph(graph, donations, profile, numbers, rows, fuseTurn)
  const refused = joinClusters(clusters, profile)
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
