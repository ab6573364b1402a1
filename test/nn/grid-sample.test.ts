/** Sampling on grids against PyTorch's kernels written out in Float64, far outside, at edges and halves, and NaN. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

type Padding = nn.GridPadding
const modes = ['bilinear', 'nearest', 'bicubic'] as const
const paddings = ['zeros', 'border', 'reflection'] as const

const some = (seed: number, low: number, high: number, ...shape: number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low, high })), shape) as Tensor

/** GridSampler.h: grid_sampler_unnormalize, clip_coordinates, reflect_coordinates, compute_coordinates. */
const unnormalised = (c: number, size: number, aligned: boolean): number =>
  aligned ? ((c + 1) / 2) * (size - 1) : ((c + 1) * size - 1) / 2
const clipped = (c: number, size: number): number => Math.min(size - 1, Math.max(c, 0))
const reflected = (c: number, twiceLow: number, twiceHigh: number): number => {
  if (twiceLow === twiceHigh) return 0
  const [min, span] = [twiceLow / 2, (twiceHigh - twiceLow) / 2]
  const d = Math.abs(c - min)
  const extra = d % span
  return Math.floor(d / span) % 2 === 0 ? extra + min : span - extra + min
}
const computed = (c: number, size: number, padding: Padding, aligned: boolean): number => {
  if (padding === 'zeros') return c
  if (padding === 'border') return clipped(c, size)
  return clipped(aligned ? reflected(c, 0, 2 * (size - 1)) : reflected(c, -1, 2 * size - 1), size)
}
const halfEven = (v: number): number => {
  const low = Math.floor(v)
  return v - low === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(v)
}
const keys = (t: number): readonly number[] => {
  const a = -0.75
  const near1 = (d: number): number => (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
  const far1 = (d: number): number => a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a
  return [far1(t + 1), near1(t), near1(1 - t), far1(2 - t)]
}

/** Places and weights along one axis; a place may lie outside. */
const along = (
  c: number,
  size: number,
  mode: nn.GridMode,
  padding: Padding,
  aligned: boolean,
): readonly (readonly [number, number])[] => {
  const place = unnormalised(c, size, aligned)
  if (mode === 'bicubic') {
    const low = Math.floor(place)
    return keys(place - low).map((w, k) => [computed(low - 1 + k, size, padding, aligned), w])
  }
  const own = computed(place, size, padding, aligned)
  if (mode === 'nearest') return [[halfEven(own), 1]]
  const low = Math.floor(own)
  return [
    [low, low + 1 - own],
    [low + 1, own - low],
  ]
}

/** One channel sampled at coordinates, the last axis first. */
const sampled = (
  at: (...p: readonly number[]) => number,
  sizes: readonly number[],
  coordinates: readonly number[],
  mode: nn.GridMode,
  padding: Padding,
  aligned: boolean,
): number => {
  const lists = sizes.map((n, i) => along(coordinates[sizes.length - 1 - i]!, n, mode, padding, aligned))
  const visit = (i: number, place: readonly number[], weight: number): number => {
    if (i === sizes.length) return place.every((p, k) => p >= 0 && p < sizes[k]!) ? weight * at(...place) : 0
    return lists[i]!.reduce((sum, [p, w]) => sum + visit(i + 1, [...place, p], weight * w), 0)
  }
  return visit(0, [], 1)
}

const wanted = (x: Tensor, grid: Tensor, mode: nn.GridMode, padding: Padding, aligned: boolean): readonly number[] => {
  const [batch, channels, ...sizes] = x.shape as readonly [number, number, ...number[]]
  const [values, places] = [flat(x), flat(grid)]
  const spatial = sizes.length
  const points = places.length / spatial / batch
  const strides = sizes.map((_, i) => sizes.slice(i + 1).reduce((a, b) => a * b, 1))
  const plane = sizes.reduce((a, b) => a * b, 1)
  const out: number[] = []
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < points; p++) {
        const from = (n * points + p) * spatial
        const at = (...q: readonly number[]): number =>
          values[(n * channels + c) * plane + q.reduce((sum, v, k) => sum + v * strides[k]!, 0)]!
        out.push(sampled(at, sizes, places.slice(from, from + spatial), mode, padding, aligned))
      }
  return out
}

const cases = modes.flatMap((mode) =>
  paddings.flatMap((padding) => [true, false].map((aligned) => ({ mode, padding, aligned }))),
)

describe('gridSample', () => {
  const x = some(1, -1, 1, 2, 3, 4, 5)
  const grid = some(2, -3, 3, 2, 3, 4, 2)
  test.each(cases)('$mode, $padding, corners aligned: $aligned', ({ mode, padding, aligned }) => {
    const options = { mode, paddingMode: padding, alignCorners: aligned } as const
    const got = nn.gridSample(x, grid, options)
    expect(got.shape).toEqual([2, 3, 3, 4])
    near(got, wanted(x, grid, mode, padding, aligned))
    if (mode === 'bicubic') return
    const volume = some(3, -1, 1, 2, 1, 2, 3, 4)
    const places = some(4, -2, 2, 2, 1, 2, 3, 3)
    near(nn.gridSample(volume, places, options), wanted(volume, places, mode, padding, aligned))
  })

  test.each(paddings)('halves are rounded to the even element, edges belong inside: %s', (padding) => {
    const line = T.tensor([[[[1, 2, 3, 4]]]], { dtype: 'f32' }) as Tensor
    // Places -0.5, 0.5, 1.5, 2.5, 3.5 of four elements.
    const places = T.tensor([[[-1, -0.5, 0, 0.5, 1].map((c) => [c, 0])]], { dtype: 'f32' }) as Tensor
    for (const mode of modes)
      near(nn.gridSample(line, places, { mode, paddingMode: padding }), wanted(line, places, mode, padding, false))
  })

  test('NaN and infinite coordinates', () => {
    const line = T.tensor([[[[1, 2, 3]]]], { dtype: 'f32' }) as Tensor
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30].map((c) => [c, 0])
    const places = T.tensor([[odd]], { dtype: 'f32' }) as Tensor
    for (const mode of ['bilinear', 'nearest'] as const) {
      near(nn.gridSample(line, places, { mode }), [0, 0, 0, 0])
      near(nn.gridSample(line, places, { mode, paddingMode: 'border' }), [1, 3, 1, 3])
    }
    const slopes = T.grad((g: Tensor) => T.sum(nn.gridSample(line, g)) as Tensor<readonly []>)(places)
    expect(flat(slopes).every(Number.isFinite)).toBe(true)
  })

  test('one element, no images, no places', () => {
    const one = T.full([1, 1, 1, 1], 3, { dtype: 'f32' }) as Tensor
    const places = some(5, -2, 2, 1, 2, 2, 2)
    for (const { mode, padding, aligned } of cases.filter((c) => c.mode === 'bilinear'))
      near(
        nn.gridSample(one, places, { mode, paddingMode: padding, alignCorners: aligned }),
        wanted(one, places, mode, padding, aligned),
      )
    expect(nn.gridSample(T.zeros([0, 2, 3, 3]), T.zeros([0, 4, 4, 2])).shape).toEqual([0, 2, 4, 4])
    expect(nn.gridSample(T.zeros([2, 2, 3, 3]), T.zeros([2, 0, 4, 2])).shape).toEqual([2, 2, 0, 4])
  })

  const sloped = cases.filter(({ mode, padding, aligned }) =>
    mode === 'bilinear' ? !aligned || padding === 'reflection' : padding === 'zeros' && aligned,
  )
  test.each(sloped)('gradients: $mode, $padding, corners aligned: $aligned', ({ mode, padding, aligned }) => {
    const small = some(6, -1, 1, 1, 1, 3, 3)
    const places = some(7, -1.7, 1.7, 1, 1, 3, 2)
    checkGrad(
      (a: Tensor, g: Tensor) => nn.gridSample(a, g, { mode, paddingMode: padding, alignCorners: aligned }),
      [small, places],
      { order: 1 },
    )
  })

  test('a coordinate held at the border has no slope; one at an element that of its right side', () => {
    const line = T.tensor([[[[1, 2, 4]]]], { dtype: 'f32' }) as Tensor
    const places = T.tensor([[[-1, 0, 1, 0.5, 2].map((c) => [c, 0])]], { dtype: 'f32' }) as Tensor
    const options = { paddingMode: 'border', alignCorners: true } as const
    const slopes = T.grad((g: Tensor) => T.sum(nn.gridSample(line, g, options)) as Tensor<readonly []>)(places)
    expect(
      flat(slopes)
        .filter((_, i) => i % 2 === 0)
        .map((v) => v + 0),
    ).toEqual([0, 2, 0, 2, 0])
  })

  test('batches of batches, half precision', () => {
    checkVmap(
      (a: Tensor, g: Tensor) => nn.gridSample(a, g),
      [T.stack([x, x]) as Tensor, T.stack([grid, grid]) as Tensor],
    )
    expect(nn.gridSample(T.cast(x, 'f16'), T.cast(grid, 'f16')).dtype).toBe('f16')
  })

  test.each([
    [() => nn.gridSample(T.zeros([2, 3, 4]), grid), 'takes an input of rank 4 or 5, not 3'],
    [() => nn.gridSample(x, T.zeros([2, 3, 4, 3])), 'a grid of shape [2, 3, 4, 3] does not fit'],
    [() => nn.gridSample(x, T.zeros([1, 3, 4, 2])), 'does not fit an input of shape [2, 3, 4, 5]'],
    [() => nn.gridSample(T.zeros([1, 1, 2, 2, 2]), T.zeros([1, 1, 1, 1, 3]), { mode: 'bicubic' }), 'two spatial axes'],
    [() => nn.gridSample(T.ones([2, 3, 4, 5], { dtype: 'i32' }), grid), 'takes floats, not i32'],
    [() => nn.gridSample(T.zeros([2, 3, 0, 5]), grid), 'no elements'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f() as Tensor)).toMatchObject({ op: 'nn.gridSample', reason: expect.stringContaining(reason) })
  })
  test('choices that there are not', () => {
    expect(() => nn.gridSample(x, grid, { mode: 'linear' as never })).toThrow("nn.gridSample: the mode is 'linear'")
    expect(() => nn.gridSample(x, grid, { paddingMode: 'same' as never })).toThrow("the padding mode is 'same'")
  })
})

describe('affineGrid', () => {
  const theta = some(8, -1, 1, 2, 2, 3)
  test.each([true, false])('is the matrix times the centres of the output, corners aligned: %s', (aligned) => {
    const [height, width] = [3, 4]
    const m = flat(theta)
    const centre = (i: number, n: number): number => (aligned ? (2 * i) / (n - 1) - 1 : (2 * i + 1) / n - 1)
    const want = [0, 1].flatMap((n) =>
      Array.from({ length: height * width * 2 }, (_, i) => {
        const [h, w, row] = [Math.floor(i / 2 / width), Math.floor(i / 2) % width, i % 2]
        const at = (k: number): number => m[n * 6 + row * 3 + k]!
        return at(0) * centre(w, width) + at(1) * centre(h, height) + at(2)
      }),
    )
    const got = nn.affineGrid(theta, [2, 9, height, width], { alignCorners: aligned })
    expect(got.shape).toEqual([2, height, width, 2])
    near(got, want)
  })

  test('in three dimensions the identity reads the volume itself', () => {
    const eye = T.reshape(T.eye(3, { columns: 4 }), [1, 3, 4]) as Tensor
    const x = some(9, -1, 1, 1, 2, 2, 3, 4)
    for (const alignCorners of [true, false])
      near(nn.gridSample(x, nn.affineGrid(eye, [1, 2, 2, 3, 4], { alignCorners }), { alignCorners }), flat(x))
  })

  test('one element, none, gradients', () => {
    near(nn.affineGrid(T.narrow(theta, 0, 1) as Tensor, [1, 1, 1, 1], { alignCorners: true }), [
      flat(theta)[2]!,
      flat(theta)[5]!,
    ])
    expect(nn.affineGrid(theta, [2, 1, 0, 3]).shape).toEqual([2, 0, 3, 2])
    checkGrad((t: Tensor) => nn.affineGrid(t, [2, 1, 2, 3]), [theta])
  })

  test.each([
    [() => nn.affineGrid(theta, [2, 3, 4]), 'the size is [2, 3, 4]'],
    [() => nn.affineGrid(theta, [3, 1, 2, 2]), 'theta has shape [2, 2, 3], not [3, 2, 3]'],
    [() => nn.affineGrid(theta, [2, 1, 2, 2, 2]), 'not [2, 3, 4]'],
    [() => nn.affineGrid(T.ones([1, 2, 3], { dtype: 'i32' }), [1, 1, 2, 2]), 'theta is i32'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f() as Tensor)).toMatchObject({ op: 'nn.affineGrid', reason: expect.stringContaining(reason) })
  })
})
