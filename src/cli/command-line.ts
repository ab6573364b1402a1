/** The command line: what it understands, and what it prints. Data goes to stdout, everything else to stderr. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Command, CommanderError, Option } from 'commander'
import { profiles } from '../../codegen/targets/profiles.ts'
import { version } from '../compile/version.ts'
import { TensorloomError } from '../lang/errors.ts'
import { bytesText } from '../lang/print/figures.ts'
import type { BuildOptions } from './build-command.ts'
import { Failure } from './failure.ts'

interface Common {
  readonly json?: boolean
}

/** Written by one call at the end: a pipe that closes early, or an exit before it is flushed, must not cut it. */
const print = (text: string): Promise<void> =>
  new Promise((done) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => done())
  })

const printJson = (data: unknown): Promise<void> => print(JSON.stringify(data, null, 2))

// Commands are imported when they run: help and mistakes of use need no compiler.
const runBuild = async (file: string, options: BuildOptions & Common): Promise<void> => {
  const { build } = await import('./build-command.ts')
  const { programs, runtime, notes } = await build(file, options)
  for (const note of notes) process.stderr.write(`tensorloom: ${note}\n`)
  const size = (bytes: Uint8Array): { readonly bytes: number; readonly gzip: number } => ({
    bytes: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
  })
  const written = [...programs.flatMap((p) => p.files), ...runtime].map((f) => ({ file: f.path, ...size(f.bytes) }))
  if (options.json) {
    const summary = programs.map(({ files, ...p }) => ({ ...p, files: files.map((f) => f.path) }))
    await printJson({ out: options.out, programs: summary, files: written })
    return
  }
  const lines = written.map((w) => `${join(options.out, w.file)}  ${bytesText(w.bytes)}, ${bytesText(w.gzip)} gzip`)
  await print(lines.join('\n'))
}

const json = (): Option => new Option('--json', 'print data as JSON')
const profile = (): Option =>
  new Option('--profile <name>', 'target to plan for; default: as compiled').choices(Object.keys(profiles))

/** The program that `argv` is parsed by. Errors of use are thrown as CommanderError. */
const cli = (): Command => {
  const program = new Command('tensorloom')
    .description('Compile pure functions of tensors to WGSL and WebAssembly, ahead of time.')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
  program
    .command('build')
    .description('write every program that FILE exports as an ES module with its runtime')
    .argument('<file>', 'TypeScript or JavaScript that exports results of compile(f, specs)')
    .requiredOption('--out <dir>', 'folder to write to')
    .option('--target <names>', 'what modules run on, webgpu or cpu, or both (the default) separated by a comma')
    .addOption(profile())
    .addOption(json())
    .action(runBuild)
  program
    .command('explain')
    .description('show graph, passes, kernels with their WGSL, costs, memory, and why kernels were not fused')
    .argument('<file>', 'TypeScript or JavaScript that exports results of compile(f, specs)')
    .option('--export <name>', 'only this program')
    .option('--passes', 'show the graph after every pass that changed it')
    .addOption(profile())
    .addOption(json())
    .action(async (file: string, options: Common & Parameters<typeof import('./explain.ts').explain>[1]) => {
      const { explain, showExplanation } = await import('./explain.ts')
      const explained = await explain(file, options)
      await (options.json ? printJson({ programs: explained }) : print(explained.map(showExplanation).join('\n')))
    })
  program
    .command('devices')
    .description('show what programs can run on here, the default first: kind, limits, features, profile')
    .addOption(json())
    .action(async (options: Common) => {
      const { devices, showDevices } = await import('./devices.ts')
      const found = await devices()
      await (options.json ? printJson({ devices: found }) : print(showDevices(found)))
    })
  return program
}

/** Runs the command line and gives its exit code. */
export const main = async (argv: readonly string[]): Promise<0 | 1 | 2> => {
  try {
    await cli().parseAsync(argv)
    return 0
  } catch (e) {
    // Commander has printed its message already.
    if (e instanceof CommanderError) return e.exitCode === 0 ? 0 : 2
    const known = e instanceof Failure || e instanceof TensorloomError
    const text = e instanceof Error ? (known ? e.message : (e.stack ?? e.message)) : String(e)
    process.stderr.write(`tensorloom: ${text}\n`)
    return e instanceof Failure ? e.code : 1
  }
}
