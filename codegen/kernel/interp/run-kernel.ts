/**
 * The reference interpreter of the Kernel IR: f32 rounding after every operation, workgroup memory, barriers, and
 * errors where a device would be silent (indices out of range, barriers in non-uniform control flow). Kernels are
 * compiled to closures once.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { Kernel } from '../kernel.ts'
import { hasBarrier } from '../parts.ts'
import { nativeMeaning } from './native-meaning.ts'
import { compiledFunction } from './run-function.ts'
import type { Group, Invocation, Scope } from './scope.ts'
import { compileBlock, compileLockstep } from './statement.ts'
import { bindMemory, type Counters, type HostBinding } from './storage.ts'
import { runText, textBytes } from './user-reference.ts'

export { type Counters, type HostBinding, makeCounters } from './storage.ts'

/** Runs workgroups `from` to `to` (exclusive) in order; what a user wrote in text runs as a whole, whatever the range. */
export type RunRange = (from: number, to: number) => void

/**
 * `kernel` over the bindings, which are written in place. Each call adds to `counters` where given, which count one call.
 */
export const bindKernel = (kernel: Kernel, bindings: readonly HostBinding[], counters?: Counters): RunRange => {
  invariant(
    bindings.length === kernel.bindings.length,
    `${kernel.name}: ${bindings.length} of ${kernel.bindings.length} bindings`,
  )
  const group: Group = { grid: 0 }
  const where = (): string => `workgroup ${group.grid} of ${kernel.name}`
  const memory = kernel.bindings.map((b, i) => bindMemory(b, bindings[i]!, counters !== undefined, where))
  const { text } = kernel
  if (text)
    return () => {
      runText(kernel, text, memory)
      if (counters) counters.bytes += textBytes(kernel, text)
    }
  const shared: Float64Array[] = []
  const arrays = new Map<string, (v: Invocation) => Float64Array>()
  const privateSizes: number[] = []
  for (const a of kernel.arrays) {
    const length = a.size * a.element.width
    if (a.space === 'workgroup') {
      const cells = new Float64Array(length)
      shared.push(cells)
      arrays.set(a.name, () => cells)
    } else {
      const i = privateSizes.push(length) - 1
      arrays.set(a.name, (v) => v.privates[i]!)
    }
  }
  const scope: Scope = {
    kernel,
    functionOf: compiledFunction,
    native: nativeMeaning,
    group,
    memory: new Map(memory.map((m) => [m.name, m])),
    arrays,
    slots: new Map(),
    slotCount: 0,
    counters,
  }
  const lockstep = hasBarrier(kernel.body)
  const runAll = lockstep ? compileLockstep(scope, kernel.body) : undefined
  const run = lockstep ? undefined : compileBlock(scope, kernel.body)
  const invocations = Array.from({ length: lockstep ? kernel.workgroupSize : 1 }, (_, local) => ({
    slots: new Float64Array(scope.slotCount),
    privates: privateSizes.map((n) => new Float64Array(n)),
    local,
  }))
  return (from, to) => {
    for (group.grid = from; group.grid < to; group.grid++) {
      for (const cells of shared) cells.fill(0)
      for (const m of memory) m.nextWorkgroup()
      if (runAll) {
        for (const v of invocations) for (const p of v.privates) p.fill(0)
        runAll(invocations)
      } else {
        const v = invocations[0]!
        for (v.local = 0; v.local < kernel.workgroupSize; v.local++) {
          for (const p of v.privates) p.fill(0)
          run!(v)
        }
      }
    }
    if (!counters) return
    memory.forEach((m, i) => {
      counters.bindings[i] = (counters.bindings[i] ?? 0) + m.touched()
      counters.bytes += m.touched()
    })
  }
}

/**
 * Runs `workgroups` workgroups in order over the bindings, which are written in place; adds to `counters` where given.
 */
export const runKernel = (
  kernel: Kernel,
  workgroups: number,
  bindings: readonly HostBinding[],
  counters?: Counters,
): void => bindKernel(kernel, bindings, counters)(0, workgroups)
