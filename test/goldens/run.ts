/** `npm run goldens`: runs the golden files of a folder on one backend and reports per area; exit status 1 when any case failed. */
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { type BackendName, backends } from './backends.ts'
import { type AreaReport, merged, type Report, toJson, toTable } from './report.ts'
import { runCases } from './run-cases.ts'
import { runTrajectories } from './run-trajectories.ts'
import { readGoldens } from './schema.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Where the goldens are unless another folder is named. */
export const defaultFolder: string = resolve(root, '../shared/goldens')

/** What to run, and on what. */
export interface Options {
  /** Resolved from the package's root. */
  readonly dir?: string
  readonly backend: BackendName
  readonly area?: string
}

/** A compiled program per case is dear on a device; the interpreter gains nothing from groups. */
export const groupSizes: { readonly [K in BackendName]: number } = { reference: 1, webgpu: 12, cpu: 12 }

/** Runs everything asked for. Throws when the folder has no goldens. */
export const runGoldens = async (options: Options): Promise<Report> => {
  const files = readGoldens(options.dir === undefined ? defaultFolder : resolve(root, options.dir), options.area)
  const reasons = new Map<string, string>()
  const areas: Record<string, AreaReport> = {}
  for (const file of files) {
    const report =
      file.kind === 'trajectories'
        ? await runTrajectories(file.models, options.backend, reasons)
        : await runCases(file.cases, backends[options.backend], { size: groupSizes[options.backend] }, reasons)
    const before = areas[file.area]
    areas[file.area] = before ? merged(before, report) : report
  }
  return { areas, reasons }
}

const main = async (): Promise<void> => {
  const command = new Command('goldens')
    .description('run the golden cases and report per area')
    .option('--json', 'one JSON document on stdout instead of a table')
    .option('--dir <folder>', 'the folder of golden files, resolved from the package root')
    .addOption(
      new Option('--backend <name>', 'what to run them on').choices(['reference', 'webgpu', 'cpu']).default('webgpu'),
    )
    .option('--area <name>', 'one area alone')
    .parse()
  const { json, ...options } = command.opts<Options & { readonly json?: boolean }>()
  const report = await runGoldens(options).catch((e: unknown) =>
    command.error(e instanceof Error ? e.message : String(e)),
  )
  process.stdout.write(`${json ? toJson(report) : toTable(report)}\n`, () => {
    process.exit(Object.values(report.areas).some((a) => a.failed.length > 0) ? 1 : 0)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
