/** The next batch is prepared while the device works on the one before. */
import { raise } from '../lang/errors.ts'
import { demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'

/** What batches come from: a loop of either kind goes over it. */
export type Source<A> = Iterable<A> | AsyncIterable<A>

/** UsageError for what no loop can go over; one that waits for its elements only where it may (`isAsync`). */
export const demandSource = (name: string, source: unknown, isAsync = false): void => {
  const isObject = typeof source === 'object' && source !== null
  if (isObject && (Symbol.iterator in source || (isAsync && Symbol.asyncIterator in source))) return
  raise({
    tag: 'UsageError',
    message: `${name}: the source is ${showArgument(source)}, which no loop can go over`,
    hint: 'data.rows(dataset) gives the rows of a data set',
  })
}

/** How far ahead `prefetch` works. */
export interface PrefetchOptions {
  /** Batches that are kept ready; 1 unless given. */
  readonly ahead?: number | undefined
}

const prefetchOptions: OptionNames<PrefetchOptions> = { ahead: 'count' }

/** After what is going on now: who has just been given a batch hands it to the device first. */
const later = (): Promise<void> =>
  new Promise((done) => {
    if (typeof setImmediate === 'function') setImmediate(done)
    else setTimeout(done, 0)
  })

const iteratorOf = <A>(source: Source<A>): Iterator<A> | AsyncIterator<A> =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()

const prepared = async function* <A>(source: Source<A>, ahead: number): AsyncGenerator<A, void, undefined> {
  const iterator = iteratorOf(source)
  const queue: Promise<IteratorResult<A>>[] = []
  let last: Promise<unknown> = Promise.resolve()
  const order = (): void => {
    const next = last.then(later).then(() => iterator.next())
    // Whoever takes it from the queue hears of a failure; nobody may until then.
    last = next.catch(() => undefined)
    queue.push(next)
  }
  try {
    order()
    while (true) {
      const { done, value } = await queue.shift()!
      if (done) return
      while (queue.length < ahead) order()
      yield value
    }
  } finally {
    await last
    await iterator.return?.()
  }
}

/**
 * The same batches, each prepared while the one before is worked on: when a batch is taken, the next `ahead` of them are asked of
 * `source` as soon as the taker waits for something. Source and result may be gone over many times if the source can.
 * @example
 * const points = { x: { shape: [3], data: Float32Array.of(1, 2, 3) } }
 * const seen: number[][] = []
 * for await (const batch of data.prefetch(data.batches(points, { size: 2, rest: 'keep' }))) seen.push([...batch.x.data])
 * seen // => [[1, 2], [3]]
 */
export const prefetch = <A>(source: Source<A>, options: PrefetchOptions = {}): AsyncIterable<A> => {
  demandRecord('prefetch', prefetchOptions, options)
  demandSource('prefetch', source, true)
  return { [Symbol.asyncIterator]: () => prepared(source, options.ahead ?? 1) }
}
