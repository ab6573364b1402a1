/**
 * What users say of their own ops and a graph cannot hold: functions. Nodes carry an op's name and WGSL; the reference and
 * the derivative rules stand here, by name, from the moment the op is defined in this process.
 */
import { raise } from './errors.ts'
import type { TensorType } from './ir.ts'
import type { Tensor } from './types/tensor.ts'

/** A rule's answer for one tensor: undefined is zero. */
export type Slope = Tensor | undefined

/** What is known of a function of numbers. */
export interface FunctionRules {
  readonly reference: (...xs: readonly number[]) => number | boolean
  /** ∂y/∂x for each operand, undefined where it is zero. */
  readonly derivatives?: ((xs: readonly Tensor[], y: Tensor) => readonly Slope[]) | undefined
  /** How far WGSL may be from the reference, in units of the last place of the result. */
  readonly ulp: number
}

/** An operand as a kernel's reference sees it: all elements in row-major order, bool as 0 and 1. */
export interface KernelValue extends TensorType {
  readonly data: Float64Array
}

/** What is known of a whole kernel. */
export interface KernelRules {
  readonly reference: (inputs: readonly KernelValue[]) => readonly ArrayLike<number>[]
  readonly jvp?:
    | ((xs: readonly Tensor[], ys: readonly Tensor[], dxs: readonly Tensor[]) => readonly Slope[])
    | undefined
  readonly vjp?:
    | ((xs: readonly Tensor[], ys: readonly Tensor[], cts: readonly Tensor[]) => readonly Slope[])
    | undefined
  /** In units of the last place of the largest element of the result. */
  readonly ulp: number
}

/** What tells functions apart: a name may be defined again. */
export const functionKey = ({ name, wgsl }: { readonly name: string; readonly wgsl: string }): string =>
  `${name} ${wgsl}`

/** What is known under a name: the rules of every text that it was defined with. */
type Table<R> = Map<string, Map<string, R>>

const functions: Table<FunctionRules> = new Map()
const kernels: Table<KernelRules> = new Map()

/** A name may be defined again, as a development server does; graphs that hold an earlier text keep the rules of that text. */
const register = <R>(
  table: Table<R>,
  other: Table<unknown>,
  caller: string,
  name: string,
  wgsl: string,
  rules: R,
): void => {
  if (other.has(name))
    raise({
      tag: 'UsageError',
      message: `${caller}: there is an op called ${name} already, of the other kind: a function of numbers, or a kernel`,
      hint: 'graphs know an op by its name: give this one a name of its own',
    })
  const texts = table.get(name) ?? new Map<string, R>()
  table.set(name, texts.set(wgsl, rules))
}

const found = <R>(table: Table<R>, { name, wgsl }: { name: string; wgsl: string }): R => {
  const known = table.get(name)?.get(wgsl)
  if (known !== undefined) return known
  return raise({
    tag: 'UsageError',
    message: `${name}: no op of this name and WGSL is defined in this process`,
    hint: 'import the module that defines it: a graph holds its WGSL, but neither reference nor derivatives',
  })
}

/** Makes an elementwise op known. UsageError where a kernel has its name. */
export const defineFunction = (name: string, wgsl: string, rules: FunctionRules): void =>
  register(functions, kernels, 'elementwise', name, wgsl, rules)

/** Makes a kernel known. UsageError where a function has its name. */
export const defineKernel = (name: string, wgsl: string, rules: KernelRules): void =>
  register(kernels, functions, 'customKernel', name, wgsl, rules)

/** The rules of an elementwise op; UsageError where it is not defined here. */
export const functionRules = (op: { readonly name: string; readonly wgsl: string }): FunctionRules =>
  found(functions, op)

/** The rules of a kernel; UsageError where it is not defined here. */
export const kernelRules = (op: { readonly name: string; readonly wgsl: string }): KernelRules => found(kernels, op)
