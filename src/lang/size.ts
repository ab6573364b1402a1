/**
 * Sizes that are known when a program runs: a name and a bound. Tensors are laid out at the bound; the elements that count
 * are the first of each axis.
 */
import type { DType } from './dtype.ts'

/** A size that is known when a program runs: from `min` to `max`, and the same wherever the name stands. */
export interface NamedSize<N extends string = string> {
  readonly dim: N
  readonly min: number
  readonly max: number
}

/** `times · n + plus`, where n is the size called `name`. */
export interface AffineSize {
  readonly name: string
  readonly times: number
  readonly plus: number
}

/** The size of an axis: known now, or a function of one that is known when the program runs. */
export type Size = number | AffineSize

/** A shape in which named sizes may stand. */
export type SizedShape = readonly (number | NamedSize)[]

/** The shape as types know it: a named size is some number. */
export type KnownShape<S extends SizedShape> = {
  readonly [K in keyof S]: S[K] extends number ? S[K] : number
}

/** The values of named sizes. */
export type SizeValues = ReadonlyMap<string, number>

export const isNamedSize = (x: unknown): x is NamedSize =>
  typeof x === 'object' && x !== null && 'dim' in x && typeof x.dim === 'string' && 'max' in x

/** The number that `size` is where the named sizes have these values. */
export const sizeAt = (size: Size, values: SizeValues): number =>
  typeof size === 'number' ? size : size.times * values.get(size.name)! + size.plus

/** `batch`, `2·batch`, `batch + 1`. */
export const showSize = (size: Size): string => {
  if (typeof size === 'number') return `${size}`
  const { name, times, plus } = size
  const product = times === 1 ? name : `${times}·${name}`
  if (plus === 0) return product
  return plus > 0 ? `${product} + ${plus}` : `${product} - ${-plus}`
}

/** A tensor in an argument's or result's place, named sizes by their names: `f32[batch, 784]`. */
export const showSized = (x: {
  readonly dtype: DType
  readonly axes?: readonly Size[]
  readonly shape: readonly number[]
}): string => `${x.dtype}[${(x.axes ?? x.shape).map(showSize).join(', ')}]`

/** Whether all sizes are known now. */
export const areKnown = (sizes: readonly Size[]): sizes is readonly number[] =>
  sizes.every((s) => typeof s === 'number')
