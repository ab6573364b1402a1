/** What one call of a plan costs, counted and not computed by formula: on the device, and in the Kernel IR interpreter. */

import { kernelCounter } from '../../codegen/kernel/count/count-kernel.ts'
import { sliceOf } from '../../codegen/kernel/count/count-slice.ts'
import { laneStride } from '../../codegen/kernel/element-bytes.ts'
import { makeCounters, runKernel } from '../../codegen/kernel/interp/run-kernel.ts'
import type { Kernel } from '../../codegen/kernel/kernel.ts'
import type { Place, Plan, Step } from '../../codegen/plan/plan.ts'
import type { Work } from '../../codegen/plan/predict.ts'
import { kernelOf, unrolled } from '../../codegen/plan/steps.ts'
import { overlaps } from '../../passes/memory/place-bytes.ts'
import type { Argument } from '../../src/runtime/argument.ts'
import { countCalls } from '../../src/runtime/count-calls.ts'
import type { Executable } from '../../src/runtime/execute.ts'
import type { GpuDevice } from '../../src/runtime/gpu/device.ts'
import type { HostInput } from './inputs.ts'

type Dispatch = Extract<Step, { readonly kind: 'dispatch' }>

export interface Calls {
  readonly dispatches: number
  readonly submits: number
}

/** Calls to the device in one warm run, whose given-away arguments are the results of the run before. */
export const countRun = async (
  device: GpuDevice,
  executable: Executable,
  inputs: readonly HostInput[],
): Promise<Calls> => {
  const { plan } = executable
  const first = await executable.run(inputs)
  const again = plan.inputs.map((_, i): Argument => {
    const o = plan.outputs.findIndex((slot) => slot.inPlaceOf === i)
    return o < 0 ? inputs[i]! : first[o]!
  })
  const counter = countCalls(device.gpu)
  try {
    const outputs = await executable.run(again)
    const { dispatches, submits } = counter.read()
    for (const o of outputs) if (o.kind !== 'resident') await o.read()
    return { dispatches, submits }
  } finally {
    counter.stop()
  }
}

/** Views of the arenas, made when somebody asks: indices are few, tables are large. */
const arenasWith = (plan: Plan, inputs: readonly HostInput[]): ((arena: number) => ArrayBuffer) => {
  const made = new Map<number, ArrayBuffer>()
  return (arena) => {
    const seen = made.get(arena)
    if (seen) return seen
    const buffer = new ArrayBuffer(plan.arenas[arena]!)
    const put = (place: Place, data: ArrayLike<number>, dtype: string): void => {
      if (place.arena !== arena) return
      const words = dtype === 'f32' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array
      new words(buffer, place.offset, data.length).set(data)
    }
    for (const [i, slot] of plan.inputs.entries()) put(slot.place, inputs[i]!, slot.dtype)
    for (const d of plan.data) put(d.place, d.values, d.dtype)
    made.set(arena, buffer)
    return buffer
  }
}

/** A reader of the elements of a dispatch's bindings, as integers (an index is never anything else). */
const valuesOf = (kernel: Kernel, step: Dispatch, arena: (n: number) => ArrayBuffer) => {
  const views = new Map<string, (element: number, lane: number) => number>()
  return (binding: string, element: number, lane: number): number => {
    const seen = views.get(binding)
    if (seen) return seen(element, lane)
    const at = kernel.bindings.findIndex((b) => b.name === binding)
    const { scalar, width } = kernel.bindings[at]!.element
    const { arena: number, offset, bytes } = step.bindings[at]!
    const words = scalar === 'f32' ? Float32Array : scalar === 'i32' ? Int32Array : Uint32Array
    const view = new words(arena(number), offset, bytes >> 2)
    const stride = laneStride(width)
    const read = (e: number, l: number): number => view[e * stride + l] ?? 0
    views.set(binding, read)
    return read(element, lane)
  }
}

/** Every dispatch by the whole interpreter, values and all. */
const interpret = (plan: Plan, arena: (n: number) => ArrayBuffer): Work => {
  const counters = makeCounters()
  for (const step of unrolled(plan.steps)) {
    if (step.kind === 'copy') {
      const from = new Uint8Array(arena(step.from.arena), step.from.offset, step.from.bytes)
      new Uint8Array(arena(step.to.arena), step.to.offset, step.to.bytes).set(from)
      continue
    }
    const bindings = step.bindings.map((p) => ({ buffer: arena(p.arena), byteOffset: p.offset, byteLength: p.bytes }))
    runKernel(kernelOf(plan, step), step.workgroups, bindings, counters)
  }
  return { bytes: counters.bytes, flops: counters.flops }
}

/**
 * Bytes (per workgroup, the distinct elements of each binding that it touches) and flops of one call, by running every
 * workgroup of every dispatch: the slice that decides addresses where that is enough, the whole kernels where an index is
 * itself computed on the device.
 */
export const countPlan = (plan: Plan, inputs: readonly HostInput[]): Work => {
  const arena = arenasWith(plan, inputs)
  const dispatches = unrolled(plan.steps).filter((s): s is Dispatch => s.kind === 'dispatch')
  const given = [...plan.inputs.map((s) => s.place), ...plan.data.map((d) => d.place)]
  const seen = new Map<string, Work>()
  let bytes = 0
  let flops = 0
  for (const step of dispatches) {
    const kernel = kernelOf(plan, step)
    const sizes = step.bindings.map((p) => p.bytes)
    const { valued } = sliceOf(kernel)
    const known = kernel.bindings.every(
      (b, i) => !valued.has(b.name) || given.some((p) => overlaps(p, step.bindings[i]!)),
    )
    const counter = known ? kernelCounter(kernel, sizes, valuesOf(kernel, step, arena)) : undefined
    if (!counter) return interpret(plan, arenasWith(plan, inputs))
    const key = `${step.kernel}:${step.workgroups}:${sizes.join()}`
    let work = valued.size > 0 ? undefined : seen.get(key)
    if (!work) {
      for (let w = 0; w < step.workgroups; w++) counter.run(w)
      work = { bytes: counter.bytes().reduce((a, b) => a + b, 0), flops: counter.flops() }
      seen.set(key, work)
    }
    bytes += work.bytes
    flops += work.flops
  }
  return { bytes, flops }
}
