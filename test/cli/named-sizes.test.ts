/** Modules of programs with named sizes: any number of rows, on both targets, and what is said of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { explain } from '../../src/cli/explain.ts'
import { unpackSoftware } from '../../src/runtime/gpu/software.ts'
import { fixture, root, run, tensorloom } from './command.ts'

const out = mkdtempSync(join(tmpdir(), 'tensorloom-sizes-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

beforeAll(async () => {
  expect(await tensorloom(['build', fixture('any-batch.ts'), '--out', out])).toMatchObject({ code: 0, stderr: '' })
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
})

const script = (on: string): string => `
  import { createRequire } from 'node:module'
  import { load } from './predict.js'
  const { create } = createRequire(${JSON.stringify(join(root, 'package.json'))})('webgpu')
  const program = await load(${on})
  const told = []
  for (const rows of [1, 5, 64, 2]) {
    const x = Float32Array.from({ length: 4 * rows }, (_, i) => (i % 7) - 3)
    const { scores, mean, best } = await program.run(x)
    const all = [...(await scores.read())]
    told.push([rows, scores.shape, best.shape, all.slice(-3), [...(await mean.read())], [...(await best.read())].slice(-1)])
  }
  told.push(await program.run(new Float32Array(4 * 65)).catch((e) => e.message))
  console.log(JSON.stringify(told))
  process.exit(0)`

/** What plain numbers say. */
const wanted = [1, 5, 64, 2].map((rows) => {
  const x = Float32Array.from({ length: 4 * rows }, (_, i) => (i % 7) - 3)
  const scores = Array.from({ length: rows }, (_, r) =>
    [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((sum, k) => sum + x[r * 4 + k]! * (k * 3 + c - 5), 0)),
  )
  const mean = [0, 1, 2].map((c) => Math.fround(scores.reduce((sum, row) => sum + row[c]!, 0) / rows))
  const last = scores.at(-1)!
  return [rows, [rows, 3], [rows], last, mean, [last.indexOf(Math.max(...last))]]
})

const refusal = expect.stringMatching(/^argument \[0\]: has 65 for 'rows', which is at most 64/)

it.each([
  ['cpu', "'cpu'"],
  ['webgpu', 'create([])'],
])('take any number of rows on %s', async (_name, on) => {
  writeFileSync(join(out, 'run.mjs'), script(on))
  const { stdout, stderr } = await run(process.execPath, ['run.mjs'], { cwd: out, env: unpackSoftware().env })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual([...wanted, refusal])
})

it('are explained with the names', async () => {
  const [explained] = await explain(fixture('any-batch.ts'))
  expect(explained!.memory.map((m) => m.type)).toContain('f32[rows, 3]')
})

it('say so in their types', () => {
  const types = readFileSync(join(out, 'predict.d.ts'), 'utf8')
  expect(types).toContain('/** f32[rows, 4] */\n  F32<readonly [number, 4]>')
  expect(types).toContain('readonly mean: Value<')
  expect(types).toContain("Value<'f32', readonly [number, 3]>")
})
