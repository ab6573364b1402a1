/** What the driver knows of targets: how a Plan's kernels are printed for each. */
import type { PrintCode } from '../../codegen/plan/plan.ts'
import { printKernel } from '../../codegen/targets/wgsl/print-module.ts'
import type { Profile } from '../../passes/profile.ts'

const printers: Readonly<Record<string, PrintCode>> = {
  wgsl: (kernel, subnormals) => ({ wgsl: printKernel(kernel, { keepSubnormals: subnormals === 'keep' }) }),
  // All kernels of a plan become one module, when it is loaded or emitted.
  wasm: () => ({}),
}

/** The targets that there are. */
export const targetNames: readonly string[] = Object.keys(printers)

/** How kernels are printed for `profile`. */
export const printerFor = ({ target }: Profile): PrintCode => printers[target]!
