/** What the bench asks of a library: a program made ready on host values, calls that wait, results to compare. */
import type { HostTree } from './arguments.ts'

/** A program in one library. */
export interface Session {
  /** One call, its result waited for. A training step goes on from the state of the last call, and gives its loss. */
  readonly call: () => Promise<number | undefined>
  /** Elements of the last result; only of programs that do not train. */
  readonly read: () => Promise<ArrayLike<number>>
  /** What is done once after the first call, unmeasured, so that later ones find their arguments on the device. */
  readonly settle?: () => Promise<void>
}

/** A library with a device of its own, ready to be given programs. */
export interface Library {
  /** Undefined where the library lacks the program. */
  readonly start: (row: string, args: readonly HostTree[]) => Promise<Session | undefined>
}

/** `one` is ours on one thread of the processor. */
export const libraryNames = ['ours', 'one', 'jax', 'tfjs'] as const
export type LibraryName = (typeof libraryNames)[number]

/** What one process measures. */
export interface Measured {
  /** Milliseconds. */
  readonly ms: number
  /** What to compare with the others: losses of a training step, a sum and some elements of another result. */
  readonly values: readonly number[]
}

/** A few numbers that two results share only if they are equal: sums, and elements from all over. */
export const signatureOf = (elements: ArrayLike<number>): readonly number[] => {
  let sum = 0
  let squares = 0
  for (let i = 0; i < elements.length; i++) {
    sum += elements[i]!
    squares += elements[i]! ** 2
  }
  const some = Array.from({ length: 16 }, (_, i) => elements[(i * 7919 * 13) % elements.length]!)
  return [sum / elements.length, Math.sqrt(squares / elements.length), ...some]
}

/** f32 sums in another order are closer by far; a rate or a decay that is a hundredth off is not, after four steps. */
const tolerance = 5e-4

/** The largest difference of two results, as a share of the largest number among them. */
export const distance = (a: readonly number[], b: readonly number[]): number => {
  const scale = Math.max(...a.map(Math.abs), ...b.map(Math.abs), Number.MIN_VALUE)
  const worst = a.length === b.length ? Math.max(...a.map((x, i) => Math.abs(x - b[i]!) / scale)) : Number.NaN
  return Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst
}

/** Whether two libraries computed the same. */
export const agree = (a: readonly number[], b: readonly number[]): boolean => distance(a, b) <= tolerance
