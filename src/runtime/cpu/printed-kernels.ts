/** Kernels of plans that are compiled here: printed as WebAssembly, once for all devices; users' own run by their references. */
import { bindKernel, type RunRange } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import { withWords } from '../../../codegen/kernel/words.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { printPlan } from '../../../codegen/targets/wasm/print-plan.ts'
import type { Bound } from '../backend.ts'
import type { LinearMemory } from './linear-memory.ts'
import { compiled, type KernelSource, type PlanModule } from './plan-module.ts'
import { addressOf } from './ready-kernels.ts'

const printed = async (plan: Plan, shared: boolean): Promise<PlanModule> => {
  const { bytes, scratchBytes, numbers } = printPlan(plan, { shared })
  return { module: await compiled(bytes), scratchBytes, numbers }
}

type Modules = WeakMap<Plan, Promise<PlanModule>>

const modules: { readonly shared: Modules; readonly own: Modules } = { shared: new WeakMap(), own: new WeakMap() }

const moduleOf = (plan: Plan, shared: boolean): Promise<PlanModule> => {
  const list = modules[shared ? 'shared' : 'own']
  const known = list.get(plan) ?? printed(plan, shared)
  list.set(plan, known)
  known.catch(() => list.delete(plan))
  return known
}

/** A user's own kernel, or one that calls a user's function: by the references, which are bound anew when memory has grown. */
const interpret = (linear: LinearMemory, kernel: Kernel, { bindings, words }: Bound): RunRange => {
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
  return (from, to) => runOver(linear.memory().buffer)(from, to)
}

/** Kernels as they are compiled. */
export const printedKernels: KernelSource = { moduleOf, interpret }
