/** Sliding blocks against indices written out, their transposes, and pixel shuffles. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'

const options = { kernelSize: [2, 3], stride: [2, 1], padding: [1, 0], dilation: [1, 2] } as const
const [height, width] = [4, 7]

/** Where an element of the columns comes from, -1 for the zeros around. */
const sources = (): readonly number[] => {
  const out: number[] = []
  const [oh, ow] = [Math.floor((height + 2 - 2) / 2) + 1, width - 4]
  for (let c = 0; c < 2; c++)
    for (let ki = 0; ki < 2; ki++)
      for (let kj = 0; kj < 3; kj++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++) {
            const row = i * 2 + ki - 1
            out.push(row < 0 || row >= height ? -1 : (c * height + row) * width + j + 2 * kj)
          }
  return out
}

const x = T.reshape(T.arange(2 * height * width, { dtype: 'f32' }), [1, 2, height, width]) as Tensor

describe('unfold and fold', () => {
  test('columns are blocks', () => {
    const got = nn.unfold(x, options)
    expect(got.shape).toEqual([1, 12, 9])
    expect(flat(got)).toEqual(sources().map((s) => Math.max(s, 0)))
    expect(nn.unfold(T.select(x, 0), options).shape).toEqual([12, 9])
    expect(nn.unfold(T.zeros([0, 2, 4, 7]), options).shape).toEqual([0, 12, 9])
  })

  test('fold sums columns where they came from', () => {
    const want = Array.from({ length: 2 * height * width }, () => 0)
    sources().forEach((s, k) => {
      if (s >= 0) want[s]! += k + 1
    })
    const columns = T.reshape(T.arange(1, 109, 1, { dtype: 'f32' }), [12, 9]) as Tensor
    const got = nn.fold(columns, { ...options, outputSize: [height, width] })
    expect(got.shape).toEqual([2, height, width])
    expect(flat(got)).toEqual(want)
  })

  test.each([
    [[9], { kernelSize: [3], stride: 2, padding: 1, dilation: 2 }],
    [[3, 4, 5], { kernelSize: [2, 1, 3], stride: [1, 2, 2], padding: [1, 0, 1], dilation: [2, 1, 1] }],
    [[3], { kernelSize: [1] }],
  ] as const)('blocks of %j: places and their transpose', (sizes, options) => {
    const spatial = [...sizes]
    const elements = spatial.reduce((a, b) => a * b, 1)
    const y = T.reshape(T.arange(2 * elements, { dtype: 'f32' }), [1, 2, ...spatial]) as Tensor
    const list = (v: number | readonly number[] | undefined, usual: number): readonly number[] =>
      spatial.map((_, i) => (v === undefined ? usual : typeof v === 'number' ? v : v[i]!))
    const given: nn.UnfoldOptions = options
    const kernel = list(given.kernelSize, 1)
    const [step, around, apart] = [list(given.stride, 1), list(given.padding, 0), list(given.dilation, 1)]
    const counts = spatial.map(
      (n, i) => Math.floor((n + 2 * around[i]! - apart[i]! * (kernel[i]! - 1) - 1) / step[i]!) + 1,
    )
    const indices = (of: readonly number[]): readonly (readonly number[])[] =>
      of.reduce<readonly (readonly number[])[]>(
        (all, n) => all.flatMap((p) => Array.from({ length: n }, (_, i) => [...p, i])),
        [[]],
      )
    const want = [0, 1].flatMap((c) =>
      indices(kernel).flatMap((tap) =>
        indices(counts).map((at) => {
          const place = at.map((p, i) => p * step[i]! + tap[i]! * apart[i]! - around[i]!)
          if (place.some((p, i) => p < 0 || p >= spatial[i]!)) return 0
          return c * elements + place.reduce((sum, p, i) => sum * spatial[i]! + p, 0)
        }),
      ),
    )
    const columns = nn.unfold(y, options)
    expect(flat(columns)).toEqual(want)
    expect(flat(nn.unfold(T.select(y, 0), options))).toEqual(want)
    // ⟨fold u, y⟩ = ⟨u, unfold y⟩
    const u = T.reshape(T.remainder(T.arange(want.length, { dtype: 'f32' }), 7), columns.shape) as Tensor
    const image = nn.fold(u, { ...given, outputSize: spatial })
    expect(image.shape).toEqual(y.shape)
    expect(flat(T.sum(T.mul(image, y)))).toEqual(flat(T.sum(T.mul(u, columns))))
  })

  test.each([
    [() => nn.unfold(T.zeros([2, 2]), { kernelSize: 1 }), 'not rank 2'],
    [() => nn.unfold(x, { kernelSize: 9 }), 'do not fit an image of [4, 7]'],
    [() => nn.unfold(x, { kernelSize: 2, stride: 0 }), 'positive whole numbers'],
    [() => nn.fold(T.zeros([8, 5]), { outputSize: 3, kernelSize: 2 }), '[8, 5] is not [C·4, 4]'],
    [() => nn.pixelShuffle(T.zeros([6, 2, 2]), 2), '6 channels are no multiple of 2²'],
    [() => nn.pixelUnshuffle(T.zeros([1, 4, 3]), 2), 'size 3 of axis 2'],
    [() => nn.pixelShuffle(T.zeros([4, 4]), 2), 'not rank 2'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f()).reason).toContain(reason)
  })

  test('pixel shuffles undo one another', () => {
    const y = T.reshape(T.arange(2 * 18 * 2 * 5), [2, 18, 2, 5]) as Tensor
    const wide = nn.pixelShuffle(y, 3)
    expect(wide.shape).toEqual([2, 2, 6, 15])
    // channel (c, i, j) at (h, w) → channel c at (3h + i, 3w + j)
    expect(flat(T.at(wide, 1, 1, 3 + 2, 6 + 1))).toEqual(flat(T.at(y, 1, 9 + 2 * 3 + 1, 1, 2)))
    expect(flat(nn.pixelUnshuffle(wide, 3))).toEqual(flat(y))
  })

  test('gradients are those of finite differences', () => {
    checkGrad(
      (t: Tensor) => [
        T.square(nn.unfold(t, options)),
        T.square(nn.fold(T.reshape(t, [4, 14]) as Tensor, { outputSize: [3, 8], kernelSize: 2 })),
      ],
      [x],
      { maxElements: 12 },
    )
  })
})
