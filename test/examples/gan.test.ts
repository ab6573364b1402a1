/** The examples about generative adversarial networks, in their quick form. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collapse } from '../../examples/08-collapse.ts'
import { gan } from '../../examples/08-gan.ts'
import type { Example, Findings } from '../../examples/course/example.ts'

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
  for (const svg of Object.values(pictures)) expect(svg).not.toMatch(/NaN|Infinity|undefined/)
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
