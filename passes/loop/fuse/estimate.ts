/**
 * What a join can gain at most, from what is known of the two clusters: nothing is lowered or scheduled for it. Most pairs
 * are refused here, so that clusters are built for those that have a chance.
 */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Costs } from '../../profile.ts'
import type { Buffer } from '../ir/cluster.ts'
import { countItems } from '../schedule/nest.ts'
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

const readings = new WeakMap<Solved, ReadonlyMap<Buffer, number>>()
/**
 * How often a structure would compute the elements of each of its operands, were they not in memory: inside a reduction at
 * every turn of its loops, elsewhere once for each element that it reads, as loops can be put in that order.
 */
const readingsOf = (s: Solved): ReadonlyMap<Buffer, number> => {
  const known = readings.get(s)
  if (known) return known
  const counts = new Map<Buffer, number>()
  countItems(s.schedule.nest, (item, times, _, isReduced) => {
    if (item.kind !== 'value' || item.value.kind !== 'load') return
    const { buffer, index } = item.value
    const elements = isReduced ? times : Math.min(times, index.max - index.min + 1)
    counts.set(buffer, (counts.get(buffer) ?? 0) + elements)
  })
  readings.set(s, counts)
  return counts
}

/** How often `user` would compute each element of what `maker` stores, were that not stored: 1 for once, at least. */
const repeats = (maker: Group, user: Group): number => {
  const [n] = maker.stored
  if (maker.stored.length !== 1 || !user.solved || !user.reads.has(n!)) return 1
  const points = readingsOf(user.solved).get(user.solved.operands[user.operands.indexOf(n!)]!) ?? 0
  return points / Math.max(1, sizeOf(typeOf(n!).shape))
}

const sharesWork = (a: Group, b: Group): boolean => {
  const [few, many] = a.members.length < b.members.length ? [a, b] : [b, a]
  const all = new Set(many.members)
  return few.members.some((n) => all.has(n))
}

/** The least that the joined cluster can cost, in seconds. */
export const leastSeconds = (a: Group, b: Group, inner: ReadonlySet<Node>, costs: Costs): number => {
  const bytes = Math.max(0, a.cost.bytes + b.cost.bytes - savedBytes(a, b, inner))
  const isTaken = a.stored.every((n) => inner.has(n))
  const flops = sharesWork(a, b)
    ? Math.max(a.cost.flops, b.cost.flops)
    : b.cost.flops + a.cost.flops * (isTaken ? repeats(a, b) : 1)
  return costs.dispatch + bytes / costs.bandwidth + flops / costs.flops
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
