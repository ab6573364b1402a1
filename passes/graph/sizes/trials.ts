/**
 * Trials: a program with named sizes is traced at its bounds and at two other sizes of each name. A number that differs
 * between them depends on a size, and how it depends is seen from three values: so a size may be read, multiplied and used
 * as a number by anybody, and what is no linear function of one size is found.
 */
import { productOf } from '../../../src/lang/dim.ts'
import type { NamedSize, Size, SizeValues } from '../../../src/lang/size.ts'
import { sizeAt } from '../../../src/lang/size.ts'

/** One thing in each trial, the one at the bounds first. */
export type Thrice<A> = readonly [A, A, A]

/** The named sizes, and what each trial takes them for. */
export interface Trials {
  readonly names: readonly NamedSize[]
  readonly values: Thrice<SizeValues>
}

/** How many names a program may have. */
export const mostNames = 6

/** The other two sizes of the `i`-th name: one below the bound, one near the least. A bound that leaves no room is passed. */
const othersOf = (
  { min, max }: NamedSize,
  i: number,
  taken: readonly (readonly [number, number])[],
): readonly [number, number] => {
  // Not the least itself: what is cut there is left whole.
  const least = Math.max(2, min) + 1
  if (max - i - 1 <= least + i + 1) return [max + 101 * (i + 1), max + 409 + 7 * i]
  const near = max - i - 1
  // Of no two names does the one change as a multiple of the other.
  const isApart = (far: number): boolean => taken.every(([p, q]) => p * (max - far) !== q * (max - near))
  let far = least + i
  while (!isApart(far)) far++
  return [near, far]
}

/** Trials of these names, the first at the bounds. What a branch of the user's own takes for a size is seen where it can be. */
export const trialsOf = (names: readonly NamedSize[]): Trials => {
  const changes: (readonly [number, number])[] = []
  const others = names.map((name, i) => {
    const [near, far] = othersOf(name, i, changes)
    changes.push([name.max - near, name.max - far])
    return [near, far] as const
  })
  const at = (of: (name: NamedSize, i: number) => number): SizeValues =>
    new Map(names.map((name, i) => [name.dim, of(name, i)]))
  return { names, values: [at(({ max }) => max), at((_, i) => others[i]![0]), at((_, i) => others[i]![1])] }
}

export const thrice = <A, B>([a, b, c]: Thrice<A>, f: (x: A, t: 0 | 1 | 2) => B): Thrice<B> => [
  f(a, 0),
  f(b, 1),
  f(c, 2),
]

export const isSame = <A>([a, b, c]: Thrice<A>): boolean => Object.is(a, b) && Object.is(a, c)

/** The line over a named size that has these values in the trials, falling or rising; undefined where there is none of whole numbers. */
export const lineFrom = (found: Thrice<number>, trials: Trials): Size | undefined => {
  if (isSame(found)) return found[0]
  const [a, b] = found
  for (const { dim } of trials.names) {
    const [p, q] = thrice(trials.values, (values) => values.get(dim)!)
    const times = (b - a) / (q - p)
    const size = { name: dim, times, plus: a - times * p }
    const isLine = Number.isInteger(times) && times !== 0
    if (isLine && thrice(trials.values, (values) => sizeAt(size, values)).every((x, t) => x === found[t])) return size
  }
  return undefined
}

/** The same for the size of an axis, which is largest at the bounds. */
export const sizeFrom = (found: Thrice<number>, trials: Trials): Size | undefined => {
  const size = lineFrom(found, trials)
  return typeof size === 'object' && size.times < 0 ? undefined : size
}

/** `times · Π names + plus`, or one over that: a number that depends on sizes. */
export interface Quantity {
  readonly names: readonly string[]
  readonly times: number
  readonly plus: number
  readonly isInverse: boolean
}

/** `x` to 1/1024, where it is near. */
const snapped = (x: number): number => Math.round(x * 1024) / 1024

const productAt = (names: readonly string[], values: SizeValues): number =>
  productOf(names, (name) => values.get(name)!)

/** What a quantity may depend on: one size, or the product of two. */
const products = ({ names }: Trials): readonly (readonly string[])[] => [
  ...names.map(({ dim }) => [dim]),
  ...names.flatMap((a, i) => names.slice(i).map((b) => [a.dim, b.dim])),
]

/**
 * The quantity that has these values, `round`ed, in the trials: linear in a size or in the product of two, or one over that;
 * undefined where it is none.
 */
export const quantityFrom = (
  found: Thrice<number>,
  trials: Trials,
  round: (x: number) => number,
): Quantity | undefined => {
  for (const isInverse of [false, true])
    for (const names of products(trials)) {
      const [p, q] = thrice(trials.values, (values) => productAt(names, values))
      const [a, b] = thrice(found, (x) => (isInverse ? 1 / x : x))
      const times = (b - a) / (q - p)
      const quantity = { names, times: snapped(times), plus: snapped(a - times * p), isInverse }
      if (
        thrice(trials.values, (values) => round(quantityAt(quantity, values))).every((x, t) => Object.is(x, found[t]))
      )
        return quantity
    }
  return undefined
}

const quantityAt = ({ names, times, plus, isInverse }: Quantity, values: SizeValues): number => {
  const x = times * productAt(names, values) + plus
  return isInverse ? 1 / x : x
}
