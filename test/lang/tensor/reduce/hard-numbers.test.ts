/** Statistics of numbers that rounding is hard on, and products that leave f32 on the way: on the reference and on the device. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../../../passes/transform/gradient.ts'
import { freshInputs } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import * as nn from '../../../../src/nn/index.ts'
import { randomWords } from '../../../codegen/kernel/sweep.ts'
import { runDevice } from '../../../differential.ts'

const value = (shape: readonly number[], f: (i: number) => number): Value => ({
  shape,
  dtype: 'f32',
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(f(i))),
})

/** Both back ends on several functions of several inputs, as one program. */
const both = async (
  f: (...xs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Value[],
): Promise<{ readonly reference: readonly Value[]; readonly device: readonly Value[] }> => {
  const nodes = freshInputs(inputs)
  const graph: Graph = { inputs: nodes, outputs: f(...nodes.map(tensorOf)).map(nodeOf) }
  return { reference: evaluate(graph, inputs), device: await runDevice(graph, inputs) }
}

/** The largest difference, relative to the largest element of what is right. */
const apart = (got: Value, want: Value): number => {
  const exact = Array.from(want.data)
  const size = exact.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
  return exact.reduce((m, x, i) => Math.max(m, Math.abs(x - got.data[i]!)), 0) / size
}

const spread = (x: Tensor, axis: readonly number[] = x.shape.map((_, i) => i)): readonly Tensor[] => {
  const over = { axis }
  return [T.variance(x, { ...over, correction: 1 }), T.std(x, { ...over, correction: 1 }), T.meanVariance(x, over)[1]]
}

describe('equal numbers', () => {
  const lengths = [2, 3, 7, 61, 250, 1009, 4099]
  const values = lengths.map((n) => value([n], () => 0.1))
  it('have no spread, and no slope of it', async () => {
    const results = await both((...xs) => xs.flatMap((x) => [...spread(x), grad(T.std)(x) as Tensor]), values)
    for (const got of [...results.reference, ...results.device]) expect([...got.data].every((x) => x === 0)).toBe(true)
  })
  it('are normalised to zeros', async () => {
    const { device } = await both((...xs) => xs.map((x) => nn.layerNorm(x)), values)
    for (const got of device) for (const x of got.data) expect(Math.abs(x)).toBeLessThan(1e-5)
  })
})

describe('small spread around a large mean', () => {
  const next = randomWords(11)
  const uniform = (): number => next() / 2 ** 32
  const ramp = value([1009], (i) => 100000 + (i % 16) / 16)
  const line = value([5000], () => 1e5 + uniform())
  const rows = value([8, 250], () => 1e5 + uniform())
  const batch = value([4, 6, 5, 7], () => -3e4 + 0.1 * uniform())
  const channels = value([40, 3, 50], () => 1e6 + uniform())

  it('the variance of 100000 + (i mod 16) / 16', async () => {
    const { reference, device } = await both((x) => [T.variance(x, { correction: 0 })], [ramp])
    expect(reference[0]!.data[0]).toBeCloseTo(0.0831431, 6)
    expect(device[0]!.data[0]).toBeCloseTo(0.0831431, 6)
  })

  it('spread along any axis, in one stage and in two', async () => {
    const { reference, device } = await both(
      (a, b, c, d) => [
        ...spread(a!),
        ...spread(b!, [0]),
        ...spread(b!, [1]),
        ...spread(b!),
        ...spread(c!, [0, 2, 3]),
        ...spread(d!, [0, 2]),
        ...spread(d!),
      ],
      [line, rows, batch, channels],
    )
    device.forEach((got, i) => {
      expect(apart(got, reference[i]!), `output ${i}`).toBeLessThan(1e-5)
    })
  })

  it('normalised, and slopes through it', async () => {
    const weights = value([8, 250], (i) => Math.sin(i))
    const loss =
      (w: Tensor) =>
      (x: Tensor): Tensor =>
        T.sum(T.mul(nn.layerNorm(x), w) as Tensor)
    const { reference, device } = await both(
      (x, b, w) => [
        nn.layerNorm(x!),
        nn.batchNorm(b!, {}),
        nn.groupNorm(b!, {}, { groups: 2 }),
        nn.instanceNorm(b!, {}),
        grad(loss(w!))(x!) as Tensor,
        grad((y: Tensor) => T.sum(T.mul(T.std(y, { axis: 1, keepdims: true }), w!) as Tensor))(x!) as Tensor,
      ],
      [rows, batch, weights],
    )
    device.forEach((got, i) => {
      expect(apart(got, reference[i]!), `output ${i}`).toBeLessThan(1e-4)
    })
  })
})

describe('products', () => {
  const lines: readonly (readonly [readonly number[], number, readonly number[]])[] = [
    [[0, 1e30, 1, 1, 1, 1e30, 1, 1], 0, [Infinity, 0, 0, 0, 0, 0, 0, 0]],
    [[1e30, 1e30, 2, 0], 0, [0, 0, 0, Infinity]],
    [[1e-30, 1e-30, 1e30, 1e30], 1, [1e30, 1e30, 1e-30, 1e-30]],
    [[1e30, 1e30, 1e-30, 1e-30, -3], -3, [-3e-30, -3e-30, -3e30, -3e30, 1]],
    [[0, 0, 5], 0, [0, 0, 0]],
  ]
  it('neither overflow nor vanish on the way, and nor do their slopes', async () => {
    const results = await both(
      (...xs) => xs.flatMap((x) => [T.prod(x), grad((y: Tensor) => T.prod(y))(x) as Tensor, T.cumprod(x, { axis: 0 })]),
      lines.map(([line]) => value([line.length], (i) => line[i]!)),
    )
    const close = (x: number, y: number): boolean => Math.fround(x) === y || Math.abs(x / y - 1) < 1e-6
    for (const outputs of [results.reference, results.device])
      lines.forEach(([line, product, slopes], k) => {
        const [p, g, c] = [outputs[3 * k]!, outputs[3 * k + 1]!, outputs[3 * k + 2]!]
        expect(close(p.data[0]!, product), `the product of ${line} is ${p.data[0]}`).toBe(true)
        expect(
          [...g.data].every((x, i) => close(x, slopes[i]!)),
          `the slopes of ${line} are ${g.data}`,
        ).toBe(true)
        expect(close(c.data.at(-1)!, product), `the running products of ${line} are ${c.data}`).toBe(true)
      })
  })
  it('of many numbers, in one stage and in two', async () => {
    const sizes = [300, 5000]
    const results = await both(
      (...xs) => xs.map((x) => T.prod(x)),
      sizes.map((n) => value([n], (i) => (i % 2 === 0 ? 1e20 : 1e-20))),
    )
    for (const got of [...results.reference, ...results.device]) expect(got.data[0]).toBeCloseTo(1, 4)
  })
})
