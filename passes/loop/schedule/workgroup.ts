/**
 * Workgroups that compute a point of the grid together: their invocations deal the outermost loops out among themselves, and
 * the states of a reduction become one in workgroup memory. A few long rows then keep a device as busy as many short ones
 * do, in one dispatch. Runs are dealt on levels of the order of summation: the bits are those of a single invocation.
 */
import { ceilDiv, floorDiv, productOf } from '../../../src/lang/dim.ts'
import { isPositional, radix, stateMonoids } from '../../../src/lang/monoids.ts'
import type { Costs, Profile } from '../../profile.ts'
import type { Range } from '../ir/cluster.ts'
import { levelsOf } from './levels.ts'
import type { Accumulation, Item, Nest } from './nest.ts'
import { type Role, type Schedule, stepIn } from './roles.ts'
import { bytesOfArrays, type SharedArray } from './shared-arrays.ts'

/** How the steps of a loop are dealt out to invocations. */
export interface Deal {
  readonly range: Range
  /**
   * `runs`: to each `share` runs on end, which are a level of the order of summation. `steps`: `share` steps on end, where
   * positions matter. `turns`: every step to the next invocation, so that neighbours read and write side by side.
   */
  readonly form: 'runs' | 'steps' | 'turns'
  readonly share: number
  /** Invocations that get a part. */
  readonly active: number
}

const mostThreads = 256
const leastThreads = 16

/** Invocations of a workgroup that shares its work: whole levels of a tree. */
export const sharedThreads = ({ workgroupThreads }: Profile): number => {
  let threads = mostThreads
  while (threads > workgroupThreads) threads /= radix
  return threads
}

/** Seconds that a workgroup must gain by computing points together: what they all need, each invocation computes. */
export const leastGain = ({ dispatch }: Costs): number => dispatch / 10

/** How often a workgroup waits for all of its invocations until their states are one. */
const barriersOf = (threads: number): number => Math.log2(threads) / Math.log2(radix) + 1

/** The least that computing a point together costs, in seconds. */
export const leastSharing = (profile: Profile): number =>
  leastGain(profile.costs) + barriersOf(sharedThreads(profile)) * profile.costs.barrier

/** The most points of a loop that a workgroup computes side by side. */
export const mostShared = (profile: Profile): number =>
  profile.schedule === 'cooperative' ? 4 * sharedThreads(profile) : 1

/** How a loop that reduces nothing is dealt out: not at all where it is one step. */
export const dealOfLoop = (range: Range, roles: Schedule['roles'], threads: number): Deal | undefined => {
  const steps = ceilDiv(range.size, stepIn(roles, range))
  return steps < 2 ? undefined : { range, form: 'turns', share: 1, active: Math.min(threads, steps) }
}

/** How the loops of reductions that share them are dealt out; undefined where each invocation has to do all of it. */
export const dealOfReduce = (
  accumulations: readonly Accumulation[],
  roles: Schedule['roles'],
  threads: number,
): Deal | undefined => {
  const all = accumulations.map((a) => a.reduce)
  const { over } = all[0]!
  const stepsOf = (r: Range): number => ceilDiv(r.size, stepIn(roles, r))
  const ordered = all.find((r) => r.order !== 'any')
  if (ordered) {
    const at = over.findIndex((r) => r.size > 1)
    const level = levelsOf(ordered)[at]
    if (!level?.isOwn) return undefined
    const range = over[at]!
    const runs = ceilDiv(stepsOf(range), Math.max(1, floorDiv(level.run, stepIn(roles, range))))
    if (runs < 2) return undefined
    let share = 1
    while (share * threads < runs) share *= radix
    return { range, form: 'runs', share, active: ceilDiv(runs, share) }
  }
  const range = over.reduce((a, b) => (stepsOf(b) > stepsOf(a) ? b : a))
  const steps = stepsOf(range)
  if (steps < 2) return undefined
  if (!all.some((r) => isPositional(r.monoid)))
    return { range, form: 'turns', share: 1, active: Math.min(threads, steps) }
  // What comes first in the order of elements must be found by the invocation that comes first.
  const share = ceilDiv(steps, threads)
  const isOutermost = over.findIndex((r) => r.size > 1) === over.indexOf(range)
  return isOutermost ? { range, form: 'steps', share, active: ceilDiv(steps, share) } : undefined
}

/** A loop that no loop is around, and how it is dealt out. */
interface Outermost {
  readonly item: Item
  readonly deal: Deal | undefined
}

const outermost = ({ body }: Nest, roles: Schedule['roles'], threads: number): readonly Outermost[] =>
  body.items
    .flatMap((item) => (item.kind === 'first' ? item.body.items : [item]))
    .flatMap((item): readonly Outermost[] => {
      if (item.kind === 'reduce') return [{ item, deal: dealOfReduce(item.accumulations, roles, threads) }]
      return item.kind === 'loop' ? [{ item, deal: dealOfLoop(item.body.range!, roles, threads) }] : []
    })

/** The arrays through which states meet: those of one meeting are those of the next. */
export const meetingArrays = ({ nest, roles, workgroup }: Schedule): readonly SharedArray[] => {
  if (!workgroup || workgroup.tile) return []
  const most = new Map<string, number>()
  for (const { item, deal } of outermost(nest, roles, workgroup.threads)) {
    if (item.kind !== 'reduce' || !deal) continue
    const here = new Map<string, number>()
    for (const { reduce } of item.accumulations) {
      const { dtype } = reduce.values[0]!
      const copies = productOf([...reduce.ranges], (r) => roles.get(r)?.unroll ?? 1)
      const width = [...reduce.ranges].some((r) => roles.get(r)?.vector) ? 4 : 1
      for (const d of stateMonoids[reduce.monoid].components(dtype)) {
        const element = `${d}x${width}`
        here.set(element, (here.get(element) ?? 0) + copies)
      }
    }
    for (const [element, count] of here) most.set(element, Math.max(count, most.get(element) ?? 0))
  }
  return [...most].flatMap(([element, count]) =>
    Array.from({ length: count }, () => ({ element, size: workgroup.threads })),
  )
}

/** How many points of an outermost loop a workgroup computes side by side, and what comes together after it. */
export interface Sharing {
  readonly pointsOf: (loop: Item) => number
  /** How often a workgroup waits for all of its invocations. */
  readonly barriers: number
}

export const sharingOf = ({ nest, roles }: Schedule, threads: number): Sharing => {
  const loops = outermost(nest, roles, threads)
  const points = new Map(loops.map(({ item, deal }) => [item, deal ? deal.active * stepIn(roles, deal.range) : 1]))
  const meetings = loops.filter(({ item, deal }) => item.kind === 'reduce' && deal).length
  return { pointsOf: (loop) => points.get(loop) ?? 1, barriers: meetings * barriersOf(threads) }
}

/** `schedule` for workgroups that compute a point of its grid together, where that has loops to deal out. */
export const inWorkgroups = ({ nest, roles }: Schedule, profile: Profile): Schedule | undefined => {
  const threads = sharedThreads(profile)
  if (profile.schedule !== 'cooperative' || threads < leastThreads) return undefined
  // Points of the grid are computed one at a time: another invocation is nearer than another register.
  const own = new Map<Range, Role>(
    [...roles].map(([r, role]) => [r, nest.grid.includes(r) ? { ...role, unroll: 1 } : role]),
  )
  const made: Schedule = { nest, roles: own, workgroup: { threads } }
  const isShared = outermost(nest, own, threads).some(({ item, deal }) => item.kind === 'reduce' && deal)
  return isShared && bytesOfArrays(meetingArrays(made)) <= profile.workgroupBytes ? made : undefined
}
