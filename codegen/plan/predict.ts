/**
 * Predicted costs of a plan. Dispatches and peak memory follow from the plan. Bytes and flops are those of one
 * workgroup of each class (`count-classes.ts`) times the size of the class: exact, and computed lazily. Where an
 * address depends on data, all indices are assumed to be distinct: an index is taken to hold its own position.
 */

import type { MemoryPlan } from '../../passes/memory/places.ts'
import { workgroupClasses } from '../kernel/count/count-classes.ts'
import { kernelCounter } from '../kernel/count/count-kernel.ts'
import { makeCounters, runKernel } from '../kernel/interp/run-kernel.ts'
import { textBytes } from '../kernel/interp/user-reference.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { withWords } from '../kernel/words.ts'
import type { BoundKernel } from '../lower/assemble.ts'
import type { Run } from './kernel-order.ts'
import type { Prediction } from './plan.ts'

/** The work of one dispatch. */
export interface Work {
  /** The bytes of the distinct elements that each workgroup touches in each binding, summed. */
  readonly bytes: number
  readonly flops: number
}

/** The work of a kernel on bindings of these sizes in bytes. */
export const workOf = (kernel: Kernel, workgroups: number, sizes: readonly number[]): Work => {
  if (kernel.text) return { bytes: textBytes(kernel, kernel.text), flops: 0 }
  const widths = new Map(kernel.bindings.map((b) => [b.name, b.element.width]))
  const counter = kernelCounter(kernel, sizes, (binding, element, lane) => element * widths.get(binding)! + lane)
  if (!counter) {
    const counters = makeCounters()
    const memory = sizes.map((n) => ({ buffer: new ArrayBuffer(n) }))
    runKernel(kernel, workgroups, memory, counters)
    return { bytes: counters.bytes, flops: counters.flops }
  }
  let bytes = 0
  let flops = 0
  const touched = (): number => counter.bytes().reduce((a, b) => a + b, 0)
  for (const { representative, count } of workgroupClasses(kernel, workgroups)) {
    const before = { bytes: touched(), flops: counter.flops() }
    counter.run(representative)
    bytes += count * (touched() - before.bytes)
    flops += count * (counter.flops() - before.flops)
  }
  return { bytes, flops }
}

const known = new WeakMap<Kernel, Map<string, Work>>()

/** The work of one dispatch of `kernel`; counted once, and remembered with the kernel. */
const workOnce = (kernel: Kernel, workgroups: number, sizes: readonly number[]): Work => {
  const counted = known.get(kernel) ?? new Map<string, Work>()
  known.set(kernel, counted)
  const key = `${workgroups}:${sizes}`
  const work = counted.get(key) ?? workOf(kernel, workgroups, sizes)
  counted.set(key, work)
  return work
}

const sizesOf = (bound: BoundKernel): readonly number[] => bound.places.map((p) => p.bytes)

/** The kernel whose loops go as far as they ever do. */
const atBounds = ({ kernel, limits }: BoundKernel): Kernel =>
  limits
    ? withWords(
        kernel,
        limits.map(({ most }) => most),
      )
    : kernel

/** The work of one dispatch, memoised. */
export const dispatchWork = (bound: BoundKernel): Work => workOnce(atBounds(bound), bound.workgroups, sizesOf(bound))

/** The execution count of each kernel; a data-dependent loop counts once. */
const timesOf = (runs: readonly Run[], times = 1): readonly (readonly [BoundKernel, number])[] =>
  runs.flatMap((r) => {
    if (r.kind === 'dispatch') return [[r.bound, times] as const]
    return timesOf(r.runs, r.kind === 'repeat' ? times * r.times : times)
  })

const hasWhile = (runs: readonly Run[]): boolean =>
  runs.some((r) => r.kind === 'while' || (r.kind === 'repeat' && hasWhile(r.runs)))

/**
 * The costs of one run. A data-dependent loop is predicted as one chunk of iterations, which is a submission of its
 * own.
 */
export const predict = (runs: readonly Run[], memory: MemoryPlan): Prediction => {
  // No more than counting needs: plans are kept, and must not keep the graphs that they were made from.
  const kernels = timesOf(runs).map(([b, times]) => ({
    kernel: atBounds(b),
    workgroups: b.workgroups,
    sizes: sizesOf(b),
    times,
  }))
  const total = (of: (w: Work) => number): number =>
    kernels.reduce((n, d) => n + d.times * of(workOnce(d.kernel, d.workgroups, d.sizes)), 0)
  const submits = hasWhile(runs) ? 2 : 1
  const peakBytes = memory.arenas.reduce((a, b) => a + b, 0)
  return {
    dispatches: kernels.reduce((n, d) => n + d.times, 0),
    submits,
    get bytes() {
      return total((w) => w.bytes)
    },
    get flops() {
      return total((w) => w.flops)
    },
    peakBytes,
  }
}
