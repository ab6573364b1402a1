/** The processor in a page: threads where it is isolated, one thread where it is not; the same bits, and frames between them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeBrowser, runInBrowser } from '../../browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-page-'))
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await closeBrowser()
})

/** Multiplies 512 × 512 matrices until threads are there, or twelve times; a minified bundle, as pages have them. */
const source = `import * as T from 'tensorloom'
export const run = async () => {
  const device = await T.openDevice({ prefer: 'cpu', threads: 2, quiet: true })
  const square = T.spec([512, 512])
  const { run } = await T.compileOn(device, (x, y) => T.matmul(x, y), [square, square])
  const x = Float32Array.from({ length: 512 * 512 }, (_, i) => Math.sin(i))
  let [turns, sums] = [0, new Set()]
  const look = setInterval(() => turns++, 1)
  const multiply = async () => {
    const words = new Int32Array((await (await run(x, x)).read()).buffer)
    sums.add(words.reduce((sum, w) => (Math.imul(sum, 31) + w) | 0, 0))
  }
  for (let i = 0; i < 12 || (device.team && i < 200 && device.team.ready() < 2); i++) await multiply()
  turns = 0
  await multiply()
  await multiply()
  clearInterval(look)
  return { description: device.description, ready: device.team?.ready() ?? 1, sums: [...sums], hadTurns: turns > 0 }
}
`

const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

describe('a page', () => {
  beforeAll(() =>
    build({
      stdin: { contents: source, resolveDir: process.cwd(), loader: 'js' },
      outfile: join(folder, 'page.js'),
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['tensorloom-source'],
      external: ['webgpu', 'node:*'],
    }),
  )

  it('has threads where it is isolated, and the same bits where it is not', async () => {
    const [many, one] = [
      await runInBrowser(folder, 'page.js', 'run', undefined, isolated),
      await runInBrowser(folder, 'page.js', 'run', undefined, {}),
    ]
    expect(many).toMatchObject({ description: 'cpu, 2 threads', ready: 2, hadTurns: true })
    expect(one).toMatchObject({ description: 'cpu, 1 thread', ready: 1, hadTurns: true })
    const { sums } = one as { readonly sums: readonly number[] }
    expect([sums.length, many]).toEqual([1, expect.objectContaining({ sums })])
  })
})
