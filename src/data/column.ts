/** A column of a data set: one row an example, in a flat array. Data stays on the host; batches of it go to the device. */
import { raise } from '../lang/errors.ts'

/** The flat arrays a column may hold. Bytes stay bytes: 60,000 images take 47 MB so, and 188 MB as floats. */
export type Elements = Uint8Array | Int8Array | Int16Array | Int32Array | Uint32Array | Float32Array | Float64Array

/** Elements in row-major order; the first axis counts examples. */
export interface Column<A extends Elements = Elements> {
  readonly shape: readonly number[]
  readonly data: A
}

/** Columns of one length by name. */
export type Dataset = Readonly<Record<string, Column>>

/**
 * How many rows a column has: the size of its first axis, 1 for a scalar.
 * @example
 * data.rowCount({ shape: [3, 2], data: new Float32Array(6) }) // => 3
 */
export const rowCount = ({ shape }: Column): number => shape[0] ?? 1

/** Elements of one row. */
const rowSize = ({ shape }: Column): number => shape.slice(1).reduce((a, b) => a * b, 1)

const emptyLike = <A extends Elements>(data: A, length: number): A =>
  new (data.constructor as new (length: number) => A)(length)

/**
 * Copies of the rows at `indices`, in that order. UsageError for an index that is no row.
 * @example
 * data.takeRows({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }, [1, 0]).data // => [3, 4, 1, 2]
 */
export const takeRows = <A extends Elements>(column: Column<A>, indices: ArrayLike<number>): Column<A> => {
  const size = rowSize(column)
  const count = rowCount(column)
  const data = emptyLike(column.data, indices.length * size)
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]!
    if (!(Number.isInteger(from) && from >= 0 && from < count))
      raise({ tag: 'UsageError', message: `there is no row ${from} among ${count}` })
    // A copy element by element: a view for every row costs more than the row.
    for (let k = 0; k < size; k++) data[i * size + k] = column.data[from * size + k]!
  }
  return { shape: [indices.length, ...column.shape.slice(1)], data }
}

/**
 * The rows from `start` up to `stop` (all, by default) in the same memory; bounds past the end are cut.
 * @example
 * data.sliceRows({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }, 1).data // => [3, 4]
 */
export const sliceRows = <A extends Elements>(
  column: Column<A>,
  start: number,
  stop: number = rowCount(column),
): Column<A> => {
  const size = rowSize(column)
  const [from, to] = [Math.min(start, rowCount(column)), Math.min(stop, rowCount(column))]
  return {
    shape: [Math.max(0, to - from), ...column.shape.slice(1)],
    data: column.data.subarray(from * size, Math.max(from, to) * size) as A,
  }
}

/**
 * `f` of every column of a data set, under the same names.
 * @example
 * const points = { x: { shape: [3], data: Float32Array.of(1, 2, 3) } }
 * data.mapColumns(points, (column) => data.takeRows(column, [2])).x.data // => [3]
 */
export const mapColumns = <D extends Dataset>(data: D, f: <A extends Elements>(column: Column<A>) => Column<A>): D =>
  Object.fromEntries(Object.entries(data).map(([name, column]) => [name, f(column)])) as unknown as D

/**
 * The rows of a data set, 0 without columns. UsageError when its columns differ in length, or one has not the elements
 * that its shape says.
 * @example
 * data.datasetRows({ x: { shape: [3], data: Float32Array.of(1, 2, 3) } }) // => 3
 */
export const datasetRows = (data: Dataset): number => {
  for (const [name, { shape, data: elements }] of Object.entries(data)) {
    const size = shape.reduce((a, b) => a * b, 1)
    if (size !== elements.length)
      raise({
        tag: 'UsageError',
        message: `${name} has ${elements.length} elements, its shape [${shape.join(', ')}] ${size}`,
        hint: 'the first axis counts rows, the others are those of a row',
      })
  }
  const counts = Object.entries(data).map(([name, column]) => [name, rowCount(column)] as const)
  const [first] = counts
  const other = counts.find(([, n]) => n !== first?.[1])
  if (first && other)
    raise({
      tag: 'UsageError',
      message: `${other[0]} has ${other[1]} rows, ${first[0]} has ${first[1]}`,
      hint: 'give every column one row an example',
    })
  return first?.[1] ?? 0
}
