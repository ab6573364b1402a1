/** Large scatterAdds by their kernels: right in order of the indices, in every dtype, and cheap by the plan's prediction. */
import { describe, expect, it } from 'vitest'
import { verifyKernel } from '../../../codegen/kernel/verify-kernel.ts'
import { hardware, portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { planOf, runDevice, runKernelInterp } from '../../differential.ts'
import { noise, value } from '../../lang/ops/rules.ts'

/** Indices `[...batch, ...at]` below `size`, updates with `row` behind them. */
const scatter = (
  batch: readonly number[],
  at: readonly number[],
  row: readonly number[],
  size: number,
  dtype: DType = 'f32',
): { graph: Graph; inputs: readonly Value[] } => {
  const shape = [...batch, ...at]
  const drawn = noise('f32', shape, 4)
  // A quarter of the rows get everything, some of them often.
  const index = value(
    'i32',
    shape,
    Array.from(drawn.data, (v) => Math.floor((v + 2) * (size / 16))),
  )
  const whole = noise('f32', [...shape, ...row], 5)
  const updates = value(
    dtype,
    whole.shape,
    Array.from(whole.data, (v) => Math.round(v * 16) + (dtype === 'u32' ? 99 : 0)),
  )
  const inputs = freshInputs([
    { shape, dtype: 'i32' },
    { shape: whole.shape, dtype },
  ])
  return { graph: { inputs, outputs: [b.scatterAdd(inputs, { batch: batch.length, size })] }, inputs: [index, updates] }
}

const check = async ({ graph, inputs }: { graph: Graph; inputs: readonly Value[] }): Promise<void> => {
  const { kernels } = planOf(graph).plan
  expect(kernels.at(-1)!.kernel.name).toBe('scatter_add')
  for (const { kernel } of kernels) expect(verifyKernel(kernel)).toEqual([])
  // Whole numbers: sums are exact in any order.
  const want = Array.from(evaluate(graph, inputs)[0]!.data)
  expect(Array.from(runKernelInterp(graph, inputs)[0]!.data)).toEqual(want)
  expect(Array.from(runKernelInterp(graph, inputs, hardware)[0]!.data)).toEqual(want)
  expect(Array.from((await runDevice(graph, inputs, software))[0]!.data)).toEqual(want)
}

describe('large scatterAdds', () => {
  it('agree with the reference', async () => {
    await check(scatter([], [40], [30], 4000))
    await check(scatter([3], [5, 17], [7], 2500, 'i32'))
    await check(scatter([2], [1500], [], 1500, 'u32'))
  })
  it('add many updates of one row to a few ulp, in the order of summation', async () => {
    const count = 10_000
    const inputs = freshInputs([
      { shape: [count], dtype: 'i32' },
      { shape: [count], dtype: 'f32' },
    ])
    const graph: Graph = { inputs, outputs: [b.scatterAdd(inputs, { batch: 0, size: 3000 })] }
    expect(planOf(graph).plan.kernels.at(-1)!.kernel.name).toBe('scatter_add')
    const tenth = Math.fround(0.1)
    const given = [value('i32', [count], new Array(count).fill(7)), value('f32', [count], new Array(count).fill(tenth))]
    const [got] = await runDevice(graph, given, software)
    expect(Math.abs(got!.data[7]! - count * tenth)).toBeLessThanOrEqual(4 * 2 ** -14)
    expect(got!.data.filter((x) => x !== 0)).toHaveLength(1)
  })
  it('write what is larger than a binding in parts', () => {
    const { graph, inputs } = scatter([], [40], [30], 4000)
    const parts = { ...portable, maxBindingBytes: 2 ** 18 }
    const want = Array.from(evaluate(graph, inputs)[0]!.data)
    expect(Array.from(runKernelInterp(graph, inputs, parts)[0]!.data)).toEqual(want)
  })
  it('cost what the result and the updates do', () => {
    expect(planOf(scatter([], [128], [768], 50257).graph).plan.steps.length).toBe(3)
    const { plan } = planOf(scatter([], [128], [768], 5025).graph)
    expect(plan.prediction.dispatches).toBe(3)
    const floor = 4 * 768 * (5025 + 128)
    expect(plan.prediction.bytes).toBeLessThan(1.25 * floor)
    // Fused it would be 128 comparisons an element.
    expect(plan.prediction.flops).toBeLessThan(4 * 768 * 5025)
  })
  it('leave small ones fused', () => {
    const { graph } = scatter([], [19], [8], 40)
    expect(planOf(graph).plan.kernels.map((k) => k.kernel.name)).not.toContain('scatter_add')
  })
})
