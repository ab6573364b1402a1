/** What an entry of the op table sees: tensors by place and by name, attributes under torch's keywords with its defaults. */
import { promote } from '../../src/lang/dtype.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { type Entry, numberOf } from './schema.ts'

/** One application of a torch op. */
export interface Call {
  readonly op: string
  /** Inputs in file order. */
  readonly xs: readonly Tensor[]
  readonly names: readonly string[]
  readonly attrs: Readonly<Record<string, unknown>>
}

/** A torch op in our functions. Results in torch's order. */
export type Op = (c: Call) => Tensor | readonly Tensor[]

/** The input at position `i`. */
export const at = ({ op, xs }: Call, i: number): Tensor => {
  const x = xs[i]
  if (x === undefined) throw new Error(`goldens: ${op} has no input ${i}`)
  return x
}

/** The input called `name`, undefined where the case leaves it out. */
export const maybeInput = ({ names, xs }: Call, name: string): Tensor | undefined => xs[names.indexOf(name)]

/** The input called `name`. */
export const input = (c: Call, name: string): Tensor => {
  const x = maybeInput(c, name)
  if (x === undefined) throw new Error(`goldens: ${c.op} needs the input ${name}`)
  return x
}

const given = (c: Call, name: string): unknown => {
  const x = c.attrs[name]
  return x === null ? undefined : x
}

const wrong = (c: Call, name: string, what: string): never => {
  throw new Error(`goldens: ${c.op} has ${name} = ${JSON.stringify(c.attrs[name])}, not ${what}`)
}

/** Tensors of unlike dtypes cast to the one they promote to, as torch does where our functions ask for a cast. */
export const promoted = (xs: readonly Tensor[]): readonly Tensor[] => {
  const dtype = xs.map((x) => x.dtype).reduce(promote)
  return xs.map((x) => (x.dtype === dtype ? x : T.cast(x, dtype)))
}

/** A numeric attribute ("inf" and the like too), undefined where absent or null. */
export const maybeNumber = (c: Call, name: string): number | undefined => {
  const x = given(c, name)
  if (x === undefined) return undefined
  if (typeof x === 'number' || typeof x === 'boolean' || typeof x === 'string') return numberOf(x as Entry)
  return wrong(c, name, 'a number')
}

/** A numeric attribute with its default; without one it must be there. */
export const number = (c: Call, name: string, otherwise?: number): number =>
  maybeNumber(c, name) ?? otherwise ?? wrong(c, name, 'a number')

/** A boolean attribute with its default. */
export const flag = (c: Call, name: string, otherwise: boolean): boolean => {
  const x = given(c, name)
  return x === undefined ? otherwise : typeof x === 'boolean' ? x : wrong(c, name, 'true or false')
}

/** A string attribute with its default; without one it must be there. */
export const text = (c: Call, name: string, otherwise?: string): string => {
  const x = given(c, name) ?? otherwise
  return typeof x === 'string' ? x : wrong(c, name, 'a string')
}

/** A list of numbers; a lone number counts as a list of one. */
export const list = (c: Call, name: string): readonly number[] =>
  maybeList(c, name) ?? wrong(c, name, 'a list of numbers')

/** A list of numbers where given. */
export const maybeList = (c: Call, name: string): readonly number[] | undefined => {
  const x = given(c, name)
  if (x === undefined) return undefined
  if (typeof x === 'number') return [x]
  return Array.isArray(x) && x.every((e) => typeof e === 'number') ? x : wrong(c, name, 'a list of numbers')
}

/** A number or a list of them as given, undefined where absent. */
export const maybeNumbers = (c: Call, name: string): number | readonly number[] | undefined => {
  const x = given(c, name)
  return typeof x === 'number' ? x : maybeList(c, name)
}

/** The same, with its default. */
export const numbers = (c: Call, name: string, otherwise?: number): number | readonly number[] =>
  maybeNumbers(c, name) ?? otherwise ?? wrong(c, name, 'a number or a list')

/** An attribute of any JSON form. */
export const raw = (c: Call, name: string): unknown => given(c, name)

/** `{ [key]: value }`, or nothing where the value is undefined: optional fields are left out, never set to undefined. */
export const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V })

/** torch takes axis 0 or -1 of a scalar for no axis at all. */
const isScalar = (c: Call): boolean => c.xs[0]?.shape.length === 0

/** torch's `dim` and `keepdim` as our options; no `dim`, or an empty list of them, means all axes. */
export const reduction = (c: Call): { readonly axis?: number | readonly number[]; readonly keepdims: boolean } => {
  const dim = maybeNumbers(c, 'dim')
  const all = isScalar(c) || (typeof dim === 'object' && dim.length === 0)
  return { ...optional('axis', all ? undefined : dim), keepdims: flag(c, 'keepdim', false) }
}

/** The same for reductions over one axis. */
export const oneAxis = (c: Call): { readonly axis?: number; readonly keepdims: boolean } => ({
  ...optional('axis', isScalar(c) ? undefined : maybeNumber(c, 'dim')),
  keepdims: flag(c, 'keepdim', false),
})

/** torch lets a scalar pass for a line of one element, along which it works; ours has no axis. */
export const alongLine = (x: Tensor, f: (line: Tensor) => ReturnType<Op>): ReturnType<Op> => {
  if (x.shape.length > 0) return f(x)
  const out = f(T.reshape(x, [1]))
  return 'shape' in out ? T.reshape(out, []) : out.map((y) => T.reshape(y, []))
}
