/** What a function of the module is written in. */
import { type FunctionName, kernelFunction } from '../../kernel/functions/table.ts'
import type { KExpr, KFunction, KType } from '../../kernel/kernel.ts'
import type { Frame } from './frame.ts'

/** A local and the type of the value that it holds. */
export interface Local {
  readonly local: number
  readonly type: KType
}

/** Memory that a kernel reads and writes: elements from the address in a local on, and a constant offset. */
export interface Region {
  readonly base: number
  readonly offset: number
  readonly element: KType
}

/** What a function is written in. */
export interface Context {
  readonly frame: Frame
  readonly names: Map<string, Local>
  /** Names of scalars that are held spread over four lanes. */
  readonly spread: ReadonlySet<string>
  /** Bindings and arrays. */
  readonly regions: ReadonlyMap<string, Region>
  /** The local that holds the number of the workgroup, and the address of the words. */
  readonly grid: number
  readonly invocation: number
  readonly words: number
  /** Pushes the value of an expression. */
  readonly push: (c: Context, e: KExpr) => void
  /** Applies a kernel function to the arguments on the stack. */
  readonly apply: (c: Context, f: KFunction) => void
  /** The locals with the results of functions that have been applied, by their arguments. */
  readonly applied: Map<readonly KExpr[], readonly number[]>
  /** Whether the bits of NaN are those of the quiet one: in kernels, where users see them. */
  readonly hasOneNaN: boolean
}

/** A kernel function by its name on operands of a width: vectors of two and three take the form of four. */
export const callNamed = (c: Context, name: FunctionName, width: KType['width']): void =>
  c.apply(c, kernelFunction(name, width === 1 ? 1 : 4))
