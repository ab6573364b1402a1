/** The compile table: each program in fresh processes, one after another. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { columns, figure, median } from '../statistics.ts'
import type { CompileFigures, CompileOutcome } from './figures.ts'

/** One line of the table: the median run of those that there were. */
export interface CompileRow {
  readonly program: string
  readonly outcome: CompileOutcome
  /** Milliseconds of every run. */
  readonly totals: readonly number[]
}

const run = promisify(execFile)

/** Compiles `program` in `starts` fresh processes for a profile (`portable`, `software`, `hardware`). */
export const measureCompile = async (
  worker: string,
  program: string,
  profile: string,
  starts: number,
): Promise<CompileRow> => {
  const outcomes: CompileOutcome[] = []
  for (let i = 0; i < starts; i++) {
    const { stdout } = await run(process.execPath, [worker, program, profile])
    outcomes.push(JSON.parse(stdout) as CompileOutcome)
  }
  const totals = outcomes.map((o) => o.total)
  const middle = median(totals)
  const nearest = outcomes.reduce((a, b) => (Math.abs(b.total - middle) < Math.abs(a.total - middle) ? b : a))
  return { program, outcome: nearest, totals }
}

const heading = [
  'program',
  'ms',
  'trace',
  'passes',
  'plan',
  'cpu',
  'nodes',
  'dispatches',
  'kernels',
  'WGSL bytes',
  'rss MB',
]

const isRefused = (o: CompileOutcome): o is Exclude<CompileOutcome, CompileFigures> => 'refused' in o
const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6))

/** The table as text; what was refused has its line below. */
export const compileTable = (rows: readonly CompileRow[]): string => {
  const lines = rows.map(({ program, outcome: o }) =>
    isRefused(o)
      ? [program, figure(o.total), ...Array.from({ length: 8 }, () => '-'), megabytes(o.peakRss)]
      : [
          program,
          ...[o.total, o.trace, o.passes, o.plan, o.cpu].map(figure),
          ...[o.nodes, o.dispatches, o.kernels, o.wgslBytes].map(String),
          megabytes(o.peakRss),
        ],
  )
  const refusals = rows.flatMap(({ program, outcome }) =>
    isRefused(outcome) ? [`${program}: ${outcome.refused}`] : [],
  )
  return [columns([heading, ...lines]), ...refusals].join('\n')
}
