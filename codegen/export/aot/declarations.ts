/** Plan → the `.d.ts` of its module: the exact trees, shapes and element types of arguments and results. */
import type { DType } from '../../../src/lang/dtype.ts'
import { areKnown, showSize, showSized } from '../../../src/lang/size.ts'
import type { TreeShape } from '../../../src/lang/tree.ts'
import type { InputSlot, OutputSlot, Slot } from '../../plan/plan.ts'
import type { EmittedPlan } from './emitted.ts'
import { printKey } from './javascript-literal.ts'
import { targetOf } from './module.ts'

// biome-ignore format: a table reads better
const typeNames: Readonly<Record<DType, string>> = {
  f32: 'F32', i32: 'I32', u32: 'U32', bool: 'Bool', f16: 'F16', bf16: 'BF16', i8: 'I8', u8: 'U8',
}

const shapeType = ({ shape, axes = shape }: Slot): string =>
  `readonly [${axes.map((s) => (typeof s === 'number' ? s : 'number')).join(', ')}]`

const argumentType = (slot: InputSlot): string => `${typeNames[slot.dtype]}<${shapeType(slot)}>`

const resultType = (slot: OutputSlot): string =>
  `${slot.keep ? 'Resident' : 'Value'}<'${slot.dtype}', ${shapeType(slot)}>`

/** What indices must stay below. */
const leastIndex = ({ indexOf = [] }: InputSlot): string =>
  areKnown(indexOf.map((r) => r.size))
    ? `${Math.min(...indexOf.map((r) => r.size as number))}`
    : indexOf.map((r) => showSize(r.size)).join(' and ')

const notes = (slot: Slot): string => {
  const more = [
    ...('donated' in slot && slot.donated ? ['given away: a handle is consumed'] : []),
    ...('keep' in slot && slot.keep ? ['stays on the device'] : []),
    ...('indexOf' in slot ? [`indices below ${leastIndex(slot as InputSlot)}`] : []),
  ]
  return [showSized(slot), ...more].join(', ')
}

/** The type of a tree, one field per line, each leaf with a doc comment. */
const treeType = <S extends Slot>(
  tree: TreeShape,
  slots: readonly S[],
  leaf: (slot: S) => string,
  indent: string,
): string => {
  if (typeof tree === 'number') return leaf(slots[tree]!)
  if ('empty' in tree) return tree.empty
  const inner = `${indent}  `
  const isList = 'list' in tree
  const fields: readonly (readonly [string, TreeShape])[] = isList
    ? tree.list.map((t) => ['', t])
    : Object.entries(tree.record).map(([key, t]) => [`readonly ${printKey(key)}: `, t])
  const [open, close] = isList ? ['readonly [', ']'] : ['{', '}']
  if (fields.length === 0) return open + close
  const lines = fields.map(([key, t]) => {
    const note = typeof t === 'number' ? `${inner}/** ${notes(slots[t]!)} */\n` : ''
    return `${note}${inner}${key}${treeType(t, slots, leaf, inner)}${isList ? ',' : ''}\n`
  })
  return `${open}\n${lines.join('')}${indent}${close}`
}

const loadNotes: Readonly<Record<string, readonly string[]>> = {
  webgpu: [
    ' * Puts the program on a device: yours, or one opened from `gpu` (default `navigator.gpu`). Its `run` takes Arguments and',
    ' * resolves to Results. Rejects with an error whose `error.tag` says what is wrong.',
  ],
  cpu: [
    ' * Makes the program ready on the processor, with the WebAssembly in the file beside the module, or `options.wasm`. Its `run`',
    ' * takes Arguments and resolves to Results. Rejects with an error whose `error.tag` says what is wrong.',
  ],
  both: [
    ' * Makes the program ready where you say: on your device, one opened from `gpu`, `webgpu` (one from `navigator.gpu`) or `cpu`;',
    ' * else on `navigator.gpu` where it has a hardware adapter, and on the processor where it has not. Its `run` takes Arguments',
    ' * and resolves to Results. Rejects with an error whose `error.tag` says what is wrong.',
  ],
}

/** The declarations of the module that runs `plans`: of one program, one a target. `runtime` is the file that has the types. */
export const printDeclarations = (plans: readonly EmittedPlan[], runtime: string): string => {
  const plan = plans[0]!
  const args = treeType(plan.inputTree, plan.inputs, argumentType, '')
  const results = treeType(plan.outputTree, plan.outputs, resultType, '')
  const used = [...new Set([...args.matchAll(/\b(F32|I32|U32|Bool|F16|BF16|I8|U8)</g)].map((m) => m[1]!))]
  const handles = ['Resident', 'Value'].filter((name) => results.includes(`${name}<`))
  const isOne = plans.length === 1
  const names = ['Load', ...(isOne ? ['PlanData'] : []), ...used, ...handles].sort()
  const needsWeights = plans.some((p) => p.data.some((d) => 'stored' in d))
  const on = plans.map((p) => `'${targetOf(p)}'`).join(' | ')
  return [
    `import type { ${names.join(', ')} } from './${runtime}'`,
    '',
    '/** What `run` takes: flat host arrays, or handles of results that stayed on the device. */',
    `export type Arguments = ${args}`,
    '',
    '/** What `run` gives: handles, read to the host when asked. */',
    `export type Results = ${results}`,
    '',
    ...(isOne
      ? [
          '/** Kernels, memory, slots and what a run costs, as plain data. */',
          `export declare const plan: PlanData<${on}>`,
          '',
        ]
      : []),
    '/**',
    ...loadNotes[isOne ? targetOf(plan) : 'both']!,
    ' */',
    `export declare const load: Load<Arguments, Results, ${on}${needsWeights ? ", 'weights'" : ''}>`,
    '',
  ].join('\n')
}
