/** Paths over the contours of a function of two variables, as SVG; contours by d3. */
import { contours as bands } from 'd3-contour'
import type { Series } from './chart.ts'
import { colourOf, escaped, legend } from './legend.ts'

export interface ContourOptions {
  readonly title: string
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
  readonly levels: readonly number[]
}

const [width, height, top] = [560, 340, 40]
/** How many values of the function are looked at each way. */
const [across, up] = [168, 90]

/** `paths` over the lines of equal `f`. */
export const contours = (
  f: (x: number, y: number) => number,
  paths: readonly Series[],
  { title, x: [left, right], y: [low, high], levels }: ContourOptions,
): string => {
  const at = (i: number, count: number, from: number, to: number): number => from + ((i + 0.5) / count) * (to - from)
  const values = Array.from({ length: across * up }, (_, k) =>
    f(at(k % across, across, left, right), at(Math.floor(k / across), up, high, low)),
  )
  const lines = bands()
    .size([across, up])
    .thresholds([...levels])(values)
  const ring = (points: readonly (readonly number[])[]): string =>
    `M${points.map(([i, j]) => `${((i! / across) * width).toFixed(1)},${(top + (j! / up) * (height - top)).toFixed(1)}`).join('L')}Z`
  const shapes = lines.map(
    ({ coordinates }) =>
      `<path d="${coordinates.flat().map(ring).join('')}" fill="#1f5fa8" fill-opacity="0.07" stroke="#9db8d8" stroke-width="0.7"/>`,
  )
  const place = ([x, y]: readonly [number, number]): string =>
    `${(((x - left) / (right - left)) * width).toFixed(1)},${(top + ((high - y) / (high - low)) * (height - top)).toFixed(1)}`
  const trails = paths.map((path, i) => {
    const { points } = path
    const colour = colourOf(path, i)
    const dots = points
      .map((p) => place(p).split(','))
      .map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="1.8" fill="${colour}"/>`)
    return `<path d="M${points.map(place).join('L')}" fill="none" stroke="${colour}" stroke-width="1.3"/>${dots.join('')}`
  })
  const names = legend(paths, 12, height, width - 24)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + names.height}" font-family="system-ui, sans-serif" font-size="14" fill="#333">`,
    `<rect width="${width}" height="${height + names.height}" fill="white"/>`,
    `<text x="12" y="24" font-size="16" font-weight="600">${escaped(title)}</text>`,
    ...shapes,
    ...trails,
    names.svg,
    '</svg>',
    '',
  ].join('\n')
}
