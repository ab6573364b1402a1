/** A curve that grows: values over the number of the step, drawn as SVG once a frame at most. */

/** What stands at the left of a curve. */
export interface Axis {
  readonly least: number
  readonly greatest: number
  /** Values that have a line across, and a name. */
  readonly ticks: readonly (readonly [value: number, name: string])[]
  /** Losses fall over orders of magnitude. */
  readonly log?: boolean
}

export interface Curve {
  readonly add: (step: number, value: number) => void
  readonly clear: () => void
}

const margin = { left: 48, right: 8, top: 10, bottom: 20 }
/** More points than this are not told apart. */
const mostPoints = 200

type Point = readonly [step: number, value: number]

/** Means of runs of equal length, few enough to draw; a run that is not full yet waits. */
const thinned = (points: readonly Point[]): readonly Point[] => {
  const run = Math.max(1, Math.ceil(points.length / mostPoints))
  return Array.from({ length: Math.floor(points.length / run) }, (_, i) => {
    const part = points.slice(i * run, (i + 1) * run)
    return [0, 1].map((k) => part.reduce((sum, p) => sum + p[k]!, 0) / part.length) as unknown as Point
  })
}

const markup = (points: readonly Point[], axis: Axis, width: number, height: number): string => {
  const last = Math.max(100, points.at(-1)?.[0] ?? 0)
  const at = axis.log ? Math.log : (v: number): number => v
  const [low, high] = [at(axis.least), at(axis.greatest)]
  const across = (step: number): number => margin.left + ((width - margin.left - margin.right) * step) / last
  const up = (value: number): number => {
    const part = (at(Math.min(axis.greatest, Math.max(axis.least, value))) - low) / (high - low)
    return height - margin.bottom - (height - margin.top - margin.bottom) * part
  }
  const lines = axis.ticks.map(([value, name]) => {
    const y = up(value).toFixed(1)
    return `<path class="grid" d="M${margin.left},${y}H${width - margin.right}"/><text x="${margin.left - 6}" y="${y}" dy="0.35em" text-anchor="end">${name}</text>`
  })
  const d = thinned(points).map(([step, value]) => `${across(step).toFixed(1)},${up(value).toFixed(1)}`)
  const foot = `y="${height - 4}"`
  return `${lines.join('')}<text x="${margin.left}" ${foot}>0</text><text x="${width - margin.right}" ${foot} text-anchor="end">${last} batches</text>${
    d.length > 0 ? `<path class="line" d="M${d.join('L')}h0"/>` : ''
  }`
}

/** Makes `svg` a curve, as large as the page has it. */
export const makeCurve = (svg: SVGSVGElement, axis: Axis): Curve => {
  let points: Point[] = []
  let waits = false
  const draw = (): void => {
    waits = false
    const { clientWidth: width, clientHeight: height } = svg
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
    svg.innerHTML = markup(points, axis, width, height)
  }
  const ask = (): void => {
    if (!waits) requestAnimationFrame(draw)
    waits = true
  }
  new ResizeObserver(ask).observe(svg)
  return {
    add: (step, value) => {
      points.push([step, value])
      ask()
    },
    clear: () => {
      points = []
      ask()
    },
  }
}
