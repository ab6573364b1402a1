/** The result of fusion: clusters with their costs, and the in-place updates of donated arguments. */
import type { Node } from '../../../src/lang/ir.ts'
import type { Buffer, Cluster, LoopValue, Store } from '../ir/cluster.ts'
import { valuesBelow } from '../ir/values.ts'
import type { Cost } from '../schedule/cost.ts'
import type { Schedule } from '../schedule/roles.ts'

/** A fused cluster: nodes computed and stored together. */
export interface Fused {
  readonly id: number
  readonly stored: readonly Node[]
  readonly reads: ReadonlySet<Node>
  /** Control dependences: stored nodes that must be computed before, though they are not read. */
  readonly after: ReadonlySet<Node>
  readonly cluster: Cluster
  readonly schedule: Schedule
  readonly cost: Cost
  /** First and last position of `stored` in topological order. */
  readonly first: number
  readonly last: number
  /** Some results are rows of larger tensors, which are written partially. */
  readonly isPartial?: boolean
  /** Set for a routine, which has no values in `cluster` and is never fused. */
  readonly routine?: Routine
}

/** A routine: a node with kernels of its own, and its tensors in memory. */
export interface Routine {
  readonly node: Node
  /** One per operand, in order. */
  readonly inputs: readonly Buffer[]
  /** One per output, in order. */
  readonly outputs: readonly Buffer[]
  /** Scratch memory. */
  readonly scratch: readonly Buffer[]
  /** Set for a loop, whose kernels are those of its body. */
  readonly loop?: LoopKernels
}

/** A loop: the kernels of one iteration, and the places of its tensors. */
export interface LoopKernels {
  readonly fusion: Fusion
  /**
   * The loop-carried values: the kernels' names for a value before and after an iteration, its initial place, and the
   * two places it then alternates between (double buffering), of which the first is the final one.
   */
  readonly carries: readonly {
    readonly read: Buffer
    readonly write: Buffer
    readonly start: Buffer
    readonly places: readonly [Buffer, Buffer]
  }[]
  /** Loop-invariant values: the kernels' names for them, and what they denote. */
  readonly fixed: ReadonlyMap<Buffer, Buffer>
  /** Liveness of temporaries within an iteration, as fractions (0 to 1) of it. */
  readonly spans: ReadonlyMap<Buffer, readonly [number, number]>
  /** The number of iterations; or, for a data-dependent loop, how many are submitted before the host reads the flag. */
  readonly turns: number | { readonly chunk: number; readonly flag: Buffer }
}

/** The fused form of a graph. */
export interface Fusion {
  /** Kernels in execution order, each a list of horizontally fused clusters. */
  readonly kernels: readonly (readonly Fused[])[]
  readonly buffers: ReadonlyMap<Node, Buffer>
  /** Constants that the planner itself places in memory: the initial iteration numbers of loops. */
  readonly constants: ReadonlyMap<Buffer, number>
  readonly inPlace: readonly InPlace[]
  readonly refused: readonly Refused[]
}

/** A rejected fusion. */
export interface Refused {
  readonly producer: readonly Node[]
  readonly consumer: readonly Node[]
  readonly reason: string
  /** Memory traffic that the fusion would have saved, in bytes. */
  readonly savedBytes: number
}

/** An in-place update: an output that may reuse the memory of a donated argument. */
export interface InPlace {
  readonly input: Node
  readonly output: Node
}

const sameRanges = (a: Store, b: Store): boolean =>
  a.ranges.length === b.ranges.length && a.ranges.every((r, i) => r === b.ranges[i])

/**
 * Whether every read of `input` is at the same index and in the same invocation as the store of `output`, so that the
 * store may update it in place. Stores over the same ranges follow all their loads (`nest.ts`).
 */
export const readsOnlyInPlace = (f: Fused, input: Buffer, output: Buffer): boolean => {
  const store = f.cluster.stores.find((s) => s.buffer === output)
  if (!store || input.dtype !== output.dtype || input.size !== output.size) return false
  const isRead = (v: LoopValue): boolean => v.kind === 'load' && v.buffer === input
  const same = valuesBelow([store.value]).filter(isRead)
  const others = f.cluster.stores.filter((s) => s !== store)
  const beside = others.filter((s) => sameRanges(s, store))
  const apart = others.filter((s) => !beside.includes(s))
  const near = [...same, ...valuesBelow(beside.map((s) => s.value)).filter(isRead)]
  return (
    near.every((v) => v.kind === 'load' && v.index.key === store.index.key && v.bounds.length === 0) &&
    !valuesBelow(apart.map((s) => s.value)).some(isRead)
  )
}
