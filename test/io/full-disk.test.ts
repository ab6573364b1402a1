/** A disk that takes only part of a file, really: the system ends a write in its middle where files may not grow further. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, expect, it } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'full-disk-'))
afterAll(() => rmSync(root, { recursive: true }))

/** What a process tells that saves a small state, one past the limit, and looks at what there is then. */
const saving = `
  import * as T from 'tensorloom'
  import * as io from 'tensorloom/io'
  const [folder] = process.argv.slice(2)
  const run = io.checkpoints(folder + '/run')
  const state = (step, count) => ({ w: T.full([count], step) })
  const refusal = (saved) => saved.then(() => 'nothing', (e) => ({ isOurs: e instanceof T.TensorloomError, ...e.error }))
  await run.save(1, state(1, 4))
  await run.save(2, state(2, 4))
  const checkpoint = await refusal(run.save(3, state(3, 100_000)))
  const latest = await run.latest()
  const [held] = T.reference(await latest.load(state(0, 4))).w.data
  await T.save(folder + '/w.safetensors', state(5, 4))
  const file = await refusal(T.save(folder + '/w.safetensors', state(6, 100_000)))
  const [kept] = T.reference(await T.load(folder + '/w.safetensors', state(0, 4))).w.data
  await run.save(4, state(4, 4))
  const after = (await run.latest()).step
  console.log(JSON.stringify({ checkpoint, step: latest.step, held, file, kept, after, steps: run.steps() }))
`

it('a write that ends early is a DataError, and the last good file is the one that counts', async () => {
  const script = join(root, 'save.mjs')
  await build({
    stdin: { contents: saving, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['tensorloom-source'],
    external: ['webgpu', 'papaparse', 'fflate', 'pngjs', '@huggingface/tokenizers'],
  })
  // Files of 64 blocks of 1,024 bytes at most, where the state that is too large takes 400,000.
  const limited = `ulimit -f 64 && exec "${process.execPath}" "${script}" "${root}"`
  const { stdout } = await promisify(execFile)('bash', ['-c', limited])
  const refused = { isOurs: true, tag: 'DataError', reason: 'cannot be written (EFBIG: file too large, write)' }
  expect(JSON.parse(stdout)).toEqual({
    checkpoint: { ...refused, source: join(root, 'run/step-000000000003.safetensors') },
    step: 2,
    held: 2,
    file: { ...refused, source: join(root, 'w.safetensors') },
    kept: 5,
    after: 4,
    steps: [1, 2, 4],
  })
  // Nothing half written is left beside.
  expect(readdirSync(join(root, 'run'))).toHaveLength(3)
  expect(readdirSync(root).toSorted()).toEqual(['run', 'save.mjs', 'w.safetensors'])
})
