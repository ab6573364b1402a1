/** The kernels of a plan → one WebAssembly module. */
import { hasUserCode } from '../../kernel/user-code.ts'
import type { Plan } from '../../plan/plan.ts'
import { type PrintedModule, printModule } from './print-module.ts'

/** The module of a plan. */
export interface PrintedPlan extends PrintedModule {
  /** By kernel of the plan, the name of its function; none for a user's own, which has no WebAssembly. */
  readonly names: readonly (string | undefined)[]
}

/** Prints the kernels of a plan. */
export const printPlan = ({ kernels }: Plan): PrintedPlan => {
  const own = kernels.map(({ kernel }) => kernel).filter((k) => !hasUserCode(k))
  const numbers = new Map(own.map((kernel, i) => [kernel, i]))
  const names = kernels.map(({ kernel }) => (numbers.has(kernel) ? `k${numbers.get(kernel)}` : undefined))
  return { ...printModule(own), names }
}
