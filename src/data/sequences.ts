/** Sequences of different lengths: padded to one, and batched with those of about their length. */
import { raise } from '../lang/errors.ts'
import {
  demandChoice,
  demandFunction,
  demandList,
  demandRecord,
  type OptionNames,
  showArgument,
} from '../lang/tensor/arguments.ts'
import { type Column, type Elements, rowCount, takeRows } from './column.ts'
import { demandSource } from './prefetch.ts'

/** A sequence: flat, or a column whose first axis is time. Plain arrays become floats. */
export type Sequence = readonly number[] | Elements | Column

/** How sequences are brought to one length. */
export interface PadOptions {
  /** The length; that of the longest unless given. */
  readonly length?: number | undefined
  /** What stands in the added places; 0 unless given. */
  readonly value?: number | undefined
  /** Where they are added; at the end unless given. */
  readonly side?: 'right' | 'left' | undefined
  /** Whether longer sequences lose what is too much, on the same side; otherwise they are a UsageError. */
  readonly truncate?: boolean | undefined
}

const padOptions: OptionNames<PadOptions> = { length: 'size', value: 'value', side: 'own', truncate: 'boolean' }

/** Sequences of one length, and how long they were: `[count, length, …]` and `[count]`. */
export interface Padded<A extends Elements = Elements> {
  readonly values: Column<A>
  readonly lengths: Column<Int32Array>
}

/** The array type that a sequence is held in. */
type HeldIn<S extends Sequence> = S extends Column<infer A> ? A : S extends Elements ? S : Float32Array

const columnOf = (x: Sequence): Column => {
  if (Array.isArray(x)) return { shape: [x.length], data: Float32Array.from(x as readonly number[]) }
  return ArrayBuffer.isView(x) ? { shape: [(x as Elements).length], data: x as Elements } : (x as Column)
}

/**
 * Sequences side by side, each filled up with `value` to the longest, or to `length`. The lengths that come along are those before
 * (cut ones: after), for a mask: `T.less(T.arange(length), T.expandDims(lengths, 1))`. UsageError for a sequence that is longer than
 * `length` where `truncate` is not asked for, and for elements of different shapes or kinds.
 * @example
 * const { values, lengths } = data.padSequences([Int32Array.of(1, 2, 3), Int32Array.of(4)])
 * [values, lengths.data] // => [{ shape: [2, 3], data: [1, 2, 3, 4, 0, 0] }, [3, 1]]
 * data.padSequences([[1, 2, 3], [4]], { length: 2, truncate: true, side: 'left', value: -1 }).values.data // => [2, 3, -1, 4]
 */
export const padSequences = <S extends Sequence>(
  sequences: readonly S[],
  options: PadOptions = {},
): Padded<HeldIn<S>> => {
  demandRecord('padSequences', padOptions, options)
  demandList('padSequences', sequences, 'sequences', 'padSequences([[1, 2], [3]])')
  demandChoice('padSequences', 'side', options.side, ['right', 'left'])
  const columns = sequences.map(columnOf)
  const longest = columns.reduce((most, c) => Math.max(most, rowCount(c)), 0)
  const { length = longest, value = 0, side = 'right', truncate = false } = options
  const first = columns[0] ?? { shape: [0], data: new Float32Array(0) }
  const inner = first.shape.slice(1)
  const size = inner.reduce((a, b) => a * b, 1)
  const data = new (first.data.constructor as new (n: number) => Elements)(columns.length * length * size).fill(value)
  const lengths = Int32Array.from(columns, (c) => Math.min(length, rowCount(c)))
  for (const [i, column] of columns.entries()) {
    demandFits(i, column, first, length, truncate)
    const count = rowCount(column)
    const kept = lengths[i]!
    const [from, to] = side === 'right' ? [0, 0] : [count - kept, length - kept]
    data.set(column.data.subarray(from * size, (from + kept) * size), (i * length + to) * size)
  }
  const values = { shape: [columns.length, length, ...inner], data } as Column as Column<HeldIn<S>>
  return { values, lengths: { shape: [columns.length], data: lengths } }
}

const kindOf = ({ shape, data }: Column): string => `${data.constructor.name}[${['n', ...shape.slice(1)].join(', ')}]`

const demandFits = (i: number, column: Column, first: Column, length: number, truncate: boolean): void => {
  if (kindOf(column) !== kindOf(first))
    raise({
      tag: 'UsageError',
      message: `padSequences: sequence ${i} is ${kindOf(column)}, the first is ${kindOf(first)}`,
    })
  if (rowCount(column) > length && !truncate)
    raise({
      tag: 'UsageError',
      message: `padSequences: sequence ${i} has ${rowCount(column)} elements, more than the length ${length}`,
      hint: 'truncate: true cuts it',
    })
}

/** How `windows` cuts. */
export interface SequenceWindowOptions {
  /** The length of each. */
  readonly size: number
  /** From the beginning of one to that of the next: `size` unless given, so that they do not overlap. */
  readonly stride?: number | undefined
}

const windowsOptions: OptionNames<SequenceWindowOptions> = { size: 'must count', stride: 'count' }

/**
 * The windows of one long sequence as rows: `[n, …]` → `[⌊(n - size) / stride⌋ + 1, size, …]`, what does not fill the last one left
 * out (none where the sequence is shorter than `size`). A text as rows of an epoch, or, with `stride: 1`, a series as what was before
 * each moment. PyTorch's `x.unfold(0, size, stride)`.
 * @example
 * data.windows(Int32Array.of(1, 2, 3, 4, 5), { size: 2 }) // => { shape: [2, 2], data: [1, 2, 3, 4] }
 * data.windows(Int32Array.of(1, 2, 3, 4), { size: 3, stride: 1 }).data // => [1, 2, 3, 2, 3, 4]
 */
export const windows = <S extends Sequence>(sequence: S, options: SequenceWindowOptions): Column<HeldIn<S>> => {
  demandRecord('windows', windowsOptions, options)
  const column = columnOf(sequence)
  const { size, stride = size } = options
  const count = Math.max(0, Math.floor((rowCount(column) - size) / stride) + 1)
  const indices = Int32Array.from({ length: count * size }, (_, i) => Math.floor(i / size) * stride + (i % size))
  const { shape, data } = takeRows(column, indices)
  return { shape: [count, size, ...shape.slice(1)], data } as Column as Column<HeldIn<S>>
}

/** How `bucket` groups. */
export interface BucketOptions<A> {
  /** Elements of a group. */
  readonly size: number
  /** The greatest length of each bucket, in rising order; one more bucket takes what is longer. */
  readonly edges: readonly number[]
  /** The length of an element; its own `length` unless given. */
  readonly length?: ((element: A) => number) | undefined
  /** What becomes of groups that are not full at the end: smaller ones (the default), or nothing. */
  readonly rest?: 'keep' | 'drop' | undefined
}

const bucketOptions: OptionNames<BucketOptions<unknown>> = {
  size: 'must count',
  edges: 'must list',
  length: 'own',
  rest: 'own',
}

const demandEdges = (edges: readonly number[]): void => {
  const wrong = edges.findIndex((e, i) => !(typeof e === 'number' && (i === 0 || e > edges[i - 1]!)))
  if (wrong < 0) return
  raise({
    tag: 'UsageError',
    message: `bucket: edge ${wrong} is ${showArgument(edges[wrong])}, which does not rise above the one before`,
    hint: 'edges: [16, 32, 64]',
  })
}

const lengthOf = (x: unknown): number => {
  const { length } = x as { readonly length?: unknown }
  if (typeof length === 'number') return length
  return raise({
    tag: 'UsageError',
    message: `bucket: ${showArgument(x)} has no length`,
    hint: 'say what it is: { length: (row) => row.tokens.length }',
  })
}

/**
 * Elements in groups of `size`, each of elements of about one length, so that little is padded: an element waits in the bucket of
 * the first edge that is not below its length until the bucket is full. Those left over come last, shortest first.
 * @example
 * const words = ['a', 'tree', 'of', 'words', 'is', 'growing']
 * [...data.bucket(words, { size: 2, edges: [2, 5] })] // => [['a', 'of'], ['tree', 'words'], ['is'], ['growing']]
 */
export function bucket<A>(source: Iterable<A>, options: BucketOptions<A>): Iterable<readonly A[]>
export function bucket<A>(options: BucketOptions<A>): (source: Iterable<A>) => Iterable<readonly A[]>
export function bucket(...args: readonly unknown[]): unknown {
  const options = args.at(-1) as BucketOptions<unknown>
  demandRecord('bucket', bucketOptions, options)
  demandChoice('bucket', 'rest', options.rest, ['keep', 'drop'])
  const { size, edges, length = lengthOf, rest = 'keep' } = options
  demandFunction('bucket', 'the length', length, 'an element')
  demandEdges(edges)
  const grouped = (source: Iterable<unknown>): Iterable<readonly unknown[]> => ({
    *[Symbol.iterator]() {
      const waiting: unknown[][] = Array.from({ length: edges.length + 1 }, () => [])
      for (const x of source) {
        const n = length(x)
        const at = edges.findIndex((edge) => n <= edge)
        const bucket = at < 0 ? edges.length : at
        waiting[bucket]!.push(x)
        if (waiting[bucket]!.length < size) continue
        yield waiting[bucket]!
        waiting[bucket] = []
      }
      if (rest === 'keep') yield* waiting.filter((bucket) => bucket.length > 0)
    },
  })
  const on = (source: Iterable<unknown>): Iterable<readonly unknown[]> => {
    demandSource('bucket', source)
    return grouped(source)
  }
  return args.length < 2 ? on : on(args[0] as Iterable<unknown>)
}
