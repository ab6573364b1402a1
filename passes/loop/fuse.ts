/**
 * Fusion: which stored values are computed in one cluster, and which clusters share a dispatch. Greedy joining under the
 * cost model; every join that was tried and refused is kept with its reason, so that one can ask why.
 */
import type { Graph, Node } from '../../src/lang/ir.ts'
import type { Profile } from '../target.ts'
import { type BufferNumbers, createClusterGraph } from './cluster-graph.ts'
import type { Fused, InPlace } from './fused.ts'
import type { Buffer } from './ir.ts'
import { joinClusters, type Refused } from './join.ts'
import { sideBySide } from './side-by-side.ts'

export interface Fusion {
  /** Kernels in order of execution, each a list of clusters side by side on the grid. */
  readonly kernels: readonly (readonly Fused[])[]
  readonly buffers: ReadonlyMap<Node, Buffer>
  readonly inPlace: readonly InPlace[]
  readonly refused: readonly Refused[]
}

/** `graph.outputs` are computed; `results` are all results, leaves included. */
export const fuse = (
  graph: Graph,
  results: readonly Node[],
  donations: readonly InPlace[],
  profile: Profile,
  numbers: BufferNumbers = { next: 0 },
): Fusion => {
  const clusters = createClusterGraph(graph, donations, profile, numbers)
  const refused = joinClusters(clusters, profile)
  const groups = [...clusters.groups]
  const kernels = sideBySide(groups, clusters.successors, profile)
  const used = new Set<Node>([...graph.inputs, ...results, ...groups.flatMap((f) => [...f.stored, ...f.reads])])
  for (const n of used) clusters.bufferOf(n)
  return {
    kernels,
    buffers: new Map([...clusters.buffers].filter(([n]) => used.has(n))),
    inPlace: clusters.inPlace,
    refused: refused.filter((r) => [...r.producer, ...r.consumer].every((n) => used.has(n))),
  }
}
