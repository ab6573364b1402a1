/** The examples about sequences, in their quick form: each learns, twice the same, and draws what it found. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { beforeAll, expect, test } from 'vitest'
import { characters } from '../../examples/05-characters.ts'
import { series } from '../../examples/05-series.ts'
import { gpt } from '../../examples/06-gpt.ts'
import { readBook } from '../../examples/course/book.ts'
import type { Example, Findings } from '../../examples/course/example.ts'
import { contentOf } from '../../examples/pictures/chart.ts'

let device: T.Device
let folder: string

beforeAll(async () => {
  device = await T.openDevice({ prefer: 'cpu', quiet: true })
  folder = await mkdtemp(join(tmpdir(), 'sequences-'))
})

const quickly = ({ run }: Example): Promise<Findings> => run({ device, quick: true, folder, progress: () => undefined })

const demandPictures = ({ pictures = {} }: Findings, names: readonly string[]): void => {
  expect(Object.keys(pictures).sort()).toEqual(names)
  for (const svg of Object.values(pictures).map(contentOf)) {
    expect(svg).toMatch(/<path d="M[\d.,L-]+" fill="none"/)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  }
}

/** What knowing how often each character occurs is worth: the perplexity of unseen text. */
const unigram = async (): Promise<number> => {
  const { alphabet, seen, unseen } = await readBook()
  const counts = new Float64Array(alphabet.length)
  for (const c of seen) counts[c]! += 1
  return Math.exp(-unseen.reduce((sum, c) => sum + Math.log(counts[c]! / seen.length), 0) / unseen.length)
}

test('carbon dioxide: the network beats the line, and the line beats no change', async () => {
  const findings = await quickly(series)
  const { measures: m } = findings
  for (const k of [1, 4, 16]) {
    expect(m[`mlp${k}`]).toBeLessThan(m[`linear${k}`]!)
    expect(m[`linear${k}`]).toBeLessThan(m[`same${k}`]!)
  }
  expect(m['mlp64']).toBeLessThan(m['same64']! / 2)
  demandPictures(findings, ['ahead.svg', 'loss.svg', 'rmse.svg'])
  expect((await quickly(series)).measures).toEqual(m)
}, 120_000)

test('recurrent networks: each does better than the frequencies of characters', async () => {
  const findings = await quickly(characters)
  const perplexities = Object.values(findings.measures)
  expect(perplexities).toHaveLength(4)
  for (const p of perplexities) expect(p).toBeLessThan(await unigram())
  expect(Object.values(findings.texts ?? {})[0]).toHaveLength(100)
  demandPictures(findings, ['loss.svg'])
}, 120_000)

test('a GPT: better than the frequencies of characters, and from its checkpoint the same again', async () => {
  const findings = await quickly(gpt)
  expect(findings.measures['perplexity']).toBeLessThan(findings.measures['first']!)
  expect(findings.measures['perplexity']).toBeLessThan(await unigram())
  demandPictures(findings, ['loss.svg'])
  expect(await quickly(gpt)).toEqual(findings)
}, 120_000)
