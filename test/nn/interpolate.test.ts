/** Resizing against published values (ONNX's Resize cases) and against positions written out. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const counted = (...shape: readonly number[]): Tensor =>
  T.reshape(T.arange(1, 1 + shape.reduce((a, b) => a * b, 1), 1, { dtype: 'f32' }), shape) as Tensor

const firstRow = (x: Tensor): readonly number[] => flat(T.at(x, 0, 0, 0))

describe('interpolate', () => {
  test("cubic convolution is ONNX's with a = -0.75", () => {
    const x = counted(1, 1, 4, 4)
    const half = nn.interpolate(x, { scaleFactor: 2, mode: 'bicubic' })
    near(T.at(half, 0, 0, 0), [0.47265625, 0.76953125, 1.24609375, 1.875, 2.28125, 2.91015625, 3.38671875, 3.68359375])
    const aligned = nn.interpolate(x, { size: 8, mode: 'bicubic', alignCorners: true })
    near(T.at(aligned, 0, 0, 0), [1, 1.34110787, 1.80029155, 2.32944606, 2.67055394, 3.19970845, 3.65889213, 4])
  })

  test('linear positions, both ways of laying corners, edges held', () => {
    const x = counted(1, 1, 2, 2)
    near(
      nn.interpolate(x, { scaleFactor: 2, mode: 'bilinear' }),
      [1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4],
    )
    const third = (a: number, b: number): readonly number[] => [0, 1, 2, 3].map((i) => a + ((b - a) * i) / 3)
    near(
      nn.interpolate(x, { size: 4, mode: 'bilinear', alignCorners: true }),
      [0, 1, 2, 3].flatMap((i) => third(1 + (2 * i) / 3, 2 + (2 * i) / 3)),
    )
    near(nn.interpolate(counted(1, 1, 3), { size: 1, mode: 'linear', alignCorners: true }), [1])
    near(
      nn.interpolate(counted(1, 1, 2, 1, 1), { size: [3, 1, 1], mode: 'trilinear', alignCorners: true }),
      [1, 1.5, 2],
    )
  })

  test('nearest takes elements of any dtype; a factor keeps its own step', () => {
    const x = T.reshape(T.arange(5), [1, 1, 5]) as Tensor
    expect(flat(nn.interpolate(x, { size: 3 }))).toEqual([0, 1, 3])
    expect(flat(nn.interpolate(x, { size: 3, mode: 'nearest-exact' }))).toEqual([0, 2, 4])
    expect(flat(nn.interpolate(x, { size: 10 }))).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    // ⌊5 · 1.5⌋ = 7 outputs, at ⌊i / 1.5⌋ and not at ⌊i · 5 / 7⌋
    expect(flat(nn.interpolate(x, { scaleFactor: 1.5 }))).toEqual([0, 0, 1, 2, 2, 3, 4])
    expect(flat(nn.interpolate(x, { size: 7 }))).toEqual([0, 0, 1, 2, 2, 3, 4])
    expect(nn.interpolate(x, { size: 5 })).toBe(x)
    // 3 · (1/3) of seven elements: positions that are whole numbers stay whole numbers
    expect(flat(nn.interpolate(T.reshape(T.arange(7), [1, 1, 7]) as Tensor, { size: 21 }))).toEqual(
      Array.from({ length: 21 }, (_, i) => Math.floor(i / 3)),
    )
  })

  test('area is adaptive pooling; axes may go in opposite directions; an empty batch', () => {
    const x = counted(1, 1, 5, 3)
    near(nn.interpolate(x, { size: [2, 4], mode: 'area' }), flat(nn.adaptiveAvgPool2d(x, [2, 4])))
    expect(firstRow(nn.interpolate(x, { size: [2, 6] }))).toEqual([1, 1, 2, 2, 3, 3])
    expect(nn.interpolate(T.zeros([0, 2, 3, 3]), { size: [5, 2], mode: 'bicubic' }).shape).toEqual([0, 2, 5, 2])
  })

  test.each([
    [{ size: 4, mode: 'bilinear' }, [1, 1, 4], "mode 'bilinear' takes [N, C, …] with 2 spatial axes"],
    [{ size: 4, alignCorners: true }, [1, 1, 4], 'has no corners'],
    [{}, [1, 1, 4], 'either a size or a scaleFactor'],
    [{ size: [4, 4] }, [1, 1, 4], 'are not 1 positive numbers'],
    [{ scaleFactor: 0.1 }, [1, 1, 4], '[0] are no sizes'],
    [{ size: 2 }, [1, 1, 0], 'axis 2 has no elements'],
  ] as const)('mistake %# is named', (options, shape, reason) => {
    expect(mistakeOf(nn.interpolate(T.zeros(shape), options)).reason).toContain(reason)
  })

  test('gradients are those of finite differences', () => {
    checkGrad(
      (x: Tensor) => [
        nn.interpolate(x, { size: [5, 2], mode: 'bilinear' }),
        nn.interpolate(x, { scaleFactor: 1.7, mode: 'bicubic' }),
        nn.interpolate(x, { size: [6, 5] }),
        nn.interpolate(x, { size: 2, mode: 'area' }),
      ],
      [counted(1, 1, 3, 4)],
    )
  })
})
