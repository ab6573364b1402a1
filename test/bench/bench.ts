/** `npm run bench`: our programs beside jax-js and TensorFlow.js on one adapter, and what compiling takes. */
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommanderError } from 'commander'
import { type CompileRow, compileTable, measureCompile } from './compile/measure.ts'
import { compilePrograms } from './compile/programs.ts'
import { type BenchOptions, parseOptions } from './options.ts'
import { demandAdapter } from './peers/device.ts'
import { measurePeers, type PeerRow, peerTable } from './peers/measure.ts'
import { peakOfThread, rateOf } from './peers/peak.ts'
import { timesPicture } from './picture.ts'
import { buildWorker } from './workers.ts'

/** The rows of the scoreboard's table of times. */
export const timedRows: readonly string[] = [
  'matmul256',
  'matmul512',
  'matmul1024',
  'chain',
  'softmax',
  'layernorm',
  'attention',
  'mlp_train',
  'cnn_train',
  'lstm_train',
]

const folder = join(dirname(fileURLToPath(import.meta.url)), 'peers')

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

const asked = (rows: BenchOptions['rows'], names: readonly string[]): readonly string[] =>
  names.filter((name) => rows?.includes(name) ?? true)

const measureRows = async (options: BenchOptions): Promise<readonly PeerRow[]> => {
  const names = options.compileOnly ? [] : asked(options.rows, timedRows)
  if (names.length === 0) return []
  if (!existsSync(join(folder, 'node_modules')))
    throw new Error('the peers are not installed: npm ci --prefix test/bench/peers')
  if (options.device !== 'cpu') await demandAdapter(options.device)
  const worker = await buildWorker('peers/worker')
  const { device, runs, starts } = options
  const rows: PeerRow[] = []
  for (const name of names) {
    say(`${name}: ${starts} first calls, ${runs} warm calls in each library`)
    rows.push(await measurePeers({ worker, device, folder, runs, starts }, name))
  }
  return rows
}

const measureCompiles = async ({ rows, peersOnly, profile, starts }: BenchOptions): Promise<readonly CompileRow[]> => {
  if (peersOnly) return []
  const names = asked(
    rows,
    compilePrograms.map((p) => p.name),
  )
  const worker = await buildWorker('compile/worker')
  const compiled: CompileRow[] = []
  for (const name of names) {
    say(`${name}: compiled ${starts} times`)
    compiled.push(await measureCompile(worker, name, profile, starts))
  }
  return compiled
}

/** The products of matrices in GFLOP/s, and as a part of what one thread can do. */
const ratesTable = (rows: readonly PeerRow[], peak: number): string =>
  rows
    .flatMap(({ program, times }) => {
      const rates = Object.entries(times).flatMap(([name, { warm }]) => {
        const rate = rateOf(program, warm)
        return rate === undefined ? [] : [`${name} ${rate.toFixed(1)} (${((100 * rate) / peak).toFixed(0)} %)`]
      })
      return rates.length > 0 ? [`${program}: ${rates.join(', ')}`] : []
    })
    .join('\n')

/** Rates of products that one thread (two, for those that use two) cannot reach: then the probe is wrong. */
export const beyondPeak = (rows: readonly PeerRow[], peak: number): readonly string[] =>
  rows.flatMap(({ program, times }) =>
    Object.entries(times).flatMap(([name, { warm }]) => {
      const rate = rateOf(program, warm)
      const most = name === 'ours' ? peak * availableParallelism() : peak
      return rate !== undefined && rate > most ? [`${program}: ${name} does ${rate.toFixed(1)} GFLOP/s`] : []
    }),
  )

const load = (): string =>
  loadavg()
    .slice(0, 2)
    .map((x) => x.toFixed(1))
    .join(', ')

const main = async (): Promise<boolean> => {
  const known = [...new Set([...timedRows, ...compilePrograms.map((p) => p.name)])]
  const options = parseOptions(process.argv.slice(2), known)
  const { device, json, profile, runs, starts } = options
  const print = (title: string, table: string): void => {
    if (!json) process.stdout.write(`${title}; load of the machine (1 and 5 minutes) ${load()}\n${table}\n\n`)
  }
  const before = load()
  const peers = await measureRows(options)
  if (peers.length > 0)
    print(
      `Median ms of ${runs} warm calls and of ${starts} first calls in fresh processes, ${device}`,
      peerTable(peers),
    )
  const peak = device === 'cpu' && peers.length > 0 ? peakOfThread() : undefined
  if (peak !== undefined) print(`One thread does ${peak.toFixed(1)} GFLOP/s at most`, ratesTable(peers, peak))
  const compiled = await measureCompiles(options)
  if (compiled.length > 0)
    print(`Median ms of ${starts} fresh processes from function to Plan, ${profile} profile`, compileTable(compiled))
  const machine = { node: process.version, load: { before, after: load() } }
  if (json)
    process.stdout.write(
      `${JSON.stringify({ device, profile, runs, starts, ...machine, peers, peak, compiled }, null, 2)}\n`,
    )
  if (options.picture !== undefined && peers.length > 0)
    writeFileSync(options.picture, timesPicture(peers, `Warm calls on ${device}, ${availableParallelism()} cores`))
  const beyond = peak === undefined ? [] : beyondPeak(peers, peak)
  for (const line of beyond) say(`the probe of the peak is too low: ${line}`)
  return beyond.length === 0 && peers.every((r) => r.agrees)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main().then(
    (agree) => process.exit(agree ? 0 : 1),
    (e: unknown) => {
      // Commander has said what is wrong, or helped.
      if (e instanceof CommanderError) process.exit(e.exitCode)
      say(`bench: ${e instanceof Error ? e.message.split('\n')[0] : String(e)}`)
      process.exit(1)
    },
  )
