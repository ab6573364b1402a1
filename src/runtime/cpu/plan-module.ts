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
  /** By kernel of the plan, the number of its function; none for a user's own, which is run by its reference. */
  readonly numbers: readonly (number | undefined)[]
}

/** A kernel as it is called, and its number in the module. */
export interface NumberedFunction {
  readonly number: number
  readonly run: KernelFunction
}

/** The kernels of a plan as they are called. */
export interface PlanFunctions {
  readonly module: WebAssembly.Module
  readonly scratchBytes: number
  readonly functions: readonly (NumberedFunction | undefined)[]
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

const moduleOf = async ({ kernels }: Plan, shared: boolean): Promise<PlanModule> => {
  const own = kernels.map(({ kernel }) => kernel).filter((k) => !hasUserCode(k))
  const { bytes, scratchBytes } = printModule(own, { shared })
  const byKernel = new Map(own.map((kernel, i) => [kernel, i]))
  return { module: await compiled(bytes), scratchBytes, numbers: kernels.map(({ kernel }) => byKernel.get(kernel)) }
}

type Modules = WeakMap<Plan, Promise<PlanModule>>

/** What imports memory says whether it is shared. */
const modules: { readonly shared: Modules; readonly own: Modules } = { shared: new WeakMap(), own: new WeakMap() }

const knownModule = (plan: Plan, shared: boolean): Promise<PlanModule> => {
  const list = modules[shared ? 'shared' : 'own']
  const known = list.get(plan) ?? moduleOf(plan, shared)
  list.set(plan, known)
  known.catch(() => list.delete(plan))
  return known
}

/** The functions of a plan over `linear`. Rejects with UnsupportedFeature where a page may not compile WebAssembly. */
export const planFunctions = async (linear: LinearMemory, plan: Plan): Promise<PlanFunctions> => {
  const { module, scratchBytes, numbers } = await knownModule(plan, linear.isShared)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory: linear.memory() } })
  const functions = numbers.map((n) =>
    n === undefined ? undefined : { number: n, run: exports[`k${n}`] as KernelFunction },
  )
  return { module, scratchBytes, functions }
}
