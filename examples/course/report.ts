/** What the course found as one page: tables, pictures and texts, for a screen, a phone and paper. */
import { contentOf, type Picture } from '../pictures/chart.ts'
import type { Example, Findings } from './example.ts'
import { showCell, type Table } from './table.ts'

/** An example that ran, or did not. */
export interface Ran {
  readonly example: Example
  readonly seconds: number
  readonly found?: Findings
  readonly failure?: string
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 46rem; margin: 0 auto; padding: 1rem }
  h1 { font-size: 1.6rem } h2 { margin-top: 3rem; border-top: 1px solid #ddd; padding-top: 1rem }
  table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
  caption { text-align: left; font-style: italic; padding-bottom: .3rem }
  th, td { padding: .15rem .7rem .15rem 0; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap }
  th:first-child, td:first-child { text-align: left }
  img { max-width: 100%; display: block; margin: 1rem 0; image-rendering: pixelated }
  pre { white-space: pre-wrap; background: #f6f6f6; padding: .7rem; font-size: .85rem }
  .failure { color: #a00 }
  @media print { h2 { break-before: page } }`

const showTable = ({ title, columns, rows }: Table): string => {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((c) => `<${tag}>${escaped(c)}</${tag}>`).join('')}</tr>`
  const head = columns ? line(columns, 'th') : ''
  return `<table><caption>${escaped(title)}</caption>${head}${rows.map((r) => line(r.map(showCell), 'td')).join('')}</table>`
}

const showPicture = (file: string, picture: Picture): string => {
  const type = file.endsWith('.svg') ? 'image/svg+xml' : 'image/png'
  return `<img alt="${escaped(file)}" src="data:${type};base64,${Buffer.from(contentOf(picture)).toString('base64')}">`
}

const section = ({ example: { name, title }, seconds, found, failure }: Ran): string => {
  const { tables = [], pictures = {}, texts = {} } = found ?? {}
  return [
    `<h2 id="${name}">${escaped(title)}</h2><p><code>examples/${name}.ts</code>, ${seconds.toFixed(1)} s</p>`,
    ...(failure === undefined ? [] : [`<p class="failure">${escaped(failure)}</p>`]),
    ...tables.map(showTable),
    ...Object.entries(pictures).map(([file, picture]) => showPicture(file, picture)),
    ...Object.entries(texts).map(([what, text]) => `<p>${escaped(what)}</p><pre>${escaped(text)}</pre>`),
  ].join('\n')
}

/** The page of a whole course on one device. */
export const report = (device: string, ran: readonly Ran[]): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A course in deep learning</title><style>${style}</style>
<h1>A course in deep learning</h1>
<p>${ran.length} examples in ${(ran.reduce((sum, r) => sum + r.seconds, 0) / 60).toFixed(1)} minutes on ${escaped(device)}.</p>
<ul>${ran.map(({ example: { name, title } }) => `<li><a href="#${name}">${escaped(title)}</a></li>`).join('')}</ul>
${ran.map(section).join('\n')}
</html>
`
