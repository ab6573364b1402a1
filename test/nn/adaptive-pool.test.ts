/** Adaptive and p-norm pooling against bins written out: sizes that divide and that do not, more outputs than elements. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const image = (h: number, w: number): readonly (readonly number[])[] =>
  Array.from({ length: h }, (_, i) => Array.from({ length: w }, (_, j) => (((i * 7 + j * 5) % 11) - 4) / 2))

const bin = (i: number, n: number, out: number): readonly [number, number] => [
  Math.floor((i * n) / out),
  Math.ceil(((i + 1) * n) / out),
]

const binsOf = (x: readonly (readonly number[])[], oh: number, ow: number): readonly (readonly number[])[] =>
  Array.from({ length: oh * ow }, (_, k) => {
    const [top, bottom] = bin(Math.floor(k / ow), x.length, oh)
    const [left, right] = bin(k % ow, x[0]!.length, ow)
    return x.slice(top, bottom).flatMap((row) => row.slice(left, right))
  })

const mean = (xs: readonly number[]): number => xs.reduce((p, q) => p + q, 0) / xs.length

describe('adaptive pooling', () => {
  test.each([
    [5, 7, 3, 4],
    [6, 4, 2, 4],
    [2, 3, 5, 1],
    [1, 1, 2, 2],
  ])('%i by %i to %i by %i', (h, w, oh, ow) => {
    const rows = image(h, w)
    const x = T.fromArray(rows.flat(), [1, 1, h, w], { dtype: 'f32' })
    near(nn.adaptiveAvgPool2d(x, [oh, ow]), binsOf(rows, oh, ow).map(mean))
    near(
      nn.adaptiveMaxPool2d(x, [oh, ow]),
      binsOf(rows, oh, ow).map((xs) => Math.max(...xs)),
    )
  })

  test('one and three axes, no batch, an empty batch, no outputs', () => {
    const line = image(1, 7)[0]!
    const x = T.fromArray(line, [1, 7], { dtype: 'f32' })
    near(nn.adaptiveAvgPool1d(x, 3), binsOf([line], 1, 3).map(mean))
    expect(nn.adaptiveMaxPool3d(T.zeros([2, 3, 4, 5, 6]), [null, 3, 1]).shape).toEqual([2, 3, 4, 3, 1])
    expect(nn.adaptiveAvgPool2d(T.zeros([0, 3, 5, 5]), 2).shape).toEqual([0, 3, 2, 2])
    expect(nn.adaptiveAvgPool2d(T.zeros([2, 3, 5, 5]), [2, 0]).shape).toEqual([2, 3, 2, 0])
  })

  test('infinities stay in their bins', () => {
    const x = T.tensor([[1, 2, Number.POSITIVE_INFINITY]], { dtype: 'f32' })
    expect(flat(nn.adaptiveAvgPool1d(x, 2))).toEqual([1.5, Number.POSITIVE_INFINITY])
  })

  test.each([
    [() => nn.adaptiveAvgPool2d(T.zeros([3]), 1), 'takes rank 4 (or 3 without a batch), not 1'],
    [() => nn.adaptiveAvgPool2d(T.zeros([1, 1, 4, 4]), [2]), 'are not 2 whole numbers'],
    [() => nn.adaptiveMaxPool1d(T.zeros([1, 4]), 1.5), 'are not 1 whole numbers'],
    [() => nn.adaptiveMaxPool1d(T.zeros([1, 0]), 2), 'axis 1 has no elements'],
    [() => nn.maxPool2d(T.zeros([1, 1, 4, 4]), { kernelSize: [2] }), '2 of each'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f() as Tensor).reason).toContain(reason)
  })

  test('gradients are those of finite differences', () => {
    const x = T.fromArray(
      image(5, 4)
        .flat()
        .map((v, i) => v + i / 100),
      [1, 1, 5, 4],
      { dtype: 'f32' },
    )
    checkGrad(
      (t: Tensor) => [
        nn.adaptiveAvgPool2d(t, [3, 2]),
        nn.adaptiveMaxPool2d(t, [2, 3]),
        nn.lpPool2d(T.exp(t), { p: 2.5, kernelSize: 2 }),
      ],
      [x],
    )
  })
})

describe('p-norm pooling', () => {
  test('norms of windows, signed sums under p = 1, zeros without a NaN in the gradient', () => {
    const x = T.tensor([[3, -4, 0, 0, 6]], { dtype: 'f32' })
    near(nn.lpPool1d(x, { p: 2, kernelSize: 2 }), [5, 0])
    near(nn.lpPool1d(x, { p: 1, kernelSize: 2, stride: 1 }), [-1, -4, 0, 6])
    near(nn.lpPool1d(x, { p: 2, kernelSize: 2, ceilMode: true }), [5, 0, Math.sqrt(72)])
    near(nn.lpPool1d(x, { p: 2, kernelSize: 2, padding: 1 }), [3, 4, 6])
  })
})
