/** The options of `compile`, and what is wrong with them before anything is planned. */
import type { Subnormals } from '../../codegen/plan/plan.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import type { PipelineOptions } from '../../passes/pipeline.ts'
import type { Profile } from '../../passes/profile.ts'
import { isDim } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { demandFunction, demandList, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import type { traceTree } from '../lang/trace.ts'
import { isRecord, standsAt } from '../lang/tree.ts'
import { hasFiles } from '../runtime/text-files.ts'
import type { Progress } from './progress.ts'
import { targetNames } from './targets.ts'

/** Options of `compile`: what is given away, what stays on the device, the target, the name, and the passes. */
export interface CompileOptions extends PipelineOptions {
  /**
   * Numbers of the arguments that the caller gives away: each tensor's memory is reused for a result of its shape and dtype,
   * which stays on the device. Of several such results that one replaces it which is the argument itself; else which stands at
   * its path (`[0].params.w` and `.state.params.w`; the argument's number does not count); else which ends in the most
   * of the same keys; else which is computed from it point by point. Two results that are equally near are a UsageError:
   * give the right one the argument's key.
   */
  readonly donate?: readonly number[] | undefined
  /** Results that stay on the device: paths or their beginnings (`'state'`), or all (`true`). What replaces a donated argument always stays. */
  readonly keep?: readonly string[] | true | undefined
  /**
   * What to plan for; default `portable`, which every GPU runs, and the device's own where the program is loaded on a device
   * that is none.
   */
  readonly profile?: Profile | undefined
  /**
   * What becomes of f32 numbers below 2^-126: `'device'`, the default, is whatever the device does (WGSL lets it take them
   * for zero, and many do); `'keep'` counts them as IEEE 754 asks, everywhere alike, at several times the arithmetic.
   */
  readonly subnormals?: Subnormals | undefined
  /** Remember which line made each node, for errors that show late: limits, indices. Costs time while the function is traced. */
  readonly provenance?: boolean | undefined
  /**
   * Checks every result and every gradient that `grad` gives in the program: a run rejects with NumericsError for the first that is
   * not finite, by its path, the op that made it and the line. What the run was given stays, donated or not, so that it can be
   * looked at, and the batch passed over. Runs wait for the device, and state that is donated is copied first.
   */
  readonly checkNumerics?: boolean | undefined
  /** Shown in errors and emitted modules. */
  readonly name?: string | undefined
  /**
   * A folder to keep plans in (Node, Deno, Bun), so that another process finds them; made where there is none. In memory
   * plans are kept without being asked, but for programs with `provenance`; `false` plans anew. An entry that is damaged, or
   * of another version or program, is passed over with a note on stderr.
   */
  readonly cache?: string | false | undefined
  /**
   * Is told of each pass and phase that begins, and of loading. In a terminal what takes longer than two seconds is told on
   * stderr as well.
   */
  readonly progress?: ((p: Progress) => void) | undefined
}

const compileOptions: OptionNames<CompileOptions> = {
  donate: 'own',
  keep: 'own',
  profile: 'own',
  subnormals: 'own',
  provenance: 'boolean',
  checkNumerics: 'boolean',
  name: 'own',
  cache: 'own',
  progress: 'own',
  fastMath: 'boolean',
}

const ownProfile = 'take one of T.profiles, or T.profileOf(device)'

/** UsageError where `f` is no function or the options are not those of `compile`; `caller` takes them. */
export const demandCompile = (caller: string, f: unknown, options: CompileOptions): void => {
  demandFunction(caller, 'the function to compile', f)
  demandRecord(caller, compileOptions, options)
  const { donate = [], keep = [], profile = portable, subnormals = 'device', name = '' } = options
  const wrong = (message: string, hint: string): never =>
    raise({ tag: 'UsageError', message: `${caller}: ${message}`, hint })
  for (const [i, n] of demandList(caller, donate, "argument numbers in 'donate'", '{ donate: [0] }').entries())
    if (typeof n !== 'number') wrong(`donate[${i}] is ${showArgument(n)}, not a number`, 'write { donate: [0] }')
  const kept = keep === true ? [] : demandList(caller, keep, "paths in 'keep'", "{ keep: ['state'] }")
  for (const [i, path] of kept.entries())
    if (typeof path !== 'string') wrong(`keep[${i}] is ${showArgument(path)}, not a path`, "write { keep: ['state'] }")
  const fields: Readonly<Record<string, unknown>> = isRecord(profile)
    ? profile
    : wrong(`the profile is ${showArgument(profile)}`, ownProfile)
  const missing = Object.entries(portable).find(([key, value]) => typeof fields[key] !== typeof value)
  if (missing) wrong(`the profile's ${missing[0]} is ${showArgument(fields[missing[0]])}`, ownProfile)
  if (!targetNames.includes(fields['target'] as string))
    wrong(`the profile's target is ${showArgument(fields['target'])}`, `the targets are ${targetNames.join(' and ')}`)
  // One of an earlier version lacks what costs have been added since.
  const costs = fields['costs'] as Readonly<Record<string, unknown>>
  const unknown = Object.keys(portable.costs).find((key) => typeof costs?.[key] !== 'number')
  if (unknown) wrong(`the profile's costs.${unknown} is ${showArgument(costs?.[unknown])}`, ownProfile)
  if (!['device', 'keep'].includes(subnormals))
    wrong(`subnormals is ${showArgument(subnormals)}`, "write 'keep' or 'device'")
  if (typeof name !== 'string') wrong(`the name is ${showArgument(name)}, not a string`, "write { name: 'step' }")
  const { cache = false, progress } = options
  if (progress !== undefined && typeof progress !== 'function')
    wrong(`progress is ${showArgument(progress)}, not a function`, 'write { progress: (p) => console.log(p.doing) }')
  if (cache !== false && (typeof cache !== 'string' || cache === ''))
    wrong(`cache is ${showArgument(cache)}`, "write a folder, { cache: '.plans' }, or false")
  if (cache !== false && !hasFiles())
    wrong('there are no files here to keep plans in', 'leave cache out: plans are kept in memory')
}

/** UsageError unless `x` is a device that openDevice or adoptDevice gave; `caller` takes one. */
export const demandDevice = (caller: string, x: unknown): void => {
  if (isRecord(x) && 'backend' in x && 'whenLost' in x) return
  const isRaw = typeof x === 'object' && x !== null && 'createBuffer' in x
  raise({
    tag: 'UsageError',
    message: `${caller}: the first argument is ${isRaw ? 'a bare GPUDevice' : showArgument(x)}, not a device`,
    hint: isRaw ? 'wrap it with T.adoptDevice' : 'wait for one first: await T.defaultDevice()',
  })
}

/** UsageError where specs are no list, or an argument is given away that there is not. */
export const demandSpecs = (specs: readonly unknown[], options: CompileOptions): void => {
  demandList('compile', specs, 'specs', 'compile(f, [T.spec([2, 3])])')
  const bare = specs.findIndex((s) => Array.isArray(s) && s.length > 0 && s.every(isDim))
  if (bare >= 0) {
    const shape = `[${(specs[bare] as readonly number[]).join(', ')}]`
    raise({
      tag: 'UsageError',
      message: `compile: [${bare}] is the shape ${shape}, where the type of an argument belongs`,
      hint: `write T.spec(${shape})`,
    })
  }
  const absent = options.donate?.find((i) => !(i in specs))
  if (absent !== undefined)
    raise({
      tag: 'UsageError',
      message: `compile: there is no argument ${absent} to donate, the function takes ${specs.length}`,
      hint: 'donate counts arguments from 0',
    })
}

/** UsageError where results are to be kept that there are not. */
export const demandKept = (traced: ReturnType<typeof traceTree>, options: CompileOptions): void => {
  const nowhere = options.keep === true ? undefined : options.keep?.find((k) => !standsAt(traced.outputs, k))
  if (nowhere !== undefined)
    raise({
      tag: 'UsageError',
      message: `compile: there is no result at '${nowhere}' to keep`,
      hint: `results are at ${traced.outputPaths.map((p) => p || "''").join(', ')}`,
    })
}

/** Whether `path` is `prefix`, or stands below it. */
export const covers = (prefix: string, path: string): boolean => {
  const clean = path.replace(/^\./, '')
  return clean === prefix || clean.startsWith(`${prefix}.`) || clean.startsWith(`${prefix}[`)
}
