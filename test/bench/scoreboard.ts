/** `npm run scoreboard`: what every program of `programs.ts` costs, counted, beside what its plan predicted and the target. */
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import * as E from '#fp/Either'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import { compile, type Program } from '../../src/compile/compile.ts'
import { showError } from '../../src/lang/errors.ts'
import { loadPlan } from '../../src/runtime/execute.ts'
import { sharedDevice } from '../device.ts'
import { countPlan, countRun } from './count.ts'
import { inputsFor } from './inputs.ts'
import type { BenchProgram } from './program.ts'
import { programs } from './programs.ts'

/** What one call costs. */
export interface Costs {
  readonly dispatches: number
  readonly submits: number
  readonly bytes: number
  readonly flops: number
  readonly peakBytes: number
}

/** One line of the scoreboard. */
export interface Row extends Costs {
  readonly program: string
  readonly predicted: Costs
  /** Dispatches that are asked for. */
  readonly target: number
}

/** The program under `portable`; throws the compiler's refusal. */
export const compileBench = (p: BenchProgram): Program => {
  const result = compile(p.f as never, p.specs as never, { ...p.options, profile: portable })
  if (E.isLeft(result)) throw new Error(`${p.name}: ${showError(result.left)}`)
  return result.right as Program
}

/** Counts one warm call. */
export const measure = async (p: BenchProgram): Promise<Row> => {
  const { plan } = compileBench(p)
  const { dispatches, submits, bytes, flops, peakBytes } = plan.prediction
  const inputs = inputsFor(plan.inputs)
  const device = await sharedDevice()
  const calls = await countRun(device, await loadPlan(device, plan), inputs)
  const work = countPlan(plan, inputs)
  return {
    program: p.name,
    ...calls,
    ...work,
    peakBytes: plan.arenas.reduce((a, b) => a + b, 0),
    predicted: { dispatches, submits, bytes, flops, peakBytes },
    target: p.target,
  }
}

const group = (n: number): string => String(n).replace(/(?<=\d)(?=(\d{3})+$)/g, ' ')

const agrees = (r: Row): boolean =>
  (['dispatches', 'submits', 'bytes', 'flops', 'peakBytes'] as const).every((k) => r[k] === r.predicted[k])

const line = (r: Row): string =>
  [
    r.program.padEnd(18),
    `${r.dispatches}/${r.target}`.padStart(7),
    String(r.submits).padStart(3),
    group(r.bytes).padStart(15),
    group(r.flops).padStart(16),
    group(r.peakBytes).padStart(13),
    agrees(r) ? '' : `  predicted ${JSON.stringify(r.predicted)}`,
  ].join(' ')

const heading = `${'program'.padEnd(18)} ${'d/target'.padStart(7)} ${'sub'.padStart(3)} ${'bytes'.padStart(15)} ${'flops'.padStart(16)} ${'peak'.padStart(13)}`

const main = async (): Promise<void> => {
  const command = new Command('scoreboard')
    .description('count what the benchmark programs cost under the portable profile')
    .option('--json', 'one JSON document on stdout instead of a table')
    .option('--only <regex>', 'the programs whose names match')
    .parse()
  const { json, only } = command.opts<{ readonly json?: boolean; readonly only?: string }>()
  const rows: Row[] = []
  let failed = false
  if (!json) process.stdout.write(`${heading}\n`)
  for (const p of programs.filter((q) => only === undefined || new RegExp(only).test(q.name))) {
    try {
      const row = await measure(p)
      rows.push(row)
      if (!json) process.stdout.write(`${line(row)}\n`)
    } catch (error) {
      failed = true
      process.stderr.write(`${p.name}: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : '', () => process.exit(failed ? 1 : 0))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
