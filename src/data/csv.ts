/**
 * Comma-separated text (RFC 4180: quotes, doubled quotes, line breaks inside them) as named columns. Cells are told apart by
 * papaparse, which is optional; what a table must be, and where a text is none, is said here.
 */

import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import { type DataError, raise } from '../lang/errors.ts'
import { demandList, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { bytesOf, readText, settle } from './file.ts'
import { type Library, library, libraryNow } from './library.ts'

/** How the text is written. */
export interface CsvOptions {
  /** One character; `,` by default. */
  readonly separator?: string | undefined
  /** Whether the first line names the columns (the default); else they are called `0`, `1`, … */
  readonly header?: boolean | undefined
  /** What stands for a missing value, besides nothing at all. */
  readonly missing?: readonly string[] | undefined
  /** Names the text in errors. */
  readonly source?: string | undefined
}

const csvOptions: OptionNames<CsvOptions> = { separator: 'own', header: 'boolean', missing: 'own', source: 'text' }

const demandCsv = (name: string, options: CsvOptions): void => {
  demandRecord(name, csvOptions, options)
  const { separator = ',', missing = [] } = options
  demandList(name, missing, "texts in 'missing'", "{ missing: ['NA'] }")
  if (typeof separator === 'string' && separator.length === 1 && !'"\r\n\ufeff'.includes(separator)) return
  raise({
    tag: 'UsageError',
    message: `${name}: the separator is ${showArgument(separator)}, not one character`,
    hint: "',' unless given; '\\t' for tabs",
  })
}

/** A column of a table: numbers (NaN where one is missing) when every cell is one, else texts. */
export type TableColumn =
  | { readonly kind: 'number'; readonly values: Float64Array }
  | { readonly kind: 'text'; readonly values: readonly string[] }

/** Columns by name, in the order of the file. */
export interface Table {
  readonly names: readonly string[]
  readonly rows: number
  readonly columns: Readonly<Record<string, TableColumn>>
}

interface Row {
  readonly cells: readonly string[]
  /** Where it begins, counted from 1. */
  readonly line: number
  /** The same as a place in the text. */
  readonly from: number
}

type Rows = E.Either<DataError, readonly Row[]>

const linesIn = (text: string): number => text.split('\n').length - 1

/** What is wrong with the quotes of a cell whose text begins at `from`. */
const quoteError = (text: string, from: number, isOpen: boolean, source: string): DataError => {
  const closed = isOpen ? null : /^(?:[^"]|"")*"([\s\S])/.exec(text.slice(from))
  const before = text.slice(0, from + (closed ? closed[0].length : 0) - 1)
  const [line, offset] = [1 + linesIn(before), bytesOf(before)]
  const reason = closed ? `${JSON.stringify(closed[1])} follows a closing quote` : 'a quote is opened and never closed'
  return { tag: 'DataError', source, line, offset, reason }
}

/** The cells of a text. Empty lines are passed over. */
const rowsOf = (papa: Library<'papaparse'>, text: string, separator: string, source: string): Rows => {
  const rows: Row[] = []
  let wrong: DataError | undefined
  let [line, from] = [1, 0]
  papa.parse<readonly string[]>(text, {
    delimiter: separator,
    newline: '\n',
    step: ({ data, meta, errors }, parser) => {
      const [error] = errors.filter(({ type }) => type === 'Quotes')
      if (error) {
        wrong = quoteError(text, error.index!, error.code === 'MissingQuotes', source)
        return parser.abort()
      }
      const written = text.slice(from, meta.cursor)
      if (!/^\r?\n?$/.test(written)) rows.push({ cells: withoutReturn(data, written), line, from })
      line += linesIn(written)
      from = meta.cursor
    },
  })
  return wrong ? E.left(wrong) : E.right(rows)
}

/** A carriage return before the line break is part of it, unless it stands in quotes. */
const withoutReturn = (cells: readonly string[], written: string): readonly string[] => {
  const last = cells.at(-1)!
  const isOutside = last.endsWith('\r') && written.endsWith(`${last}\n`)
  return isOutside ? [...cells.slice(0, -1), last.slice(0, -1)] : cells
}

const columnOf = (cells: readonly string[], missing: ReadonlySet<string>): TableColumn => {
  const values = Float64Array.from(cells, (text) => (missing.has(text.trim()) ? Number.NaN : Number(text)))
  const isNumber = cells.every((text, i) => !Number.isNaN(values[i]!) || missing.has(text.trim()))
  return isNumber ? { kind: 'number', values } : { kind: 'text', values: cells }
}

const unnamed = 'CSV data'

const markOf = (text: string): string => (text.startsWith('\ufeff') ? '\ufeff' : '')

/** The table of a text, a byte order mark passed over: it counts in offsets alone. */
const tableOf = (papa: Library<'papaparse'>, text: string, options: CsvOptions): E.Either<DataError, Table> => {
  const mark = markOf(text)
  return pipe(
    unmarkedTable(papa, text.slice(mark.length), options),
    E.mapLeft((error) => ({ ...error, offset: bytesOf(mark) + (error.offset ?? 0) })),
  )
}

const unmarkedTable = (
  papa: Library<'papaparse'>,
  text: string,
  { separator = ',', header = true, missing = [], source = unnamed }: CsvOptions,
): E.Either<DataError, Table> => {
  const wrong = ({ line, from }: Omit<Row, 'cells'>, reason: string): E.Either<DataError, Table> =>
    E.left({ tag: 'DataError', source, line, offset: bytesOf(text.slice(0, from)), reason })
  const parsed = rowsOf(papa, text, separator, source)
  if (E.isLeft(parsed)) return parsed
  const [first] = parsed.right
  if (!first) return wrong({ line: 1, from: 0 }, 'the text is empty')
  const width = first.cells.length
  const ragged = parsed.right.find((row) => row.cells.length !== width)
  if (ragged) return wrong(ragged, `${ragged.cells.length} cells, the first row has ${width}`)
  const names = header ? first.cells.map((name) => name.trim()) : first.cells.map((_, i) => String(i))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) return wrong(first, `two columns are called ${JSON.stringify(twice)}`)
  const rows = header ? parsed.right.slice(1) : parsed.right
  const absent = new Set(['', ...missing])
  const columns = names.map(
    (name, i) =>
      [
        name,
        columnOf(
          rows.map((row) => row.cells[i]!),
          absent,
        ),
      ] as const,
  )
  return E.right({ names, rows: rows.length, columns: Object.fromEntries(columns) })
}

/**
 * The columns of a text (RFC 4180). A column is one of numbers when all its cells are, missing ones (empty, or in
 * `missing`) being NaN. Left DataError with its line and the offset of the byte: a row longer or shorter than the first, a
 * quote never closed, a name given twice; and where papaparse is not installed, or cannot be loaded at once (a page takes `parseCsvTask`).
 * @example
 * const found = data.parseCsv('x\n1\n2')
 * const columns = { x: { kind: 'number', values: [1, 2] } }
 * found // => { _tag: 'Right', right: { names: ['x'], rows: 2, columns } }
 * data.parseCsv('x,y\n1')._tag // => 'Left'
 */
export const parseCsv = (text: string, options: CsvOptions = {}): E.Either<DataError, Table> => {
  demandCsv('parseCsv', options)
  return pipe(
    libraryNow('papaparse', options.source ?? unnamed),
    E.flatMap((papa) => tableOf(papa, text, options)),
  )
}

/**
 * `parseCsv` as a TaskEither, which loads papaparse wherever modules are loaded from.
 * @example
 * (await data.parseCsvTask('x\n1\n2')())._tag // => 'Right'
 */
export const parseCsvTask = (text: string, options: CsvOptions = {}): TE.TaskEither<DataError, Table> => {
  demandCsv('parseCsvTask', options)
  return pipe(
    library('papaparse', options.source ?? unnamed),
    TE.flatMapEither((papa) => tableOf(papa, text, options)),
  )
}

/**
 * `readCsv` as a TaskEither: nothing is read before it is called.
 * @example
 * (await data.readCsvTask('missing.csv')())._tag // => 'Left'
 */
export const readCsvTask = (path: string | FileUrl, options: CsvOptions = {}): TE.TaskEither<DataError, Table> => {
  demandCsv('readCsvTask', options)
  return pipe(
    readText(path),
    TE.flatMap((text) => parseCsvTask(text, { ...options, source: options.source ?? String(path) })),
  )
}

/**
 * The columns of a CSV file on disk (UTF-8), by `parseCsv`. Rejects with a TensorloomError that carries the DataError.
 * @example
 * await data.readCsv('missing.csv') // => throws DataError
 */
export const readCsv = async (path: string | FileUrl, options: CsvOptions = {}): Promise<Table> => {
  demandCsv('readCsv', options)
  return settle(readCsvTask(path, options))
}
