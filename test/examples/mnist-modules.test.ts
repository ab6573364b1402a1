/** The digits' training step and prediction as emitted modules: equal bits in plain Node, close in Chromium and Deno. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plan } from '../../codegen/plan/plan.ts'
import { inputs, readDigits, targets } from '../../examples/03-mnist/digits.ts'
import { predict, start, train } from '../../examples/03-mnist/programs.ts'
import * as T from '../../src/index.ts'
import type { HostArray } from '../../src/lang/dtype.ts'
import { loadPlan } from '../../src/runtime/execute.ts'
import { unpackSoftware } from '../../src/runtime/gpu/software.ts'
import { openDevice } from '../../src/runtime/open-device.ts'
import { closeBrowser, runCasesInBrowser } from '../browser.ts'
import { runCasesInDeno } from '../deno.ts'
import { type Case, type CaseReport, decodeReport, type EncodedReport, writeCases } from '../emitted-cases.ts'

const root = resolve(import.meta.dirname, '../..')
const planOf = (compiled: T.Compiled): Plan =>
  T.orThrow(compiled as never as import('#fp/Either').Either<never, T.Program>).plan

const startNode = `
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { runAll } from './run-cases.js'
const { create } = createRequire(${JSON.stringify(join(root, 'package.json'))})('webgpu')
const report = await runAll(create([]), async (name) => readFileSync(new URL(name, import.meta.url)))
writeFileSync(new URL('report.json', import.meta.url), JSON.stringify(report))
process.exit(0)
`

/** In a process of its own that has nothing but the emitted files and the caller's own npm webgpu. */
const runCasesInNode = async (cases: readonly Case[]): Promise<CaseReport> => {
  const folder = mkdtempSync(join(tmpdir(), 'tensorloom-node-'))
  try {
    await writeCases(folder, cases, startNode)
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    await promisify(execFile)(process.execPath, [join(folder, 'start.js')], {
      cwd: folder,
      env: { ...process.env, ...unpackSoftware().env },
    })
    return decodeReport(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as EncodedReport)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the same plan gives without being written out. */
const jit = async ({ plan, inputs: given, again }: Case): Promise<readonly HostArray[]> => {
  const device = await openDevice({ prefer: 'software', quiet: true })
  const executable = await loadPlan(device, plan)
  const args: unknown[] = [...given]
  let results = await executable.run(args as never)
  for (let turn = 0; turn < (again?.times ?? 0); turn++) {
    for (const [from, to] of again!.feed) args[to] = results[from]
    results = await executable.run(args as never)
  }
  const read = await Promise.all(results.map((r) => r.read()))
  device.destroy()
  return read
}

let cases: readonly Case[]
let expected: readonly (readonly HostArray[])[]
beforeAll(async () => {
  const { images, labels } = await readDigits('train', 64)
  const [begin, step, guess] = [planOf(start), planOf(train), planOf(predict)]
  const state = await jit({ plan: begin, inputs: [Uint32Array.of(0, 42)] })
  const feed = step.outputs.flatMap((o, i) => (o.inPlaceOf === undefined ? [] : [[i, o.inPlaceOf] as const]))
  const pixels = inputs(images)
  const training: Case = { plan: step, inputs: [...state, pixels, targets(labels)], again: { times: 3, feed } }
  const trained = await jit(training)
  const params = guess.inputs.slice(0, -1).map((slot) => {
    const i = step.outputs.findIndex((o) => o.path.endsWith(slot.path.replace(/^\[0\]/, '.params')))
    return trained[i]!
  })
  const guessing: Case = { plan: guess, inputs: [...params, pixels.subarray(0, 784)] }
  cases = [training, guessing]
  expected = [trained, await jit(guessing)]
}, 120_000)
afterAll(closeBrowser)

const outputsOf = ({ results }: CaseReport): readonly (readonly HostArray[])[] =>
  results.map((r) => ('error' in r ? expect.fail(r.error) : r.outputs))

test('the step has learned something', () => {
  expect(expected[0]!.length).toBe(cases[0]!.plan.outputs.length)
  expect(cases[0]!.again!.feed.length).toBe(cases[0]!.plan.outputs.length - 1)
  const loss = expected[0]![cases[0]!.plan.outputs.findIndex((o) => o.inPlaceOf === undefined)]![0]!
  expect(loss).toBeLessThan(Math.log(10))
})

describe('modules give what the program gives', () => {
  test('in plain Node, bit for bit', { timeout: 120_000 }, async () => {
    expect(outputsOf(await runCasesInNode(cases))).toEqual(expected)
  })

  test.each([
    ['Chromium', runCasesInBrowser],
    ['Deno', runCasesInDeno],
  ] as const)('in %s', { timeout: 120_000 }, async (_, run) => {
    for (const [c, outputs] of outputsOf(await run(cases)).entries())
      for (const [o, values] of outputs.entries()) {
        const want = expected[c]![o]!
        expect(values.length).toBe(want.length)
        // Adam's first steps are as long for a gradient of 1e-9 as for one of 1.
        const wrong = Array.from(values).filter((v, i) => Math.abs(v - want[i]!) > 1e-5 + 1e-4 * Math.abs(want[i]!))
        expect(wrong.length / values.length, cases[c]!.plan.outputs[o]!.path).toBeLessThan(1e-3)
      }
  })
})
