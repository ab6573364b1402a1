/** Values as PyTorch prints them: aligned columns, four decimals, an ellipsis when large (torch/_tensor_str.py). */
import { floorDiv, type Shape, sizeOf } from '../dim.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { Value } from '../primitive.ts'
import { stridesOf } from '../shape.ts'
import { demandRecord, type OptionNames } from '../tensor/arguments.ts'

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

/**
 * A value as PyTorch prints the tensor. i32 is our default integer and f32 our default float: other dtypes are named.
 * @example
 * T.showValue(T.reference(T.tensor([1, 0.5, -2]))) // => 'tensor([ 1.0000,  0.5000, -2.0000])'
 */
export const showValue = ({ shape, dtype, data }: Value, options: ShowOptions = {}): string => {
  demandRecord('showValue', showOptions, options)
  const { precision = 4, threshold = 1000, edgeItems = 3, lineWidth = 80 } = options
  const all: Options = { precision, threshold, edgeItems, lineWidth }
  const prefix = 'tensor('
  const count = sizeOf(shape)
  if (count === 0) {
    const size = shape.length === 1 ? '' : `, size=(${shape.join(', ')})`
    return `${prefix}[]${size}${dtype === 'f32' ? '' : `, dtype=${dtype}`})`
  }
  const numbers = dtype === 'f32' ? Float32Array.from(data) : data
  const summarise = count > all.threshold
  const { width, format } = formatterOf(dtype, visible(shape, numbers, summarise, all.edgeItems), all)
  const strides = stridesOf(shape)
  const text = (axis: number, base: number, indent: number): string => {
    if (axis === shape.length) return format(numbers[base]!)
    const picks = shown(shape[axis]!, summarise, all.edgeItems)
    const last = axis === shape.length - 1
    const items = picks.map((i) =>
      i < 0 ? (last ? ' ...' : '...') : text(axis + 1, base + i * strides[axis]!, indent + 1),
    )
    if (last) return vector(items, width, indent, all.lineWidth)
    return `[${items.join(`,${'\n'.repeat(shape.length - 1 - axis)}${' '.repeat(indent + 1)}`)}]`
  }
  const body = text(0, 0, prefix.length)
  if (dtype === 'f32' || dtype === 'i32' || dtype === 'bool') return `${prefix}${body})`
  const suffix = `dtype=${dtype}`
  const lastLine = body.length - body.lastIndexOf('\n') + 1
  const newline = lastLine + suffix.length + 2 > all.lineWidth
  return `${prefix}${body},${newline ? `\n${' '.repeat(prefix.length)}` : ' '}${suffix})`
}
