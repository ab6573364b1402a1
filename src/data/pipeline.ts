/**
 * Lazy pipelines: each function gives a value that a loop can go over, any number of times if its source can; nothing is computed
 * before. What is random comes from a key, so that it comes again.
 */
import { raise } from '../lang/errors.ts'
import { demandFunction, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import type { Key } from '../lang/tensor/random/keys.ts'
import { isTensor } from '../lang/tree.ts'
import { demandSource, type Source } from './prefetch.ts'
import { shuffled } from './shuffle.ts'

/** An iterable whose every loop runs `make`. */
const lazily = <A>(make: () => Iterator<A>): Iterable<A> => ({ [Symbol.iterator]: make })

/** The direct and the curried form of `make`, whose second argument is not a source. */
const bothForms =
  <P, R>(name: string, demand: (parameter: P) => void, make: (source: Iterable<unknown>, parameter: P) => R) =>
  (...args: readonly unknown[]): R | ((source: Iterable<unknown>) => R) => {
    const parameter = args.at(-1) as P
    demand(parameter)
    const on = (source: Iterable<unknown>): R => {
      demandSource(name, source)
      return make(source, parameter)
    }
    return args.length < 2 ? on : on(args[0] as Iterable<unknown>)
  }

const mapped = bothForms(
  'map',
  (f: (x: unknown, index: number) => unknown) =>
    demandFunction('map', 'what is applied', f, 'an element and its index'),
  (source, f) =>
    lazily(function* () {
      let i = 0
      for (const x of source) yield f(x, i++)
    }),
)

/**
 * `f` of every element and its index, when it is asked for.
 * @example
 * const doubled = data.map([1, 2, 3], (n) => 2 * n)
 * [[...doubled], [...doubled]] // => [[2, 4, 6], [2, 4, 6]]
 * [...T.pipe([1, 2], data.map((n) => n + 1))] // => [2, 3]
 */
export function map<A, B>(source: Iterable<A>, f: (element: A, index: number) => B): Iterable<B>
export function map<A, B>(f: (element: A, index: number) => B): (source: Iterable<A>) => Iterable<B>
export function map(...args: readonly unknown[]): unknown {
  return mapped(...args)
}

const filtered = bothForms(
  'filter',
  (holds: (x: unknown, index: number) => boolean) =>
    demandFunction('filter', 'the condition', holds, 'an element and its index'),
  (source, holds) =>
    lazily(function* () {
      let i = 0
      for (const x of source) if (holds(x, i++)) yield x
    }),
)

/**
 * The elements for which `holds` of the element and its index is true.
 * @example
 * [...data.filter([1, 2, 3], (n) => n % 2 === 1)] // => [1, 3]
 */
export function filter<A>(source: Iterable<A>, holds: (element: A, index: number) => boolean): Iterable<A>
export function filter<A>(holds: (element: A, index: number) => boolean): (source: Iterable<A>) => Iterable<A>
export function filter(...args: readonly unknown[]): unknown {
  return filtered(...args)
}

const shuffledBy = bothForms(
  'shuffle',
  (key: Key) => {
    if (!isTensor(key))
      raise({
        tag: 'UsageError',
        message: `shuffle: the key is ${showArgument(key)}`,
        hint: 'random.key(42) makes one',
      })
  },
  (source, key) =>
    lazily(function* () {
      const all = [...source]
      for (const i of shuffled(all.length, key)) yield all[i]
    }),
)

/**
 * The elements in the order that `key` gives them: the same in every loop, another with another key. All of them are in memory
 * while a loop goes on: shuffle row numbers or file names rather than images.
 * @example
 * const order = data.shuffle([1, 2, 3, 4], random.key(0))
 * [...order].sort() // => [1, 2, 3, 4]
 * T.pipe([...order], (first) => first.join() === [...order].join()) // => true
 */
export function shuffle<A>(source: Iterable<A>, key: Key): Iterable<A>
export function shuffle(key: Key): <A>(source: Iterable<A>) => Iterable<A>
export function shuffle(...args: readonly unknown[]): unknown {
  return shuffledBy(...args)
}

/** What `mapAsync` works at once. */
export interface MapAsyncOptions {
  /** How many elements are under way at a time; 1 unless given. */
  readonly concurrency?: number | undefined
}

const mapAsyncOptions: OptionNames<MapAsyncOptions> = { concurrency: 'count' }

/**
 * `f` of every element where `f` has to wait, as for a file; results come in the order of the elements. `prefetch` takes what it
 * gives. A failure of `f` comes where its result would.
 * @example
 * const sizes = data.mapAsync(['a', 'bc'], async (text) => text.length, { concurrency: 2 })
 * const seen: number[] = []
 * for await (const n of sizes) seen.push(n)
 * seen // => [1, 2]
 */
export const mapAsync = <A, B>(
  source: Source<A>,
  f: (element: A, index: number) => Promise<B>,
  options: MapAsyncOptions = {},
): AsyncIterable<B> => {
  demandRecord('mapAsync', mapAsyncOptions, options)
  demandFunction('mapAsync', 'what is applied', f, 'an element and its index')
  demandSource('mapAsync', source, true)
  const { concurrency = 1 } = options
  return {
    async *[Symbol.asyncIterator]() {
      const underWay: Promise<B>[] = []
      let i = 0
      for await (const x of source) {
        const result = f(x, i++)
        // It is heard of when its turn comes.
        result.catch(() => undefined)
        underWay.push(result)
        if (underWay.length >= concurrency) yield underWay.shift()!
      }
      yield* underWay
    },
  }
}
