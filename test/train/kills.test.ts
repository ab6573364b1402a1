/** Twenty kills at random moments of a run: it ends bit for bit as the unbroken run does. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as io from '../../src/io/index.ts'
import { seededDice } from '../../src/testing/dice.ts'

const root = mkdtempSync(join(tmpdir(), 'kills-'))
afterAll(() => rmSync(root, { recursive: true }))

const script = join(root, 'run.mjs')
const plans = join(root, 'plans')
const epochs = 60

/** One file, which starts in a fraction of the time that its sources take. */
beforeAll(() =>
  build({
    entryPoints: [join(import.meta.dirname, 'run.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['tensorloom-source'],
    external: ['webgpu', 'papaparse', 'fflate', 'pngjs', '@huggingface/tokenizers'],
    footer: { js: 'await main(process.argv.slice(2))' },
  }),
)

/** How a life ended, and its last line. */
interface Life {
  readonly signal: string | null
  readonly said: string
}

/** When to kill: so many milliseconds after so many lines of output. */
interface Kill {
  readonly lines: number
  readonly after: number
}

/** A process that continues the run of a folder until it ends, or is killed. */
const live = (folder: string, kill?: Kill): Promise<Life> =>
  new Promise((done, fail) => {
    const args = [script, folder, String(epochs), plans]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    let isStruck = false
    const look = (): void => {
      if (isStruck || !kill || said.split('\n').length <= kill.lines) return
      isStruck = true
      setTimeout(() => child.kill('SIGKILL'), kill.after)
    }
    look()
    child.stdout.on('data', (text: Buffer) => {
      said += text
      look()
    })
    child.on('error', fail)
    child.on('close', (_, signal) => done({ signal, said: said.trim().split('\n').at(-1)! }))
  })

it('a run that is killed again and again ends as one that was not', async () => {
  const unbroken = await live(join(root, 'unbroken'))
  expect(unbroken.signal).toBe(null)
  const folder = join(root, 'broken')
  const dice = seededDice(20)
  const steps: number[] = []
  for (let i = 0; i < 20; i++) {
    // While it starts, or within some step.
    const lines = i % 5 === 4 ? 0 : dice.int(1, 8)
    const { signal } = await live(folder, { lines, after: dice.real() * (lines === 0 ? 300 : 10) })
    expect([i, signal]).toEqual([i, 'SIGKILL'])
    steps.push((await io.checkpoints(folder).latest())?.step ?? 0)
  }
  // No kill lost what was done before it, and there was something to lose.
  expect(steps).toEqual([...steps].sort((a, b) => a - b))
  expect(new Set(steps).size).toBeGreaterThan(5)
  expect(steps.at(-1)!).toBeLessThan(3 * epochs)
  const resumed = await live(folder)
  expect(resumed.said).toBe(unbroken.said)
  expect(JSON.parse(resumed.said).history).toHaveLength(epochs)
})
