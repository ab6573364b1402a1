/**
 * Loops and routines as `explain` shows them: what the insides of a loop are called, which dispatches a cluster, a routine
 * or a loop has, and which of them run again and again.
 */
import type { BoundKernel } from '../../codegen/lower/assemble.ts'
import type { Step } from '../../codegen/plan/plan.ts'
import type { Fusion } from '../../passes/loop/fuse/fuse.ts'
import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Node } from '../lang/ir.ts'

/** What the graph's text calls a node; for one inside a loop, what it is to the loop. */
export type NameOf = (node: Node) => string

/** Names of all nodes in memory and of their buffers by number, those inside loops included. */
export interface Names {
  readonly nameOf: NameOf
  readonly bufferName: (id: number) => string
}

/** The names of `fusion`, where `nameOf` knows the nodes outside loops. */
export const namesInside = (fusion: Fusion, nameOf: NameOf): Names => {
  const nodes = new Map<Node, string>()
  const buffers = new Map<number, string>()
  const visit = (within: Fusion, name: NameOf): void => {
    for (const [n, b] of within.buffers) {
      nodes.set(n, name(n))
      buffers.set(b.id, name(n))
    }
    for (const { routine } of within.kernels.flat()) {
      if (!routine?.loop) continue
      const { carries, fixed, fusion: inner } = routine.loop
      const loop = name(routine.node)
      const known = new Map([...fixed].map(([b, outer]) => [b.id, buffers.get(outer.id)]))
      for (const b of routine.outputs) known.set(b.id, `a row of ${buffers.get(b.id)}`)
      carries.forEach(({ read, write }, i) => {
        const { node } = routine
        const isCarry = node.op !== 'scan' || i < node.params.carries
        const what = isCarry ? `carry ${i} of ${loop}` : `the turn of ${loop}`
        known.set(read.id, what)
        known.set(write.id, `next ${what}`)
      })
      let others = 0
      for (const b of inner.buffers.values()) if (!known.get(b.id)) known.set(b.id, `${loop}.${others++}`)
      visit(inner, (n) => known.get(inner.buffers.get(n)!.id)!)
    }
  }
  visit(fusion, nameOf)
  return { nameOf: (n) => nodes.get(n) ?? nameOf(n), bufferName: (id) => buffers.get(id) ?? `b${id}` }
}

/** The dispatches of each of `fusion`'s clusters by number: of a routine all that it has, of a loop those of its turns. */
export const dispatchesOf = (
  fusion: Fusion,
  kernels: readonly BoundKernel[],
): ReadonlyMap<Fused, readonly number[]> => {
  const found = new Map<Fused, readonly number[]>()
  kernels.forEach(({ fused }, i) => {
    for (const f of fused) found.set(f, [...(found.get(f) ?? []), i])
  })
  const visit = (within: Fusion): readonly number[] =>
    within.kernels.flat().flatMap((f) => {
      if (f.routine?.loop) found.set(f, visit(f.routine.loop.fusion))
      return found.get(f) ?? []
    })
  visit(fusion)
  return found
}

/** Dispatches that run again and again, one after the other. */
export interface RepeatReport {
  readonly first: number
  readonly last: number
  /** How often; null where the device finds out, and the host asks after each time. */
  readonly times: number | null
}

/** The repeated stretches of a plan, outer ones before those inside them. A loop of three turns has none: one, then two. */
export const repeatsOf = (steps: readonly Step[]): readonly RepeatReport[] => {
  const found: RepeatReport[] = []
  let next = 0
  const visit = (s: Step): void => {
    if (s.kind === 'dispatch') next++
    if (s.kind !== 'repeat' && s.kind !== 'while') return
    const [at, first] = [found.length, next]
    s.steps.forEach(visit)
    const times = s.kind === 'repeat' ? s.times : null
    if (next > first && times !== 1) found.splice(at, 0, { first, last: next - 1, times })
  }
  steps.forEach(visit)
  return found
}

/** How often dispatch `i` runs: in all, or where the device finds out, each time that the host submits it. */
export const timesOf = (
  i: number,
  repeats: readonly RepeatReport[],
): { readonly times: number; readonly isOpen: boolean } => {
  const around = repeats.filter(({ first, last }) => first <= i && i <= last)
  return {
    times: around.reduce((n, { times }) => n * (times ?? 1), 1),
    isOpen: around.some(({ times }) => times === null),
  }
}

/** `dispatches 2 to 3: 4 times`. */
export const showRepeat = ({ first, last, times }: RepeatReport): string => {
  const which = first === last ? `dispatch ${first}` : `dispatches ${first} to ${last}`
  return `${which}: ${times === null ? 'again, a submission each, until the device says that the loop has ended' : `${times} times`}`
}
