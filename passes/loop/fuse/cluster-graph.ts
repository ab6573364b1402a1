/** The dependence graph of clusters during fusion: data flow between clusters, and the orders that it imposes. */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import type { Graph, Node, NodeOf } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'
import type { Profile } from '../../profile.ts'
import { lowering, storeOf } from '../from-graph/lower-node.ts'
import { type AuthoredOp, isLoop, routineOf, routineOutputs, scratchOf } from '../from-graph/routine-nodes.ts'
import { storeRanges } from '../from-graph/store-ranges.ts'
import type { Buffer, Cluster, Range, Store } from '../ir/cluster.ts'
import { addIndex, scaleIndex, valueIndex } from '../ir/index-expression.ts'
import { type KernelType, kernelTypeOf } from '../ir/kernel-type.ts'
import { createValues, valuesBelow, valuesOfIndex } from '../ir/values.ts'
import { chooseGrid } from '../schedule/cost.ts'
import { placeCluster } from '../schedule/nest.ts'
import { hasBarriers, waitsOf } from './barrier-waits.ts'
import { type Fused, type Fusion, type InPlace, readsOnlyInPlace } from './fusion.ts'
import { type BufferNumbers, loopKernels, type RowTargets } from './loop-kernels.ts'
import { chooseRoots, isBufferLeaf } from './stored-nodes.ts'

/** Mutable while fusion runs; nothing of it leaves `fuse.ts`. */
export interface ClusterGraph {
  readonly groups: ReadonlySet<Fused>
  readonly writer: ReadonlyMap<Node, Fused>
  readonly readers: ReadonlyMap<Node, ReadonlySet<Fused>>
  readonly buffers: ReadonlyMap<Node, Buffer>
  readonly constants: ReadonlyMap<Buffer, number>
  readonly inPlace: readonly InPlace[]
  readonly outputs: ReadonlySet<Node>
  readonly bufferOf: (n: Node) => Buffer
  readonly positionOf: (n: Node) => number
  /**
   * A cluster of stored nodes; the nodes of `inner` are recomputed inside it even where another cluster stores them.
   */
  readonly attempt: (own: readonly Node[], inner: readonly Node[]) => Fused
  /** Commits a fusion: `made` replaces `a` and `b`, and the nodes of `inner` are no longer stored. */
  readonly replace: (a: Fused, b: Fused, made: Fused, inner: readonly Node[]) => void
  readonly successors: (f: Fused) => readonly Fused[]
  /** Reachability: whether `to` depends on `from`; with `direct` false, through another cluster. */
  readonly reaches: (from: Fused, to: Fused, direct: boolean) => boolean
}

/** One cluster per node of the initial partition. `fuseTurn` fuses the graph of one loop iteration. */
export const createClusterGraph = (
  graph: Graph,
  donations: readonly InPlace[],
  profile: Profile,
  numbers: BufferNumbers,
  rows: RowTargets,
  fuseTurn: (turn: Graph, rows: RowTargets) => Fusion,
): ClusterGraph => {
  const buffers = new Map<Node, Buffer>([...rows].map(([n, r]) => [n, r.buffer]))
  const owners = new Map<Buffer, Node>([...buffers].map(([n, b]) => [b, n]))
  const constants = new Map<Buffer, number>()
  const newBuffer = ({ dtype, shape }: KernelType): Buffer => ({ id: numbers.next++, dtype, size: sizeOf(shape) })
  const bufferOf = (n: Node): Buffer => {
    const seen = buffers.get(n)
    if (seen) return seen
    const made = newBuffer(kernelTypeOf(n))
    buffers.set(n, made)
    owners.set(made, n)
    return made
  }
  const outputs = new Set(graph.outputs)
  const roots = chooseRoots(graph)
  const stored = new Set(roots)
  // Decisions depend on topological positions, not on ids (creation order), so that equal graphs give equal plans.
  const position = new Map(topological(graph.outputs).map((n, i) => [n, i]))
  const waiting = hasBarriers(graph.outputs)
  let nextId = 0

  const make = (own: readonly Node[]): Fused => {
    const mine = new Set(own)
    const values = createValues()
    const at = lowering(values, { isMember: (n) => mine.has(n) || !(stored.has(n) || isBufferLeaf(n)), bufferOf })
    const ranges = storeRanges(own, values, at)
    const storeAt = (n: Node, ranges: readonly Range[]): Store => {
      const whole = storeOf(at, n, bufferOf(n), ranges)
      const row = rows.get(n)
      if (!row) return whole
      const number = valueIndex(at(row.counter, 0, [], []), row.length)
      return { ...whole, index: addIndex(whole.index, scaleIndex(number, sizeOf(typeOf(n).shape))) }
    }
    const cluster: Cluster = { stores: own.map((n, i) => storeAt(n, ranges[i]!)) }
    const reads = new Set<Node>()
    const roots = cluster.stores.flatMap((s) => [s.value, ...valuesOfIndex(s.index)])
    for (const v of valuesBelow(roots)) if (v.kind === 'load') reads.add(owners.get(v.buffer)!)
    const after: ReadonlySet<Node> = waiting ? waitsOf(own, (n) => stored.has(n) || isBufferLeaf(n)) : new Set()
    const positions = own.map((n) => position.get(n)!)
    const [first, last] = [Math.min(...positions), Math.max(...positions)]
    const isPartial = own.some((n) => rows.has(n))
    return { id: nextId++, stored: own, reads, after, cluster, first, last, isPartial, ...chooseGrid(cluster, profile) }
  }

  /** A routine as a cluster: all of its outputs are stored, live or not. */
  const makeRoutine = (n: Node): Fused => {
    const own = routineOutputs(n)
    const cluster: Cluster = { stores: [] }
    const positions = own.flatMap((o) => position.get(o) ?? [])
    const [inputs, outputs] = [n.args.map(bufferOf), own.map(bufferOf)]
    const loop = isLoop(n) ? loopKernels(n, inputs, outputs, { numbers, constants, bufferOf, fuseTurn }) : undefined
    return {
      id: nextId++,
      stored: own,
      reads: new Set([...n.args, ...(loop?.leaves ?? [])]),
      after: new Set(),
      cluster,
      first: Math.min(...positions),
      last: Math.max(...positions),
      schedule: { nest: placeCluster(cluster, []), roles: new Map() },
      cost: { flops: 0, bytes: 0, threads: 1, statements: 0, seconds: profile.costs.dispatch },
      routine: {
        node: n,
        inputs,
        outputs,
        ...(loop
          ? { scratch: loop.scratch, loop: loop.kernels }
          : { scratch: scratchOf(n as NodeOf<AuthoredOp>, profile).map(newBuffer) }),
      },
    }
  }

  const groups = new Set<Fused>()
  const writer = new Map<Node, Fused>()
  const readers = new Map<Node, Set<Fused>>()
  const waiters = new Map<Node, Set<Fused>>()
  /** The nodes computed by a cluster, including those that it no longer stores. */
  const signals = new Map<Fused, readonly Node[]>()
  /** The earliest position among a cluster and its transitive consumers. */
  const earliest = new Map<Fused, number>()
  const signaller = new Map<Node, Fused>()
  /** The clusters that read what `f` stores, or wait for what it computes. */
  const followers = (f: Fused): readonly Fused[] => [
    ...f.stored.flatMap((n) => [...(readers.get(n) ?? [])]),
    ...(waiting ? signals.get(f)!.flatMap((n) => [...(waiters.get(n) ?? [])]) : []),
  ]
  const insert = (f: Fused, known: readonly Node[]): void => {
    groups.add(f)
    signals.set(f, known)
    for (const n of f.stored) writer.set(n, f)
    if (waiting) for (const n of known) signaller.set(n, f)
    for (const n of f.reads) readers.set(n, (readers.get(n) ?? new Set()).add(f))
    for (const n of f.after) waiters.set(n, (waiters.get(n) ?? new Set()).add(f))
    let least = f.first
    for (const s of followers(f)) least = Math.min(least, earliest.get(s)!)
    earliest.set(f, least)
    // After a fusion, predecessors may reach consumers at earlier positions than their own.
    for (let stack = [f], top = stack.pop(); top; top = stack.pop()) {
      for (const w of [...[...top.reads].map((n) => writer.get(n)), ...[...top.after].map((n) => signaller.get(n))]) {
        if (!w || earliest.get(w)! <= earliest.get(top)!) continue
        earliest.set(w, earliest.get(top)!)
        stack.push(w)
      }
    }
  }
  const remove = (f: Fused): void => {
    groups.delete(f)
    for (const n of f.reads) readers.get(n)?.delete(f)
    for (const n of f.after) waiters.get(n)?.delete(f)
  }
  const routines = new Set<Node>()
  for (const n of roots) {
    const routine = routineOf(n)
    if (routine && routines.has(routine)) continue
    if (routine) routines.add(routine)
    // A routine runs if any of its results is not empty.
    const isEmpty = (routine ? routineOutputs(routine) : [n]).every((o) => sizeOf(typeOf(o).shape) === 0)
    const made = isEmpty ? undefined : routine ? makeRoutine(routine) : make([n])
    if (made) insert(made, made.stored)
  }
  // Dead clusters, read by empty tensors only, are removed. In reverse order, so that consumers precede producers.
  for (const f of [...groups].reverse()) {
    const isNeeded = f.stored.some((n) => outputs.has(n) || (readers.get(n)?.size ?? 0) > 0)
    if (!isNeeded) remove(f)
  }

  let inPlace = donations.filter((d) => stored.has(d.output) && writer.has(d.output))
  let takenBy = new Map(inPlace.map((d) => [d.input, d.output]))
  /** The successors of `f`: readers of what it stores, and in-place writers over what it reads (write after read). */
  const successors = (f: Fused): readonly Fused[] => {
    const next = new Set<Fused>(followers(f))
    if (takenBy.size > 0)
      for (const n of f.reads) {
        const output = takenBy.get(n)
        if (output) next.add(writer.get(output)!)
      }
    next.delete(f)
    return [...next]
  }
  const reaches = (from: Fused, to: Fused, direct: boolean): boolean => {
    const seen = new Set<Fused>([from])
    const stack = successors(from).filter((s) => direct || s !== to)
    // Prune clusters all of whose consumers are later than `to`; write-after-read edges are not part of that bound.
    const last = inPlace.length === 0 ? to.last : Number.POSITIVE_INFINITY
    while (stack.length > 0) {
      const f = stack.pop()!
      if (f === to) return true
      if (seen.has(f) || earliest.get(f)! > last) continue
      seen.add(f)
      for (const s of successors(f)) if (!seen.has(s)) stack.push(s)
    }
    return false
  }
  // No in-place update where the old value is read later.
  inPlace = inPlace.filter((d) => {
    const w = writer.get(d.output)!
    const late = [...(readers.get(d.input) ?? [])].some((r) => r !== w && reaches(w, r, true))
    return !late && readsOnlyInPlace(w, bufferOf(d.input), bufferOf(d.output))
  })
  takenBy = new Map(inPlace.map((d) => [d.input, d.output]))

  return {
    groups,
    writer,
    readers,
    buffers,
    constants,
    inPlace,
    outputs,
    bufferOf,
    positionOf: (n) => position.get(n)!,
    attempt: (own, inner) => {
      for (const n of inner) stored.delete(n)
      const made = make(own)
      for (const n of inner) stored.add(n)
      return made
    },
    replace: (a, b, made, inner) => {
      for (const n of inner) stored.delete(n)
      remove(a)
      remove(b)
      insert(made, [...signals.get(a)!, ...signals.get(b)!])
    },
    successors,
    reaches,
  }
}
