/** Line charts as text, for terminals and logs: axes and lines by simple-ascii-chart, the places of their labels by d3. */
import { scaleLinear } from 'd3-scale'
import { plot, type Settings } from 'simple-ascii-chart'
import { type Chart, extent, isFinitePoint, type Series } from './chart.ts'

const [width, height] = [64, 12]

/** What stands for a point of each line where there are several. */
const marks = ['•', '×', '+', 'o', '*', '#', '@', '%'] as const

type Points = Series['points']

/** The mean of the points that fall into each of `width` columns, and a straight line through the columns between them. */
const perColumn = (points: Points, [first, last]: readonly [number, number]): [x: number, y: number][] => {
  const step = (last - first) / (width - 1) || 1
  const sums = new Map<number, [sum: number, count: number]>()
  for (const [x, y] of points) {
    const column = Math.round((x - first) / step)
    const [sum, count] = sums.get(column) ?? [0, 0]
    sums.set(column, [sum + y, count + 1])
  }
  const known = [...sums].map(([column, [sum, count]]) => [column, sum / count] as const).sort(([a], [b]) => a - b)
  return known.flatMap(([column, y], i) => {
    const [next, to] = known[i + 1] ?? [column + 1, y]
    return Array.from({ length: next - column }, (_, k): [number, number] => [
      first + step * (column + k),
      y + ((to - y) * k) / (next - column),
    ])
  })
}

const short = (v: number): number => Number(v.toPrecision(3))

/** A mark for each line: lines come one after the other, each from its first point. */
const marked = (): NonNullable<Settings['lineFormatter']> => {
  let line = -1
  return ({ index, plotX, plotY }) => {
    if (index === 0) line++
    return { x: plotX, y: plotY, symbol: marks[line % marks.length]! }
  }
}

/** The chart in some lines of text; nothing where there is no line to draw. */
export const textChart = ({ series, options: { title, x, y, log = false } }: Chart): string => {
  const lines = series
    .filter(({ dots }) => !dots)
    .map(({ name, points }) => ({ name, points: points.filter(isFinitePoint) }))
    .filter(({ points }) => points.length > 1)
  if (lines.length === 0) return ''
  const range = extent(lines.flatMap(({ points }) => points.map(([a]) => a)))
  const drawn = lines.map(({ points }) =>
    perColumn(points, range).map(([a, b]): [number, number] => [a, log ? Math.log10(b) : b]),
  )
  const text = plot(drawn, {
    width,
    height,
    customXAxisTicks: scaleLinear().domain(range).ticks(6),
    customYAxisTicks: scaleLinear()
      .domain(extent(drawn.flatMap((points) => points.map(([, b]) => b))))
      .ticks(5),
    formatter: (v, { axis }) => short(axis === 'y' && log ? 10 ** v : v),
    ...(lines.length > 1 ? { lineFormatter: marked() } : {}),
  })
  const legend = lines.length > 1 ? lines.map(({ name }, i) => `${marks[i % marks.length]} ${name}`).join('   ') : ''
  return [title, `${y} over ${x}`, ...text.split('\n').map((l) => l.trimEnd()), legend]
    .filter((l) => l !== '')
    .join('\n')
}
