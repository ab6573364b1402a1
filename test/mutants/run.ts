/**
 * `npm run mutants -- FILE…`: changes the named files in small ways, one at a time, and prints every change that the tests
 * opposite them do not notice. Exit code 1 where there is one.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Stryker } from '@stryker-mutator/core'
import { Command } from 'commander'
import { unpackSoftware } from '../../src/runtime/gpu/software.ts'
import { mirroredTests } from './mirror.ts'
import { reportOf } from './report.ts'

interface Options {
  readonly tests?: readonly string[]
}

const command = new Command('mutants')
  .description('change source files in small ways, and print the changes that their tests do not notice')
  .argument('<files...>', 'source files, from the root of the repository')
  .option('--tests <paths...>', 'the tests to run, where those of the same name are not all')
  .parse()
const root = resolve(import.meta.dirname, '../..')
const fromRoot = (path: string): string => relative(root, resolve(path))
const files = command.args.map(fromRoot)
const { tests: given } = command.opts<Options>()

/** The tests opposite a file, of which there must be some. */
const testsOf = (file: string): readonly string[] => {
  const found = mirroredTests(root, file)
  if (found.length === 0) command.error(`mutants: no test is named after ${file}\n  hint: name its tests: --tests PATH`)
  return found
}
const tests = given ? given.map(fromRoot) : [...new Set(files.flatMap(testsOf))]

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-mutants-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
// A configuration of its own, since a mutant of what runs at import time is given to all tests that there are.
const { default: base } = await import(pathToFileURL(join(root, 'vitest.config.ts')).href)
const configFile = join(folder, 'vitest.config.mjs')
writeFileSync(configFile, `export default ${JSON.stringify({ ...base, test: { ...base.test, include: tests } })}\n`)

// Tests run in threads, and the driver reads the environment of their process.
if (process.platform === 'linux') Object.assign(process.env, unpackSoftware().env)
process.chdir(root)
console.info(`${files.join(', ')} against ${tests.join(', ')}`)
const options = {
  mutate: files,
  mutator: { excludedMutations: ['StringLiteral'] },
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile, related: false },
  coverageAnalysis: 'perTest',
  disableTypeChecks: false,
  // There is no API of TypeScript 7 that could read one.
  tsconfigFile: 'no-tsconfig.json',
  ignorePatterns: ['dist', 'out'],
  tempDirName: join(folder, 'sandbox'),
  reporters: ['progress-append-only'],
  timeoutMS: 60_000,
  dryRunTimeoutMinutes: 15,
  logLevel: 'warn',
  warnings: { slow: false, unknownOptions: true, preprocessorErrors: true, unserializableOptions: true },
}
const mutants = await new Stryker(options as ConstructorParameters<typeof Stryker>[0])
  .runMutationTest()
  .catch((e: Error) => command.error(`mutants: ${e.message}`))

const { lines, survivors } = reportOf(
  mutants.map((m) => ({ ...m, fileName: fromRoot(m.fileName) })),
  (file) => readFileSync(join(root, file), 'utf8'),
)
console.info(lines.join('\n'))
process.exitCode = survivors > 0 ? 1 : 0
