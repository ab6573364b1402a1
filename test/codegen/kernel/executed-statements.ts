/** How many statements a plan executes, counted by the plan itself: every block of a kernel adds what is in it to a cell. */
import * as k from '../../../codegen/kernel/build-kernel.ts'
import { type HostBinding, runKernel } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, Kernel, KStmt } from '../../../codegen/kernel/kernel.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { kernelOf, unrolled } from '../../../codegen/plan/steps.ts'

const cell: Binding = { name: 'executed', element: k.kType('u32'), access: 'read_write' }

const countedBlock = (body: readonly KStmt[]): readonly KStmt[] => {
  if (body.length === 0) return body
  const inside = body.map((s): KStmt => {
    if (s.kind === 'for') return { ...s, body: countedBlock(s.body) }
    return s.kind === 'if' ? k.ifStmt(s.cond, countedBlock(s.then), countedBlock(s.else)) : s
  })
  return [k.store(cell, k.u32(0), k.add(k.load(cell, k.u32(0)), k.u32(body.length))), ...inside]
}

const counted = (kernel: Kernel): Kernel => ({
  ...kernel,
  bindings: [...kernel.bindings, cell],
  body: countedBlock(kernel.body),
})

/** Statements of one dispatch of a kernel, over all invocations of `workgroups`. */
export const statementsRun = (kernel: Kernel, workgroups: number, bindings: readonly HostBinding[]): number => {
  const executed = new Uint32Array(1)
  runKernel(counted(kernel), workgroups, [...bindings, { buffer: executed.buffer }])
  return executed[0]!
}

/** Statements of one run; arguments are zeros, as they must not decide what is executed. */
export const executedStatements = (plan: Plan): number => {
  const arenas = plan.arenas.map((bytes) => new ArrayBuffer(bytes))
  return unrolled(plan.steps).reduce((n, step) => {
    if (step.kind !== 'dispatch') return n
    const places = step.bindings.map((p) => ({ buffer: arenas[p.arena]!, byteOffset: p.offset, byteLength: p.bytes }))
    return n + statementsRun(kernelOf(plan, step), step.workgroups, places)
  }, 0)
}
