/** Plan → the text of an ES module that runs it, with a runtime shared by all modules of a folder. */
import { visible } from '../../../src/lang/visible-text.ts'
import type { EmittedPlan } from './emitted.ts'
import { printLiteral } from './javascript-literal.ts'

/** The file that holds the runtime: shared, so that one program's results can be another's arguments on the device. */
export const runtimeFile = 'runtime.js'

/** A name inside a comment of one line, which may stand in a script of a page. */
const comment = (name: string): string => visible(name).replace(/<(?=[/!])/g, '< ')

/**
 * A module that exports `plan` and `load`. It contains no compiler and no code except one call, and has no side effects
 * when imported. The text is deterministic.
 */
export const printModule = (plan: EmittedPlan): string => {
  const { dispatches, peakBytes } = plan.prediction
  const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
  const stored = plan.data.some((d) => 'stored' in d)
    ? '; load it with the weights in the .safetensors file beside it'
    : ''
  return [
    `// ${comment(plan.name)}: ${count(plan.kernels.length, 'kernel')}, ${count(dispatches, 'dispatch', 'dispatches')}, ${count(peakBytes, 'byte')} on the device${stored}.`,
    `// Written by tensorloom for the ${comment(plan.profile.name)} profile.`,
    `import { loader } from './${runtimeFile}'`,
    '',
    `export const plan = ${printLiteral(plan)}`,
    '',
    'export const load = /* @__PURE__ */ loader(plan)',
    '',
  ].join('\n')
}
