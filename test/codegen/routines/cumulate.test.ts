/** Prefix reductions by their kernels, in the Kernel interpreter and in WGSL: short and long lines, few and many. */
import { describe, expect, it } from 'vitest'
import { software } from '../../../codegen/targets/wgsl/profiles.ts'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import { cumulations, type Graph, type Node } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { planOf, runDevice, runKernelInterp } from '../../differential.ts'
import { noise } from '../../lang/ops/rules.ts'

const long = 4096 + 77

/** All monoids along each axis of `shape`, as one program. */
const program = (shape: readonly number[], axes: readonly number[]): { graph: Graph; inputs: readonly Value[] } => {
  const inputs = freshInputs([{ shape, dtype: 'f32' }])
  const x: Node = inputs[0]!
  const outputs = axes.flatMap((axis) =>
    cumulations.flatMap((monoid) =>
      [false, true].flatMap((reverse): readonly Node[] => {
        const n = b.cumulate([monoid === 'prod' ? b.tanh([x], {}) : x], { monoid, axis, reverse })
        return monoid === 'max' || monoid === 'min' ? [b.get([n], { index: 0 }), b.get([n], { index: 1 })] : [n]
      }),
    ),
  )
  const drawn = noise('f32', shape, 9)
  return { graph: { inputs, outputs }, inputs: [{ ...drawn, data: Float64Array.from(drawn.data, Math.fround) }] }
}

const agree = (got: readonly Value[], want: readonly Value[], rtol: number): void => {
  want.forEach((w, o) => {
    const errors = Array.from(w.data, (x, i) => Math.abs(x - got[o]!.data[i]!) / (1 + Math.abs(x)))
    const worst = errors.reduce((a, b) => Math.max(a, b), 0)
    expect(worst, `output ${o}`).toBeLessThan(rtol)
  })
}

describe('the kernels of cumulate', () => {
  it('agree with the reference on small shapes, in both', async () => {
    const { graph, inputs } = program([3, 5, 4], [0, 1, 2])
    const want = evaluate(graph, inputs)
    agree(runKernelInterp(graph, inputs), want, 1e-5)
    agree(await runDevice(graph, inputs, software), want, 1e-5)
  })
  it('agree where a line is cut into blocks', async () => {
    const { graph, inputs } = program([2, long], [1])
    const want = evaluate(graph, inputs)
    agree(runKernelInterp(graph, inputs), want, 1e-4)
    agree(await runDevice(graph, inputs, software), want, 1e-4)
  })
  it('keeps a product that leaves the range of f32 and comes back', async () => {
    const inputs = freshInputs([{ shape: [5], dtype: 'f32' }])
    const graph = { inputs, outputs: [b.cumulate([inputs[0]!], { monoid: 'prod', axis: 0, reverse: false })] }
    const x: Value = { shape: [5], dtype: 'f32', data: Float64Array.from([1e20, 1e20, -1e-20, 1e-25, 0], Math.fround) }
    for (const [got] of [runKernelInterp(graph, [x]), await runDevice(graph, [x], software)]) {
      const [first, second, third, fourth, last] = Array.from(got!.data)
      expect([first! / 1e20, third! / -1e20, fourth! / -1e-5].map((r) => Math.abs(r - 1) < 1e-6)).toEqual([
        true,
        true,
        true,
      ])
      expect([second, Math.abs(last!)]).toEqual([Number.POSITIVE_INFINITY, 0])
    }
  })
  it('is one dispatch for a line of 1024, three for a long one', () => {
    const count = (n: number): number => {
      const inputs = freshInputs([{ shape: [n], dtype: 'f32' }])
      const out = b.cumulate([inputs[0]!], { monoid: 'sum', axis: 0, reverse: false })
      return planOf({ inputs, outputs: [out] }).plan.prediction.dispatches
    }
    expect([count(1024), count(long)]).toEqual([1, 3])
  })
})
