/** Whether a plan fits a device: limits and features are checked before anything is made, and refused with both numbers. */

import { elementBytes } from '../../../codegen/kernel/element-bytes.ts'
import type { Plan, PlannedKernel } from '../../../codegen/plan/plan.ts'
import { everyStep } from '../../../codegen/plan/steps.ts'
import { boundBytes, buffersBehind, vectorBytes } from '../../../passes/memory/place-bytes.ts'
import { alignUp } from '../../lang/dim.ts'
import { raise } from '../../lang/errors.ts'
import type { WebGpuDevice } from '../global-types.ts'

/** The features a kernel's text switches on: what it uses, not what its profile allowed. */
export const enabledFeatures = (wgsl: string): readonly string[] => {
  const names = [...wgsl.matchAll(/^\s*enable\s+([^;]+);/gm)].flatMap((m) => m[1]!.split(',').map((s) => s.trim()))
  return names.map((name) => (name === 'f16' ? 'shader-f16' : name))
}

/**
 * Folds `workgroups` into x·y ≥ workgroups with both sides at most `side`. Near-square, as {side, rest} can waste half
 * of the grid; kernels read their number as y·num_workgroups.x + x and guard the surplus. Raises LimitError past side².
 * @example
 * runtime.foldGrid(10, 4) // => [4, 3]
 * runtime.foldGrid(17, 4) // => throws LimitError
 */
export const foldGrid = (workgroups: number, side: number): readonly [number, number] => {
  if (workgroups <= side) return [workgroups, 1]
  if (workgroups > side * side)
    return raise({ tag: 'LimitError', what: 'workgroups of one dispatch', needed: workgroups, limit: side * side })
  const x = Math.ceil(Math.sqrt(workgroups))
  return [x, Math.ceil(workgroups / x)]
}

const demand = (what: string, needed: number, limit: number, hint: string): void => {
  if (needed > limit) raise({ tag: 'LimitError', what, needed, limit, hint })
}

const replan = 'compile for profileOf(device), or for the portable profile'

const checkKernel = ({ limits, features }: GPUDevice, { kernel, wgsl }: PlannedKernel): void => {
  const name = `kernel ${kernel.name}`
  for (const feature of enabledFeatures(wgsl!))
    if (!features.has(feature))
      raise({
        tag: 'UnsupportedFeature',
        feature,
        hint: `${name} uses it; ${feature === 'shader-f16' ? "cast f16 to 'f32', or to 'bf16' to store as little" : replan}`,
      })
  demand(`${name}: storage buffers`, kernel.bindings.length, limits.maxStorageBuffersPerShaderStage, replan)
  const threads = Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)
  demand(`${name}: invocations of a workgroup`, kernel.workgroupSize, threads, replan)
  const shared = kernel.arrays
    .filter((a) => a.space === 'workgroup')
    .reduce((sum, a) => sum + alignUp(a.size * elementBytes(a.element), vectorBytes), 0)
  demand(`${name}: bytes of workgroup memory`, shared, limits.maxComputeWorkgroupStorageSize, replan)
}

/** Raises LimitError or UnsupportedFeature where `gpu` cannot run `plan`. */
export const checkFit = (gpu: WebGpuDevice, plan: Plan): void => {
  const { limits } = gpu
  const split = 'use smaller batches, or a profile with smaller maxBindingBytes and maxBufferBytes'
  plan.arenas.forEach((bytes, i) => {
    demand(
      `arena ${i}: bytes of a buffer`,
      Math.max(...buffersBehind(bytes, plan.profile)),
      limits.maxBufferSize,
      split,
    )
  })
  for (const planned of plan.kernels) checkKernel(gpu, planned)
  for (const step of everyStep(plan.steps)) {
    if (step.kind === 'copy') continue
    for (const place of step.bindings) {
      const name = `kernel ${plan.kernels[step.kernel]?.kernel.name}`
      demand(`${name}: bytes of a binding`, boundBytes(place), limits.maxStorageBufferBindingSize, split)
      const rest = place.offset % limits.minStorageBufferOffsetAlignment
      if (rest !== 0)
        demand(
          `${name}: alignment of a binding`,
          limits.minStorageBufferOffsetAlignment,
          place.offset & -place.offset,
          replan,
        )
    }
  }
}
