/**
 * Sizes that are known when a program runs: a name and a bound. Tensors are laid out at the bound; the elements that count
 * are the first of each axis.
 */
import { isDim } from './dim.ts'
import { raise } from './errors.ts'
import { demandRecord, type OptionNames } from './tensor/arguments.ts'

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
export type ShapeOf<S extends SizedShape> = {
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

/** Whether all sizes are known now. */
export const areKnown = (sizes: readonly Size[]): sizes is readonly number[] =>
  sizes.every((s) => typeof s === 'number')

/** The bound of a size that is known when a program runs, and the least that it can be, 0 by default. */
export interface DimOptions {
  readonly max: number
  readonly min?: number
}

const dimOptions: OptionNames<DimOptions> = { max: 'must count', min: 'count' }

/**
 * An axis of any size from `min` (0) to `max`, for `spec`: the program is compiled once. Tensors are laid out at the bound; sums, means, losses and
 * gradients count the elements that there are. Axes of one name have one size. The function is traced at three sizes: `x.shape` holds numbers, and what is
 * computed from them follows the size of a run; what needs a size that is known (sorting along the axis, a choice by the size) is a CheckError of `compile`.
 * UsageError for a bound below 2 or below `min`.
 * @example
 * const mean = T.orThrow(T.compile((x) => T.mean(x, { axis: 0 }), [T.spec([T.dim('batch', { max: 8 }), 2])]))
 * const loaded = await T.toPromise(mean.load())
 * await (await loaded.run(new Float32Array([1, 2, 3, 4]))).read() // => [2, 3]
 * await (await loaded.run(new Float32Array([1, 2, 3, 4, 5, 6]))).read() // => [3, 4]
 */
export const dim = <const N extends string>(name: N, options: DimOptions): NamedSize<N> => {
  demandRecord('T.dim', dimOptions, options)
  const { min = 0, max } = options
  if (typeof name !== 'string' || name === '')
    raise({ tag: 'UsageError', message: 'dim: a size has a name', hint: "write T.dim('batch', { max: 512 })" })
  if (!isDim(max) || max < 2 || !isDim(min) || min > max)
    raise({
      tag: 'UsageError',
      message: `dim: '${name}' goes from ${min} to ${max}, which are no whole numbers in order, the bound 2 or more`,
      hint: `write T.dim('${name}', { max: 512 })`,
    })
  return Object.freeze({ dim: name, min, max })
}
