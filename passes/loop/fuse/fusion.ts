/** What fusion makes: clusters with their costs, and the arguments whose places their results may take. */
import { sizeOf } from '../../../src/lang/dim.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Buffer, Cluster, LoopValue, Store } from '../ir/cluster.ts'
import { kernelTypeOf } from '../ir/kernel-type.ts'
import { valuesBelow } from '../ir/values.ts'
import type { Cost } from '../schedule/cost.ts'
import type { Limits } from '../schedule/limit.ts'
import type { Schedule } from '../schedule/roles.ts'
import type { Solved } from './solve.ts'

/** Nodes computed and stored together: what joining works on. */
export interface Group {
  readonly id: number
  readonly stored: readonly Node[]
  readonly reads: ReadonlySet<Node>
  /** Control dependences: stored nodes that must be computed before, though they are not read. */
  readonly after: ReadonlySet<Node>
  /** Nodes computed here, stored or not; empty for a routine. */
  readonly members: readonly Node[]
  /** What the structure's own operands stand for here, in their order; some of them may not be read. */
  readonly operands: readonly Node[]
  readonly cost: Cost
  /** What all clusters of this structure share; none for a routine. */
  readonly solved?: Solved
  /** First place of `stored` in the graph's topological order. */
  readonly first: number
  /** Some results are rows of larger tensors: it does not write all of those. */
  readonly isPartial?: boolean
  /** Set for a routine, which has no values in `cluster` and is never fused. */
  readonly routine?: Routine
}

/** A group at its place in a kernel. `cluster` and `schedule` are those of its structure, over buffers of their own. */
export interface Fused extends Group {
  readonly cluster: Cluster
  readonly schedule: Schedule
  /** The tensors that the buffers of `cluster` stand for here. */
  readonly tensors: ReadonlyMap<Buffer, Buffer>
  /** The loops that end with a named size. */
  readonly limits?: Limits
}

/** What is computed by kernels of its own: the routine's node, its tensors in memory. */
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
  readonly work: FusionWork
}

/** What fusion had to do: counts that stay in proportion to the program. */
export interface FusionWork {
  /** Pairs of clusters that became one. */
  readonly joins: number
  /** Pairs for which a joined cluster was built or its cost asked. */
  readonly attempts: number
  /** Structures that were lowered, scheduled and priced; the rest were known. */
  readonly solved: number
  /** Clusters looked at while asking who must wait for whom. */
  readonly visited: number
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
 * Every read of the structure's buffer `input` is at the index, and by the invocation, that overwrites it with `output`: so
 * the store may take the argument's place. Stores over the same ranges come after all their loads (`nest.ts`).
 */
const readsOnlyInPlace = (cluster: Cluster, input: Buffer, output: Buffer): boolean => {
  const store = cluster.stores.find((s) => s.buffer === output)
  if (!store || input.dtype !== output.dtype || input.size !== output.size) return false
  const isRead = (v: LoopValue): boolean => v.kind === 'load' && v.buffer === input
  const same = valuesBelow([store.value]).filter(isRead)
  const others = cluster.stores.filter((s) => s !== store)
  const beside = others.filter((s) => sameRanges(s, store))
  const apart = others.filter((s) => !beside.includes(s))
  const near = [...same, ...valuesBelow(beside.map((s) => s.value)).filter(isRead)]
  return (
    near.every((v) => v.kind === 'load' && v.index.key === store.index.key && v.bounds.length === 0) &&
    !valuesBelow(apart.map((s) => s.value)).some(isRead)
  )
}

/** Whether `f` may store `output` in the place of `input`, as far as it reads that itself. */
export const mayOverwrite = (f: Group, input: Node, output: Node): boolean => {
  const { solved } = f
  const [a, b] = [kernelTypeOf(input), kernelTypeOf(output)]
  if (!solved || a.dtype !== b.dtype || sizeOf(a.shape) !== sizeOf(b.shape)) return false
  return (
    !f.reads.has(input) ||
    readsOnlyInPlace(
      solved.cluster,
      solved.operands[f.operands.indexOf(input)]!,
      solved.stores[f.stored.indexOf(output)]!,
    )
  )
}
