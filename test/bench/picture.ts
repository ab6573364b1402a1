/** The table of times as a picture: for each program a bar a library, on a logarithmic axis, in as many lines as fit a README. */
import { scaleLog } from 'd3-scale'
import type { LibraryName } from './peers/library.ts'
import type { PeerRow } from './peers/measure.ts'
import { figure } from './statistics.ts'

const colours: Readonly<Record<LibraryName, string>> = {
  ours: '#1f5fa8',
  one: '#8fb3dc',
  jax: '#c8322f',
  tfjs: '#b87a1e',
}
const labels: Readonly<Record<LibraryName, string>> = {
  ours: 'tensorloom',
  one: 'tensorloom, one thread',
  jax: 'jax-js',
  tfjs: 'TensorFlow.js',
}

const [width, left, right, top, bar, gap] = [760, 110, 60, 64, 11, 12]

/** Median ms of warm calls as SVG. */
export const timesPicture = (rows: readonly PeerRow[], title: string): string => {
  const bars = rows.map(({ program, times }) => ({
    program,
    own: (Object.keys(labels) as LibraryName[]).flatMap((name) => {
      const ms = times[name]?.warm
      return ms === undefined ? [] : [{ name, ms }]
    }),
  }))
  const all = bars.flatMap((b) => b.own.map((o) => o.ms))
  const across = scaleLog([Math.min(...all) / 1.5, Math.max(...all)], [left, width - right])
  let y = top
  const lines: string[] = []
  const text = (x: number, at: number, what: string, attributes = ''): string =>
    `<text x="${x.toFixed(1)}" y="${at.toFixed(1)}" ${attributes}>${what}</text>`
  for (const { program, own } of bars) {
    lines.push(text(left - 8, y + (own.length * bar) / 2 + 4, program, 'text-anchor="end"'))
    for (const { name, ms } of own) {
      const length = (across(ms) - left).toFixed(1)
      lines.push(`<rect x="${left}" y="${y}" width="${length}" height="${bar - 1}" fill="${colours[name]}"/>`)
      lines.push(text(across(ms) + 4, y + bar - 2, figure(ms), 'font-size="10"'))
      y += bar
    }
    y += gap
  }
  const legend = (Object.keys(labels) as LibraryName[]).map((name, i) =>
    text(left + 165 * i, 44, labels[name], `fill="${colours[name]}" font-weight="bold"`),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 12}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="${width}" height="${y + 12}" fill="white"/>`,
    text(12, 22, title, 'font-size="15"'),
    ...legend,
    ...lines,
    text(width - right, y, 'ms a call, logarithmic: shorter is better', 'text-anchor="end" font-size="10"'),
    '</svg>',
    '',
  ].join('\n')
}
