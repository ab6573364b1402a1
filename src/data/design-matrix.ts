/** From a table to what a model takes: a design matrix, class numbers, standardised features. */
import * as E from '#fp/Either'
import { type DataError, raise } from '../lang/errors.ts'
import { type Column, rowCount } from './column.ts'
import type { Table, TableColumn } from './csv.ts'

const columnsOf = (table: Table, names: readonly string[]): E.Either<DataError, readonly TableColumn[]> => {
  const unknown = names.find((name) => !Object.hasOwn(table.columns, name))
  if (unknown === undefined) return E.right(names.map((name) => table.columns[name]!))
  return E.left({
    tag: 'DataError',
    source: 'table',
    reason: `it has no column ${JSON.stringify(unknown)}`,
    hint: `its columns: ${table.names.join(', ')}`,
  })
}

/**
 * Numeric columns side by side: f32 `[rows, names.length]`, one row an observation. Left DataError for a column of
 * texts or none of that name.
 * @example
 * const columns = { x: { kind: 'number', values: Float64Array.of(1, 2) } } as const
 * const found = data.designMatrix({ names: ['x'], rows: 2, columns }, ['x', 'x'])
 * found // => { _tag: 'Right', right: { shape: [2, 2], data: [1, 1, 2, 2] } }
 */
export const designMatrix = (table: Table, names: readonly string[]): E.Either<DataError, Column<Float32Array>> => {
  const found = columnsOf(table, names)
  if (E.isLeft(found)) return found
  const data = new Float32Array(table.rows * names.length)
  for (const [p, column] of found.right.entries()) {
    if (column.kind === 'text')
      return E.left({
        tag: 'DataError',
        source: 'table',
        reason: `column ${JSON.stringify(names[p])} holds text, such as ${JSON.stringify(column.values.find((v) => Number.isNaN(Number(v))) ?? '')}`,
        hint: 'number its classes with classes(table, name)',
      })
    for (let i = 0; i < table.rows; i++) data[i * names.length + p] = column.values[i]!
  }
  return E.right({ shape: [table.rows, names.length], data })
}

/** A column's distinct values in sorted order, and the number of each row's among them. */
export interface Classes {
  readonly names: readonly string[]
  readonly labels: Column<Int32Array>
}

/**
 * The distinct values of a column in sorted order, and the number of each row's among them as labels for a class loss.
 * Left DataError when there is no column of that name.
 * @example
 * const iris: data.Table = { names: ['kind'], rows: 2, columns: { kind: { kind: 'text', values: ['b', 'a'] } } }
 * const found = data.classes(iris, 'kind')
 * found // => { _tag: 'Right', right: { names: ['a', 'b'], labels: { shape: [2], data: [1, 0] } } }
 */
export const classes = (table: Table, name: string): E.Either<DataError, Classes> => {
  const found = columnsOf(table, [name])
  if (E.isLeft(found)) return found
  const { kind, values } = found.right[0]!
  const texts = Array.from(values, String)
  const distinct = [...new Set(texts)]
  const names = kind === 'number' ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct.sort()
  const numbers = new Map(names.map((text, i) => [text, i]))
  return E.right({ names, labels: { shape: [table.rows], data: Int32Array.from(texts, (text) => numbers.get(text)!) } })
}

/** Means and standard deviations of features, and the map that gives them mean 0 and deviation 1. */
export interface Standardiser {
  readonly mean: Float64Array
  readonly std: Float64Array
  /** `(x - mean) / std` by feature; a feature that never varied stays at 0. Apply it to validation and test data as it is. */
  readonly apply: (column: Column) => Column<Float32Array>
}

/**
 * Learns to standardise the features (last axis) of a `[rows, features]` column: `apply` gives them mean 0 and
 * deviation 1; deviations are those of the population, a feature that never varied becomes 0.
 * @example
 * const heights = { shape: [2, 1], data: Float32Array.of(1, 3) }
 * data.standardiser(heights).apply(heights).data // => [-1, 1]
 */
export const standardiser = (column: Column): Standardiser => {
  const features = column.shape[1] ?? 1
  const rows = rowCount(column)
  const mean = new Float64Array(features)
  const std = new Float64Array(features)
  column.data.forEach((x, i) => {
    mean[i % features]! += x / rows
  })
  column.data.forEach((x, i) => {
    std[i % features]! += (x - mean[i % features]!) ** 2 / rows
  })
  for (let p = 0; p < features; p++) std[p] = Math.sqrt(std[p]!)
  return {
    mean,
    std,
    apply: ({ shape, data }) => {
      if ((shape[1] ?? 1) !== features)
        raise({
          tag: 'UsageError',
          message: `standardiser: the column has ${shape[1] ?? 1} features, it was made from ${features}`,
          hint: 'apply it to columns with the same features',
        })
      const scaled = Float32Array.from(data, (x, i) => {
        const p = i % features
        return std[p] === 0 ? 0 : (x - mean[p]!) / std[p]!
      })
      return { shape, data: scaled }
    },
  }
}
