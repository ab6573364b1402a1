/** What Node prints of an error that nobody catches, of a minified module: the message, and no source. */
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { raise, TensorloomError } from '../src/lang/errors.ts'
import { root, run } from './cli/command.ts'

test.each([
  ['thrown', "raise({ tag: 'UsageError', message: 'no seed', hint: 'give one' })"],
  ['of a promise', "(async () => raise({ tag: 'UsageError', message: 'no seed', hint: 'give one' }))()"],
])('%s', async (_, code) => {
  const folder = await mkdtemp(join(tmpdir(), 'uncaught-'))
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { raise } from ${JSON.stringify(join(root, 'src/lang/errors.ts'))}\n${code}`,
        resolveDir: root,
        loader: 'ts',
      },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
    })
    const file = join(folder, 'module.mjs')
    writeFileSync(file, outputFiles[0]!.text)
    const { code: exit, stderr } = await run(process.execPath, [file])
    expect(exit).toBe(1)
    expect(stderr).not.toContain(outputFiles[0]!.text.slice(0, 200))
    const said = stderr.split('\n').filter((line) => line.trim() !== '')
    expect(said.findIndex((line) => line.includes('UsageError') && line.endsWith('no seed'))).toBeLessThan(4)
    expect(stderr).toMatch(/hint: give one\n {4}at .*module\.mjs/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('an error has its frames all the same', () => {
  const limit = Error.stackTraceLimit
  const made = new TensorloomError({ tag: 'UsageError', message: 'no seed' })
  expect(made.stack).toMatch(/^UsageError: no seed\n {4}at .*uncaught\.test\.ts/)
  expect(() => raise({ tag: 'UsageError', message: 'no seed' })).toThrow('no seed')
  expect(Error.stackTraceLimit).toBe(limit)
})
