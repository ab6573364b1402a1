/**
 * Learns to read handwritten digits: `npm start`, or `npm run example examples/03-mnist/train.ts`. Options: --quick,
 * --epochs 3, --seed 42, --device cpu, --json, --out out/mnist.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { contentOf, isChart, lineChart, type Picture, smoothed } from '../pictures/chart.ts'
import { digitSheet } from '../pictures/digits.ts'
import { encodePng } from '../pictures/image.ts'
import { progressBar } from '../pictures/progress.ts'
import { textChart } from '../pictures/text-chart.ts'
import { type Request, requestOf } from './request.ts'
import { batchSize, type Outcome, run } from './run.ts'

/** What a run measured. */
export interface Measures {
  readonly device: string
  readonly trainingDigits: number
  readonly testDigits: number
  readonly steps: number
  /** The mean loss of the last 100 batches. */
  readonly loss: number
  /** The part of the test digits that is read correctly, after each epoch. */
  readonly accuracy: readonly number[]
  readonly seconds: { readonly ready: number; readonly training: number; readonly test: number }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** The numbers of a run. */
export const measuresOf = ({ device, trainingDigits, epochs, ready }: Outcome): Measures => {
  const losses = epochs.flatMap((e) => e.losses)
  const last = losses.slice(-100)
  return {
    device,
    trainingDigits,
    testDigits: epochs.at(-1)?.guesses.length ?? 0,
    steps: losses.length,
    loss: sum(last) / last.length,
    accuracy: epochs.map((e) => e.accuracy),
    seconds: {
      ready,
      training: sum(epochs.map((e) => e.seconds.training)),
      test: sum(epochs.map((e) => e.seconds.test)),
    },
  }
}

/** The pictures of a run, by file name: the loss, some digits with the answers, the digits that were misread. */
export const picturesOf = ({ epochs }: Outcome): Readonly<Record<string, Picture>> => {
  const losses = epochs.flatMap((e) => e.losses)
  const guesses = epochs.at(-1)?.guesses ?? []
  const lines = [
    { name: 'each batch', points: losses.map((loss, i) => [i, loss] as const), colour: '#c3d4ea', width: 1 },
    { name: 'mean of 25', points: smoothed(losses, 25), colour: '#1f5fa8' },
  ]
  const labels = { title: 'Reading digits: the loss falls', x: 'batch', y: 'cross-entropy', log: true }
  const misread = guesses.filter((g) => g.predicted !== g.label)
  return {
    'loss.svg': lineChart(lines, labels),
    'digits.png': {
      bytes: encodePng(digitSheet(guesses.slice(0, 96), 12)),
      caption: 'Test digits, and what they were taken for: green where that is right',
    },
    'mistakes.png': {
      bytes: encodePng(digitSheet(misread.slice(0, 96), 12)),
      caption: 'Digits that were misread, with the answers in red',
    },
  }
}

const report = ({ accuracy, seconds, ...m }: Measures): string => {
  const perStep = ((1000 * seconds.training) / m.steps).toFixed(1)
  return [
    `${m.trainingDigits} digits, ${m.steps} batches of ${batchSize}, on ${m.device}`,
    ...accuracy.map(
      (a, i) => `epoch ${i + 1}: ${(100 * a).toFixed(2)} % of ${m.testDigits} test digits read correctly`,
    ),
    `mean loss of the last batches: ${m.loss.toFixed(4)}`,
    `ready in ${seconds.ready.toFixed(1)} s, trained in ${seconds.training.toFixed(1)} s (${perStep} ms a step), tested in ${seconds.test.toFixed(1)} s`,
  ].join('\n')
}

/** The request of the command line; a mistake in it is said in a line, and ends the program with 2. */
const asked = (): Request => {
  try {
    return requestOf(process.argv.slice(2))
  } catch (e) {
    process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n`)
    return process.exit(2)
  }
}

const main = async (): Promise<void> => {
  const { settings, json, out } = asked()
  const progress = progressBar('learning')
  const outcome = await run({
    ...settings,
    onStep: (epoch, done, total) => progress.show(done, total, `epoch ${epoch + 1}`),
  })
  progress.done()
  const pictures = picturesOf(outcome)
  await mkdir(out, { recursive: true })
  for (const [name, content] of Object.entries(pictures)) await writeFile(join(out, name), contentOf(content))
  const measures = measuresOf(outcome)
  const charts = Object.values(pictures).filter(isChart).map(textChart)
  console.log(json ? JSON.stringify(measures, null, 2) : [report(measures), ...charts].join('\n\n'))
  console.error(
    `pictures: ${Object.keys(pictures)
      .map((name) => join(out, name))
      .join(', ')}`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
