/** What a plan will cost, from its loop nests and its memory plan, before anything runs. */
import type { MemoryPlan } from '../passes/loop/memory.ts'
import type { BoundKernel } from './assemble.ts'
import type { Prediction } from './plan.ts'

export const predict = (kernels: readonly BoundKernel[], memory: MemoryPlan): Prediction => ({
  dispatches: kernels.length,
  submits: 1,
  bytes: kernels.reduce((n, k) => n + k.fused.reduce((m, f) => m + f.cost.bytes, 0), 0),
  flops: kernels.reduce((n, k) => n + k.fused.reduce((m, f) => m + f.cost.flops, 0), 0),
  peakBytes: memory.arenas.reduce((a, b) => a + b, 0),
})
