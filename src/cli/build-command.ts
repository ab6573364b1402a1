/** `tensorloom build`: every program a file exports becomes a module, its declarations and, where needed, its weights. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printDeclarations } from '../../codegen/export/aot/declarations.ts'
import { emittedPlan, type LargeConstant } from '../../codegen/export/aot/emitted.ts'
import { printModule, runtimeFile } from '../../codegen/export/aot/module.ts'
import { runtimeDeclarations } from '../../codegen/export/aot/runtime-declarations.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { hostArray } from '../compile/host.ts'
import { type StoredTensor, writeSafetensors } from '../io/safetensors.ts'
import { visible } from '../lang/visible-text.ts'
import { bundleRuntime } from './bundle-runtime.ts'
import { Failure } from './failure.ts'
import { loadPrograms } from './load-programs.ts'
import { plannedFor } from './replan.ts'

export interface BuildOptions {
  readonly out: string
  readonly profile?: string
}

/** A file to write, with its bytes. */
export interface BuiltFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** A module and what it costs. */
export interface BuiltProgram {
  readonly name: string
  readonly profile: string
  readonly files: readonly BuiltFile[]
  readonly kernels: number
  readonly dispatches: number
  readonly peakBytes: number
}

const textFile = (path: string, text: string): BuiltFile => ({ path, bytes: new TextEncoder().encode(text) })

const stored = ({ data }: LargeConstant): StoredTensor => {
  const { dtype, values } = data
  const length = values.length
  return { dtype, shape: [length], data: hostArray(dtype, values) }
}

/** The files of one plan under `name`: module, declarations, and a safetensors file where it has large constants. */
export const programFiles = (name: string, plan: Plan): readonly BuiltFile[] => {
  const emitted = emittedPlan(plan)
  const tensors = Object.fromEntries(emitted.constants.map((c) => [c.name, stored(c)]))
  return [
    textFile(`${name}.js`, printModule(emitted.plan)),
    textFile(`${name}.d.ts`, printDeclarations(emitted.plan)),
    ...(emitted.constants.length > 0
      ? [{ path: `${name}.safetensors`, bytes: writeSafetensors(tensors, { program: plan.name }) }]
      : []),
  ]
}

/** The runtime that modules of one folder share. */
export const runtimeFiles = async (): Promise<readonly BuiltFile[]> => [
  textFile(runtimeFile, await bundleRuntime()),
  textFile(runtimeFile.replace(/js$/, 'd.ts'), runtimeDeclarations),
]

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

/** Builds `file` into `options.out` and says what was written. Rejects with Failure. */
export const build = async (
  file: string,
  options: BuildOptions,
): Promise<{ readonly programs: readonly BuiltProgram[]; readonly runtime: readonly BuiltFile[] }> => {
  const exported = await loadPrograms(file)
  checkNames(exported.map((e) => e.name))
  const programs = exported.map(({ name, program }): BuiltProgram => {
    const { plan } = plannedFor(program, options.profile)
    const { name: profile, target } = plan.profile
    if (target !== 'wgsl')
      throw new Failure(
        `${name} is planned for ${profile}: modules are written for WebGPU alone, as --profile portable`,
      )
    const { dispatches, peakBytes } = plan.prediction
    const files = programFiles(name, plan)
    return { name, profile, files, kernels: plan.kernels.length, dispatches, peakBytes }
  })
  const runtime = await runtimeFiles()
  await mkdir(options.out, { recursive: true }).catch((e: unknown) => {
    throw new Failure(`${options.out} is no folder to write to (${e instanceof Error ? e.message : String(e)})`)
  })
  for (const f of [...programs.flatMap((p) => p.files), ...runtime]) {
    const path = join(options.out, f.path)
    await writeFile(path, f.bytes).catch((e: unknown) => {
      throw new Failure(`${path} cannot be written (${e instanceof Error ? e.message : String(e)})`)
    })
  }
  return { programs, runtime }
}
