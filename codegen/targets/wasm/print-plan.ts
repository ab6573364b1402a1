/** The kernels of a plan → one WebAssembly module. */
import { hasUserCode } from '../../kernel/user-code.ts'
import type { Plan } from '../../plan/plan.ts'
import { type ModuleOptions, type PrintedModule, printModule } from './print-module.ts'

/** The module of a plan. */
export interface PrintedPlan extends PrintedModule {
  /** By kernel of the plan, the number of its function; none for a user's own, which has no WebAssembly. */
  readonly numbers: readonly (number | undefined)[]
}

/** Prints the kernels of a plan. */
export const printPlan = ({ kernels }: Plan, options: ModuleOptions = {}): PrintedPlan => {
  const own = kernels.map(({ kernel }) => kernel).filter((k) => !hasUserCode(k))
  const byKernel = new Map(own.map((kernel, i) => [kernel, i]))
  return { ...printModule(own, options), numbers: kernels.map(({ kernel }) => byKernel.get(kernel)) }
}
