/** Clusters whose loops nest or whose indices are computed: the device must agree with the interpreter. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../../../passes/transform/gradient.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { TensorType } from '../../../../src/lang/ir.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { traceTree } from '../../../../src/lang/trace.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { embedding } from '../../../../src/nn/embedding.ts'
import { logSoftmax } from '../../../../src/nn/softmax.ts'
import { runDevice, runLoop } from '../../../differential.ts'

type Matrix = Tensor<readonly [number, number]>

const f32 = (...shape: readonly number[]): TensorType => ({ shape, dtype: 'f32' })

/** Numbers without a pattern, in [-1, 1). */
const values = (type: TensorType, i: number): Value => {
  const size = type.shape.reduce((a, b) => a * b, 1)
  const data =
    type.dtype === 'i32'
      ? Int32Array.from({ length: size }, (_, k) => (k * 7 + 3) % 5)
      : Float64Array.from({ length: size }, (_, k) => Math.fround(Math.sin(12.9898 * (k + 1) + 78.233 * i)))
  return { ...type, data }
}

interface Case {
  readonly name: string
  readonly types: readonly TensorType[]
  readonly f: (...xs: readonly Tensor[]) => unknown
}

const squaredGradient = (f: (x: Tensor) => Tensor) => (x: Tensor) => T.sum(T.square(grad(f)(x)))

const cases: readonly Case[] = [
  {
    // Σ_j (Σ_i A[i, j] · exp(Σ_j A[i, j] · x[j]))²: the inner sum over j inside the outer one
    name: 'a sum inside a sum over the same axis',
    types: [f32(4, 3), f32(3)],
    f: (a, x) => squaredGradient((y) => T.logsumexp(T.mv(a!, y)) as Tensor)(x!),
  },
  {
    name: 'that sum and its gradient',
    types: [f32(4, 3), f32(3)],
    f: (a, x) => {
      const p = squaredGradient((y) => T.logsumexp(T.mv(a!, y)) as Tensor)
      return [p(x!), grad(p as (x: Tensor) => Tensor)(x!)]
    },
  },
  {
    // a reduction that could join the loops of another while that one is itself being built
    name: 'gradients of a log-softmax entry',
    types: [f32(2, 3)],
    f: (x) => [0, 1].map((i) => grad((y: Tensor) => T.select(T.select(logSoftmax(y, { axis: 1 }), i), i))(x!)),
  },
  {
    // four lanes load four indices; each must gather at its own
    name: 'a gather beside a vectorised scatter at the same indices',
    types: [{ shape: [4], dtype: 'i32' }, f32(6, 2), f32(4, 2)],
    f: (i, w, seed) => [
      embedding(i!, w as Matrix),
      grad((v: Tensor) => T.sum(T.mul(embedding(i!, v as Matrix), seed!)) as Tensor)(w!),
    ],
  },
]

describe('nested loops and computed indices', () => {
  for (const { name, types, f } of cases)
    it(name, async () => {
      const { graph } = traceTree(f as never, types)
      const inputs = types.map(values)
      const expected = evaluate(graph, inputs)
      for (const got of [runLoop(graph, inputs), await runDevice(graph, inputs)]) {
        for (const [k, want] of expected.entries()) {
          expect(got[k]!.shape).toEqual(want.shape)
          for (const [i, x] of want.data.entries())
            expect(Math.abs(got[k]!.data[i]! - x), `${name} output ${k}[${i}]`).toBeLessThan(1e-5 + 1e-4 * Math.abs(x))
        }
      }
    })
})
