/** What the examples of the course have in common: the command line around them, and how they say what they found. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import * as T from 'tensorloom'
import { contentOf, isChart, type Picture } from '../pictures/chart.ts'
import { progressBar } from '../pictures/progress.ts'
import { textChart } from '../pictures/text-chart.ts'
import { showTable, type Table } from './table.ts'

/** What an example is given. */
export interface Setting {
  readonly device: T.Device
  /** Seconds instead of minutes: fewer steps, on less data. */
  readonly quick: boolean
  /** A folder of its own: long examples keep checkpoints in it, and continue from them. */
  readonly folder: string
  /** How much of the work is done. */
  readonly progress: (done: number, total: number, note: string) => void
}

/** What an example found: numbers by name, tables, pictures by file name, texts that a model wrote. */
export interface Findings {
  readonly measures: Readonly<Record<string, number>>
  readonly tables?: readonly Table[]
  readonly pictures?: Readonly<Record<string, Picture>>
  readonly texts?: Readonly<Record<string, string>>
}

/** An example of the course. */
export interface Example {
  /** That of its file, which begins with the number of the chapter. */
  readonly name: string
  readonly title: string
  readonly run: (setting: Setting) => Promise<Findings>
}

/** The command line of an example, or of the whole course. */
export interface Asked {
  readonly quick: boolean
  readonly json: boolean
  readonly device: NonNullable<T.DeviceOptions['prefer']>
  readonly out: string
}

const devices = ['auto', 'hardware', 'cpu', 'software'] as const

/** The device that is asked for. Throws for one that there is not. */
export const deviceOf = (text: string): Asked['device'] => {
  const device = devices.find((d) => d === text)
  if (!device) throw new Error(`--device takes ${devices.join(', ')}, not ${text}`)
  return device
}

/** What `args` ask for. Throws for an option that there is not. */
export const asked = (args: readonly string[]): Asked => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      device: { type: 'string', default: 'auto' },
      out: { type: 'string', default: 'out' },
    },
  })
  return { ...values, device: deviceOf(values.device) }
}

/** Puts the pictures of an example into a folder of its own; the paths. */
export const savePictures = async (out: string, name: string, { pictures = {} }: Findings): Promise<string[]> => {
  const folder = join(out, name)
  await mkdir(folder, { recursive: true })
  return Promise.all(
    Object.entries(pictures).map(async ([file, content]) => {
      await writeFile(join(folder, file), contentOf(content))
      return join(folder, file)
    }),
  )
}

/** Tables, charts and texts for a terminal. */
export const textReport = ({ measures, tables = [], pictures = {}, texts = {} }: Findings): string =>
  [
    ...tables.map(showTable),
    ...Object.values(pictures).flatMap((p) => (isChart(p) ? [textChart(p)] : [])),
    ...Object.entries(texts).map(([title, text]) => `${title}:\n${text}`),
    ...(tables.length > 0 ? [] : [showTable({ title: 'measures', rows: Object.entries(measures) })]),
  ]
    .filter((part) => part !== '')
    .join('\n\n')

/** Runs `example` where its file is what Node was started with: `npm run example examples/02-regression.ts -- --quick`. */
export const alone = async (file: string, { name, title, run }: Example): Promise<void> => {
  if (file !== pathToFileURL(process.argv[1] ?? '').href) return
  const { quick, json, device: prefer, out } = asked(process.argv.slice(2))
  const device = await T.openDevice({ prefer })
  const bar = progressBar(name)
  const start = performance.now()
  const findings = await run({ device, quick, folder: join(out, name), progress: bar.show })
  bar.done()
  const seconds = (performance.now() - start) / 1000
  const saved = await savePictures(out, name, findings)
  if (json) console.log(JSON.stringify({ name, device: device.description, seconds, ...findings.measures }))
  else console.log(`${title}, in ${seconds.toFixed(1)} s on ${device.description}\n\n${textReport(findings)}`)
  for (const path of saved) console.error(`picture: ${path}`)
}
