/**
 * What a join can gain at most, from what is known of the two clusters: nothing is lowered or scheduled for it. Most pairs
 * are refused here, so that clusters are built for those that have a chance.
 */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Costs } from '../../profile.ts'
import { reducingOps } from '../from-graph/lower-node.ts'
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

/** How a structure looks at one of its operands. */
interface Reading {
  /** How often it would compute elements of it, as its loops stand. */
  readonly times: number
  /** The same, were its loops ordered for this operand: those around no reduction can be. */
  readonly least: number
}

const readings = new WeakMap<Solved, ReadonlyMap<Buffer, Reading>>()
const readingsOf = (s: Solved): ReadonlyMap<Buffer, Reading> => {
  const known = readings.get(s)
  if (known) return known
  const found = new Map<Buffer, Reading>()
  countItems(s.schedule.nest, (item, times, _, isReduced) => {
    if (item.kind !== 'value' || item.value.kind !== 'load') return
    const { buffer, index } = item.value
    const before = found.get(buffer) ?? { times: 0, least: 0 }
    const least = isReduced ? times : Math.min(times, index.max - index.min + 1)
    found.set(buffer, { times: before.times + times, least: before.least + least })
  })
  readings.set(s, found)
  return found
}

/** How `user` looks at what `maker` stores, as a part of its elements; undefined where that is more than one tensor. */
const readingOf = (maker: Group, user: Group): Reading | undefined => {
  const [n] = maker.stored
  if (maker.stored.length !== 1 || !user.solved || !user.reads.has(n!)) return undefined
  const found = readingsOf(user.solved).get(user.solved.operands[user.operands.indexOf(n!)]!)
  const size = Math.max(1, sizeOf(typeOf(n!).shape))
  return found && { times: found.times / size, least: found.least / size }
}

const reduces = (g: Group): boolean => g.members.some((n) => reducingOps.has(n.op))

/** Whether something would be computed once instead of twice: a node of both, or what two reductions do to the same tensor. */
const sharesWork = (a: Group, b: Group): boolean => {
  const [few, many] = a.members.length < b.members.length ? [a, b] : [b, a]
  const all = new Set(many.members)
  if (few.members.some((n) => all.has(n))) return true
  return reduces(a) && reduces(b) && [...few.reads].some((n) => many.reads.has(n))
}

/** The least that the joined cluster, which stores `own`, can cost. */
export const leastCost = (
  a: Group,
  b: Group,
  own: readonly Node[],
  inner: ReadonlySet<Node>,
  costs: Costs,
): { readonly seconds: number; readonly flops: number } => {
  const bytes = Math.max(0, a.cost.bytes + b.cost.bytes - savedBytes(a, b, inner))
  let points = 0
  for (const n of own) points = Math.max(points, sizeOf(typeOf(n).shape))
  /** `flops` on at most so many invocations. */
  const on = (invocations: number, flops: number) => ({
    flops,
    seconds: costs.dispatch + bytes / costs.bandwidth + flops / Math.min(1, invocations / costs.threads) / costs.flops,
  })
  if (sharesWork(a, b)) return on(points, Math.max(a.cost.flops, b.cost.flops))
  const reading = a.stored.every((n) => inner.has(n)) ? readingOf(a, b) : undefined
  if (!reading) return on(points, a.cost.flops + b.cost.flops)
  // What is looked at outside of reductions is computed once where the grid is cut down to its elements.
  const again = on(points, b.cost.flops + a.cost.flops * reading.times)
  const elements = Math.max(1, reading.least * sizeOf(typeOf(a.stored[0]!).shape))
  const once = on(Math.min(points, elements), b.cost.flops + a.cost.flops * reading.least)
  return again.seconds < once.seconds ? again : once
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
