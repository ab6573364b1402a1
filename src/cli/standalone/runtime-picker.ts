/** What emitted modules for several targets import: picks one. The command line bundles this file. */
import type { AotTarget } from '../../../codegen/export/aot/module.ts'
import { navigatorGpu, requestAdapter } from '../../runtime/gpu/adapter.ts'
import type { Load } from './load-program.ts'

export { TensorloomError } from '../../lang/errors.ts'

/** A processor is faster than a GPU that it emulates. */
const hasHardware = async (): Promise<boolean> => {
  const gpu = navigatorGpu()
  return gpu !== undefined && (await requestAdapter(gpu))?.kind === 'hardware'
}

/** Whoever gives a GPU or a device means it. */
const targetOfPlace = async (on: unknown): Promise<AotTarget> =>
  on === 'cpu' || (on === undefined && !(await hasHardware())) ? 'cpu' : 'webgpu'

/** The `load` of a program that has a module for each target; only the one that is picked is imported. */
export const picker =
  (modules: Readonly<Record<AotTarget, () => Promise<{ readonly load: Load }>>>): Load =>
  async (on, options) => {
    const { load } = await modules[await targetOfPlace(on)]()
    return load(on, options)
  }
