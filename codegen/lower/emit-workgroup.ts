/**
 * A workgroup that computes a point of the grid together: which steps of a loop are whose, and the states of all invocations
 * as one, by the levels of the order of summation. See `passes/loop/schedule/workgroup.ts`.
 */
import type { Deal } from '../../passes/loop/schedule/workgroup.ts'
import { heightOf, radix } from '../../src/lang/monoids.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt, KType, LocalArray } from '../kernel/kernel.ts'
import type { Kind, State, StateEmitter } from '../kernel/states.ts'
import type { Arrays, Namer } from './emit.ts'

/** A state of each invocation. */
export interface Own {
  readonly kind: Kind
  readonly state: State
}

export interface Crew {
  readonly threads: number
  /** Whether all invocations do the same here: no loop around is dealt out. */
  readonly isTogether: () => boolean
  /** What each invocation does for itself. */
  readonly apart: (fill: () => void) => void
  /** The steps of a loop of `steps` that are this invocation's: from, to, by. */
  readonly partOf: (deal: Deal, steps: number) => { readonly from: KExpr; readonly to: KExpr; readonly step: number }
  /** The states of the first `active` invocations as one, in all of them. */
  readonly meet: (own: readonly Own[], active: number, states: StateEmitter) => readonly State[]
}

export interface Surroundings {
  readonly name: Namer
  readonly push: (s: KStmt) => void
  readonly inScope: (fill: () => void) => readonly KStmt[]
  readonly arrayOf: Arrays
}

const local = k.builtin('localIndex')

export const crewOf = (threads: number, { name, push, inScope, arrayOf }: Surroundings): Crew => {
  let isTogether = true
  /** Arrays of the meetings so far, which the next one uses again. */
  const pool: LocalArray[] = []

  const take = (element: KType, taken: Set<LocalArray>): LocalArray => {
    const array =
      pool.find((a) => !taken.has(a) && k.sameType(a.element, element)) ?? arrayOf(element, threads, 'workgroup')
    if (!pool.includes(array)) pool.push(array)
    taken.add(array)
    return array
  }
  const held = (e: KExpr): KExpr => {
    const id = name('v')
    push(k.letStmt(id, e))
    return k.ref(id, e.type)
  }

  return {
    threads,
    isTogether: () => isTogether,
    apart: (fill) => {
      const before = isTogether
      isTogether = false
      fill()
      isTogether = before
    },
    partOf: ({ form, share }, steps) => {
      if (form === 'turns') return { from: local, to: k.u32(steps), step: threads }
      const from = k.mul(local, k.u32(share))
      return { from, to: k.min(k.add(from, k.u32(share)), k.u32(steps)), step: 1 }
    },
    meet: (own, active, states) => {
      // Somebody may still read what the meeting before left.
      if (pool.length > 0) push(k.barrier)
      const taken = new Set<LocalArray>()
      const arrays = own.map(({ state }) => state.map((e) => take(e.type, taken)))
      const read = (i: number, at: KExpr): State => arrays[i]!.map((a) => held(k.read(a, at)))
      const write = (i: number, state: State): void => {
        for (const [c, e] of state.entries()) push(k.write(arrays[i]![c]!, local, e))
      }
      for (const [i, { state }] of own.entries()) write(i, state)
      push(k.barrier)
      const [round, other] = [name('n'), name('n')]
      /** The distance of what meets in this round, as a power of two. */
      const height = k.mul(k.ref(round), k.u32(Math.log2(radix)))
      const merging = inScope(() => {
        const at = held(k.add(local, k.shiftLeft(k.ref(other), height)))
        for (const [i, { kind }] of own.entries())
          write(i, states.named(states.merge(kind, read(i, local), read(i, at))))
      })
      const body = inScope(() => {
        const others = k.sub(k.shiftLeft(k.u32(radix), height), k.u32(1))
        push(k.ifStmt(k.eq(k.and(local, others), k.u32(0)), [k.forStmt(other, k.u32(1), k.u32(radix), 1, merging)]))
        push(k.barrier)
      })
      push(k.forStmt(round, k.u32(0), k.u32(heightOf(active)), 1, body))
      return own.map((_, i) => read(i, k.u32(0)))
    },
  }
}
