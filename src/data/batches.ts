/** Mini-batches of a data set. */
import { raise } from '../lang/errors.ts'
import { demandChoice, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import type { Key } from '../lang/tensor/random/keys.ts'
import { type Dataset, datasetRows, mapColumns, sliceRows, takeRows } from './column.ts'
import { shuffled } from './shuffle.ts'

/** How `batches` cuts. */
export interface BatchOptions {
  /** Rows of a batch. */
  readonly size: number
  /** Shuffles by this key; in order without one. Give every epoch its own: `random.foldIn(key, epoch)`. */
  readonly key?: Key | undefined
  /** What becomes of the rows that do not fill a batch: left out (the default: programs have fixed shapes), or a smaller one. */
  readonly rest?: 'drop' | 'keep' | undefined
}

const batchOptions: OptionNames<BatchOptions> = { size: 'must count', key: 'tensor', rest: 'own' }

const countOptions: OptionNames<Omit<BatchOptions, 'key'>> = { size: 'must count', rest: 'own' }

const cuts = (count: number, size: number, rest: 'drop' | 'keep'): number =>
  rest === 'keep' ? Math.ceil(count / size) : Math.floor(count / size)

const demandRest = (name: string, { rest }: Pick<BatchOptions, 'rest'>): void =>
  demandChoice(name, 'rest', rest, ['drop', 'keep'])

/**
 * How many batches of `size` rows a data set gives; `rest` as in `batches`. UsageError as there.
 * @example
 * data.batchCount({ x: { shape: [3], data: Float32Array.of(1, 2, 3) } }, { size: 2 }) // => 1
 */
export const batchCount = (data: Dataset, options: Omit<BatchOptions, 'key'>): number => {
  demandRecord('batchCount', countOptions, options)
  demandRest('batchCount', options)
  const { size, rest = 'drop' } = options
  return cuts(datasetRows(data), size, rest)
}

const cut = function* <D extends Dataset>(
  data: D,
  { size, key, rest = 'drop' }: BatchOptions,
): Generator<D, void, undefined> {
  const count = datasetRows(data)
  const order = key === undefined ? undefined : shuffled(count, key)
  if (count > 0 && cuts(count, size, rest) === 0)
    raise({
      tag: 'UsageError',
      message: `batches: ${count} rows do not fill a batch of ${size}`,
      hint: "give a smaller size, or rest: 'keep' for a smaller batch",
    })
  for (let b = 0; b < cuts(count, size, rest); b++) {
    const [from, to] = [b * size, Math.min(count, (b + 1) * size)]
    yield order
      ? mapColumns(data, (column) => takeRows(column, order.subarray(from, to)))
      : mapColumns(data, (column) => sliceRows(column, from, to))
  }
}

/**
 * The data set in batches of `size` rows, each a data set of the same columns, made when it is asked for, in every
 * loop again; shuffled by `key`, a last smaller batch left out unless `rest` is `'keep'`. UsageError when columns differ in length, the size is
 * no positive whole number, or no batch is full.
 * @example
 * const points = { x: { shape: [3], data: Float32Array.of(1, 2, 3) } }
 * Array.from(data.batches(points, { size: 2, rest: 'keep' }), (b) => b.x.data) // => [[1, 2], [3]]
 */
export const batches = <D extends Dataset>(data: D, options: BatchOptions): Iterable<D> => {
  demandRecord('batches', batchOptions, options)
  demandRest('batches', options)
  return { [Symbol.iterator]: () => cut(data, options) }
}
