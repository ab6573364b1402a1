/** The guides of `examples/README.md` show what runs, and name what there is. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import * as testing from '../../src/testing/index.ts'

const guide = readFileSync('examples/README.md', 'utf8')
const source = readFileSync('examples/01-guide.ts', 'utf8')

test('every snippet stands in the file that runs', () => {
  const snippets = [...guide.matchAll(/```ts\n([\s\S]*?)\n```/g)].map(([, code]) => code!)
  expect(snippets.length).toBeGreaterThan(4)
  for (const code of snippets) expect(source).toContain(code)
})

test('the file runs, without a warning', async () => {
  const args = ['--conditions=tensorloom-source', '--import', 'tsx', 'examples/01-guide.ts']
  const env = { ...process.env, TENSORLOOM_DEVICE: 'cpu' }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env })
  expect(stderr).not.toContain('warning')
  expect(stdout).toContain("weight [ '1.00', '-2.00', '-0.00', '0.00' ]")
  expect(stdout).toContain('3 rows give [ 3, 1 ]\n8 rows give [ 8, 1 ]')
  expect(stdout).toContain('loss after loading is small: true')
  expect(stdout).toContain('the result p.w, made by sqrt, f32[2], holds 1 NaN, the first at position [1]')
  expect(stdout).toContain('still there: [ 4, -1 ]')
})

test('every function that the tables name is there', () => {
  const names = [...guide.matchAll(/(?<![.\w])(T|nn|random|data|testing)\.([a-z]\w*)/g)].map(
    ([, of, name]) => [of!, name!] as const,
  )
  const all: Readonly<Record<string, object>> = { T, nn, random, data, testing }
  expect(names.filter(([of, name]) => !(name in all[of]!))).toEqual([])
  for (const [, file] of guide.matchAll(/^\| `([\w.-]+)` \|/gm))
    if (/^\d|readme/.test(file!)) expect(existsSync(`examples/${file}`)).toBe(true)
})

test('every picture is there, and small', () => {
  const pictures = [...guide.matchAll(/^!\[[^\]]{10,}\]\((.*)\)$/gm)].map(([, path]) => path!)
  expect(pictures.length).toBeGreaterThan(10)
  for (const path of pictures) expect(statSync(`examples/${path}`).size).toBeLessThan(60_000)
})
