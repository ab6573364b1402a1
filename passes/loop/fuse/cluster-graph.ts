/** The groups of a program while they are joined: who reads whose results, and who must wait for whom. */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'
import type { Profile } from '../../profile.ts'
import { routineOf, routineOutputs } from '../from-graph/routine-nodes.ts'
import type { Buffer } from '../ir/cluster.ts'
import { type KernelType, kernelTypeOf } from '../ir/kernel-type.ts'
import { hasBarriers } from './barrier-waits.ts'
import { type Fusion, type Group, type InPlace, mayOverwrite } from './fusion.ts'
import type { BufferNumbers, RowTargets } from './loop-kernels.ts'
import { groupMaker } from './make-group.ts'
import { createReachability } from './reachability.ts'
import { type SolveCounts, solver } from './solve.ts'
import { chooseStored } from './stored-nodes.ts'

/** Mutable while fusion runs; nothing of it leaves `fuse.ts`. */
export interface ClusterGraph {
  readonly groups: ReadonlySet<Group>
  readonly writer: ReadonlyMap<Node, Group>
  readonly readers: ReadonlyMap<Node, ReadonlySet<Group>>
  readonly buffers: ReadonlyMap<Node, Buffer>
  readonly constants: ReadonlyMap<Buffer, number>
  /** The argument whose place an output takes. */
  readonly replaces: ReadonlyMap<Node, Node>
  readonly outputs: ReadonlySet<Node>
  readonly bufferOf: (n: Node) => Buffer
  readonly positionOf: (n: Node) => number
  /** A cluster of stored nodes, computing inside it what `inner` lists though others might store it. */
  readonly attempt: (own: readonly Node[], inner: readonly Node[]) => Group
  /** `made`, an attempt, takes the place of `a` and `b`; `inner` is stored no more. */
  readonly replace: (a: Group, b: Group, made: Group, inner: readonly Node[]) => void
  /** Who must wait for `f`: readers of what it stores, and writers over what it reads. */
  readonly successors: (f: Group) => readonly Group[]
  /** Whether another group lies on a way between the two, or `b` leads to `a`. */
  readonly areApart: (a: Group, b: Group) => boolean
  readonly counts: Readonly<SolveCounts>
  readonly visited: () => number
}

/** One group for each node that the first cut stores. `fuseTurn` fuses the graph of one turn of a loop. */
export const createClusterGraph = (
  graph: Graph,
  donations: readonly InPlace[],
  profile: Profile,
  numbers: BufferNumbers,
  rows: RowTargets,
  fuseTurn: (turn: Graph, rows: RowTargets) => Fusion,
): ClusterGraph => {
  const buffers = new Map<Node, Buffer>([...rows].map(([n, r]) => [n, r.buffer]))
  const constants = new Map<Buffer, number>()
  const newBuffer = ({ dtype, shape }: KernelType): Buffer => ({ id: numbers.next++, dtype, size: sizeOf(shape) })
  const bufferOf = (n: Node): Buffer => {
    const made = buffers.get(n) ?? newBuffer(kernelTypeOf(n))
    buffers.set(n, made)
    return made
  }
  const outputs = new Set(graph.outputs)
  const roots = chooseStored(graph)
  const stored = new Set(roots)
  const position = new Map(topological(graph.outputs).map((n, i) => [n, i]))
  const waiting = hasBarriers(graph.outputs)
  const counts: SolveCounts = { asked: 0, solved: 0 }
  const make = groupMaker({
    profile,
    numbers,
    rows,
    constants,
    solve: solver(profile, counts),
    fuseTurn,
    bufferOf,
    newBuffer,
    position,
    hasBarriers: waiting,
  })

  const groups = new Set<Group>()
  const writer = new Map<Node, Group>()
  const readers = new Map<Node, Set<Group>>()
  const waiters = new Map<Node, Set<Group>>()
  /** The nodes whose values are known once a group has run, those it no longer stores included. */
  const signals = new Map<Group, readonly Node[]>()
  const signaller = new Map<Node, Group>()
  /** The result that takes an argument's place, and the other way round. */
  const replacedBy = new Map<Node, Node>()
  const replaces = new Map<Node, Node>()

  const successors = (f: Group): readonly Group[] => {
    const next = new Set<Group>()
    for (const n of f.stored) for (const r of readers.get(n) ?? []) next.add(r)
    if (waiting) for (const n of signals.get(f)!) for (const w of waiters.get(n) ?? []) next.add(w)
    if (replacedBy.size > 0)
      for (const n of f.reads) {
        const output = replacedBy.get(n)
        if (output) next.add(writer.get(output)!)
      }
    next.delete(f)
    return [...next]
  }
  const predecessors = (f: Group): readonly Group[] => {
    const before = new Set<Group>()
    const add = (g: Group | undefined): void => {
      if (g && groups.has(g)) before.add(g)
    }
    for (const n of f.reads) add(writer.get(n))
    for (const n of f.after) add(signaller.get(n))
    if (replaces.size > 0)
      for (const n of f.stored) {
        const input = replaces.get(n)
        if (input) for (const r of readers.get(input) ?? []) add(r)
      }
    before.delete(f)
    return [...before]
  }
  const reach = createReachability<Group>({ before: predecessors, after: successors })

  const addTo = (users: Map<Node, Set<Group>>, n: Node, f: Group): void => {
    const known = users.get(n)
    if (known) known.add(f)
    else users.set(n, new Set([f]))
  }
  const insert = (f: Group, known: readonly Node[]): void => {
    groups.add(f)
    signals.set(f, known)
    for (const n of f.stored) writer.set(n, f)
    if (waiting) for (const n of known) signaller.set(n, f)
    for (const n of f.reads) addTo(readers, n, f)
    for (const n of f.after) addTo(waiters, n, f)
  }
  const remove = (f: Group): void => {
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
    const made = isEmpty ? undefined : routine ? make.routine(routine) : make.cluster([n], stored)
    if (made) insert(made, made.stored)
  }
  // Dead producers: what only empty tensors would have read. Newest first, so that a reader goes before what it reads.
  for (const f of [...groups].reverse()) {
    const isNeeded = f.stored.some((n) => outputs.has(n) || (readers.get(n)?.size ?? 0) > 0)
    if (!isNeeded) remove(f)
  }
  for (const f of groups) reach.append(f)

  // A result takes an argument's place unless that is still read, elsewhere or later: readers then go before the writer.
  for (const { input, output } of donations) {
    const w = writer.get(output)
    if (!w || !groups.has(w) || replaces.has(output) || !mayOverwrite(w, input, output)) continue
    const others = [...(readers.get(input) ?? [])].filter((r) => r !== w)
    if (!others.every((r) => reach.connect(r, w))) continue
    replacedBy.set(input, output)
    replaces.set(output, input)
  }

  return {
    groups,
    writer,
    readers,
    buffers,
    constants,
    replaces,
    outputs,
    bufferOf,
    positionOf: (n) => position.get(n)!,
    attempt: (own, inner) => {
      for (const n of inner) stored.delete(n)
      const made = make.cluster(own, stored)
      for (const n of inner) stored.add(n)
      return made
    },
    replace: (a, b, made, inner) => {
      reach.merge(a, b, made)
      for (const n of inner) stored.delete(n)
      remove(a)
      remove(b)
      insert(made, [...signals.get(a)!, ...signals.get(b)!])
    },
    successors,
    areApart: reach.areApart,
    counts,
    visited: reach.visited,
  }
}
