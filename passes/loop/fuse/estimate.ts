/**
 * What a join can gain at most, from what is known of the two clusters: nothing is lowered or scheduled for it. Most pairs
 * are refused here, so that clusters are built for those that have a chance.
 */
import { typeOf, typesOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { priceOf } from '../../op-prices.ts'
import type { Profile } from '../../profile.ts'
import { reducingOps } from '../from-graph/lower-node.ts'
import type { Buffer } from '../ir/cluster.ts'
import { countItems } from '../schedule/nest.ts'
import { leastSharing, mostShared } from '../schedule/workgroup.ts'
import type { Group } from './fusion.ts'
import type { Solved } from './solve.ts'

const bytesOf = (n: Node): number => {
  const { shape, dtype } = typeOf(n)
  return sizeOf(shape) * byteSize(dtype)
}

/** Bytes that no longer move when the two are one, at most: what one stores and the other reads, what both read. */
export const savedBytes = (a: Group, b: Group, inner: ReadonlySet<Node>): number => {
  let bytes = 0
  for (const n of a.stored) if (b.reads.has(n)) bytes += bytesOf(n)
  for (const n of b.stored) if (a.reads.has(n)) bytes += bytesOf(n)
  for (const n of inner) bytes += bytesOf(n)
  const [few, many] = a.reads.size < b.reads.size ? [a.reads, b.reads] : [b.reads, a.reads]
  for (const n of few) if (many.has(n)) bytes += bytesOf(n)
  return bytes
}

/** How a structure looks at one of its operands. */
interface Reading {
  /** How often it would compute elements of it, as its loops stand. */
  readonly times: number
  /** The same, were its loops ordered for this operand: those around no reduction can be. */
  readonly least: number
  /** The same, were rows kept from one loop for the next. */
  readonly kept: number
}

const readings = new WeakMap<Solved, ReadonlyMap<Buffer, Reading>>()
const readingsOf = (s: Solved): ReadonlyMap<Buffer, Reading> => {
  const known = readings.get(s)
  if (known) return known
  const found = new Map<Buffer, Reading>()
  countItems(s.schedule.nest, (item, times, _, isReduced) => {
    if (item.kind !== 'value' || item.value.kind !== 'load') return
    const { buffer, index } = item.value
    const before = found.get(buffer) ?? { times: 0, least: 0, kept: 0 }
    const least = isReduced ? times : Math.min(times, index.max - index.min + 1)
    const kept = Math.max(before.kept, least)
    found.set(buffer, { times: before.times + times, least: before.least + least, kept })
  })
  readings.set(s, found)
  return found
}

/** How `user` looks at `n`, as a part of its elements. */
const readingOf = (n: Node, user: Group): Reading | undefined => {
  if (!user.solved || !user.reads.has(n)) return undefined
  const found = readingsOf(user.solved).get(user.solved.operands[user.operands.indexOf(n)]!)
  const size = Math.max(1, sizeOf(typeOf(n).shape))
  return found && { times: found.times / size, least: found.least / size, kept: found.kept / size }
}

const sizeOfNode = (n: Node): number => (typesOf(n).length === 1 ? sizeOf(typeOf(n).shape) : 0)

/** What computing a node once takes, without its operands. */
const workOf = (n: Node): number => {
  const elements = Math.max(sizeOfNode(n), reducingOps.has(n.op) ? Math.max(0, ...n.args.map(sizeOfNode)) : 0)
  return elements * priceOf(n.op)
}

const works = new WeakMap<Group, ReadonlyMap<Node, number>>()
/** Per stored node of a group, the work that it takes, each operation below it once. */
const worksOf = (g: Group): ReadonlyMap<Node, number> => {
  const known = works.get(g)
  if (known) return known
  const members = new Set(g.members)
  const workBelow = (n: Node): number => {
    const below = new Set([n])
    let work = 0
    for (const x of below) {
      work += workOf(x)
      for (const a of x.args) if (members.has(a)) below.add(a)
    }
    return work
  }
  const found = new Map(g.stored.map((n) => [n, workBelow(n)]))
  works.set(g, found)
  return found
}

/** What a user of a group looks at again and again that takes the most work. */
interface Repeated extends Reading {
  readonly node: Node
  readonly work: number
}

const repeatedOf = (maker: Group, user: Group): Repeated | undefined => {
  let most: Repeated | undefined
  for (const [node, work] of worksOf(maker)) {
    const reading = readingOf(node, user)
    if (reading && (!most || work * reading.times > most.work * most.times)) most = { ...reading, node, work }
  }
  return most
}

const reduces = (g: Group): boolean => g.members.some((n) => reducingOps.has(n.op))

const shares = new WeakMap<Group, number>()
/** Points that a workgroup may compute side by side for one result of a group's reductions: there is work for so many. */
const sharedPoints = (g: Group, profile: Profile): number => {
  const known = shares.get(g)
  if (known !== undefined) return known
  let most = 1
  for (const n of g.members) {
    if (!reducingOps.has(n.op)) continue
    const reduced = Math.max(...n.args.map(sizeOfNode)) / Math.max(1, sizeOf(typesOf(n)[0]!.shape))
    most = Math.max(most, Math.min(mostShared(profile), reduced))
  }
  shares.set(g, most)
  return most
}

/** Whether something would be computed once instead of twice: a node of both, or what two reductions do to the same tensor. */
const sharesWork = (a: Group, b: Group): boolean => {
  const [few, many] = a.members.length < b.members.length ? [a, b] : [b, a]
  const all = new Set(many.members)
  if (few.members.some((n) => all.has(n))) return true
  return reduces(a) && reduces(b) && [...few.reads].some((n) => many.reads.has(n))
}

/** Points that may share what is computed for them: the lanes and register copies of an invocation. */
const together = 8

/** Of the two clusters of a join. */
type Both = readonly [number, number]

/** The least that the joined cluster, which stores `own`, can cost. */
export const leastCost = (
  a: Group,
  b: Group,
  own: readonly Node[],
  inner: ReadonlySet<Node>,
  profile: Profile,
): { readonly seconds: number; readonly flops: number } => {
  const { costs } = profile
  const bytes = Math.max(0, a.cost.bytes + b.cost.bytes - savedBytes(a, b, inner))
  let points = 0
  for (const n of own) points = Math.max(points, sizeOf(typeOf(n).shape))
  const shares: Both = [sharedPoints(a, profile), sharedPoints(b, profile)]
  /** What `a` and what `b` does, at so many points side by side. */
  const secondsOf = (beside: Both, work: Both): number => {
    const time = (i: 0 | 1): number => work[i] / Math.min(1, beside[i] / costs.threads) / costs.flops
    return costs.dispatch + bytes / costs.bandwidth + time(0) + time(1)
  }
  /** The same on a grid of so many points, which invocations compute alone, or workgroups together. */
  const on = (grid: number, [shareOfA, shareOfB]: Both, work: Both) => {
    const alone = secondsOf([grid, grid], work)
    const isShared = shareOfA * shareOfB > 1
    const inGroups = isShared ? secondsOf([grid * shareOfA, grid * shareOfB], work) + leastSharing(profile) : alone
    return { flops: work[0] + work[1], seconds: Math.min(alone, inGroups) }
  }
  const repeated = repeatedOf(a, b)
  /** What `a` stores for others is computed all the same. */
  const isGone = a.stored.length === 1 && inner.has(a.stored[0]!)
  const workOfA = (times: number): number =>
    isGone ? a.cost.flops * times : Math.max(a.cost.flops, ((repeated?.work ?? 0) * times) / together)
  const shared = sharesWork(a, b)
  const works = (times: number): Both => {
    const own = shared && isGone ? a.cost.flops : workOfA(times)
    return shared ? [Math.max(0, own - b.cost.flops), b.cost.flops] : [own, b.cost.flops]
  }
  if (!repeated) return on(points, shares, works(1))
  // What is looked at outside of reductions is computed once where the grid is cut down to its elements.
  const each = on(points, shares, works(repeated.times))
  const elements = Math.max(1, repeated.least * sizeOfNode(repeated.node))
  const most = Math.max(...shares)
  const once = on(
    Math.min(points, elements),
    [most, most],
    works(profile.schedule === 'task' ? repeated.kept : repeated.least),
  )
  return each.seconds < once.seconds ? each : once
}

/** Whether the stores of one cluster can run over the ranges of the largest of them: their axes are some of its axes, in order. */
export const canRunTogether = (stored: readonly Node[]): boolean => {
  const shapes = stored.map((n) => typeOf(n).shape)
  const sizes = shapes.map(sizeOf)
  if (sizes.every((s) => s === sizes[0])) return true
  const main = shapes[sizes.indexOf(Math.max(...sizes))]!
  return shapes.every((shape) => {
    let at = 0
    for (const d of main) if (at < shape.length && shape[at] === d) at++
    return at === shape.length
  })
}
