/** What fusion makes: clusters with their costs, and the arguments whose places their results may take. */
import type { Node } from '../../src/lang/ir.ts'
import type { Cost } from './cost.ts'
import type { Buffer, Cluster, LoopValue, Store } from './ir.ts'
import type { Schedule } from './schedule.ts'
import { valuesBelow } from './values.ts'

/** Nodes computed and stored together. */
export interface Fused {
  readonly id: number
  readonly stored: readonly Node[]
  readonly reads: ReadonlySet<Node>
  /** Stored nodes that must be known before, though they are not read: what its barriers wait for. */
  readonly after: ReadonlySet<Node>
  readonly cluster: Cluster
  readonly schedule: Schedule
  readonly cost: Cost
  /** First and last place of `stored` in the graph's topological order. */
  readonly first: number
  readonly last: number
  /** Set for a routine, which has no values of its own in `cluster`, and is joined with nothing. */
  readonly routine?: Routine
}

/** Memory that a routine needs while it runs. */
export interface Scratch {
  readonly buffer: Buffer
}

/** What is computed by kernels of its own: the routine's node, its tensors in memory. */
export interface Routine {
  readonly node: Node
  /** One an operand, in order. */
  readonly inputs: readonly Buffer[]
  /** One an output, in order. */
  readonly outputs: readonly Buffer[]
  readonly scratch: readonly Scratch[]
}

/** An output that may take the place of an argument the caller gave away. */
export interface InPlace {
  readonly input: Node
  readonly output: Node
}

const sameRanges = (a: Store, b: Store): boolean =>
  a.ranges.length === b.ranges.length && a.ranges.every((r, i) => r === b.ranges[i])

/**
 * Every read of `input` is at the index, and by the invocation, that overwrites it with `output`: so the store may take
 * the argument's place. Stores over the same ranges come after all their loads (`nest.ts`).
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
