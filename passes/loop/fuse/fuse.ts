/**
 * Fusion: which stored values are computed in one cluster, and which clusters share a dispatch. Greedy fusion under the
 * cost model; every rejected fusion is recorded with its reason, for `explain`. Loop bodies are fused in the same way.
 */
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'
import type { Profile } from '../../profile.ts'
import type { Buffer } from '../ir/cluster.ts'
import { placeCluster } from '../schedule/nest.ts'
import { sideBySide } from '../schedule/side-by-side.ts'
import { createClusterGraph } from './cluster-graph.ts'
import type { Fused, Fusion, Group, InPlace } from './fusion.ts'
import { joinClusters } from './join.ts'
import type { BufferNumbers, RowTargets } from './loop-kernels.ts'

export type { Fusion } from './fusion.ts'

const nobody: ReadonlySet<Node> = new Set()

/**
 * `graph.outputs` are the results to compute; `results` are all results, leaves included. Nodes of `alone` are stored, each
 * by a cluster of its own.
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
  const { refused, joins, attempts } = joinClusters(clusters, profile, alone)
  const groups = [...clusters.groups]
  const kernels = sideBySide(groups, clusters.successors, profile)
  const used = new Set<Node>([...graph.inputs, ...results])
  for (const f of groups) {
    for (const n of f.stored) used.add(n)
    for (const n of f.reads) used.add(n)
  }
  for (const n of used) clusters.bufferOf(n)
  return {
    kernels: kernels.map((kernel) => kernel.map((f) => placed(f, clusters.bufferOf))),
    buffers: new Map([...clusters.buffers].filter(([n]) => used.has(n))),
    constants: clusters.constants,
    inPlace: [...clusters.replaces].map(([output, input]) => ({ input, output })),
    refused: refused.filter((r) => [...r.producer, ...r.consumer].every((n) => used.has(n))),
    work: { joins, attempts, solved: clusters.counts.solved, visited: clusters.visited() },
  }
}

const nothing: Pick<Fused, 'cluster' | 'schedule' | 'tensors'> = {
  cluster: { stores: [] },
  schedule: { nest: placeCluster({ stores: [] }, []), roles: new Map() },
  tensors: new Map(),
}

/** A group with what its structure's buffers stand for. */
const placed = (f: Group, bufferOf: (n: Node) => Buffer): Fused => {
  const { solved } = f
  if (!solved) return { ...f, ...nothing }
  const tensors = new Map<Buffer, Buffer>()
  f.operands.forEach((n, i) => {
    if (f.reads.has(n)) tensors.set(solved.operands[i]!, bufferOf(n))
  })
  for (const [i, n] of f.stored.entries()) tensors.set(solved.stores[i]!, bufferOf(n))
  return { ...f, cluster: solved.cluster, schedule: solved.schedule, tensors }
}
