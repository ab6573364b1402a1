/** A data set as the sequence of its rows, and rows as batches again. */
import { raise } from '../lang/errors.ts'
import { demandChoice, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { type Column, type Dataset, datasetRows, type Elements, mapColumns, sliceRows } from './column.ts'
import { demandSource } from './prefetch.ts'

/**
 * The rows of a data set, one after the other: records of the same names, each column without its first axis. They share its memory.
 * @example
 * const points = { x: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }
 * Array.from(data.rows(points), ({ x }) => x) // => [{ shape: [2], data: [1, 2] }, { shape: [2], data: [3, 4] }]
 */
export const rows = <D extends Dataset>(data: D): Iterable<D> => ({
  *[Symbol.iterator]() {
    const count = datasetRows(data)
    for (let i = 0; i < count; i++)
      yield mapColumns(data, (column) => {
        const { shape, data: elements } = sliceRows(column, i, i + 1)
        return { shape: shape.slice(1), data: elements }
      })
  },
})

/** What `batch` puts together: columns, flat arrays (rank 1) and numbers by name. */
export type Row = Readonly<Record<string, Column | Elements | number>>

/** Rows put together: numbers become floats; give `Int32Array.of(n)`, or a column, for whole numbers. */
export type BatchOf<R> = {
  readonly [K in keyof R]: R[K] extends Column<infer A>
    ? Column<A>
    : R[K] extends Elements
      ? Column<R[K]>
      : Column<Float32Array>
}

/** How `batch` cuts. */
export interface BatchRowsOptions {
  /** Rows of a batch. */
  readonly size: number
  /** What becomes of the rows that do not fill a batch: a smaller one (the default), or nothing. */
  readonly rest?: 'keep' | 'drop' | undefined
}

const batchRowsOptions: OptionNames<BatchRowsOptions> = { size: 'must count', rest: 'own' }

const isElements = (x: unknown): x is Elements => ArrayBuffer.isView(x) && !(x instanceof DataView)

/** A part of a row as a column of its elements. */
const columnOf = (name: string, x: Row[string]): Column => {
  if (typeof x === 'number') return { shape: [], data: Float32Array.of(x) }
  if (isElements(x)) return { shape: [x.length], data: x }
  if (typeof x === 'object' && x !== null && Array.isArray(x.shape) && isElements(x.data)) return x
  return raise({
    tag: 'UsageError',
    message: `batch: '${name}' of a row is ${showArgument(x)}, neither a column, a flat array nor a number`,
    hint: 'turn texts and records into numbers with data.map before they are put together',
  })
}

const kindOf = ({ shape, data }: Column): string => `${data.constructor.name}[${shape.join(', ')}]`

/** One column of many rows. UsageError where they differ in shape or in kind. */
const stacked = (name: string, parts: readonly Column[]): Column => {
  const [first] = parts as readonly [Column]
  const size = first.data.length
  const data = new (first.data.constructor as new (length: number) => Elements)(size * parts.length)
  for (const [i, part] of parts.entries()) {
    if (kindOf(part) !== kindOf(first))
      raise({
        tag: 'UsageError',
        message: `batch: '${name}' is ${kindOf(part)} in row ${i} of a batch, ${kindOf(first)} in its first`,
        hint: 'data.padSequences makes sequences one length',
      })
    data.set(part.data, i * size)
  }
  return { shape: [parts.length, ...first.shape], data }
}

/** UsageError for a row with a part that the first does not have: the batch would be without it. */
const demandNames = (names: readonly string[], rows: readonly Row[]): void => {
  for (const [i, row] of rows.entries()) {
    const other = Object.keys(row).find((name) => !names.includes(name))
    if (other !== undefined)
      raise({ tag: 'UsageError', message: `batch: row ${i} of a batch has '${other}', which its first does not have` })
  }
}

const together = (rows: readonly Row[]): Dataset => {
  const names = Object.keys(rows[0]!)
  demandNames(names, rows)
  return Object.fromEntries(
    names.map((name) => [
      name,
      stacked(
        name,
        rows.map((row) => columnOf(name, row[name]!)),
      ),
    ]),
  )
}

/** Elements of `source` in groups of `size`, the last one smaller. */
export const groups = function* <A>(source: Iterable<A>, size: number): Generator<readonly A[], void, undefined> {
  let group: A[] = []
  for (const x of source) {
    group.push(x)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

/**
 * Rows in batches of `size`, each a data set of the same names, the last one smaller where rows are left over (left out with
 * `rest: 'drop'`). UsageError, when it is gone over, for rows of different shapes or kinds.
 * @example
 * const numbers = data.map([1, 2, 3], (n) => ({ n, at: Int32Array.of(n, n) }))
 * Array.from(data.batch(numbers, { size: 2 }), (b) => b.at.shape) // => [[2, 2], [1, 2]]
 * [...T.pipe(numbers, data.batch({ size: 2, rest: 'drop' }))][0]!.n // => { shape: [2], data: [1, 2] }
 */
export function batch<R extends Row>(source: Iterable<R>, options: BatchRowsOptions): Iterable<BatchOf<R>>
export function batch(options: BatchRowsOptions): <R extends Row>(source: Iterable<R>) => Iterable<BatchOf<R>>
export function batch(...args: readonly unknown[]): unknown {
  const options = args.at(-1) as BatchRowsOptions
  demandRecord('batch', batchRowsOptions, options)
  demandChoice('batch', 'rest', options.rest, ['keep', 'drop'])
  const { size, rest = 'keep' } = options
  const on = (source: Iterable<Row>): Iterable<Dataset> => {
    demandSource('batch', source)
    return {
      *[Symbol.iterator]() {
        for (const rows of groups(source, size)) if (rest === 'keep' || rows.length === size) yield together(rows)
      },
    }
  }
  return args.length < 2 ? on : on(args[0] as Iterable<Row>)
}
