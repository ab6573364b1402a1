/**
 * Fusion: which stored values are computed in one cluster, and which clusters share a dispatch. Greedy joining under the
 * cost model; every join that was tried and refused is kept with its reason, so that one can ask why.
 */
import { typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { invariant } from '../../src/lang/errors.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/order.ts'
import type { Profile } from '../target.ts'
import { type Cost, chooseGrid } from './cost.ts'
import type { Buffer, Cluster, LoopValue, Store } from './ir.ts'
import { lowering, storeOf } from './lower.ts'
import { chooseRoots, isBufferLeaf } from './roots.ts'
import type { Schedule } from './schedule.ts'
import { storeRanges } from './store-ranges.ts'
import { createValues, valuesBelow } from './values.ts'

/** Nodes computed and stored together. */
export interface Fused {
  readonly id: number
  readonly stored: readonly Node[]
  readonly reads: ReadonlySet<Node>
  readonly cluster: Cluster
  readonly schedule: Schedule
  readonly cost: Cost
  /** First and last place of `stored` in the graph's topological order. */
  readonly first: number
  readonly last: number
}

/** A join that was not made. */
export interface Refused {
  readonly producer: readonly Node[]
  readonly consumer: readonly Node[]
  readonly reason: string
  /** Bytes that would not have moved. */
  readonly savedBytes: number
}

/** An output that may take the place of an argument the caller gave away. */
export interface InPlace {
  readonly input: Node
  readonly output: Node
}

export interface Fusion {
  /** Kernels in order of execution, each a list of clusters side by side on the grid. */
  readonly kernels: readonly (readonly Fused[])[]
  readonly buffers: ReadonlyMap<Node, Buffer>
  readonly inPlace: readonly InPlace[]
  readonly refused: readonly Refused[]
}

type Join = (a: Fused, b: Fused, credit: number) => Fused | undefined

/** Join attempts a program may take; large programs keep the first cut beyond it. */
const maxAttempts = 2000

/** `graph.outputs` are computed; `results` are all results, leaves included. */
export const fuse = (
  graph: Graph,
  results: readonly Node[],
  donations: readonly InPlace[],
  profile: Profile,
): Fusion => {
  const buffers = new Map<Node, Buffer>()
  const owners = new Map<Buffer, Node>()
  const bufferOf = (n: Node): Buffer => {
    const seen = buffers.get(n)
    if (seen) return seen
    const { dtype, shape } = typeOf(n)
    const made: Buffer = { id: buffers.size, dtype, size: sizeOf(shape) }
    buffers.set(n, made)
    owners.set(made, n)
    return made
  }
  const outputs = new Set(graph.outputs)
  const roots = chooseRoots(graph)
  const stored = new Set(roots)
  // Ids tell when a node was made; decisions follow where it stands, so that equal graphs give equal plans.
  const position = new Map(topological(graph.outputs).map((n, i) => [n, i]))
  let nextId = 0

  const make = (own: readonly Node[]): Fused => {
    const mine = new Set(own)
    const values = createValues()
    const at = lowering(values, { isMember: (n) => mine.has(n) || !(stored.has(n) || isBufferLeaf(n)), bufferOf })
    const ranges = storeRanges(own, values, at)
    const cluster: Cluster = { stores: own.map((n, i) => storeOf(at, n, bufferOf(n), ranges[i]!)) }
    const reads = new Set<Node>()
    for (const v of valuesBelow(cluster.stores.map((s) => s.value)))
      if (v.kind === 'load') reads.add(owners.get(v.buffer)!)
    const positions = own.map((n) => position.get(n)!)
    const [first, last] = [Math.min(...positions), Math.max(...positions)]
    return { id: nextId++, stored: own, reads, cluster, first, last, ...chooseGrid(cluster, profile) }
  }

  const groups = new Set<Fused>()
  const writer = new Map<Node, Fused>()
  const readers = new Map<Node, Set<Fused>>()
  /** The first position among all that a cluster leads to by its results, itself included. */
  const earliest = new Map<Fused, number>()
  const insert = (f: Fused): void => {
    groups.add(f)
    for (const n of f.stored) writer.set(n, f)
    for (const n of f.reads) readers.set(n, (readers.get(n) ?? new Set()).add(f))
    let least = f.first
    for (const n of f.stored) for (const r of readers.get(n) ?? []) least = Math.min(least, earliest.get(r)!)
    earliest.set(f, least)
    // A join can lead those before it to earlier positions than their own.
    for (let stack = [f], top = stack.pop(); top; top = stack.pop()) {
      for (const n of top.reads) {
        const w = writer.get(n)
        if (!w || earliest.get(w)! <= earliest.get(top)!) continue
        earliest.set(w, earliest.get(top)!)
        stack.push(w)
      }
    }
  }
  const remove = (f: Fused): void => {
    groups.delete(f)
    for (const n of f.reads) readers.get(n)?.delete(f)
  }
  for (const n of roots) if (sizeOf(typeOf(n).shape) > 0) insert(make([n]))
  // What only empty tensors would have read is not computed. Newest first: a reader goes before what it reads.
  for (const f of [...groups].reverse()) {
    const isNeeded = f.stored.some((n) => outputs.has(n) || (readers.get(n)?.size ?? 0) > 0)
    if (!isNeeded) remove(f)
  }

  let inPlace = donations.filter((d) => stored.has(d.output) && writer.has(d.output))
  /** Who must wait for `f`: readers of what it stores, and writers over what it reads. */
  const successors = (f: Fused): readonly Fused[] => {
    const next = new Set<Fused>()
    for (const n of f.stored) for (const r of readers.get(n) ?? []) next.add(r)
    for (const d of inPlace) if (f.reads.has(d.input)) next.add(writer.get(d.output)!)
    next.delete(f)
    return [...next]
  }
  const reaches = (from: Fused, to: Fused, direct: boolean): boolean => {
    const seen = new Set<Fused>([from])
    const stack = successors(from).filter((s) => direct || s !== to)
    // What leads only to later positions does not lead to `to`; write-after-read edges are not counted there.
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
  // A value that is read after its place would be overwritten keeps its own place.
  inPlace = inPlace.filter((d) => {
    const w = writer.get(d.output)!
    const late = [...(readers.get(d.input) ?? [])].some((r) => r !== w && reaches(w, r, true))
    return !late && readsOnlyInPlace(w, bufferOf(d.input), bufferOf(d.output))
  })

  const refused = new Map<string, Refused>()
  let attempts = 0
  const tried = new Set<string>()
  /** Joins two clusters if that is legal and cheaper, `credit` dispatches being saved. */
  const join: Join = (a, b, credit) => {
    const key = `${a.id},${b.id}`
    if (tried.has(key) || attempts >= maxAttempts) return undefined
    tried.add(key)
    attempts++
    const say = (reason: string, savedBytes: number): undefined => {
      refused.set(key, { producer: a.stored, consumer: b.stored, reason, savedBytes })
      return undefined
    }
    if (a.cost.statements + b.cost.statements > profile.costs.statements)
      return say('the kernel would have too many statements', 0)
    if (reaches(a, b, false) || reaches(b, a, true)) return say('another kernel lies between them', 0)
    const own = [...a.stored, ...b.stored]
    const inner = own.filter((n) => !outputs.has(n) && [...(readers.get(n) ?? [])].every((r) => r === a || r === b))
    for (const n of inner) stored.delete(n)
    const made = make(own.filter((n) => !inner.includes(n)))
    const undo = (): void => {
      for (const n of inner) stored.add(n)
    }
    const saved = a.cost.bytes + b.cost.bytes - made.cost.bytes
    if (made.cost.statements > profile.costs.statements) {
      undo()
      return say(`the kernel would have ${made.cost.statements} statements`, saved)
    }
    if (!runTogether(made)) {
      undo()
      return say('their results run over different ranges', saved)
    }
    const apart = a.cost.seconds + b.cost.seconds - (1 - credit) * profile.costs.dispatch
    const worthwhile = credit === 1 ? 0 : profile.costs.dispatch / 10
    if (made.cost.seconds + worthwhile >= apart) {
      undo()
      return say(
        `together they need ${Math.round(made.cost.flops)} operations on ${made.cost.threads} invocations, apart ${Math.round(a.cost.flops + b.cost.flops)} on ${a.cost.threads} and ${b.cost.threads}`,
        saved,
      )
    }
    const bad = inPlace.some(
      (d) => made.stored.includes(d.output) && !readsOnlyInPlace(made, bufferOf(d.input), bufferOf(d.output)),
    )
    if (bad) {
      undo()
      return say('it would overwrite an argument that the same kernel still reads elsewhere', saved)
    }
    remove(a)
    remove(b)
    insert(made)
    return made
  }

  joinProducers(groups, writer, readers, join)
  joinSiblings(groups, readers, (n) => position.get(n)!, join)
  joinProducers(groups, writer, readers, join)
  const kernels = sideBySide([...groups], successors, profile)
  const used = new Set<Node>([...graph.inputs, ...results, ...[...groups].flatMap((f) => [...f.stored, ...f.reads])])
  for (const n of used) bufferOf(n)
  const alive = [...refused.values()].filter((r) => [...r.producer, ...r.consumer].every((n) => used.has(n)))
  return { kernels, buffers: new Map([...buffers].filter(([n]) => used.has(n))), inPlace, refused: alive }
}

/** The largest store's ranges are all that the others run over. */
const runTogether = ({ cluster }: Fused): boolean => {
  const points = (s: Store): number => s.ranges.reduce((n, r) => n * r.size, 1)
  const largest = cluster.stores.reduce((a, s) => (points(s) > points(a) ? s : a))
  return cluster.stores.every((s) => s.ranges.every((r) => largest.ranges.includes(r)))
}

const points = ({ stored }: Fused): number => Math.max(...stored.map((n) => sizeOf(typeOf(n).shape)))

/** Joins every cluster with those whose results it reads, nearest first, until nothing is gained. */
const joinProducers = (
  groups: ReadonlySet<Fused>,
  writer: ReadonlyMap<Node, Fused>,
  readers: ReadonlyMap<Node, ReadonlySet<Fused>>,
  join: Join,
): void => {
  for (const start of [...groups].sort((a, b) => a.id - b.id)) {
    let f: Fused | undefined = groups.has(start) ? start : undefined
    while (f) {
      const current: Fused = f
      const producers = new Set<Fused>()
      for (const n of current.reads) {
        const p = writer.get(n)
        if (p && p !== current && groups.has(p)) producers.add(p)
      }
      f = undefined
      for (const p of [...producers].sort((a, b) => b.id - a.id)) {
        // A producer that others read too is gone only when all of them have taken it in.
        const users = new Set(p.stored.flatMap((n) => [...(readers.get(n) ?? [])]))
        // Over the same points nothing is computed twice, and what follows can start a kernel earlier.
        const least = points(p) === points(current) ? 0.5 : 0
        if (!f) f = join(p, current, Math.max(least, 1 / Math.max(1, users.size)))
      }
    }
  }
}

/** Joins clusters that read the same tensor. */
const joinSiblings = (
  groups: ReadonlySet<Fused>,
  readers: ReadonlyMap<Node, ReadonlySet<Fused>>,
  positionOf: (n: Node) => number,
  join: Join,
): void => {
  for (const [, rs] of [...readers].sort(([a], [b]) => positionOf(a) - positionOf(b))) {
    let list = [...rs].filter((f) => groups.has(f)).sort((a, b) => a.id - b.id)
    if (list.length > 24) list = list.slice(0, 24)
    for (let i = 0; i < list.length; i++) {
      for (let j = i + 1; j < list.length; j++) {
        const [a, b] = [list[i]!, list[j]!]
        if (!groups.has(a) || !groups.has(b)) continue
        // Independent clusters can share a dispatch side by side: only what they read in common is gained.
        const made = join(a, b, 0)
        if (made) list[i] = made
      }
    }
  }
}

/**
 * Every read of `input` is at the index, and by the invocation, that overwrites it with `output`: so the store may take
 * the argument's place. Stores over the same ranges come after all their loads (`nest.ts`).
 */
const readsOnlyInPlace = (f: Fused, input: Buffer, output: Buffer): boolean => {
  const store = f.cluster.stores.find((s) => s.buffer === output)
  if (!store || input.dtype !== output.dtype || input.size !== output.size) return false
  const isRead = (v: LoopValue): boolean => v.kind === 'load' && v.buffer === input
  const same = valuesBelow([store.value]).filter(isRead)
  const others = f.cluster.stores.filter((s) => s !== store)
  const beside = others.filter((s) => s.ranges === store.ranges || s.ranges.every((r, i) => r === store.ranges[i]))
  const apart = others.filter((s) => !beside.includes(s))
  const near = [...same, ...valuesBelow(beside.map((s) => s.value)).filter(isRead)]
  return (
    near.every((v) => v.kind === 'load' && v.index.key === store.index.key && v.bounds.length === 0) &&
    !valuesBelow(apart.map((s) => s.value)).some(isRead)
  )
}

/** Independent clusters that are ready at the same time go side by side into one kernel. */
const sideBySide = (
  groups: readonly Fused[],
  successors: (f: Fused) => readonly Fused[],
  profile: Profile,
): readonly (readonly Fused[])[] => {
  const waiting = new Map<Fused, number>(groups.map((f) => [f, 0]))
  for (const f of groups) for (const s of successors(f)) waiting.set(s, waiting.get(s)! + 1)
  let ready = groups.filter((f) => waiting.get(f) === 0).sort((a, b) => a.id - b.id)
  const kernels: (readonly Fused[])[] = []
  while (ready.length > 0) {
    const now: Fused[] = []
    let statements = 0
    for (const f of ready) {
      if (now.length > 0 && statements + f.cost.statements > 2 * profile.costs.statements) continue
      now.push(f)
      statements += f.cost.statements
    }
    kernels.push(now)
    const next = ready.filter((f) => !now.includes(f))
    for (const f of now) {
      for (const s of successors(f)) {
        waiting.set(s, waiting.get(s)! - 1)
        if (waiting.get(s) === 0) next.push(s)
      }
    }
    ready = next.sort((a, b) => a.id - b.id)
  }
  invariant(
    [...waiting.values()].every((n) => n === 0),
    'clusters wait for one another',
  )
  return kernels
}
