/** Rows of a data set divided: into fractions, or into folds; of every class as much as of the others where it is asked for. */
import { raise } from '../lang/errors.ts'
import { demandList, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import type { Key } from '../lang/tensor/random/keys.ts'
import { type Column, type Dataset, datasetRows, mapColumns, sliceRows, takeRows } from './column.ts'
import { shuffled } from './shuffle.ts'

/** How rows are divided: as they come, or shuffled by a key, and with regard to the classes of a column. */
export interface SplitOptions {
  readonly key?: Key | undefined
  /** The name of a column of classes, whose shares are then the same in every part, up to a row of each. */
  readonly stratify?: string | undefined
}

const splitOptions: OptionNames<SplitOptions> = { key: 'tensor', stratify: 'text' }

/** The column of classes. UsageError where there is none, or a row of it is more than one element. */
const classColumn = (name: string, data: Dataset, stratify: string): Column => {
  const column = Object.hasOwn(data, stratify) ? data[stratify]! : undefined
  if (column && column.data.length === (column.shape[0] ?? 1)) return column
  return raise({
    tag: 'UsageError',
    message: column
      ? `${name}: a row of '${stratify}' has shape [${column.shape.slice(1).join(', ')}], which is no class`
      : `${name}: there is no column '${stratify}' to stratify by`,
    hint: column ? 'give a column of one number a row' : `the columns are ${Object.keys(data).join(', ') || 'none'}`,
  })
}

/** The rows of each class, in the order in which classes first appear. */
const byClass = (order: Uint32Array, { data }: Column): readonly (readonly number[])[] => {
  const classes = new Map<number, number[]>()
  for (const row of order) {
    const value = data[row]!
    const members = classes.get(value)
    if (members) members.push(row)
    else classes.set(value, [row])
  }
  return [...classes.values()]
}

/** Rows class after class: every so-many-th of them has of each class its share, up to less than a row. */
const grouped = (order: Uint32Array, column: Column): Uint32Array => Uint32Array.from(byClass(order, column).flat())

/**
 * Rows in the order of their place within their class (the third of four is 5/8 through), so that every stretch has of every class
 * the same share, up to a row. Those of one place stand as the classes first appear.
 */
const interleaved = (order: Uint32Array, column: Column): Uint32Array => {
  const placed = byClass(order, column).flatMap((members) =>
    members.map((row, i) => ({ row, place: (i + 0.5) / members.length })),
  )
  return Uint32Array.from(
    placed.sort((a, b) => a.place - b.place),
    ({ row }) => row,
  )
}

/** The order in which rows are dealt out, and how those of a part are put in the order of the whole. */
const dealing = (
  name: string,
  data: Dataset,
  { key, stratify }: SplitOptions,
  arranged: (order: Uint32Array, column: Column) => Uint32Array,
): { readonly rows: Uint32Array; readonly inOrder: (part: Uint32Array) => Uint32Array } => {
  const count = datasetRows(data)
  const order = key === undefined ? Uint32Array.from({ length: count }, (_, i) => i) : shuffled(count, key)
  if (stratify === undefined) return { rows: order, inOrder: (part) => part }
  const at = new Uint32Array(count)
  order.forEach((row, i) => {
    at[row] = i
  })
  return {
    rows: arranged(order, classColumn(name, data, stratify)),
    inOrder: (part) => part.slice().sort((a, b) => at[a]! - at[b]!),
  }
}

const taken = <D extends Dataset>(data: D, rows: Uint32Array): D => mapColumns(data, (column) => takeRows(column, rows))

/**
 * The data set in as many parts as there are `fractions`, a tuple where their number is known, which add up to at most 1, shuffled by
 * `key`, with the same shares of the classes of a column in each where it is named as `stratify`. Sizes are rounded so that fractions
 * that make 1 use every row once. UsageError for fractions below 0 or above 1 together, and a column that is not there.
 * @example
 * const points = { x: { shape: [4], data: Float32Array.of(1, 2, 3, 4) }, y: { shape: [4], data: Int32Array.of(0, 0, 1, 1) } }
 * data.split(points, [0.75, 0.25]).map((part) => part.x.data) // => [[1, 2, 3], [4]]
 * data.split(points, [0.5, 0.5], { stratify: 'y' }).map((part) => part.x.data) // => [[1, 3], [2, 4]]
 */
export const split = <D extends Dataset, const F extends readonly number[]>(
  data: D,
  fractions: F,
  options: SplitOptions = {},
): { readonly [K in keyof F]: D } => {
  demandRecord('split', splitOptions, options)
  demandList('split', fractions, 'fractions', 'split(data, [0.8, 0.2])')
  const count = datasetRows(data)
  const ends = [0]
  for (const fraction of fractions) ends.push(ends.at(-1)! + fraction)
  if (fractions.some((f) => !(f >= 0)) || ends.at(-1)! > 1 + 1e-9)
    raise({ tag: 'UsageError', message: `split: [${fractions.join(', ')}] are no parts of a whole` })
  const at = ends.map((end) => Math.min(count, Math.round(end * count)))
  const isMoved = options.key !== undefined || options.stratify !== undefined
  const { rows, inOrder } = dealing('split', data, options, interleaved)
  const parts = fractions.map((_, i) =>
    isMoved
      ? taken(data, inOrder(rows.subarray(at[i]!, at[i + 1]!)))
      : mapColumns(data, (column) => sliceRows(column, at[i]!, at[i + 1]!)),
  )
  return parts as readonly D[] as { readonly [K in keyof F]: D }
}

/** One of the divisions of `kFold`. */
export interface Fold<D> {
  readonly train: D
  readonly test: D
}

/**
 * Cross-validation: `folds` divisions, each with another part as `test` and all other rows as `train`, made when they are asked for.
 * Parts differ by one row at most, the first ones having more (as scikit-learn's KFold); `key` and `stratify` as in `split`,
 * the counts of a class in two parts differing by one at most (as StratifiedKFold). UsageError for fewer than two folds, more than
 * there are rows, and a column that is not there.
 * @example
 * const points = { x: { shape: [3], data: Float32Array.of(1, 2, 3) } }
 * Array.from(data.kFold(points, 2), ({ train, test }) => [train.x.data, test.x.data]) // => [[[3], [1, 2]], [[1, 2], [3]]]
 */
export const kFold = <D extends Dataset>(data: D, folds: number, options: SplitOptions = {}): Iterable<Fold<D>> => {
  demandRecord('kFold', splitOptions, options)
  const count = datasetRows(data)
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= count))
    raise({
      tag: 'UsageError',
      message: `kFold: ${showArgument(folds)} folds of ${count} rows`,
      hint: 'give a whole number from 2 to the number of rows',
    })
  if (options.stratify !== undefined) classColumn('kFold', data, options.stratify)
  const end = (i: number): number => i * Math.floor(count / folds) + Math.min(i, count % folds)
  return {
    *[Symbol.iterator]() {
      const { rows, inOrder } = dealing('kFold', data, options, grouped)
      const isDealt = options.stratify !== undefined
      for (let i = 0; i < folds; i++) {
        const isTest = (place: number): boolean =>
          isDealt ? place % folds === i : end(i) <= place && place < end(i + 1)
        yield {
          train: taken(data, inOrder(rows.filter((_, place) => !isTest(place)))),
          test: taken(data, inOrder(rows.filter((_, place) => isTest(place)))),
        }
      }
    },
  }
}
