/** Sorting by its kernels, in the Kernel interpreter and in WGSL: lines that are counted, merged in a workgroup, merged in memory. */
import { describe, expect, it } from 'vitest'
import { verifyKernel } from '../../../codegen/kernel/verify-kernel.ts'
import { hardware, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { sortBlock } from '../../../passes/loop/from-graph/routine-nodes.ts'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { planOf, runDevice, runKernelInterp } from '../../differential.ts'
import { noise, value } from '../../lang/ops/rules.ts'

const special = [Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40, -1e-40, 3e38]

/** Few distinct values, so that many are equal; floats hold the special ones. */
const drawn = (dtype: DType, shape: readonly number[]): Value => {
  const n = noise('f32', shape, 11)
  const data = Array.from(n.data, (v, i) => {
    if (dtype === 'bool') return v > 0 ? 1 : 0
    if (dtype !== 'f32') return Math.floor(v * 50) + (dtype === 'u32' ? 100 : 0)
    return i % 7 === 0 ? Math.fround(special[(i / 7) % special.length]!) : Math.round(v * 50) / 4
  })
  return value(dtype, shape, data)
}

interface Case {
  readonly shape: readonly number[]
  readonly axis: number
  readonly dtype?: DType
}

/** Sorts of several tensors in both orders as one program. */
const program = (cases: readonly Case[]): { graph: Graph; inputs: readonly Value[] } => {
  const values = cases.map(({ dtype = 'f32', shape }) => drawn(dtype, shape))
  const inputs = freshInputs(values.map(({ shape, dtype }) => ({ shape, dtype })))
  const outputs = cases.flatMap(({ axis }, i) =>
    [false, true].flatMap((descending) => {
      const n = b.sort([inputs[i]!], { axis, descending })
      return [b.get([n], { index: 0 }), b.get([n], { index: 1 })]
    }),
  )
  return { graph: { inputs, outputs }, inputs: values }
}

const check = async (cases: readonly Case[]): Promise<void> => {
  const { graph, inputs } = program(cases)
  for (const profile of [software, hardware])
    for (const { kernel } of planOf(graph, profile).plan.kernels) expect(verifyKernel(kernel)).toEqual([])
  const want = evaluate(graph, inputs).map((v) => Array.from(v.data))
  const interpreted = runKernelInterp(graph, inputs)
  const cooperative = runKernelInterp(graph, inputs, hardware)
  const device = await runDevice(graph, inputs, software)
  want.forEach((w, o) => {
    expect(Array.from(interpreted[o]!.data), `interpreted ${o}`).toEqual(w)
    expect(Array.from(cooperative[o]!.data), `in workgroup memory ${o}`).toEqual(w)
    expect(Array.from(device[o]!.data), `device ${o}`).toEqual(w)
  })
}

describe('the kernels of sort', () => {
  it('agree with the reference on lines that are counted', () =>
    check([
      { shape: [3, 5, 4], axis: 1 },
      { shape: [1], axis: 0 },
      { shape: [70, 7], axis: 1, dtype: 'i32' },
      { shape: [9, 3], axis: 0, dtype: 'bool' },
    ]))
  it('agree on lines that a workgroup merges', () =>
    check([
      { shape: [1024], axis: 0 },
      { shape: [5, 333], axis: 1 },
      { shape: [50, 3], axis: 0, dtype: 'u32' },
      { shape: [2, 64], axis: 1, dtype: 'i32' },
    ]))
  it('agree on long lines', () =>
    check([
      { shape: [sortBlock + 1], axis: 0 },
      { shape: [5 * sortBlock + 77, 2], axis: 0 },
    ]))
  it('run in workgroup memory on a device', async () => {
    const { graph, inputs } = program([{ shape: [2, 40], axis: 1 }])
    const got = await runDevice(graph, inputs, hardware)
    expect(got.map((v) => Array.from(v.data))).toEqual(evaluate(graph, inputs).map((v) => Array.from(v.data)))
  })
  it('are one dispatch to a block of 1024, one more each time the line doubles', () => {
    const count = (n: number): number => {
      const inputs = freshInputs([{ shape: [n], dtype: 'f32' }])
      const out = b.get([b.sort([inputs[0]!], { axis: 0, descending: false })], { index: 0 })
      const { prediction } = planOf({ inputs, outputs: [out] }).plan
      if (n < 5000) expect(prediction.bytes, `of ${n}`).toBeGreaterThanOrEqual(8 * n)
      return prediction.dispatches
    }
    expect([1, 32, 33, 128, 1024, 1025, 2048, 2049, 2 ** 20].map(count)).toEqual([1, 1, 1, 1, 1, 2, 2, 3, 11])
  })
})
