/** `profile`: what each kernel of a program takes on its device. */

import { withWords } from '../../codegen/kernel/words.ts'
import type { Plan, Step } from '../../codegen/plan/plan.ts'
import { workOf } from '../../codegen/plan/predict.ts'
import { everyStep } from '../../codegen/plan/steps.ts'
import { raise } from '../lang/errors.ts'
import { columnsText } from '../lang/print/columns.ts'
import { siteOf } from '../lang/provenance.ts'
import { showSized } from '../lang/size.ts'
import { demandList, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { isHandle, isRecord } from '../lang/tree.ts'
import type { Argument } from '../runtime/argument.ts'
import type { Device } from '../runtime/device.ts'
import { loadPlan } from '../runtime/execute.ts'
import { timestampStopwatch } from '../runtime/gpu/timestamps.ts'
import type { Output } from '../runtime/resident.ts'
import { type Stopwatch, timedDevice, waitingStopwatch } from '../runtime/stopwatch.ts'
import { argumentLeaves } from '../runtime/tree-arguments.ts'
import type { Loaded } from './compile.ts'
import { hostArguments, showObserved } from './host.ts'
import type { ArgumentsOf } from './tree-types.ts'

/** Options of `profile`. */
export interface ProfileOptions {
  /** Runs that are timed, after one that is not; 10 unless given. */
  readonly runs?: number | undefined
}

const profileOptions: OptionNames<ProfileOptions> = { runs: 'count' }

/** What one dispatch of a plan takes in a run. */
export interface KernelTime {
  /** The name of the kernel: the first of the ops whose results it stores. */
  readonly kernel: string
  /** Scopes and lines of what it stores, where the program was compiled with `{ provenance: true }`. */
  readonly source: string
  /** How often a run dispatches it: more than once in a loop. */
  readonly calls: number
  /** Milliseconds of a run that all its calls take: the median of the runs. */
  readonly ms: number
  /** Its part of all kernels' time, from 0 to 1. */
  readonly share: number
  /** What the planner expects of all calls, at the bounds of named sizes: milliseconds by its model of the device, bytes moved, operations. */
  readonly predicted: { readonly ms: number; readonly bytes: number; readonly flops: number }
}

/**
 * How time was taken: `timestamps` by the device itself; `waits` by the host, around a submission of one dispatch that it waits for, so
 * that a GPU's answer (some 0.1 ms) is in each; `processor` likewise on the cpu device, whose answer takes microseconds.
 */
export type ProfileClock = 'timestamps' | 'waits' | 'processor'

/** What `profile` found; as a string, a table. */
export interface ProgramProfile {
  /** Those that take longest first. */
  readonly kernels: readonly KernelTime[]
  /** Milliseconds of all of them. */
  readonly ms: number
  readonly runs: number
  readonly clock: ProfileClock
  readonly device: string
  readonly toString: () => string
}

type DispatchStep = Extract<Step, { kind: 'dispatch' }>

/** The clock of a device. */
const clockOf = ({ gpu, backend }: Device): { readonly clock: ProfileClock; readonly stopwatch: Stopwatch } => {
  const own = gpu && timestampStopwatch(gpu, backend)
  if (own) return { clock: 'timestamps', stopwatch: own }
  return { clock: gpu ? 'waits' : 'processor', stopwatch: waitingStopwatch(backend) }
}

/** Arguments that nothing is taken from: results of runs as copies on the host. */
const copies = (leaves: readonly Argument[]): Promise<readonly Argument[]> =>
  Promise.all(
    leaves.map(async (x) =>
      isHandle(x) ? ({ shape: x.shape, dtype: x.dtype, data: await (x as unknown as Output).read() } as Argument) : x,
    ),
  )

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

const predictionOf = ({ kernels, profile }: Plan, step: DispatchStep): KernelTime['predicted'] => {
  const { kernel } = kernels[step.kernel]!
  const { bytes, flops } = workOf(
    step.words ? withWords(kernel, step.words) : kernel,
    step.workgroups,
    step.bindings.map((place) => place.bytes),
  )
  const { dispatch, bandwidth, flops: perSecond } = profile.costs
  return { bytes, flops, ms: 1000 * (dispatch + bytes / bandwidth + flops / perSecond) }
}

/** Scopes and lines of what each dispatch stores, in the order of the plan; nothing where the plan that runs is not the program's own. */
const sourcesOf = ({ program, executable }: Loaded<never, unknown>): readonly string[] => {
  if (executable.plan !== program.plan) return []
  return program.planned.kernels.map(({ fused }) => {
    const sites = fused.flatMap(({ stored }) => stored.flatMap((n) => siteOf(n) ?? []))
    return [...new Set(sites.map(({ scope, file, line }) => scope ?? `${file}:${line}`))].join(', ')
  })
}

const times = (x: KernelTime['predicted'], n: number): KernelTime['predicted'] => ({
  ms: n * x.ms,
  bytes: n * x.bytes,
  flops: n * x.flops,
})

const rowsOf = (
  loaded: Loaded<never, unknown>,
  runs: readonly ReadonlyMap<number, readonly number[]>[],
): readonly KernelTime[] => {
  const { plan } = loaded.executable
  const all = everyStep(plan.steps).filter((s): s is DispatchStep => s.kind === 'dispatch')
  const sources = sourcesOf(loaded)
  const sourceOf = new Map(all.map((step, i) => [step, sources[i] ?? '']))
  // Those of nothing are never run, nor counted.
  const rows = all
    .filter(({ workgroups }) => workgroups > 0)
    .map((step, number) => {
      const each = runs.map((taken) => taken.get(number) ?? [])
      const calls = median(each.map((t) => t.length))
      return {
        kernel: plan.kernels[step.kernel]!.kernel.name,
        source: sourceOf.get(step)!,
        calls,
        ms: median(each.map((t) => t.reduce((a, b) => a + b, 0))),
        predicted: times(predictionOf(plan, step), calls),
      }
    })
  const total = rows.reduce((sum, { ms }) => sum + ms, 0)
  return rows
    .map(({ predicted, ...row }) => ({ ...row, share: total === 0 ? 0 : row.ms / total, predicted }))
    .sort((a, b) => b.ms - a.ms)
}

const clockText: Readonly<Record<ProfileClock, string>> = {
  timestamps: 'by timestamps of the device',
  waits: 'by the host, one dispatch at a time, its answer included',
  processor: 'one dispatch at a time',
}

const showProfile = ({ kernels, ms, runs, clock, device }: Omit<ProgramProfile, 'toString'>): string => {
  const head = `${ms.toFixed(3)} ms in kernels on ${device}, ${clockText[clock]} (the median of ${runs})`
  const rows = kernels.map((k) => [
    k.kernel,
    `${k.calls}`,
    k.ms.toFixed(3),
    `${(100 * k.share).toFixed(1)} %`,
    k.predicted.ms.toFixed(3),
    (k.predicted.bytes / 1e6).toPrecision(3),
    (k.predicted.flops / 1e6).toPrecision(3),
    k.source,
  ])
  const names = ['kernel', 'calls', 'ms', 'share', 'predicted ms', 'MB', 'Mflop', 'source']
  return `${head}\n${columnsText([names, ...rows], [1, 2, 3, 4, 5, 6])}`
}

const demandLoaded = (program: unknown): void => {
  if (isRecord(program) && 'executable' in program) return
  raise({
    tag: 'UsageError',
    message: `profile: the first argument is ${showArgument(program)}, not a program on a device`,
    hint: 'await T.compileOn(device, f, specs), or program.load(device)',
  })
}

/**
 * What each kernel of a program takes: it is run on `args` as often as `runs` says (10; once before, untimed), one dispatch after the
 * other, each timed alone: by timestamps where the device has them (`clock` says what was done), else by the host. The sum is
 * more than a run takes where a device works on several at once; copies and uploads are not in it. It is loaded a second time for
 * that, and results of runs among `args` are copied first, so that nothing is given away: state can be used afterwards. What the program
 * prints, it prints each time. The result is a table as a string.
 *
 * UsageError for what is no program on a device, otherwise rejects as `run` does.
 * @example
 * const device = await T.openDevice({ prefer: 'cpu', quiet: true })
 * const program = await T.compileOn(device, (x) => T.sum(T.exp(x)), [T.spec([1000])])
 * const found = await T.profile(program, [T.ones([1000])], { runs: 3 })
 * found.kernels.length // => program.program.plan.prediction.dispatches
 * found.kernels.reduce((sum, { share }) => sum + share, 0).toFixed(6) // => '1.000000'
 * String(found).includes('ms in kernels') // => true
 */
export const profile = async <A extends readonly unknown[], R>(
  program: Loaded<A, R>,
  args: { readonly [K in keyof A]: ArgumentsOf<A[K]> },
  options: ProfileOptions = {},
): Promise<ProgramProfile> => {
  demandLoaded(program)
  demandList('profile', args, 'arguments', 'T.profile(program, [x, y])')
  demandRecord('profile', profileOptions, options)
  const { runs = 10 } = options
  const { device, executable } = program
  const { clock, stopwatch } = clockOf(device)
  const leaves = argumentLeaves(executable.plan, hostArguments(args) as readonly unknown[], showSized)
  const given = await copies(leaves)
  const timed = timedDevice(device, stopwatch)
  const alone = await loadPlan(timed.device, executable.plan, showObserved)
  const taken: ReadonlyMap<number, readonly number[]>[] = []
  for (let i = 0; i <= runs; i++) {
    await alone.run(given)
    taken.push(await timed.taken())
  }
  const kernels = rowsOf(program as unknown as Loaded<never, unknown>, taken.slice(1))
  const ms = kernels.reduce((sum, k) => sum + k.ms, 0)
  const found = { kernels, ms, runs, clock, device: device.description }
  return { ...found, toString: () => showProfile(found) }
}
