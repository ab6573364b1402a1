/** What the programs of the scoreboard and of the bench are: a function, the types of its arguments, how it is compiled. */

import type { CompileOptions } from '../../src/compile/options.ts'
import type { Spec } from '../../src/compile/tree-types.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'

/** Types of arguments, in the structure of the arguments. */
export type Tree = Spec | readonly Tree[] | { readonly [key: string]: Tree }

/** A program without a target: what it computes, on what. */
export interface Workload {
  readonly name: string
  readonly f: (...args: never[]) => unknown
  readonly specs: readonly Tree[]
  readonly options?: CompileOptions
}

/** A program as the scoreboard counts it, with what it may cost. */
export interface BenchProgram extends Workload {
  /** Dispatches under `portable` that `scoreboard.md` asks for. */
  readonly target: number
}

export type Params = Readonly<Record<string, Tensor>>

/** The state of a training step: parameters and what the optimiser keeps. */
export interface State<P = Params> {
  readonly params: P
  readonly optimiser: never
}

/** A row of the scoreboard; its name goes into the kernels. */
export const program = (
  name: string,
  target: number,
  specs: readonly Tree[],
  f: (...args: never[]) => unknown,
  options: CompileOptions = {},
): BenchProgram => ({ name, target, specs, f, options: { ...options, name } })
