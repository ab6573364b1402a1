/** `tensorloom build`: every program a file exports becomes a module a target, its declarations, and files beside them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AotTarget, aotTargets, targetOf } from '../../codegen/export/aot/module.ts'
import { hasUserCode } from '../../codegen/kernel/user-code.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { profiles } from '../../codegen/targets/profiles.ts'
import type { Program } from '../compile/compile.ts'
import { visible } from '../lang/visible-text.ts'
import { Failure } from './failure.ts'
import { loadPrograms } from './load-programs.ts'
import { type BuiltFile, programFiles, runtimeFiles } from './program-files.ts'
import { plannedFor } from './replan.ts'

export interface BuildOptions {
  readonly out: string
  /** Names of targets in a list with commas; default: all, or that of the profile. */
  readonly target?: string | undefined
  readonly profile?: string | undefined
}

/** What a program costs on a target. */
export interface BuiltPlan {
  readonly target: AotTarget
  readonly profile: string
  readonly kernels: number
  readonly dispatches: number
  readonly peakBytes: number
}

/** What was written of a program. */
export interface BuiltProgram {
  readonly name: string
  readonly plans: readonly BuiltPlan[]
  readonly files: readonly BuiltFile[]
}

/** What was written, and what the user should know of it. */
export interface Built {
  readonly programs: readonly BuiltProgram[]
  readonly runtime: readonly BuiltFile[]
  readonly notes: readonly string[]
}

/**
 * Failure where names cannot be file names of one folder: those that lead out of it, and two that a case-blind file system
 * takes for one, or for the runtime.
 */
export const checkNames = (names: readonly string[]): void => {
  const seen = new Map<string, string>([['runtime', 'the shared runtime']])
  for (const name of names) {
    // A name may be any text: export { p as '../p' }.
    if (!/^[\p{L}\p{N}_$-]+$/u.test(name))
      throw new Failure(`export ${visible(name)} cannot be the name of a file: give it another`)
    const other = seen.get(name.toLowerCase())
    if (other !== undefined) throw new Failure(`export ${name} would be written over ${other}: give it another name`)
    seen.set(name.toLowerCase(), `export ${name}`)
  }
}

/** The profile that a target's plan is made for where nobody names one. */
const usualProfile: Readonly<Record<AotTarget, string>> = { webgpu: 'portable', cpu: 'cpu' }

const namedProfile = (name: string | undefined): Plan['profile'] | undefined =>
  Object.entries(profiles).find(([key]) => key === name)?.[1]

/** The targets that are asked for, in the order of `aotTargets`. */
const wantedTargets = ({ target, profile }: BuildOptions): readonly AotTarget[] => {
  const named = namedProfile(profile)
  const own = named && targetOf({ profile: named })
  if (target === undefined) return own ? [own] : aotTargets
  const names = target.split(',').map((t) => t.trim())
  const unknown = names.find((n) => !(aotTargets as readonly string[]).includes(n))
  if (unknown !== undefined) throw new Failure(`no target is named '${unknown}'; there are ${aotTargets.join(', ')}`, 2)
  if (own && !names.includes(own))
    throw new Failure(`profile ${profile} is for ${own}, which is not among the targets: ${names.join(', ')}`, 2)
  return aotTargets.filter((t) => names.includes(t))
}

/** The plan of a program for a target: as it was compiled where it is for that, unless another profile of it is named. */
const planFor = (program: Program, target: AotTarget, profile: string | undefined): Plan => {
  const named = namedProfile(profile)
  if (named && targetOf({ profile: named }) === target) return plannedFor(program, profile).plan
  return plannedFor(program, targetOf(program.plan) === target ? undefined : usualProfile[target]).plan
}

/** Targets that can run the program: users' own code is WGSL, and its reference is no data that a module could hold. */
const possibleTargets = (name: string, program: Program, wanted: readonly AotTarget[]): readonly AotTarget[] => {
  if (!program.plan.kernels.some(({ kernel }) => hasUserCode(kernel))) return wanted
  if (wanted.includes('webgpu')) return ['webgpu']
  throw new Failure(
    `${name} has WGSL of your own in it, so it is written for WebGPU alone: build it with --target webgpu`,
  )
}

/** Builds `file` into `options.out` and says what was written. Rejects with Failure. */
export const build = async (file: string, options: BuildOptions): Promise<Built> => {
  const wanted = wantedTargets(options)
  const exported = await loadPrograms(file)
  checkNames(exported.map((e) => e.name))
  const planned = exported.map(({ name, program }) => {
    const targets = possibleTargets(name, program, wanted)
    return { name, targets, plans: targets.map((t) => planFor(program, t, options.profile)) }
  })
  const shared = aotTargets.filter((t) => planned.some(({ targets }) => targets.includes(t)))
  const programs = planned.map(({ name, plans }): BuiltProgram => {
    const figures = plans.map((plan): BuiltPlan => {
      const { dispatches, peakBytes } = plan.prediction
      return {
        target: targetOf(plan),
        profile: plan.profile.name,
        kernels: plan.kernels.length,
        dispatches,
        peakBytes,
      }
    })
    return { name, plans: figures, files: programFiles(name, plans, shared) }
  })
  const notes = planned
    .filter(({ targets }) => targets.length < wanted.length)
    .map(({ name }) => `${name} has WGSL of your own in it: written for WebGPU alone`)
  const runtime = await runtimeFiles(
    shared,
    planned.some(({ plans }) => plans.some((p) => p.sizes !== undefined)),
  )
  await mkdir(options.out, { recursive: true }).catch((e: unknown) => {
    throw new Failure(`${options.out} is no folder to write to (${e instanceof Error ? e.message : String(e)})`)
  })
  for (const f of [...programs.flatMap((p) => p.files), ...runtime]) {
    const path = join(options.out, f.path)
    await writeFile(path, f.bytes).catch((e: unknown) => {
      throw new Failure(`${path} cannot be written (${e instanceof Error ? e.message : String(e)})`)
    })
  }
  return { programs, runtime, notes }
}
