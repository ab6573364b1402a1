/**
 * What emitted modules for the processor import: the executor, trees, safetensors, linear memory; no compiler, neither of
 * graphs nor of WebAssembly. The command line bundles this file, so everything it reaches is shipped.
 */
import type { EmittedPlan } from '../../../codegen/export/aot/emitted.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { type CpuDevice, cpuDevice } from '../../runtime/cpu/device.ts'
import type { KernelSource, PlanModule } from '../../runtime/cpu/plan-module.ts'
import { canShareMemory, hardwareThreads, mostThreads } from '../../runtime/cpu/team/thread-count.ts'
import { standingDevice } from '../../runtime/device.ts'
import { type Load, loadOn, refuseUse, withWeights } from './load-program.ts'
import { wasmModule } from './wasm-file.ts'

export { TensorloomError } from '../../lang/errors.ts'

/** What the plans that are loaded have in their files. */
const modules = new WeakMap<Plan, PlanModule>()
const source: KernelSource = { moduleOf: async (plan) => modules.get(plan)! }

let opened: Promise<CpuDevice> | undefined

/** UsageError for what is no number of threads. */
const demandThreads = (threads: number): void => {
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads)
    refuseUse(`threads is ${threads}`, `it can be 1 to ${mostThreads}`)
}

const openCpu = async (threads: number): Promise<CpuDevice> => {
  if (threads <= 1 || !canShareMemory()) return cpuDevice({ source })
  const { crewOf } = await import('./worker-file.ts')
  return cpuDevice({ source, crew: crewOf(threads) })
}

/** One device for all programs, so that handles pass from one to the other. */
const sharedCpu = (threads = hardwareThreads()): Promise<CpuDevice> => {
  demandThreads(threads)
  opened = standingDevice(opened, () => openCpu(threads))
  return opened
}

/** The `load` of a module for the processor, whose WebAssembly is the file at `url`. */
export const loader =
  (plan: EmittedPlan, url: () => URL): Load =>
  async (on, options = {}) => {
    if (on !== undefined && on !== 'cpu')
      refuseUse("the first argument is not 'cpu', and this module has no WGSL", 'build it with --target webgpu,cpu')
    const complete = withWeights(plan, options.weights)
    const { wasm } = plan
    const device = await sharedCpu(options.threads)
    const module = await wasmModule(options.wasm, url, wasm!, device.team !== undefined)
    modules.set(complete, {
      module,
      scratchBytes: wasm!.scratchBytes,
      numbers: plan.kernels.map((_, i) => i),
    })
    return loadOn('cpu', device, plan, complete)
  }
