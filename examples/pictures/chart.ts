/** Line charts: what is drawn, as data, and how as SVG: scales and paths by d3, the rest is text. */
import { scaleLinear, scaleLog } from 'd3-scale'
import { curveLinear, line } from 'd3-shape'
import { colourOf, escaped, legend, type Named } from './legend.ts'

/** One line of a chart. */
export interface Series extends Named {
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly width?: number
  /** Dots instead of a line. */
  readonly dots?: boolean
}

/** What stands around the lines. */
export interface ChartOptions {
  readonly title: string
  readonly x: string
  readonly y: string
  /** A logarithmic vertical axis: losses fall over orders of magnitude. Values must be above 0. */
  readonly log?: boolean
  /** One unit is as long up as across: a circle looks like one. */
  readonly square?: boolean
}

/** Lines with what stands around them. */
export interface Chart {
  readonly series: readonly Series[]
  readonly options: ChartOptions
}

/** The bytes of an image, and what one sees on it. */
export interface Captioned {
  readonly bytes: Uint8Array
  readonly caption: string
}

/** What can be kept as a file: bytes, text, or a chart, which becomes an SVG. */
export type Picture = string | Uint8Array | Captioned | Chart

/** Small enough that its letters can be read where a phone shows it half as wide. */
const [width, height] = [560, 350]
const margin = { left: 64, right: 24, top: 64, bottom: 52 }
const textAt = (x: number, y: number, text: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(text)}</text>`

/** The least and the largest of `values`. */
export const extent = (values: readonly number[]): readonly [number, number] =>
  values.reduce<readonly [number, number]>(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )

/** Whether a point can be drawn. */
export const isFinitePoint = ([x, y]: Series['points'][number]): boolean => Number.isFinite(x) && Number.isFinite(y)

type Extent = ReturnType<typeof extent>

/** `range` about its middle, so wide that `size` pixels show `perPixel` each. */
const widened = ([low, high]: Extent, size: number, perPixel: number): Extent => {
  const more = (size * perPixel - (high - low)) / 2
  return [low - more, high + more]
}

/** A chart of `series`. */
export const lineChart = (series: readonly Series[], options: ChartOptions): Chart => ({ series, options })

/** A chart as SVG; points that are not finite are left out, and the line breaks there. */
export const svgOf = ({ series, options: { title, x, y, log = false, square = false } }: Chart): string => {
  const all = series.flatMap((s) => s.points).filter(isFinitePoint)
  const [wide, high] = [width - margin.left - margin.right, height - margin.top - margin.bottom]
  const [xs, ys] = [extent(all.map(([a]) => a)), extent(all.map(([, b]) => b))]
  const perPixel = Math.max((xs[1] - xs[0]) / wide, (ys[1] - ys[0]) / high)
  const across = scaleLinear()
    .domain(square ? widened(xs, wide, perPixel) : xs)
    .range([margin.left, width - margin.right])
  const up = (log ? scaleLog() : scaleLinear())
    .domain(square ? widened(ys, high, perPixel) : ys)
    .range([height - margin.bottom, margin.top])
  // Round ends; whole decades would leave most of a logarithmic axis empty.
  if (!log && !square) up.nice()
  const path = line<readonly [number, number]>(
    ([a]) => across(a),
    ([, b]) => up(b),
  )
    .defined(isFinitePoint)
    .curve(curveLinear)
    .digits(1)
  const short = (v: number): string => (v >= 0.001 && v < 1e5 ? `${Number(v.toPrecision(3))}` : v.toExponential(0))
  const shown = up.tickFormat(6)
  // On a logarithmic axis d3 says which ticks have room for a label.
  const label = log ? (v: number): string => (shown(v) === '' ? '' : short(v)) : shown
  const horizontal = up.ticks(6).map((t) => {
    const at = up(t).toFixed(1)
    // Those that only tell the kind of axis stay behind.
    const grey = label(t) === '' ? '#f4f4f4' : '#e4e4e4'
    const grid = `<path d="M${margin.left},${at}H${width - margin.right}" stroke="${grey}"/>`
    return grid + textAt(margin.left - 8, up(t) + 5, label(t), 'text-anchor="end"')
  })
  // Nothing happens at half an epoch.
  const ticks = across.ticks(8).filter((t) => Number.isInteger(t) || all.some(([a]) => !Number.isInteger(a)))
  const places = ticks.every(Number.isInteger) ? across.tickFormat(8, 'd') : across.tickFormat(8)
  // Years are no thousands.
  const numberAt = (t: number): string => places(t).replaceAll(',', '')
  const vertical = ticks.map((t) => textAt(across(t), height - margin.bottom + 18, numberAt(t), 'text-anchor="middle"'))
  const lines = series.map((one, i) => {
    const { points, width: stroke = 1.5, dots = false } = one
    const paint = colourOf(one, i)
    if (!dots) return `<path d="${path([...points]) ?? ''}" fill="none" stroke="${paint}" stroke-width="${stroke}"/>`
    // Strokes without length and with round ends, in a quarter of the text that circles take.
    const spots = points.filter(isFinitePoint).map(([a, b]) => `M${across(a).toFixed(1)},${up(b).toFixed(1)}h0`)
    return `<path d="${spots.join('')}" stroke="${paint}" stroke-opacity="0.6" stroke-width="${4 * stroke}" stroke-linecap="round"/>`
  })
  const names = legend(series, 12, height, width - 24)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + names.height}" font-family="system-ui, sans-serif" font-size="14" fill="#333">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height + names.height}" fill="white"/>`,
    textAt(12, 24, title, 'font-size="16" font-weight="600"'),
    ...horizontal,
    ...vertical,
    textAt((margin.left + width - margin.right) / 2, height - 10, x, 'text-anchor="middle"'),
    textAt(12, margin.top - 14, y),
    ...lines,
    names.svg,
    '</svg>',
    '',
  ].join('\n')
}

/** Whether a picture is a chart, which can be drawn as text, too. */
export const isChart = (picture: Picture): picture is Chart => typeof picture === 'object' && 'series' in picture

const isCaptioned = (picture: Picture): picture is Captioned => typeof picture === 'object' && 'caption' in picture

/** What a file of the picture holds. */
export const contentOf = (picture: Picture): string | Uint8Array => {
  if (isCaptioned(picture)) return picture.bytes
  return isChart(picture) ? svgOf(picture) : picture
}

/** What stands below a picture; charts say themselves what they show. */
export const captionOf = (picture: Picture): string | undefined => (isCaptioned(picture) ? picture.caption : undefined)

/** Values over their numbers, or over `xs`, as a line. */
export const curve = (name: string, values: ArrayLike<number>, xs?: ArrayLike<number>): Series => ({
  name,
  points: Array.from(values, (y, i) => [xs ? xs[i]! : i, y] as const),
})

/** The mean of each run of `size` values, at its middle: noisy losses as a line one can follow. */
export const smoothed = (values: readonly number[], size: number): readonly (readonly [number, number])[] =>
  Array.from({ length: Math.floor(values.length / size) }, (_, i) => {
    const part = values.slice(i * size, (i + 1) * size)
    return [(i + 0.5) * size, part.reduce((a, b) => a + b, 0) / size] as const
  })
