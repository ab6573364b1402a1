/** Vectors over ranges that 4 does not divide: the last one is moved back, and nothing is counted or written twice. */
import { describe, expect, it } from 'vitest'
import { hardware, portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { grad } from '../../../passes/transform/gradient.ts'
import { freshInputs } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import { planOf, runDevice, runKernelInterp } from '../../differential.ts'
import { randomWords } from '../kernel/sweep.ts'

type F = (x: Tensor, y: Tensor, w: Tensor) => readonly Tensor[]

const rows = { axis: 1 } as const
const t = (x: unknown): Tensor => x as Tensor

/** x `[5, n]`, y `[n, 6]`, w `[n]`. */
const programs: Readonly<Record<string, F>> = {
  'rows and what is made of them': (x, _, w) => [nn.softmax(x, rows), nn.layerNorm(x, { weight: w, bias: w })],
  'every monoid of rows': (x) => [
    T.sum(x, rows),
    T.prod(T.add(T.mul(x, 0.01), 1), rows),
    T.amax(x, rows),
    T.amin(x, rows),
    T.argmax(x, rows),
    T.argmin(x, rows),
    t(T.all(T.less(x, 2), rows)),
    t(T.any(T.greater(x, 0.99), rows)),
    T.variance(x, { ...rows, correction: 1 }),
    T.logsumexp(x, rows),
  ],
  'of all elements, and of columns': (x) => [
    T.sum(x),
    T.amax(x),
    T.variance(x, { correction: 1 }),
    T.sum(x, { axis: 0 }),
    T.logsumexp(x),
  ],
  'one line': (_, __, w) => [
    T.sum(w),
    T.prod(T.add(T.mul(w, 0.01), 1)),
    T.amin(w),
    T.logsumexp(w),
    nn.softmax(w, { axis: 0 }),
  ],
  'contractions along it and across it, with epilogues': (x, y, w) => [
    T.matmul(x, y),
    T.add(T.matmul(T.matrixTranspose(y), T.matrixTranspose(x)), 1),
    nn.gelu(T.add(T.matmul(T.matrixTranspose(T.matmul(x, y)), x), w)),
    T.matmul(x, T.matrixTranspose(x)),
  ],
  'behind guards and gathers': (x, _, w) => [
    nn.softmax(
      T.pad(x, [
        [0, 0],
        [3, 0],
      ]),
      rows,
    ),
    T.sum(T.roll(x, 5, { axis: 1 }), rows),
    nn.softmax(T.concat([x, T.mul(x, 2)], { axis: 1 }), rows),
    T.sum(T.mul(T.take(w, T.argsort(w)), w)),
    T.amax(T.where(T.greater(x, 0), x, T.flip(x, { axis: 1 })), rows),
  ],
  slopes: (x, y, w) => [
    t(grad((z: Tensor) => T.sum(T.square(nn.softmax(z, rows))))(x)),
    t(grad((z: Tensor) => T.sum(T.square(nn.layerNorm(z, { weight: w }))))(x)),
    t(grad((z: Tensor) => T.sum(T.square(T.matmul(x, z))))(y)),
    t(grad((z: Tensor) => nn.crossEntropy(z, T.full([5], 60, { dtype: 'i32' })) as Tensor)(x)),
  ],
}

const sizes = [61, 62, 63, 67]

const setUp = (f: F, n: number): { readonly graph: Graph; readonly inputs: readonly Value[] } => {
  const next = randomWords(n)
  const value = (...shape: readonly number[]): Value => ({
    shape,
    dtype: 'f32',
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(next() / 2 ** 31 - 1)),
  })
  const inputs = [value(5, n), value(n, 6), value(n)]
  const nodes = freshInputs(inputs)
  const [x, y, w] = nodes.map(tensorOf)
  return { graph: { inputs: nodes, outputs: f(x!, y!, w!).map(nodeOf) }, inputs }
}

const agree = (got: readonly Value[], want: readonly Value[], where: string): void =>
  want.forEach((v, o) => {
    v.data.forEach((e, i) => {
      const close = Math.abs(got[o]!.data[i]! - e) <= 3e-5 * (Math.abs(e) + 0.1)
      if (!close) expect.fail(`${where}: output ${o} at ${i} is ${got[o]!.data[i]}, not ${e}`)
    })
  })

describe.each(Object.entries(programs))('%s', (_, f) => {
  it.each(sizes)('of %i, as kernels of every profile', (n) => {
    const { graph, inputs } = setUp(f, n)
    const want = evaluate(graph, inputs)
    for (const profile of [portable, software, hardware])
      agree(runKernelInterp(graph, inputs, profile), want, profile.name)
  })
  it('on the device', async () => {
    for (const n of [61, 67]) {
      const { graph, inputs } = setUp(f, n)
      agree(await runDevice(graph, inputs), evaluate(graph, inputs), `${n}`)
    }
  })
})

it('a state that is updated in its own place is written once: an update of an update would be another', () => {
  const shapes = [
    [5, 61],
    [5, 7],
    [7, 61],
  ]
  const inputs = shapes.map((shape, k): Value => {
    const data = Float64Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.fround(Math.sin(i + k)))
    return { shape, dtype: 'f32', data }
  })
  const nodes = freshInputs(inputs)
  const [state, a, b] = nodes.map(tensorOf)
  const graph: Graph = { inputs: nodes, outputs: [nodeOf(T.sub(T.mul(state!, 2), T.matmul(a!, b!)))] }
  const want = evaluate(graph, inputs)
  for (const profile of [portable, software, hardware]) {
    const { plan, fusion } = planOf(graph, profile, true)
    expect(plan.outputs.map((o) => o.place)).toEqual([plan.inputs[0]!.place])
    expect(
      fusion.kernels
        .flat()
        .flatMap((k) => [...k.schedule.roles])
        .some(([r, role]) => role.vector && r.size === 61),
    ).toBe(true)
    agree(runKernelInterp(graph, inputs, profile, true), want, profile.name)
  }
})

it('they are used: a softmax of prime rows is no work of every element for itself', () => {
  const { graph } = setUp((x) => [nn.softmax(x, rows)], 67)
  const { fusion } = planOf(graph, portable)
  const vectors = fusion.kernels
    .flat()
    .flatMap((k) => [...k.schedule.roles].filter(([r, role]) => role.vector && r.size === 67))
  expect(vectors.length).toBeGreaterThan(0)
})
