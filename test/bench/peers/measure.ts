/** The table beside the peers: for each program one process a library, asked in turn. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { against, columns, figure, median } from '../statistics.ts'
import { agree, distance, type LibraryName, libraryNames, type Measured } from './library.ts'
import type { Answer, Question } from './worker.ts'

/** One library's times of one program, in milliseconds. */
export interface Times {
  readonly first: number
  readonly warm: number
  readonly firsts: readonly number[]
  readonly warms: readonly number[]
}

/** One line of the table. A library that lacks the program, or failed, says so. */
export interface PeerRow {
  readonly program: string
  readonly times: Readonly<Partial<Record<LibraryName, Times>>>
  readonly failures: Readonly<Partial<Record<LibraryName, string>>>
  readonly warm: ReturnType<typeof against>
  readonly first: ReturnType<typeof against>
  /** Warm calls on one thread, where others use several. */
  readonly one: ReturnType<typeof against>
  /** The largest difference of a peer's results from ours, as a share of the largest number. */
  readonly difference: number
  readonly agrees: boolean
}

export interface Setting {
  /** The file that a library's process runs. */
  readonly worker: string
  readonly device: string
  /** Where the peers' packages are. */
  readonly folder: string
  readonly runs: number
  readonly starts: number
}

/** Calls between the first and the measured ones, the losses of whose steps are compared. */
const compared = 3
/**
 * More calls in between, where results lie in the memory of the processor: until the collector of garbage has given back the
 * first ones, ours lie in memory that nobody has touched. Of programs that take long there are fewer.
 */
const mostWarmUps = 60
const warmUpTime = 4_000

/** Five calls of a program that takes seconds say enough. */
const isEnough = (warms: readonly number[]): boolean => warms.length >= 5 && warms.reduce((a, b) => a + b, 0) > 15_000

const ask = async (child: ChildProcess, question: Question): Promise<Answer> => {
  const settled = new AbortController()
  const { signal } = settled
  const gone = once(child, 'exit', { signal }).then(
    ([code, by]): Answer => ({ error: `the process ended (${code ?? by})` }),
  )
  const answer = once(child, 'message', { signal }).then(([message]): Answer => message as Answer)
  child.send(question)
  try {
    return await Promise.race([answer, gone])
  } finally {
    for (const promise of [gone, answer]) promise.catch(() => {})
    settled.abort()
  }
}

/** What one library did so far. */
interface Run {
  readonly name: LibraryName
  child: ChildProcess | undefined
  readonly firsts: number[]
  readonly warms: number[]
  values: readonly number[]
  failure: string | undefined
}

const reasonOf = (answer: Answer): string | undefined =>
  'error' in answer ? answer.error : 'missing' in answer ? 'not in this library' : undefined

/** Asks one library, unless it failed before. */
const askOne = async (run: Run, question: Question): Promise<Measured | undefined> => {
  if (run.failure !== undefined) return undefined
  const answer = await ask(run.child!, question)
  run.failure = reasonOf(answer)
  return run.failure === undefined ? (answer as Measured) : undefined
}

const end = async ({ child }: Run): Promise<void> => {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** A first call in a fresh process, while no other is busy. */
const begin = async ({ worker, device, folder }: Setting, run: Run, program: string): Promise<void> => {
  if (run.failure !== undefined) return
  await end(run)
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
  run.child = fork(worker, [run.name, program, device, folder], { execArgv: [], stdio: [...stdio] })
  await askOne(run, 'open')
  const first = await askOne(run, 'first')
  if (!first) return
  run.firsts.push(first.ms)
  run.values = first.values
}

const warmUp = async (run: Run): Promise<void> => {
  let spent = 0
  for (let i = 0; i < mostWarmUps && spent < warmUpTime && run.failure === undefined; i++)
    spent += (await askOne(run, 'next'))?.ms ?? 0
}

/** One program in all libraries: first calls in fresh processes, then warm calls in turn. */
export const measurePeers = async (setting: Setting, program: string): Promise<PeerRow> => {
  const names = libraryNames.filter((name) => name !== 'one' || setting.device === 'cpu')
  const runs = names.map(
    (name): Run => ({ name, child: undefined, firsts: [], warms: [], values: [], failure: undefined }),
  )
  for (let i = 0; i < setting.starts; i++) for (const run of runs) await begin(setting, run, program)
  for (let i = 0; i < compared; i++)
    for (const run of runs) run.values = [...run.values, ...((await askOne(run, 'next'))?.values ?? [])]
  if (setting.device === 'cpu') for (const run of runs) await warmUp(run)
  for (let i = 0; i < setting.runs; i++)
    for (const run of runs) {
      if (isEnough(run.warms)) continue
      const next = await askOne(run, 'next')
      if (next) run.warms.push(next.ms)
    }
  await Promise.all(runs.map(end))
  return rowOf(program, runs)
}

const rowOf = (program: string, runs: readonly Run[]): PeerRow => {
  const stood = runs.filter((r) => r.failure === undefined)
  const times: Partial<Record<LibraryName, Times>> = Object.fromEntries(
    stood.map(({ name, firsts, warms }) => [name, { first: median(firsts), warm: median(warms), firsts, warms }]),
  )
  const ours = runs.find((r) => r.name === 'ours')!
  const peers = stood.filter((r) => r !== ours && r.name !== 'one')
  const compare = (key: 'first' | 'warm', own: LibraryName = 'ours') =>
    times[own] && against(times[own][key], { jax: times.jax?.[key], tfjs: times.tfjs?.[key] })
  return {
    program,
    times,
    failures: Object.fromEntries(runs.flatMap((r) => (r.failure === undefined ? [] : [[r.name, r.failure]]))),
    warm: compare('warm'),
    first: compare('first'),
    one: compare('warm', 'one'),
    difference: Math.max(0, ...peers.map((r) => distance(ours.values, r.values))),
    agrees: ours.failure === undefined && stood.every((r) => agree(ours.values, r.values)),
  }
}

const heading = [
  ...['program', 'ours', 'one thread', 'jax-js', 'tfjs', 'ratio', 'of one'],
  ...['first: ours', 'one thread', 'jax-js', 'tfjs', 'ratio', 'difference'],
]

/** The table as text, times in milliseconds; ratios are ours against the better peer. */
export const peerTable = (rows: readonly PeerRow[]): string => {
  const lines = rows.map(({ program, times, warm, first, one, difference, agrees }) => {
    const of = (key: 'first' | 'warm') => libraryNames.map((name) => (times[name] ? figure(times[name][key]) : '-'))
    const ratio = (a: PeerRow['warm']) => (a ? a.ratio.toFixed(2) : '-')
    const differs = `${difference.toExponential(0)}${agrees ? '' : ' DIFFER'}`
    return [program, ...of('warm'), ratio(warm), ratio(one), ...of('first'), ratio(first), differs]
  })
  const failures = rows.flatMap(({ program, failures: f }) =>
    Object.entries(f).map(([name, reason]) => `${program}, ${name}: ${reason}`),
  )
  return [columns([heading, ...lines]), ...failures].join('\n')
}
