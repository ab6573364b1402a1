/** What is written of a program, and of the runtime that programs share, as names and bytes. */
import { printDeclarations } from '../../codegen/export/aot/declarations.ts'
import { type Emitted, emittedPlan, type LargeConstant } from '../../codegen/export/aot/emitted.ts'
import { type AotTarget, declaredFile, printModule, printPicker, targetOf } from '../../codegen/export/aot/module.ts'
import { runtimeDeclarations } from '../../codegen/export/aot/runtime-declarations.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { hostArray } from '../compile/host.ts'
import { type StoredTensor, writeSafetensors } from '../io/safetensors.ts'
import { bundleRuntime } from './bundle-runtime.ts'

/** A file to write, with its bytes. */
export interface BuiltFile {
  readonly path: string
  readonly bytes: Uint8Array
}

const textFile = (path: string, text: string): BuiltFile => ({ path, bytes: new TextEncoder().encode(text) })

const stored = ({ data }: LargeConstant): StoredTensor => {
  const { dtype, values } = data
  const length = values.length
  return { dtype, shape: [length], data: hostArray(dtype, values) }
}

/** The plans of a program, which share their constants. */
const emittedPlans = (plans: readonly Plan[]): readonly Emitted[] => {
  const emitted: Emitted[] = []
  for (const plan of plans) emitted.push(emittedPlan(plan, emitted.at(-1)?.constants))
  return emitted
}

/**
 * The files of a program under `name`, of which there is a plan a target: modules, declarations, a safetensors file where it
 * has large constants, WebAssembly. `shared` are the targets that the modules of the folder are for.
 */
export const programFiles = (
  name: string,
  plans: readonly Plan[],
  shared: readonly AotTarget[] = plans.map(targetOf),
): readonly BuiltFile[] => {
  const emitted = emittedPlans(plans)
  const constants = emitted.at(-1)!.constants
  const isOne = plans.length === 1
  const moduleFile = (target: AotTarget): string => (isOne ? `${name}.js` : `${name}.${target}.js`)
  const wasm = `${name}.wasm`
  const modules = emitted.map(({ plan }) => textFile(moduleFile(targetOf(plan)), printModule(plan, wasm)))
  const { name: program } = plans[0]!
  const tensors = Object.fromEntries(constants.map((c) => [c.name, stored(c)]))
  return [
    ...(isOne
      ? []
      : [textFile(`${name}.js`, printPicker(program, { webgpu: moduleFile('webgpu'), cpu: moduleFile('cpu') }))]),
    ...modules,
    textFile(
      `${name}.d.ts`,
      printDeclarations(
        emitted.map(({ plan }) => plan),
        declaredFile(shared),
      ),
    ),
    ...(constants.length > 0 ? [{ path: `${name}.safetensors`, bytes: writeSafetensors(tensors, { program }) }] : []),
    ...emitted.flatMap((e) => (e.wasm ? [{ path: wasm, bytes: e.wasm }] : [])),
  ]
}

/** The runtime that modules of one folder share, which are for `targets`. */
export const runtimeFiles = async (
  targets: readonly AotTarget[],
  hasNamedSizes: boolean,
): Promise<readonly BuiltFile[]> => [
  ...(await bundleRuntime(targets, hasNamedSizes)).map(({ file, text }) => textFile(file, text)),
  textFile(declaredFile(targets).replace(/js$/, 'd.ts'), runtimeDeclarations),
]
