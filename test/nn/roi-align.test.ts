/** Regions against torchvision's kernel written out in Float64, and channels exchanged with positions as ONNX has it. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const shape = [2, 3, 5, 6] as const
const x = T.fromArray(flat(random.normal(random.key(1), shape)), shape) as Tensor
const rows = [
  [0, 0.5, 1, 4.25, 3.5],
  [1, -3, -2, 9, 12],
  [1, 2, 2, 2, 2],
  [0, 4, 3, 1, 1],
  [1, 20, 20, 30, 30],
]
const boxes = T.tensor(rows, { dtype: 'f32' }) as Tensor

/** roi_align_kernel.cpp: bilinear_interpolate and the loop over bins. */
const bilinear = (at: (y: number, x: number) => number, h: number, w: number, y0: number, x0: number): number => {
  if (y0 < -1 || y0 > h || x0 < -1 || x0 > w) return 0
  let [y, xx] = [Math.max(y0, 0), Math.max(x0, 0)]
  let [yl, xl] = [Math.trunc(y), Math.trunc(xx)]
  let [yh, xh] = [yl + 1, xl + 1]
  if (yl >= h - 1) [yl, yh, y] = [h - 1, h - 1, h - 1]
  if (xl >= w - 1) [xl, xh, xx] = [w - 1, w - 1, w - 1]
  const [ly, lx] = [y - yl, xx - xl]
  return (1 - ly) * ((1 - lx) * at(yl, xl) + lx * at(yl, xh)) + ly * ((1 - lx) * at(yh, xl) + lx * at(yh, xh))
}

const wanted = (
  [bh, bw]: readonly [number, number],
  ratio: number,
  scale: number,
  aligned: boolean,
): readonly number[] => {
  const values = flat(x)
  const [, channels, h, w] = shape
  return rows.flatMap(([n, ...box]) => {
    const [x1, y1, x2, y2] = box.map((v) => v * scale - (aligned ? 0.5 : 0)) as [number, number, number, number]
    const width = aligned ? x2 - x1 : Math.max(x2 - x1, 1)
    const height = aligned ? y2 - y1 : Math.max(y2 - y1, 1)
    return Array.from({ length: channels * bh * bw }, (_, i) => {
      const [c, ph, pw] = [Math.floor(i / (bh * bw)), Math.floor(i / bw) % bh, i % bw]
      let sum = 0
      for (let iy = 0; iy < ratio; iy++)
        for (let ix = 0; ix < ratio; ix++)
          sum += bilinear(
            (a, b) => values[((n! * channels + c) * h + a) * w + b]!,
            h,
            w,
            y1 + (ph * height) / bh + ((iy + 0.5) * height) / bh / ratio,
            x1 + (pw * width) / bw + ((ix + 0.5) * width) / bw / ratio,
          )
      return sum / ratio ** 2
    })
  })
}

describe('roiAlign', () => {
  test.each([
    [[2, 3], 2, 1, false],
    [[3, 2], 1, 0.5, true],
    [[1, 1], 3, 1.25, true],
    [[2, 2], 2, 0.25, false],
  ] as const)('bins %j, %i samples, scale %f, aligned %s', (outputSize, samplingRatio, spatialScale, aligned) => {
    const got = nn.roiAlign(x, boxes, { outputSize, samplingRatio, spatialScale, aligned })
    expect(got.shape).toEqual([5, 3, ...outputSize])
    near(got, wanted(outputSize, samplingRatio, spatialScale, aligned))
  })

  test('gradients go to the image alone', () => {
    const options = { outputSize: 2, samplingRatio: 2 } as const
    checkGrad((t: Tensor) => nn.roiAlign(t, boxes, options), [x])
    const slopes = T.grad((b: Tensor) => T.sum(nn.roiAlign(x, b, options)) as Tensor<readonly []>)(boxes)
    expect(flat(slopes).every((v) => v === 0)).toBe(true)
  })

  test('no regions, an image past the last, half precision', () => {
    const options = { outputSize: 2, samplingRatio: 1 } as const
    expect(nn.roiAlign(x, T.zeros([0, 5]), options).shape).toEqual([0, 3, 2, 2])
    const past = T.tensor([[9, 0, 0, 2, 2]], { dtype: 'f32' }) as Tensor
    const last = T.tensor([[1, 0, 0, 2, 2]], { dtype: 'f32' }) as Tensor
    expect(flat(nn.roiAlign(x, past, options))).toEqual(flat(nn.roiAlign(x, last, options)))
    expect(nn.roiAlign(T.cast(x, 'bf16'), T.cast(boxes, 'bf16'), options).dtype).toBe('bf16')
  })

  test.each([
    [() => nn.roiAlign(T.zeros([3, 4, 4]), boxes, { outputSize: 2, samplingRatio: 1 }), 'rank 4, not 3'],
    [() => nn.roiAlign(x, T.zeros([5, 4]), { outputSize: 2, samplingRatio: 1 }), 'boxes have shape [5, 4], not [K, 5]'],
    [() => nn.roiAlign(x, boxes, { outputSize: [2, 0], samplingRatio: 1 }), 'the output size [2, 0]'],
    [() => nn.roiAlign(x, T.zeros([5, 5], { dtype: 'i32' }), { outputSize: 2, samplingRatio: 1 }), 'takes floats'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f() as Tensor)).toMatchObject({ op: 'nn.roiAlign', reason: expect.stringContaining(reason) })
  })
  test('the number of samples is asked for', () => {
    expect(() => nn.roiAlign(x, boxes, { outputSize: 2 } as never)).toThrow(
      "nn.roiAlign: the option 'samplingRatio' is missing",
    )
    expect(() => nn.roiAlign(x, boxes, { outputSize: 2, samplingRatio: -1 })).toThrow('samplingRatio')
  })
})

describe('depthToSpace and spaceToDepth', () => {
  test("ONNX's example", () => {
    const blocks = T.reshape(
      T.tensor([0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 18, 19, 20, 21, 22, 23, 27, 28, 29, 30, 31, 32]),
      [1, 4, 2, 3],
    ) as Tensor
    const want = [0, 9, 1, 10, 2, 11, 18, 27, 19, 28, 20, 29, 3, 12, 4, 13, 5, 14, 21, 30, 22, 31, 23, 32]
    expect(flat(nn.depthToSpace(blocks, 2))).toEqual(want)
  })
  test.each(['DCR', 'CRD'] as const)('undo one another: %s', (mode) => {
    const y = T.reshape(T.arange(2 * 18 * 2 * 5), [2, 18, 2, 5]) as Tensor
    const wide = nn.depthToSpace(y, 3, { mode })
    expect(wide.shape).toEqual([2, 2, 6, 15])
    const [c, i, j] = [1, 2, 0]
    const channel = mode === 'DCR' ? (i * 3 + j) * 2 + c : (c * 3 + i) * 3 + j
    expect(flat(T.at(wide, 1, c, 3 + i, 6 + j))).toEqual(flat(T.at(y, 1, channel, 1, 2)))
    expect(flat(nn.spaceToDepth(wide, 3, { mode }))).toEqual(flat(y))
  })
  test('CRD is pixelShuffle; what does not divide is refused', () => {
    const y = T.reshape(T.arange(8), [4, 1, 2]) as Tensor
    expect(flat(nn.depthToSpace(y, 2, { mode: 'CRD' }))).toEqual(flat(nn.pixelShuffle(y, 2)))
    expect(mistakeOf(nn.depthToSpace(T.zeros([6, 2, 2]), 2) as Tensor).op).toBe('nn.depthToSpace')
    expect(mistakeOf(nn.spaceToDepth(T.zeros([1, 4, 3]), 2) as Tensor).reason).toContain('size 3 of axis 2')
    expect(() => nn.spaceToDepth(y, 2, { mode: 'RCD' as never })).toThrow("nn.spaceToDepth: the mode is 'RCD'")
  })
})
