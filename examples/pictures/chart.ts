/** Line charts as SVG: scales and paths by d3, the rest is text. */
import { scaleLinear, scaleLog } from 'd3-scale'
import { curveLinear, line } from 'd3-shape'

/** One line of a chart. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly colour?: string
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
}

const [width, height] = [720, 420]
const margin = { left: 64, right: 24, bottom: 48 }
export const palette: readonly string[] = [
  '#1f5fa8',
  '#c8322f',
  '#2e7d50',
  '#8a5fb0',
  '#b87a1e',
  '#0f8b8d',
  '#d1495b',
  '#4d4d4d',
]

/** XML has no spelling at all for control characters and halves of surrogate pairs. */
export const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

const textAt = (x: number, y: number, text: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(text)}</text>`

const extent = (values: readonly number[]): readonly [number, number] =>
  values.reduce<readonly [number, number]>(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )

/** What a legend calls a series, and how. */
type Named = Pick<Series, 'name' | 'colour' | 'dots'>

/** About how wide a name is: letters of this font are half as wide as high, and a sample of the colour stands before it. */
const room = (name: string): number => 6.6 * [...name].length + 40

/** Names side by side, in as many lines as they need: where each begins, and on which line. */
const places = (names: readonly string[]): readonly (readonly [x: number, line: number])[] => {
  let [x, line] = [margin.left, 0]
  return names.map((name) => {
    if (x > margin.left && x + room(name) > width) [x, line] = [margin.left, line + 1]
    const at = [x, line] as const
    x += room(name)
    return at
  })
}

/** Above the lines, where it hides none of them. */
const legendOf = (series: readonly Named[], at: ReturnType<typeof places>): readonly string[] =>
  series.map(({ name, colour, dots = false }, i) => {
    const [x, line] = at[i]!
    const [y, paint] = [46 + 18 * line, escaped(colour ?? palette[i % palette.length]!)]
    const sample = dots
      ? `<circle cx="${x + 9}" cy="${y - 4}" r="4" fill="${paint}"/>`
      : `<path d="M${x},${y - 4}h18" stroke="${paint}" stroke-width="3"/>`
    return sample + textAt(x + 24, y, name)
  })

/** A chart of `series`; points that are not finite are left out, and the line breaks there. */
export const lineChart = (series: readonly Series[], { title, x, y, log = false }: ChartOptions): string => {
  const all = series.flatMap((s) => s.points).filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
  const named = places(series.map(({ name }) => name))
  const top = 82 + 18 * (named.at(-1)?.[1] ?? 0)
  const across = scaleLinear()
    .domain(extent(all.map(([a]) => a)))
    .range([margin.left, width - margin.right])
  const up = (log ? scaleLog() : scaleLinear())
    .domain(extent(all.map(([, b]) => b)))
    .range([height - margin.bottom, top])
  // Round ends; whole decades would leave most of a logarithmic axis empty.
  if (!log) up.nice()
  const path = line<readonly [number, number]>(
    ([a]) => across(a),
    ([, b]) => up(b),
  )
    .defined(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
    .curve(curveLinear)
    .digits(1)
  const short = (v: number): string => (v >= 0.001 && v < 1e5 ? `${Number(v.toPrecision(3))}` : v.toExponential(0))
  const shown = up.tickFormat(6)
  // On a logarithmic axis d3 says which ticks have room for a label.
  const label = log ? (v: number): string => (shown(v) === '' ? '' : short(v)) : shown
  const horizontal = up.ticks(6).map((t) => {
    const at = up(t).toFixed(1)
    const grid = `<path d="M${margin.left},${at}H${width - margin.right}" stroke="#e4e4e4"/>`
    return grid + textAt(margin.left - 8, up(t) + 4, label(t), 'text-anchor="end"')
  })
  const vertical = across
    .ticks(8)
    .map((t) =>
      textAt(
        across(t),
        height - margin.bottom + 18,
        across.tickFormat(8)(t).replaceAll(',', ''),
        'text-anchor="middle"',
      ),
    )
  const lines = series.map(({ points, colour, width: stroke = 1.5, dots = false }, i) => {
    const paint = escaped(colour ?? palette[i % palette.length]!)
    if (!dots) return `<path d="${path([...points]) ?? ''}" fill="none" stroke="${paint}" stroke-width="${stroke}"/>`
    const circles = points
      .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
      .map(([a, b]) => `<circle cx="${across(a).toFixed(1)}" cy="${up(b).toFixed(1)}" r="${2 * stroke}"/>`)
    return `<g fill="${paint}" fill-opacity="0.6">${circles.join('')}</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    textAt(margin.left, 24, title, 'font-size="16"'),
    ...horizontal,
    ...vertical,
    textAt((margin.left + width - margin.right) / 2, height - 10, x, 'text-anchor="middle"'),
    textAt(12, top - 14, y),
    ...legendOf(series, named),
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}

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
