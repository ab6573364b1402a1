/** Values as PyTorch prints them: aligned columns, four decimals, an ellipsis when large (torch/_tensor_str.py). */
import { floorDiv, type Shape, sizeOf } from '../dim.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { Value } from '../primitive.ts'
import { stridesOf } from '../shape.ts'
import { demandRecord, type OptionNames } from '../tensor/arguments.ts'
import { printing } from './printing.ts'

/** PyTorch's print options, by its defaults. */
export interface ShowOptions {
  /** Digits after the point. */
  readonly precision?: number | undefined
  /** Above so many elements only the edges are shown. */
  readonly threshold?: number | undefined
  /** How many items an edge has. */
  readonly edgeItems?: number | undefined
  readonly lineWidth?: number | undefined
}

const showOptions: OptionNames<ShowOptions> = {
  precision: 'size',
  threshold: 'limit',
  edgeItems: 'size',
  lineWidth: 'limit',
}

type Options = Record<keyof ShowOptions, number>

const filled = ({ precision = 4, threshold = 1000, edgeItems = 3, lineWidth = 80 }: ShowOptions): Options => ({
  precision,
  threshold,
  edgeItems,
  lineWidth,
})

/** Python's rounding of decimals: to nearest, exact ties to even, where JavaScript goes up. Both know the exact value. */
const tiesToEven = (digits: number, long: string, rounded: string, step: (down: string) => string): string => {
  const point = long.indexOf('.')
  const end = /e/.test(long) ? long.indexOf('e') : long.length
  const kept = long.slice(0, digits === 0 ? point : point + 1 + digits)
  const rest = long.slice(point + 1 + digits, end)
  const isTie = /^50*$/.test(rest)
  return isTie && Number(kept.at(-1)) % 2 === 0 ? step(kept) : rounded
}

const nonFinite = (x: number): string => (Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf')

const signed = (x: number, text: (size: number) => string): string => {
  if (!Number.isFinite(x)) return nonFinite(x)
  return x < 0 || Object.is(x, -0) ? `-${text(Math.abs(x))}` : text(x)
}

/** Python's `{:.nf}`. */
const fixed = (x: number, digits: number): string =>
  signed(x, (size) =>
    tiesToEven(digits, size.toFixed(Math.min(100, digits + 40)), size.toFixed(digits), (down) => down),
  )

/** Python's `{:.ne}`: at least two digits of exponent. */
const scientific = (x: number, digits: number): string =>
  signed(x, (size) => {
    const exponent = (text: string): string => text.slice(text.indexOf('e'))
    const long = size.toExponential(Math.min(100, digits + 40))
    const text = tiesToEven(digits, long, size.toExponential(digits), (down) => `${down}${exponent(long)}`)
    return text.replace(/e([+-])(\d)$/, 'e$10$2')
  })

/** How one tensor's elements are written, all with the same number of decimals. */
interface Formatter {
  readonly width: number
  readonly format: (x: number) => string
}

const padded = (width: number, text: (x: number) => string): Formatter => ({
  width,
  format: (x) => text(x).padStart(width),
})

const widest = (texts: readonly string[], least: number): number => texts.reduce((w, t) => Math.max(w, t.length), least)

/** torch's _Formatter: whole floats end in a point; scientific when the range is wide or the numbers are extreme. */
const floatFormatter = (values: readonly number[], { precision }: Options): Formatter => {
  const finite = values.filter((x) => Number.isFinite(x) && x !== 0)
  const sizes = finite.map(Math.abs)
  const [least, most] = sizes.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Number.POSITIVE_INFINITY, 0])
  const whole = finite.every(Number.isInteger)
  const extreme = finite.length > 0 && (most / least > 1000 || most > 1e8 || (!whole && least < 1e-4))
  if (extreme)
    return padded(
      widest(
        finite.map((x) => scientific(x, precision)),
        1,
      ),
      (x) => scientific(x, precision),
    )
  const text = whole
    ? (x: number): string => (Number.isFinite(x) ? `${fixed(x, 0)}.` : nonFinite(x))
    : (x: number): string => fixed(x, precision)
  return padded(widest(finite.map(text), 1), text)
}

const formatterOf = (dtype: DType, values: readonly number[], options: Options): Formatter => {
  if (isFloat(dtype)) return floatFormatter(values, options)
  const text = (x: number): string => (dtype === 'bool' ? (x === 0 ? 'False' : 'True') : String(x))
  return padded(widest(values.map(text), 1), text)
}

/** The indices along one axis that are shown; -1 stands for the ellipsis. */
const shown = (size: number, summarise: boolean, edge: number): readonly number[] => {
  const all = Array.from({ length: size }, (_, i) => i)
  return summarise && size > 2 * edge ? [...all.slice(0, edge), -1, ...all.slice(size - edge)] : all
}

/** The elements that are shown, in order: widths depend on these alone. */
const visible = (shape: Shape, data: ArrayLike<number>, summarise: boolean, edge: number): readonly number[] => {
  const strides = stridesOf(shape)
  const offsets = shape.reduce<readonly number[]>(
    (bases, size, axis) => {
      const picks = shown(size, summarise, edge).filter((i) => i >= 0)
      return bases.flatMap((b) => picks.map((i) => b + i * strides[axis]!))
    },
    [0],
  )
  return offsets.map((o) => data[o]!)
}

const vector = (items: readonly string[], width: number, indent: number, lineWidth: number): string => {
  const perLine = Math.max(1, floorDiv(lineWidth - indent, width + 2))
  const lines: string[] = []
  for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '))
  return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`
}

/** The items of a value in brackets, lines after the first indented by `indent`. */
const bodyOf = ({ shape, dtype, data }: Value, indent: number, options: Options): string => {
  const { threshold, edgeItems, lineWidth } = options
  const numbers = dtype === 'f32' ? Float32Array.from(data) : data
  const summarise = sizeOf(shape) > threshold
  const { width, format } = formatterOf(dtype, visible(shape, numbers, summarise, edgeItems), options)
  const strides = stridesOf(shape)
  const text = (axis: number, base: number, indent: number): string => {
    if (axis === shape.length) return format(numbers[base]!)
    const picks = shown(shape[axis]!, summarise, edgeItems)
    const last = axis === shape.length - 1
    const items = picks.map((i) =>
      i < 0 ? (last ? ' ...' : '...') : text(axis + 1, base + i * strides[axis]!, indent + 1),
    )
    if (last) return vector(items, width, indent, lineWidth)
    return `[${items.join(`,${'\n'.repeat(shape.length - 1 - axis)}${' '.repeat(indent + 1)}`)}]`
  }
  return text(0, 0, indent)
}

/** What is said beside the items: a size that they do not show, a dtype that they do not either. */
const suffixesOf = ({ shape, dtype }: Value): readonly string[] => {
  const isEmpty = sizeOf(shape) === 0
  const isPlain = dtype === 'f32' || (!isEmpty && (dtype === 'i32' || dtype === 'bool'))
  return [
    ...(isEmpty && shape.length !== 1 ? [`size=(${shape.join(', ')})`] : []),
    ...(isPlain ? [] : [`dtype=${dtype}`]),
  ]
}

const prefix = 'tensor('

/** `text` with the suffixes after it, those on a line of their own that its last line has no room for. */
const withSuffixes = (text: string, suffixes: readonly string[], lineWidth: number): string => {
  let room = lineWidth - (text.length - text.lastIndexOf('\n') + 1)
  const parts = suffixes.map((suffix) => {
    const hasRoom = suffix.length + 2 <= room
    room = (hasRoom ? room - 2 : lineWidth - prefix.length) - suffix.length
    return hasRoom ? `, ${suffix}` : `,\n${' '.repeat(prefix.length)}${suffix}`
  })
  return `${text}${parts.join('')})`
}

/**
 * A value as PyTorch prints the tensor, which is how `console.log` and `String` show it, too: four decimals, scientific
 * where sizes differ by more than 1000 times, the edges alone of more than 1000 elements. i32 is our default integer and f32
 * our default float: other dtypes are named. UsageError for an option that there is not.
 * @example
 * T.showValue(T.reference(T.tensor([1, 0.5, -2]))) // => 'tensor([ 1.0000,  0.5000, -2.0000])'
 */
export const showValue = (value: Value, options: ShowOptions = {}): string => {
  demandRecord('showValue', showOptions, options)
  const all = filled(options)
  const body = sizeOf(value.shape) === 0 ? '[]' : bodyOf(value, prefix.length, all)
  return withSuffixes(`${prefix}${body}`, suffixesOf(value), all.lineWidth)
}

/**
 * A value inside of a record or a list: rows stand in a column of their own, wherever the line begins.
 */
const showPart = (value: Value): string => {
  const whole = showValue(value)
  if (!whole.includes('\n')) return whole
  const margin = '\n  '
  return `${prefix}${margin}${[bodyOf(value, margin.length - 1, filled({})), ...suffixesOf(value)].join(`,${margin}`)})`
}

/** A value as it prints itself, alone or inside of something. */
export const showPrinted = (value: Value, isPart: boolean): string => (isPart ? showPart(value) : showValue(value))

/** Has a value print itself. */
export const printed: <V extends Value>(value: V) => V = printing(showPrinted)
