/**
 * Counts the bytes and flops of a kernel without executing all of it: runs its slice (`count-slice.ts`) for every
 * invocation, marks the addresses, and adds the units of all other statements. Agrees with `interp/run-kernel.ts`
 * exactly.
 */
import { stepCount } from '../../../src/lang/dim.ts'
import * as k from '../build-kernel.ts'
import { flopsOf } from '../flops.ts'
import type { Kernel, KStmt } from '../kernel.ts'
import { expressionsOf } from '../parts.ts'
import { touchedOf } from './count-memory.ts'
import { type Guard, sliceOf, type Touch, touchesOf } from './count-slice.ts'
import { type Block, gridSlot, localSlot, type Run, type ValueAt, valueCompiler } from './count-values.ts'

export type { ValueAt } from './count-values.ts'

/** Counts one workgroup at a time, in any order. */
export interface KernelCounter {
  readonly run: (workgroup: number) => void
  /** Floating-point units so far (see `flops.ts`). */
  readonly flops: () => number
  /** Bytes of distinct elements each workgroup touched, summed, by binding. */
  readonly bytes: () => readonly number[]
}

type For = Extract<KStmt, { readonly kind: 'for' }>

/** Rows up to this length are memoised instead of being marked again. */
const longRow = 12
/** Loops longer than this are run step by step. */
const longestRow = 1 << 16

/** A counter for `kernel` over bindings of these sizes in bytes; undefined where the slice is the whole kernel. */
export const kernelCounter = (
  kernel: Kernel,
  sizes: readonly number[],
  valueAt: ValueAt,
): KernelCounter | undefined => {
  const slice = sliceOf(kernel)
  if (slice.isWhole) return undefined
  const compiler = valueCompiler(kernel.body, valueAt)
  const { slots, value, affine } = compiler
  const where = (): string => `workgroup ${slots[gridSlot]} of ${kernel.name}`
  const touched = kernel.bindings.map((b, i) => touchedOf(b, sizes[i]!, where))
  const memory = new Map(kernel.bindings.map((b, i) => [b.name, touched[i]!]))
  let flops = 0
  let epoch = 0

  /** Runs `run` where all guards hold. */
  const guarded = (guards: readonly Guard[], run: Run): Run => {
    if (guards.length === 0) return run
    const tests = guards.map(({ cond, lane, want }) => {
      const holds = value(cond, lane)
      return (): boolean => (holds() !== 0) === (want === 1)
    })
    return () => {
      for (const holds of tests) if (!holds()) return
      run()
    }
  }

  const touch = (t: Touch): Run => {
    const { one } = memory.get(t.binding)!
    const index = value(t.index, 0)
    return guarded(t.guards, () => one(index()))
  }

  /** An address selected by a block-invariant condition: one access per outcome. */
  const branches = (t: Touch): readonly Touch[] => {
    const { index } = t
    const [select, by] = index.kind === 'binary' && index.op === 'add' ? [index.a, index.b] : [index, undefined]
    if (select.kind !== 'select' || !compiler.isOutside(select.cond) || (by && by.kind !== 'lit')) return [t]
    return ([1, 0] as const).flatMap((want) => {
      const arm = want === 1 ? select.a : select.b
      return branches({
        binding: t.binding,
        index: by ? k.add(arm, by) : arm,
        guards: [...t.guards, { cond: select.cond, lane: 0, want }],
      })
    })
  }
  const isPlain = (t: Touch): boolean =>
    t.guards.every((g) => compiler.isOutside(g.cond)) && affine(t.index) !== undefined

  /**
   * Statements in order. Units of unconditional statements, and accesses that can be hoisted, are returned to the
   * caller.
   */
  const fill = (block: Block, body: readonly KStmt[]): { readonly units: number; readonly plain: readonly Touch[] } => {
    let units = 0
    const plain: Touch[] = []
    const inner = body.every((s) => s.kind !== 'for' && s.kind !== 'if')
    for (const s of body) {
      units += unitsOf(s)
      for (const t of touchesIn(s).flatMap(branches)) {
        if (isPlain(t)) plain.push(t)
        else block.effects.push(touch(t))
      }
      switch (s.kind) {
        case 'let':
          if (slice.needed.has(s.name)) compiler.bind(s.name, s.value, inner)
          break
        case 'var':
        case 'assign':
          if (slice.needed.has(s.name)) compiler.assign(s)
          break
        case 'for':
          loop(block, s)
          break
        case 'if': {
          const cond = value(s.cond, 0)
          const [yes, no] = [whole(s.then), whole(s.else)]
          block.effects.push(() => (cond() !== 0 ? yes() : no()))
        }
      }
    }
    return { units, plain }
  }

  const whole = (body: readonly KStmt[]): Run => {
    const block = compiler.open()
    const { units, plain } = fill(block, body)
    block.effects.push(...plain.map(touch))
    compiler.close()
    const run = compiler.sequence(block)
    return () => {
      flops += units
      run()
    }
  }

  /** Accesses at (loop-invariant base) + (function of the counter) become rows that are marked at once. */
  const loop = (outer: Block, s: For): void => {
    const from = value(s.from, 0)
    const to = value(s.to, 0)
    const times = s.from.kind === 'lit' && s.to.kind === 'lit' ? stepCount(s.from.value, s.to.value, s.step) : undefined
    const start = s.from.kind === 'lit' ? s.from.value : 0
    const values = Array.from(
      { length: times !== undefined && times <= longestRow ? times : 0 },
      (_, i) => start + i * s.step,
    )
    const counter = compiler.define(s.name)
    const block = compiler.open(counter)
    const { units, plain } = fill(block, s.body)
    const rows: Run[] = []
    for (const t of plain) {
      const split = times === values.length ? compiler.split(affine(t.index)!, block, counter, values) : undefined
      if (!split) {
        block.effects.push(touch(t))
        continue
      }
      const { row } = memory.get(t.binding)!
      const { first, offsets } = split
      const marked = new Map<number, number>()
      const mark =
        offsets.length < longRow
          ? (): void => row(first(), offsets)
          : (): void => {
              const at = first()
              if (marked.get(at) === epoch) return
              marked.set(at, epoch)
              row(at, offsets)
            }
      rows.push(guarded(t.guards, mark))
    }
    compiler.close()
    outer.effects.push(...rows)
    if (times !== undefined && block.effects.length === 0) {
      const all = units * times
      outer.effects.push(() => {
        flops += all
      })
      return
    }
    const run = compiler.sequence(block)
    const { step } = s
    outer.effects.push(() => {
      for (let i = from(); i < to(); i += step) {
        slots[counter] = i
        flops += units
        run()
      }
    })
  }

  const workgroup = compiler.open(gridSlot)
  const invocation = compiler.open(localSlot)
  const body = fill(invocation, kernel.body)
  invocation.effects.push(...body.plain.map(touch))
  compiler.close()
  compiler.close()
  const start = compiler.sequence(workgroup)
  const run = compiler.sequence(invocation)
  return {
    run: (w) => {
      epoch += 1
      for (const t of touched) t.nextWorkgroup()
      slots[gridSlot] = w
      start()
      for (let i = 0; i < kernel.workgroupSize; i++) {
        slots[localSlot] = i
        flops += body.units
        run()
      }
    },
    flops: () => flops,
    bytes: () => touched.map((t) => t.bytes()),
  }
}

/** The units of one execution of a statement itself, as `interp/run-kernel.ts` counts them. */
const unitsOf = (s: KStmt): number => {
  if (s.kind === 'for') return 0
  if (s.kind === 'store' || s.kind === 'write') return flopsOf(s.value)
  return expressionsOf(s).reduce((n, e) => n + flopsOf(e), 0)
}

/** The accesses of a statement itself, without those of its blocks. */
const touchesIn = (s: KStmt): readonly Touch[] => {
  const reads = expressionsOf(s).flatMap((e) => touchesOf(e))
  return s.kind === 'store' ? [...reads, { binding: s.binding, index: s.index, guards: [] }] : reads
}
