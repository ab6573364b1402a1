/** The WebAssembly module of a plan as its device calls it: an instance that imports the memory of the device. */
import type { RunRange } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { raise } from '../../lang/errors.ts'
import type { Bound } from '../backend.ts'
import type { LinearMemory } from './linear-memory.ts'

/** Runs workgroups `from` to `to` (exclusive), with the addresses of scratch memory, words and each binding. */
export type KernelFunction = (
  from: number,
  to: number,
  scratch: number,
  words: number,
  ...bindings: readonly number[]
) => void

/** What the kernels of a plan are once they are compiled. */
export interface PlanModule {
  readonly module: WebAssembly.Module
  readonly scratchBytes: number
  /** By kernel of the plan, the number of its function; none for a user's own, which is run by its reference. */
  readonly numbers: readonly (number | undefined)[]
}

/** Where kernels come from: printed here, or written beside an emitted module, where there are no references. */
export interface KernelSource {
  /** The module of a plan, for memory that is shared between threads or not: it says which. */
  readonly moduleOf: (plan: Plan, shared: boolean) => Promise<PlanModule>
  /** What runs a kernel that has no function. */
  readonly interpret?: (linear: LinearMemory, kernel: Kernel, bound: Bound) => RunRange
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

const ours = (message: string): never => raise({ tag: 'ValidationError', message, hint: 'this is a bug of tensorloom' })

/**
 * Compiles the bytes of a module. Rejects with UnsupportedFeature where a page may not, which is told by bytes that are valid
 * and yet refused; `refuse` says what is wrong with others.
 */
export const compiled = async (
  bytes: Uint8Array<ArrayBuffer>,
  refuse: (message: string) => never = ours,
): Promise<WebAssembly.Module> => {
  try {
    return await WebAssembly.compile(bytes)
  } catch (e) {
    return WebAssembly.validate(bytes)
      ? raise({
          tag: 'UnsupportedFeature',
          feature: `compiling WebAssembly (${String(e)})`,
          hint: "the page's content security policy must allow 'wasm-unsafe-eval'",
        })
      : refuse(String(e))
  }
}

/** The functions of a plan over `linear`. Rejects with UnsupportedFeature where a page may not compile WebAssembly. */
export const planFunctions = async (
  linear: LinearMemory,
  plan: Plan,
  { moduleOf }: KernelSource,
): Promise<PlanFunctions> => {
  const { module, scratchBytes, numbers } = await moduleOf(plan, linear.isShared)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory: linear.memory() } })
  const functions = numbers.map((n) =>
    n === undefined ? undefined : { number: n, run: exports[`k${n}`] as KernelFunction },
  )
  return { module, scratchBytes, functions }
}
