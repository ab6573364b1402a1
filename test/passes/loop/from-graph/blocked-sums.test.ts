/** Blocked reductions inside larger kernels, at sizes that have fit divisors and sizes that have none, in every layer. */
import { describe, expect, test } from 'vitest'
import { freshInputs } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import * as nn from '../../../../src/nn/index.ts'
import { randomWords } from '../../../codegen/kernel/sweep.ts'
import { runDevice, runKernelInterp, runLoop } from '../../../differential.ts'

const shapes: readonly (readonly number[])[] = [
  [3, 257],
  [2, 1000],
  [2, 17, 31],
  [3, 4, 5, 6, 8],
]

/** Reductions of all axes but the first, that share their loops, follow one another, or feed what is stored. */
const results = (x: Tensor): readonly Tensor[] => {
  const rows = T.reshape(x, [x.shape[0]!, -1]) as Tensor
  const axis = x.shape.slice(1).map((_, i) => i + 1)
  const [mean, variance] = T.meanVariance(x, { axis, correction: 0 })
  return [
    T.sum(x, { axis }),
    T.amax(x, { axis }),
    T.prod(T.add(T.mul(x, 0.01) as Tensor, 1) as Tensor, { axis }),
    mean,
    variance,
    T.logsumexp(x, { axis }),
    nn.softmax(rows, { axis: 1 }),
    nn.layerNorm(rows, {}),
    T.argmax(rows, { axis: 1 }) as Tensor,
    T.sum(T.sum(T.mul(x, x) as Tensor, { axis })),
    T.all(T.less(x, 2) as Tensor, { axis }) as Tensor,
  ] as Tensor[]
}

describe('blocked reductions', () => {
  test.each(shapes.map((s) => [s]))('%j', async (shape) => {
    const next = randomWords(8)
    const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      Math.fround(next() / 2 ** 31 - 0.75),
    )
    const x: Value = { shape, dtype: 'f32', data }
    const inputs = freshInputs([x])
    const graph: Graph = { inputs, outputs: results(tensorOf(inputs[0]!)).map(nodeOf) }
    const want = evaluate(graph, [x])
    const layers = { loop: runLoop(graph, [x]), kernel: runKernelInterp(graph, [x]), wgsl: await runDevice(graph, [x]) }
    for (const [layer, got] of Object.entries(layers))
      want.forEach((w, o) => {
        w.data.forEach((v, i) => {
          const close = Math.abs(got[o]!.data[i]! - v) <= 2e-5 * (Math.abs(v) + 0.05)
          if (!close) expect.fail(`${layer}: output ${o} at ${i} is ${got[o]!.data[i]}, not ${v}`)
        })
      })
  })
})
