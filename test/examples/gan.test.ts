/** The examples about generative adversarial networks, in their quick form. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import * as T from 'tensorloom'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collapse } from '../../examples/08-collapse.ts'
import { dcgan } from '../../examples/08-dcgan.ts'
import { gan } from '../../examples/08-gan.ts'
import type { Example, Findings } from '../../examples/course/example.ts'
import { contentOf } from '../../examples/pictures/chart.ts'

let device: T.Device
let folder: string

beforeAll(async () => {
  device = await T.openDevice({ prefer: 'cpu', quiet: true })
  folder = await mkdtemp(join(tmpdir(), 'gan-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const quickly = ({ run }: Example): Promise<Findings> => run({ device, quick: true, folder, progress: () => undefined })

const demandPictures = ({ pictures = {} }: Findings, names: readonly string[]): void => {
  expect(Object.keys(pictures).sort()).toEqual(names)
  for (const chart of Object.values(pictures)) expect(contentOf(chart)).not.toMatch(/NaN|Infinity|undefined/)
}

test('a Gaussian: the generator’s mean comes near, and its spread', async () => {
  const findings = await quickly(gan)
  expect(findings.measures['mean']).toBeLessThan(0.3)
  expect(findings.measures['off']).toBeLessThan(0.4)
  demandPictures(findings, ['gaussian.svg', 'off.svg'])
  expect((await quickly(gan)).measures).toEqual(findings.measures)
}, 240_000)

test('a ring: the hasty generator collapses, and packs cure it', async () => {
  const findings = await quickly(collapse)
  expect(findings.measures['collapsed']).toBeLessThanOrEqual(3)
  expect(findings.measures['cured']).toBeGreaterThanOrEqual(6)
  demandPictures(findings, ['collapse.svg', 'cure.svg', 'reached.svg'])
}, 240_000)

test('digits: after thirty moves the paper is whiter, the critic better than a guess', async () => {
  const { measures, tables, pictures = {} } = await quickly(dcgan)
  for (const value of Object.values(measures)) expect(value).not.toBeNaN()
  // A guess of one half costs ln 2 for real images, and ln 2 for made ones.
  expect(measures['critic']).toBeLessThan(2 * Math.log(2) - 0.2)
  const far = (ink: string): number => Math.abs(measures[ink]! - measures['real ink']!)
  expect(far('ink')).toBeLessThan(0.85 * far('ink at first'))
  // Chance reads one of ten.
  expect(measures['accuracy']).toBeGreaterThan(0.5)
  expect(tables![0]!.rows).toHaveLength(4)
  const sizes = Object.entries(pictures).map(([name, bytes]) => {
    const { width, height, data } = PNG.sync.read(Buffer.from(contentOf(bytes) as Uint8Array))
    expect(new Set(data).size).toBeGreaterThan(50)
    return [name, width, height]
  })
  expect(sizes).toEqual([
    ['digits.png', 604, 304],
    ['between.png', 604, 304],
    ['moments.png', 604, 184],
  ])
  expect((await quickly(dcgan)).measures).toEqual(measures)
}, 240_000)
