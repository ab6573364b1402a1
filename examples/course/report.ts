/** What the course found as one page: tables, pictures and texts, for a screen, a phone and paper. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { captionOf, contentOf, type Picture } from '../pictures/chart.ts'
import type { Example, Findings } from './example.ts'
import { columnsOfNumbers, showCell, type Table, tailsOf } from './table.ts'

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
  const cell = (tag: 'th' | 'td', column: number, text: string, tail = ''): string => {
    const rest = tail === '' ? '' : `<i>${escaped(tail)}</i>`
    return `<${tag}${holdsNumbers(column) ? ' class="number"' : ''}>${escaped(text)}${rest}</${tag}>`
  }
  const head = columns ? `<thead><tr>${columns.map((c, i) => cell('th', i, c)).join('')}</tr></thead>` : ''
  const tails = (rows[0] ?? []).map((_, i) => (holdsNumbers(i) ? tailsOf(rows.map((r) => showCell(r[i] ?? ''))) : []))
  const body = rows
    .map((r, j) => `<tr>${r.map((c, i) => cell('td', i, showCell(c), tails[i]?.[j])).join('')}</tr>`)
    .join('')
  const name = escaped(title)
  // Those who read without a mouse can scroll what has the focus.
  return `<p class="title">${name}</p><div class="wide" tabindex="0"><table aria-label="${name}">${head}<tbody>${body}</tbody></table></div>`
}

const showPicture = (file: string, picture: Picture): string => {
  const type = file.endsWith('.svg') ? 'image/svg+xml' : 'image/png'
  const content = contentOf(picture)
  const data = Buffer.from(content).toString('base64')
  const caption = captionOf(picture)
  // Drawings have their title on them, which those who do not see them are told.
  const title = typeof content === 'string' ? /<title>(.*?)<\/title>/.exec(content)?.[1] : undefined
  const below = caption === undefined ? '' : `<figcaption>${escaped(caption)}</figcaption>`
  const alt = title ?? escaped(caption ?? file)
  return `<figure><img alt="${alt}" src="data:${type};base64,${data}">${below}</figure>`
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

/** When the course was run, and how: quick runs reach less. */
export interface ReportOptions {
  readonly when?: Date
  readonly quick?: boolean
}

const quickNote = `<p class="note">A quick run: every example learned for seconds only, from few data, to show that it works. What models reach
in full runs is another matter: plain networks may lead here, and digits may be noise.</p>`

/** The page of a whole course on one device. */
export const report = (
  device: string,
  ran: readonly Ran[],
  { when = new Date(), quick = false }: ReportOptions = {},
): string => {
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
${quick ? quickNote : ''}
<nav aria-label="Contents"><ol>
${parts.map((p) => `<li><a href="#${p.id}">${p.title}</a><ol>${contents(p.ran)}</ol></li>`).join('\n')}
</ol></nav>
${parts.map((p) => `<h2 id="${p.id}">${p.title}</h2>\n${p.ran.map(section).join('\n')}`).join('\n')}
</body></html>
`
}
