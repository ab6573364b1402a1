/** Kernels of plans that are compiled here: printed as WebAssembly, once for all devices; users' own run by their references. */
import { bindKernel, type RunRange } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import { withWords } from '../../../codegen/kernel/words.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { printPlan } from '../../../codegen/targets/wasm/print-plan.ts'
import type { Bound } from '../backend.ts'
import type { LinearMemory } from './linear-memory.ts'
import { compiled, type KernelSource, type PlanModule } from './plan-module.ts'
import { addressOf, inChunks } from './ready-kernels.ts'
import type { Task } from './work-queue.ts'

const printed = async (plan: Plan): Promise<PlanModule> => {
  const { bytes, scratchBytes, names } = printPlan(plan)
  return { module: await compiled(bytes), scratchBytes, names }
}

const modules = new WeakMap<Plan, Promise<PlanModule>>()

const moduleOf = (plan: Plan): Promise<PlanModule> => {
  const known = modules.get(plan) ?? printed(plan)
  modules.set(plan, known)
  known.catch(() => modules.delete(plan))
  return known
}

/** A user's own kernel, or one that calls a user's function: by the references, which are bound anew when memory has grown. */
const interpret = (linear: LinearMemory, kernel: Kernel, { bindings, words, workgroups }: Bound): (() => Task) => {
  let bound: { readonly buffer: ArrayBufferLike; readonly run: RunRange } | undefined
  const runOver = (buffer: ArrayBufferLike): RunRange => {
    if (bound?.buffer === buffer) return bound.run
    const given = words && new Uint32Array(buffer, addressOf(words), kernel.words)
    const whole = given ? withWords(kernel, Array.from(given)) : kernel
    const run = bindKernel(
      whole,
      bindings.map((p) => ({ buffer, byteOffset: addressOf(p), byteLength: p.bytes })),
    )
    bound = { buffer, run }
    return run
  }
  if (kernel.text)
    return () => () => {
      runOver(linear.memory().buffer)(0, workgroups)
      return true
    }
  return inChunks(workgroups, (from, to) => runOver(linear.memory().buffer)(from, to))
}

/** Kernels as they are compiled. */
export const printedKernels: KernelSource = { moduleOf, interpret }
