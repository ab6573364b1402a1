/**
 * Prefix reductions (cumsum, cumprod …) in blocks of a line: an element's prefix is what lies before its block, then what
 * lies before its run of eight, then the run. One thread takes a line or, where lines are few and long, a block: then a
 * first dispatch reduces the blocks and a second says what lies before each. Both ways give the same bits, at every
 * length.
 */

import { cumulateBlock, cumulateSplit } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { KernelDType } from '../../src/lang/dtype.ts'
import type { NodeOf } from '../../src/lang/ir.ts'
import { heightOf, prefixRow, radix, treeRun } from '../../src/lang/monoids.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr } from '../kernel/kernel.ts'
import type { Kind, State } from '../kernel/states.ts'
import { type Builder, buildStatements } from './build-statements.ts'
import { computeType, lineAddress, perThread, type RoutineDispatch, type Tensors } from './dispatch.ts'

/** The line that a thread works on. */
interface Line {
  readonly kind: Kind
  readonly length: number
  /** The state of the element at a step of the scan. */
  readonly element: (step: KExpr) => State
  readonly store: (step: KExpr, state: State) => void
}

/** Levels above the runs of a block. */
const inside = heightOf(cumulateBlock / treeRun)

/** Scans block `number` of a line; the state of the block. With `before`, the prefixes are stored. */
const scanBlock = ({ states, loop, when }: Builder, line: Line, number: KExpr, before?: State): State => {
  const { kind, length } = line
  const run = states.begin(kind)
  const levels = Array.from({ length: inside }, () => states.begin(kind))
  const base = before && states.begin(kind)
  if (base) states.assign(base, before)
  const first = k.mul(number, k.u32(cumulateBlock))
  const end = k.min(k.add(first, k.u32(cumulateBlock)), k.u32(length))
  loop(first, end, (step) => {
    states.assign(run, states.merge(kind, run, line.element(step)))
    if (base) line.store(step, states.named(states.merge(kind, base, run)))
    // The run is the lowest level; what lies before the next one changes with it.
    states.carry([{ kind, levels: [run, ...levels] }], step, treeRun / radix)
    if (!base) return
    const mask = k.u32(treeRun - 1)
    when(k.eq(k.and(step, mask), mask), () => {
      const done = states.total({ kind, levels })
      states.assign(base, states.merge(kind, before, states.named(done)))
    })
  })
  return states.named(states.total({ kind, levels: [run, ...levels] }))
}

/** The states before each block, the first of which is the identity, by the states of the blocks. */
const overBlocks = (
  { states, loop }: Builder,
  kind: Kind,
  blocks: number,
  body: (number: KExpr, before: State) => State,
): void => {
  const levels = Array.from({ length: Math.max(1, heightOf(blocks)) }, () => states.begin(kind))
  loop(k.u32(0), k.u32(blocks), (number) => {
    const state = body(number, states.named(states.total({ kind, levels })))
    states.assign(levels[0]!, states.merge(kind, levels[0]!, state))
    states.carry([{ kind, levels }], number, 1)
  })
}

const lineOf = (n: NodeOf<'cumulate'>, r: Routine): ((b: Builder, line: KExpr) => Line) => {
  const { shape } = typeOf(n.args[0]!)
  const { axis, reverse, monoid } = n.params
  const [x] = r.inputs
  const length = shape[axis]!
  const elementOf = lineAddress(shape, axis)
  const position = (step: KExpr): KExpr => (reverse ? k.sub(k.u32(length - 1), step) : step)
  const kind: Kind = { row: prefixRow(monoid), dtype: computeType(x!.dtype) as KernelDType, width: 1 }
  return ({ t, states, push }, line) => ({
    kind,
    length,
    element: (step) => {
      const value = k.cast(t.load(x!, elementOf(line, position(step))), kind.dtype)
      const name = t.name('x')
      push(k.letStmt(name, value))
      return states.lift(kind, k.ref(name, value.type), k.cast(position(step), 'i32'))
    },
    store: (step, state) => {
      const results = states.finish(kind, state)
      for (const [i, b] of r.outputs.entries()) push(t.store(b, elementOf(line, position(step)), results[i]!))
    },
  })
}

/** The dispatches of a cumulate node. */
export const cumulateRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const n = r.node as NodeOf<'cumulate'>
  const { lines, length, blocks } = cumulateSplit(n)
  const at = lineOf(n, r)
  const [x] = r.inputs
  const { outputs, scratch } = r
  const name = `cumulate_${n.params.monoid}`
  if (blocks === 1) {
    const whole = perThread(lines, profile, (t, thread) =>
      buildStatements(t, (b) => {
        const line = at(b, thread)
        overBlocks(b, line.kind, ceilDiv(length, cumulateBlock), (number, before) => scanBlock(b, line, number, before))
      }),
    )
    return [{ name, reads: [x!], writes: outputs, ...whole }]
  }
  const load = (t: Tensors, index: KExpr): State => scratch.map((s) => t.load(s, index))
  const keep = ({ t, push }: Builder, index: KExpr, state: State): void => {
    for (const [i, s] of scratch.entries()) push(t.store(s, index, state[i]!))
  }
  const perBlock = (fill: (b: Builder, line: Line, number: KExpr, index: KExpr) => void) =>
    perThread(lines * blocks, profile, (t, thread) =>
      buildStatements(t, (b) => fill(b, at(b, k.div(thread, k.u32(blocks))), k.rem(thread, k.u32(blocks)), thread)),
    )
  const reduced = perBlock((b, line, number, index) => keep(b, index, scanBlock(b, line, number)))
  const before = perThread(lines, profile, (t, thread) =>
    buildStatements(t, (b) => {
      const { kind } = at(b, thread)
      overBlocks(b, kind, blocks, (number, state) => {
        const index = k.add(k.mul(thread, k.u32(blocks)), number)
        const own = b.states.begin(kind)
        b.states.assign(own, load(t, index))
        keep(b, index, state)
        return own
      })
    }),
  )
  const scanned = perBlock((b, line, number, index) => {
    const from = b.states.begin(line.kind)
    b.states.assign(from, load(b.t, index))
    scanBlock(b, line, number, from)
  })
  return [
    { name: `${name}_blocks`, reads: [x!], writes: scratch, ...reduced },
    { name: `${name}_before`, reads: scratch, writes: scratch, ...before },
    { name, reads: [x!, ...scratch], writes: outputs, ...scanned },
  ]
}
