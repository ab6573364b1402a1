/** sinc near 0, where its quotient's derivatives cancel. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import { freshInputs } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { runDevice } from '../../../differential.ts'

const points = [0, 1e-30, 1e-4, 0.009, 0.1, 0.499, 0.5, 0.501, 1, 2.5, -0.3, -1.7].map(Math.fround)
const slope = (f: (x: Tensor) => Tensor) => T.grad((x: Tensor) => T.sum(f(x))) as (x: Tensor) => Tensor
const pi = Math.PI

/** sinc, its slope and its curvature, by series where the formulas cancel. */
const exact = (x: number): readonly number[] => {
  const q = pi * x
  if (Math.abs(q) < 1e-2) return [1 - q ** 2 / 6, -pi * (q / 3 - q ** 3 / 30), -(pi ** 2) * (1 / 3 - q ** 2 / 10)]
  const [s, c] = [Math.sin(q), Math.cos(q)]
  return [s / q, pi * (c / q - s / q ** 2), pi ** 2 * (-s / q - (2 * c) / q ** 2 + (2 * s) / q ** 3)]
}

test('value, slope and curvature hold on both sides of the seam, on the interpreter and in WGSL', async () => {
  const x = { shape: [points.length], dtype: 'f32', data: Float64Array.from(points) } as const
  const inputs = freshInputs([x])
  const given = tensorOf(inputs[0]!) as Tensor
  const graph = { inputs, outputs: [T.sinc, slope(T.sinc), slope(slope(T.sinc))].map((f) => nodeOf(f(given))) }
  const [reference, device] = [evaluate(graph, [x]), await runDevice(graph, [x])]
  points.forEach((p, i) => {
    exact(p).forEach((want, order) => {
      expect(Math.abs(reference[order]!.data[i]! - want), `order ${order} at ${p}`).toBeLessThan(2e-6)
      expect(Math.abs(device[order]!.data[i]! - want), `order ${order} at ${p} in WGSL`).toBeLessThan(5e-6)
    })
  })
})

test.each(['f32', 'f16', 'bf16'] as const)(
  'sinc of the greatest numbers of %s, on the interpreter and in WGSL',
  async (dtype) => {
    const great = dtype === 'f16' ? [65504, -40000, 17000] : [3e38, -3.3e38, 1e38, 2e37]
    const x = T.cast(T.tensor(great, { dtype: 'f32' }), dtype) as Tensor
    const both = [T.sinc(x), slope(T.sinc)(x)].map((y) => T.cast(y, 'f32'))
    const small = dtype === 'f16' ? 3e-4 : 1e-35
    for (const y of [...T.reference(both), ...(await T.evaluate(both))])
      for (const v of (y as T.HostTensor).data) expect(Math.abs(v)).toBeLessThan(small)
    const ends = T.sinc(T.tensor([Number.POSITIVE_INFINITY, Number.NaN], { dtype: 'f32' }))
    expect(Array.from((await T.evaluate(ends)).data)).toEqual([Number.NaN, Number.NaN])
  },
)
