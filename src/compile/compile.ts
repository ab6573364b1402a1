/** The driver: a pure function and the types of its arguments → Program (a Plan, data) → a program loaded on a device. */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import type { Planned } from '../../codegen/plan/make-plan.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import type { Stage } from '../../passes/pipeline.ts'
import type { Profile } from '../../passes/profile.ts'
import type { Shape } from '../lang/dim.ts'
import type { DType } from '../lang/dtype.ts'
import {
  type CompileError,
  type DataError,
  type RuntimeError,
  TensorloomError,
  type UsageError,
} from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { isNamedSize, type KnownShape, type SizedShape, showSized } from '../lang/size.ts'
import { demandDType, demandShape } from '../lang/tensor/arguments.ts'
import type { Device } from '../runtime/device.ts'
import { type Executable, loadPlan } from '../runtime/execute.ts'
import { openDevice, profileOf } from '../runtime/open-device.ts'
import { beforeFreezing } from '../runtime/resident.ts'
import { runTree } from '../runtime/tree-arguments.ts'
import { hostArguments, showObserved } from './host.ts'
import { type CompileOptions, demandDevice } from './options.ts'
import { type Made, planProgram } from './plan-program.ts'
import { printingLoaded, printingProgram } from './print-programs.ts'
import { printingResult } from './print-results.ts'
import { teller, waiting } from './progress.ts'
import { traceOrError } from './trace-program.ts'
import type { ArgumentsOf, Given, ResultsOf, Spec, SpecsFor, TensorsOf } from './tree-types.ts'
import { warn } from './warn.ts'

// Here, as a bundler leaves out a file that exports nothing of use.
beforeFreezing(printingResult)

/**
 * The type of an argument of `compile`: `spec([64, 784])` is f32 of that shape; `spec([64], 'i32')` one of integers; a size
 * that is known when the program runs has a name, `spec([T.dim('batch', { max: 512 }), 784])`.
 * @example
 * T.spec([64], 'i32') // => { shape: [64], dtype: 'i32' }
 */
export const spec: {
  // Without a type parameter for the dtype, which would be inferred from where the spec stands.
  <const S extends SizedShape>(shape: S): Spec<KnownShape<S>, 'f32'>
  <const S extends SizedShape, D extends DType = 'f32'>(shape: S, dtype: D | undefined): Spec<KnownShape<S>, D>
} = (shape: SizedShape, dtype: DType = 'f32'): Spec<never, never> => {
  const isSized = Array.isArray(shape) && shape.some(isNamedSize)
  if (isSized)
    demandShape(
      'spec',
      shape.map((s) => (isNamedSize(s) ? s.max : s)),
    )
  const sizes = Object.freeze(isSized ? [...shape] : demandShape('spec', shape as Shape)) as never
  const made = { shape: sizes, dtype: demandDType('spec', dtype) as never }
  return Object.freeze(printedCall(made, 'T.spec', shape, dtype))
}

/** A compiled function: data, no device. */
export interface Program<A extends readonly unknown[] = readonly unknown[], R = unknown> {
  /** For the profile that was named, or `portable`. Frozen: programs that are made from the same share it. */
  readonly plan: Plan
  /** What the function says in vain, though it compiles: conditions that reach no result. They are printed on stderr too. */
  readonly warnings: readonly UsageError[]
  /** The decisions that led to the plan, for `explain`: made anew where the plan was looked up. */
  readonly planned: Planned
  /** The graph after every stage, for `explain`; made anew where the plan was looked up. */
  readonly stages: readonly Stage[]
  /**
   * Loads it on `device`, or on one opened for it. Where that device runs another target than the plan is for, the program is
   * planned for it, unless its profile was named.
   */
  readonly load: (device?: Device) => TE.TaskEither<RuntimeError, Loaded<A, R>>
}

/** What `compile` gives. Plain `Compiled` is the type to annotate an exported program with, whatever its arguments are. */
export type Compiled<A extends readonly unknown[] = never, R = unknown> = E.Either<CompileError, Program<A, R>>

/** A program on a device. */
export interface Loaded<A extends readonly unknown[] = readonly unknown[], R = unknown> {
  readonly program: Program<A, R>
  readonly device: Device
  readonly executable: Executable
  /** Runs once. Rejects with the typed error that `runTask` gives as a value. */
  readonly run: (...args: { readonly [K in keyof A]: ArgumentsOf<A[K]> }) => Promise<ResultsOf<R>>
  readonly runTask: (
    ...args: { readonly [K in keyof A]: ArgumentsOf<A[K]> }
  ) => TE.TaskEither<RuntimeError, ResultsOf<R>>
  /** The same program on another device, after a loss. Kept results of before are gone; give host copies. */
  readonly reload: (device: Device) => TE.TaskEither<RuntimeError, Loaded<A, R>>
}

/**
 * Traces `f` on `specs`, runs the graph passes, plans; a plan that was made from the same before is looked up. Never touches
 * a device. Left CheckError for ill-typed
 * expressions (all of them), UsageError, IndexError or LimitError; other exceptions of `f` are its own.
 * @example
 * const program = T.orThrow(T.compile((x, y) => T.exp(T.mul(x, y)), [T.spec([4]), T.spec([4])]))
 * program.plan.prediction.dispatches // => 1
 * T.compile((x) => T.reshape(x, [5]), [T.spec([2, 3])])._tag // => 'Left'
 */
export const compile = <
  const A extends readonly unknown[],
  R,
  F extends readonly unknown[] = TensorsOf<A> & readonly unknown[],
>(
  f: (...args: F) => R,
  specs: A & NoInfer<SpecsFor<F>>,
  options: CompileOptions = {},
): Compiled<Given<A, F>, R> => compileFor(undefined, f, specs, options)

/** `compile` where the device is known that will load the program: planned for its `profile` unless the options name one. */
export const compileFor = <A extends readonly unknown[], R>(
  profile: Profile | undefined,
  f: (...args: never) => R,
  specs: readonly unknown[],
  options: CompileOptions,
): E.Either<CompileError, Program<A, R>> => {
  const tell = teller(nameOf(f, options), options?.progress)
  const traced = traceOrError(f, specs, options)
  if (E.isLeft(traced)) return traced
  const { warnings } = traced.right
  warn(warnings)
  const name = nameOf(f, options)
  const planFor = (profile: Profile | undefined): ReturnType<typeof planProgram> =>
    planProgram(traced.right, name, { ...options, ...(profile ? { profile } : {}) }, tell)
  const anew = options.profile ? undefined : (profile: Profile): Plan => orThrow(planFor(profile)).plan
  return pipe(
    planFor(options.profile ?? profile),
    E.map(({ plan, made }) => programOf<A, R>(plan, warnings, made, anew, options.progress)),
  )
}

const nameOf = (f: unknown, options: CompileOptions | undefined): string =>
  options?.name ?? ((f as { readonly name?: string } | undefined)?.name || 'program')

/** The plan of a program for a device: its own, or where that is for another target one that `anew` makes, once a profile. */
const makePlanFor = (plan: Plan, anew: ((profile: Profile) => Plan) | undefined): ((device: Device) => Plan) => {
  const plans = new Map<string, Plan>()
  return (device) => {
    const profile = profileOf(device)
    if (!anew || profile.target === plan.profile.target) return plan
    const key = JSON.stringify(profile)
    const made = plans.get(key) ?? anew(profile)
    plans.set(key, made)
    return made
  }
}

const programOf = <A extends readonly unknown[], R>(
  plan: Plan,
  warnings: readonly UsageError[],
  made: () => Made,
  anew: ((profile: Profile) => Plan) | undefined,
  progress: CompileOptions['progress'],
): Program<A, R> => {
  const planFor = makePlanFor(plan, anew)
  const program: Program<A, R> = printingProgram({
    plan,
    warnings,
    get planned() {
      return made().planned
    },
    get stages() {
      return made().stages
    },
    load: (device) =>
      loadedOn(program, planFor, progress, async () => {
        if (device === undefined) return openDevice()
        demandDevice('load', device)
        return device
      }),
  })
  return program
}

const loadedOn = <A extends readonly unknown[], R>(
  program: Program<A, R>,
  planFor: (device: Device) => Plan,
  progress: CompileOptions['progress'],
  open: () => Promise<Device>,
): TE.TaskEither<RuntimeError, Loaded<A, R>> =>
  attempt(async () => {
    const device = await open()
    const plan = planFor(device)
    const tell = teller(plan.name, progress)
    const loading = `loading ${plan.kernels.length} kernels on ${device.description}`
    const executable = await waiting(tell, loading, loadPlan(device, plan, showObserved))
    return loadedOf(program, planFor, progress, executable)
  })

const loadedOf = <A extends readonly unknown[], R>(
  program: Program<A, R>,
  planFor: (device: Device) => Plan,
  progress: CompileOptions['progress'],
  executable: Executable,
): Loaded<A, R> => {
  const run: Loaded<A, R>['run'] = async (...args) =>
    (await runTree(executable, hostArguments(args) as readonly unknown[], showSized)) as ResultsOf<R>
  return printingLoaded({
    program,
    device: executable.device,
    executable,
    run,
    runTask: (...args) => attempt(() => run(...args)),
    reload: (device) =>
      loadedOn(program, planFor, progress, async () => {
        demandDevice('reload', device)
        return device
      }),
  })
}

const attempt = <T>(f: () => Promise<T>): TE.TaskEither<RuntimeError, T> =>
  TE.tryCatch(f, (e): RuntimeError => {
    if (e instanceof TensorloomError) return e.error as RuntimeError
    throw e
  })

/**
 * The Right of what `compile` (or the reading of a table) gives; throws the typed error otherwise. For scripts.
 * @example
 * T.orThrow(T.compile((x) => T.mean(x), [T.spec([4], 'i32')])) // => throws CheckError
 */
export const orThrow = <T>(result: E.Either<CompileError | DataError, T>): T => {
  if (E.isLeft(result)) throw new TensorloomError(result.left)
  return result.right
}

/**
 * Runs a TaskEither as a promise that rejects with the typed error. For scripts.
 * @example
 * const program = T.orThrow(T.compile((x) => T.mul(x, 2), [T.spec([2])]))
 * const loaded = await T.toPromise(program.load(await T.defaultDevice()))
 * await (await loaded.run([1, 2])).read() // => [2, 4]
 */
export const toPromise = async <T>(task: TE.TaskEither<RuntimeError, T>): Promise<T> => {
  const result = await task()
  if (E.isLeft(result)) throw new TensorloomError(result.left)
  return result.right
}
