/** What the course found as one page: tables, pictures and texts, for a screen, a phone and paper. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentOf, type Picture } from '../pictures/chart.ts'
import type { Example, Findings } from './example.ts'
import { columnsOfNumbers, showCell, type Table } from './table.ts'

/** An example that ran, or did not. */
export interface Ran {
  readonly example: Example
  readonly seconds: number
  readonly found?: Findings
  readonly failure?: string
}

/** By their numbers, with which the names of examples begin. */
const chapters: Readonly<Record<string, string>> = {
  '01': 'Tensors',
  '02': 'Basics of machine learning',
  '03': 'Neural networks',
  '04': 'Convolutional networks',
  '05': 'Sequences',
  '06': 'Language',
  '07': 'Optimisation',
  '08': 'Generative adversarial networks',
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

const style = readFileSync(join(import.meta.dirname, 'report.css'), 'utf8')

const showSeconds = (seconds: number): string =>
  seconds < 100 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`

const showTable = (table: Table): string => {
  const { title, columns, rows } = table
  const holdsNumbers = columnsOfNumbers(table)
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((c, i) => `<${tag}${holdsNumbers(i) ? ' class="number"' : ''}>${escaped(c)}</${tag}>`).join('')}</tr>`
  const head = columns ? `<thead>${line(columns, 'th')}</thead>` : ''
  const body = rows.map((r) => line(r.map(showCell), 'td')).join('')
  const name = escaped(title)
  // Those who read without a mouse can scroll what has the focus.
  return `<p class="title">${name}</p><div class="wide" tabindex="0"><table aria-label="${name}">${head}<tbody>${body}</tbody></table></div>`
}

const showPicture = (file: string, picture: Picture): string => {
  const type = file.endsWith('.svg') ? 'image/svg+xml' : 'image/png'
  const name = escaped(file)
  const data = Buffer.from(contentOf(picture)).toString('base64')
  return `<figure><img alt="${name}" src="data:${type};base64,${data}"><figcaption>${name}</figcaption></figure>`
}

const section = ({ example: { name, title }, seconds, found, failure }: Ran): string => {
  const { tables = [], pictures = {}, texts = {} } = found ?? {}
  return [
    `<h3 id="${name}">${escaped(title)}</h3><p class="where"><code>examples/${name}.ts</code>, ${showSeconds(seconds)}</p>`,
    ...(failure === undefined ? [] : [`<p class="failure">${escaped(failure)}</p>`]),
    ...tables.map(showTable),
    ...Object.entries(pictures).map(([file, picture]) => showPicture(file, picture)),
    ...Object.entries(texts).map(([what, text]) => `<p>${escaped(what)}</p><pre>${escaped(text)}</pre>`),
  ].join('\n')
}

const contents = (ran: readonly Ran[]): string =>
  ran
    .map(({ example: { name, title }, seconds, failure }) => {
      const outcome = failure === undefined ? showSeconds(seconds) : 'failed'
      return `<li><a href="#${name}">${escaped(title)}</a> <span>${outcome}</span></li>`
    })
    .join('')

/** The page of a whole course on one device, that was run at `when`. */
export const report = (device: string, ran: readonly Ran[], when: Date = new Date()): string => {
  const numbers = [...new Set(ran.map(({ example }) => example.name.slice(0, 2)))]
  const parts = numbers.map((number) => ({
    id: `chapter-${number}`,
    title: `${Number(number)} ${chapters[number] ?? 'Further examples'}`,
    ran: ran.filter(({ example }) => example.name.startsWith(number)),
  }))
  const total = ran.reduce((sum, r) => sum + r.seconds, 0)
  const date = when.toISOString().slice(0, 16).replace('T', ' ')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A course in deep learning</title><style>${style}</style></head><body>
<h1>A course in deep learning</h1>
<p class="facts">${ran.length} examples in ${showSeconds(total)} on ${escaped(device)}, <time datetime="${when.toISOString()}">${date} UTC</time></p>
<nav aria-label="Contents"><ol>
${parts.map((p) => `<li><a href="#${p.id}">${p.title}</a><ol>${contents(p.ran)}</ol></li>`).join('\n')}
</ol></nav>
${parts.map((p) => `<h2 id="${p.id}">${p.title}</h2>\n${p.ran.map(section).join('\n')}`).join('\n')}
</body></html>
`
}
