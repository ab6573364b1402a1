/** The WebAssembly module of a plan: made once for all devices, with an instance for each that imports its memory. */
import { hasUserCode } from '../../../codegen/kernel/user-code.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { printModule } from '../../../codegen/targets/wasm/print-module.ts'
import { raise } from '../../lang/errors.ts'
import type { LinearMemory } from './linear-memory.ts'

/** Runs workgroups `from` to `to` (exclusive), with the addresses of scratch memory, words and each binding. */
export type KernelFunction = (
  from: number,
  to: number,
  scratch: number,
  words: number,
  ...bindings: readonly number[]
) => void

interface PlanModule {
  readonly module: WebAssembly.Module
  readonly scratchBytes: number
  /** By kernel of the plan, the name of its function; none for a user's own, which is run by its reference. */
  readonly names: readonly (string | undefined)[]
}

/** The kernels of a plan as they are called. */
export interface PlanFunctions {
  readonly scratchBytes: number
  readonly functions: readonly (KernelFunction | undefined)[]
}

/** What is valid and yet refused, a policy of the page forbids. */
const compiled = async (bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> => {
  try {
    return await WebAssembly.compile(bytes)
  } catch (e) {
    return WebAssembly.validate(bytes)
      ? raise({
          tag: 'UnsupportedFeature',
          feature: `compiling WebAssembly (${String(e)})`,
          hint: "the page's content security policy must allow 'wasm-unsafe-eval'",
        })
      : raise({ tag: 'ValidationError', message: String(e), hint: 'this is a bug of tensorloom' })
  }
}

const moduleOf = async ({ kernels }: Plan): Promise<PlanModule> => {
  const own = kernels.map(({ kernel }) => kernel).filter((k) => !hasUserCode(k))
  const { bytes, scratchBytes } = printModule(own)
  const numbers = new Map(own.map((kernel, i) => [kernel, i]))
  const names = kernels.map(({ kernel }) => (numbers.has(kernel) ? `k${numbers.get(kernel)}` : undefined))
  return { module: await compiled(bytes), scratchBytes, names }
}

const modules = new WeakMap<Plan, Promise<PlanModule>>()

const knownModule = (plan: Plan): Promise<PlanModule> => {
  const known = modules.get(plan) ?? moduleOf(plan)
  modules.set(plan, known)
  known.catch(() => modules.delete(plan))
  return known
}

/** The functions of a plan over `linear`. Rejects with UnsupportedFeature where a page may not compile WebAssembly. */
export const planFunctions = async (linear: LinearMemory, plan: Plan): Promise<PlanFunctions> => {
  const { module, scratchBytes, names } = await knownModule(plan)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory: linear.memory() } })
  return { scratchBytes, functions: names.map((name) => name && (exports[name] as KernelFunction)) as never }
}
