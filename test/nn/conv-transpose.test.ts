/** Transposed convolutions against their definition, exactly, and the work that they and their gradients are. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cpu } from '../../codegen/targets/wasm/profile.ts'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'

type Pair = readonly [number, number]
const pair = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }))
const both = <A>(f: (axis: 0 | 1) => A): readonly [A, A] => [f(0), f(1)]

/** Small integers, of which sums are exact. */
const integers = (count: number, salt: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => ((i * 37 + salt * 11) % 11) - 5)

const geometry = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  groups: fc.integer({ min: 1, max: 3 }),
  // Of each group: channels in and out.
  channels: pair(1, 2),
  size: pair(1, 4),
  kernel: pair(1, 4),
  stride: pair(1, 3),
  dilation: pair(1, 3),
  padding: pair(0, 2),
  outputPadding: pair(0, 2),
})

test('each input adds its kernel to the places that it reaches', () => {
  fc.assert(
    fc.property(geometry, ({ batch, groups, channels, size, kernel, stride, dilation, padding, outputPadding }) => {
      const [ins, outs] = [groups * channels[0], groups * channels[1]]
      const out = both(
        (i) => (size[i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + outputPadding[i] + 1,
      )
      fc.pre(out.every((n) => n > 0))
      const shape = [batch, outs, ...out]
      const x = integers(batch * ins * size[0] * size[1], 1)
      const w = integers(ins * channels[1] * kernel[0] * kernel[1], 2)
      const want = new Float64Array(shape.reduce((a, b) => a * b))
      for (const [at, value] of x.entries()) {
        const [column, row] = [at % size[1], Math.floor(at / size[1]) % size[0]]
        const channel = Math.floor(at / (size[0] * size[1])) % ins
        const example = Math.floor(at / (size[0] * size[1] * ins))
        for (let o = 0; o < channels[1]; o++)
          for (let u = 0; u < kernel[0]; u++)
            for (let v = 0; v < kernel[1]; v++) {
              const i = row * stride[0] + u * dilation[0] - padding[0]
              const j = column * stride[1] + v * dilation[1] - padding[1]
              if (i < 0 || j < 0 || i >= out[0] || j >= out[1]) continue
              const to = Math.floor(channel / channels[0]) * channels[1] + o
              want[((example * outs + to) * out[0] + i) * out[1] + j]! +=
                value * w[((channel * channels[1] + o) * kernel[0] + u) * kernel[1] + v]!
            }
      }
      const given = T.reshape(T.tensor(x, { dtype: 'f32' }), [batch, ins, ...size])
      const weight = T.reshape(T.tensor(w, { dtype: 'f32' }), [ins, channels[1], ...kernel])
      const options = { stride, dilation, padding, outputPadding, groups }
      const got = T.reference(nn.convTranspose2d(given as T.Tensor, { weight }, options))
      expect(got.shape).toEqual(shape)
      expect(Array.from(got.data)).toEqual(Array.from(want, (v) => v + 0))
    }),
    { seed: 42, numRuns: 200 },
  )
})

test('padding that leaves less than nothing is refused by what the user wrote', () => {
  const [x, weight] = [T.zeros([1, 2, 1, 3]) as T.Tensor, T.ones([2, 1, 4, 4])]
  expect(nn.convTranspose2d(x, { weight }, { padding: 2 }).shape).toEqual([1, 1, 0, 2])
  expect(() => T.reference(nn.convTranspose2d(x, { weight }, { padding: 3 }))).toThrow(
    'nn.convTranspose2d: a padding of 3 takes away more than the 4 positions of axis 2',
  )
})

test('zeros between inputs are not multiplied, by a processor', () => {
  const [weight, x] = [T.spec([16, 8, 4, 4]), T.spec([4, 16, 7, 7])]
  const made = (w: T.Tensor, x: T.Tensor): T.Tensor =>
    nn.convTranspose2d(x, { weight: w }, { stride: 2, padding: 1 }) as T.Tensor
  const loss = (w: T.Tensor, x: T.Tensor) => T.sum(T.square(made(w, x))) as T.Tensor<readonly []>
  const flops = (f: (w: T.Tensor, x: T.Tensor) => unknown): number =>
    T.orThrow(T.compile(f as never, [weight, x] as never, { profile: cpu })).plan.prediction.flops
  // A product and a sum for each input, each of its weights.
  const least = 2 * (4 * 16 * 7 * 7) * (8 * 4 * 4)
  expect(flops(made) / least).toBeLessThan(1.15)
  expect(flops((w, x) => T.grad(loss)(w, x)) / (2 * least)).toBeLessThan(1.15)
})
