/** Plan → the text of an ES module that runs it, with a runtime shared by all modules of a folder. */
import { visible } from '../../../src/lang/visible-text.ts'
import type { EmittedPlan } from './emitted.ts'
import { printLiteral } from './javascript-literal.ts'

/** What a module runs on. */
export type AotTarget = 'webgpu' | 'cpu'

/** All of them, the preferred first. */
export const aotTargets: readonly AotTarget[] = ['webgpu', 'cpu']

/** By the language that a plan's kernels are in. */
const targets: Readonly<Record<string, AotTarget>> = { wgsl: 'webgpu', wasm: 'cpu' }

/** What a plan is run on. */
export const targetOf = ({ profile }: Pick<EmittedPlan, 'profile'>): AotTarget => targets[profile.target]!

/** The file of a target's runtime: shared by a folder's modules, so that one program's results can be another's arguments. */
export const runtimeFile = (target: AotTarget): string => `runtime.${target}.js`

/** The file of what picks a target. */
export const pickerFile = 'runtime.js'

/** The file in a folder of modules for `targets` whose declarations all others use. */
export const declaredFile = (targets: readonly AotTarget[]): string =>
  targets.length === 1 ? runtimeFile(targets[0]!) : pickerFile

/** A name inside a comment of one line, which may stand in a script of a page. */
const comment = (name: string): string => visible(name).replace(/<(?=[/!])/g, '< ')

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/**
 * A module that exports `plan` and `load`. It contains no compiler and no code except one call, and has no side effects
 * when imported. The text is deterministic. `wasm` is the name of its file, where it has one.
 */
export const printModule = (plan: EmittedPlan, wasm: string): string => {
  const { dispatches, peakBytes } = plan.prediction
  const stored = plan.data.some((d) => 'stored' in d)
    ? '; load it with the weights in the .safetensors file beside it'
    : ''
  // Spelled in this way, bundlers take the file along.
  const file = plan.wasm ? `, () => new URL('./${wasm}', import.meta.url)` : ''
  return [
    `// ${comment(plan.name)}: ${count(plan.kernels.length, 'kernel')}, ${count(dispatches, 'dispatch', 'dispatches')}, ${count(peakBytes, 'byte')} on the device${stored}.`,
    `// Written by tensorloom for the ${comment(plan.profile.name)} profile.`,
    `import { loader } from './${runtimeFile(targetOf(plan))}'`,
    '',
    `export const plan = ${printLiteral(plan)}`,
    '',
    `export const load = /* @__PURE__ */ loader(plan${file})`,
    '',
  ].join('\n')
}

/** The module of a program for several targets, whose `load` imports the module `files` has for the one that it picks. */
export const printPicker = (name: string, files: Readonly<Record<AotTarget, string>>): string => {
  const imports = aotTargets.map((t) => `  ${t}: () => import('./${files[t]}'),`)
  return [
    `// ${comment(name)}, for a GPU and for a processor: load picks one and imports what that needs.`,
    '// Written by tensorloom.',
    `import { picker } from './${pickerFile}'`,
    '',
    'export const load = /* @__PURE__ */ picker({',
    ...imports,
    '})',
    '',
  ].join('\n')
}
