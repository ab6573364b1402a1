/** Pooling against loops over windows: padding of two sides, dilation, 'same', places of the largest, and back again. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: number[]): Tensor =>
  T.fromArray(flat(random.normal(random.key(seed), shape)), shape) as Tensor

/** Windows along one axis, worked out. */
interface Axis {
  readonly n: number
  readonly k: number
  readonly s: number
  readonly d: number
  readonly before: number
  readonly after: number
}

const countOf = ({ n, k, s, d, before, after }: Axis): number =>
  Math.floor((n + before + after - d * (k - 1) - 1) / s) + 1

/** The padding of one axis that gives ⌈n / s⌉ windows, the odd one after. */
const same = (n: number, k: number, s: number, d: number): Axis => {
  const total = Math.max(0, (Math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n)
  return { n, k, s, d, before: Math.floor(total / 2), after: Math.ceil(total / 2) }
}

/** The places of each window of a plane, row by row; those outside as undefined. */
const windowsOf = (rows: Axis, columns: Axis): readonly (readonly (number | undefined)[])[] =>
  Array.from({ length: countOf(rows) }, (_, i) =>
    Array.from({ length: countOf(columns) }, (_, j) =>
      Array.from({ length: rows.k * columns.k }, (_, t) => {
        const y = i * rows.s - rows.before + Math.floor(t / columns.k) * rows.d
        const x = j * columns.s - columns.before + (t % columns.k) * columns.d
        return y < 0 || x < 0 || y >= rows.n || x >= columns.n ? undefined : y * columns.n + x
      }),
    ),
  ).flat()

const [height, width] = [5, 7]
const image = some(1, 1, 1, height, width)
const values = flat(image)
const inside = (window: readonly (number | undefined)[]): readonly number[] => window.filter((p) => p !== undefined)
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)

const layouts: readonly (readonly [name: string, rows: Axis, columns: Axis, options: nn.MaxPoolOptions])[] = [
  [
    'two sides',
    { n: height, k: 3, s: 2, d: 1, before: 2, after: 0 },
    { n: width, k: 2, s: 1, d: 1, before: 0, after: 1 },
    {
      kernelSize: [3, 2],
      stride: [2, 1],
      padding: [
        [2, 0],
        [0, 1],
      ],
    },
  ],
  [
    'a pair and a number, dilated',
    { n: height, k: 2, s: 1, d: 3, before: 1, after: 1 },
    { n: width, k: 3, s: 2, d: 2, before: 4, after: 1 },
    { kernelSize: [2, 3], stride: [1, 2], dilation: [3, 2], padding: [1, [4, 1]] },
  ],
  ['same', same(height, 2, 2, 1), same(width, 3, 3, 1), { kernelSize: [2, 3], padding: 'same' }],
  [
    'same, dilated, with strides',
    same(height, 3, 2, 2),
    same(width, 2, 4, 3),
    { kernelSize: [3, 2], stride: [2, 4], dilation: [2, 3], padding: 'same' },
  ],
  [
    'valid',
    { n: height, k: 2, s: 2, d: 1, before: 0, after: 0 },
    { n: width, k: 2, s: 2, d: 1, before: 0, after: 0 },
    { kernelSize: 2, padding: 'valid' },
  ],
]

describe.each(layouts)('%s', (_, rows, columns, options) => {
  const windows = windowsOf(rows, columns)
  const shape = [1, 1, countOf(rows), countOf(columns)]
  test('the largest, and its place', () => {
    const places = windows.map((w) => inside(w).reduce((best, p) => (values[p]! > values[best]! ? p : best)))
    const [largest, indices] = nn.maxPool2dWithIndices(image, options)
    expect(largest.shape).toEqual(shape)
    expect(flat(indices)).toEqual(places)
    expect(flat(largest)).toEqual(places.map((p) => values[p]))
    expect(flat(nn.maxPool2d(image, options))).toEqual(flat(largest))
  })
  test('means and norms', () => {
    const totals = windows.map((w) => sum(inside(w).map((p) => values[p]!)))
    near(
      nn.avgPool2d(image, options),
      totals.map((t) => t / (rows.k * columns.k)),
    )
    near(
      nn.avgPool2d(image, { ...options, countIncludePad: false }),
      totals.map((t, i) => t / inside(windows[i]!).length),
    )
    near(
      nn.avgPool2d(image, { ...options, divisorOverride: 3 }),
      totals.map((t) => t / 3),
    )
    near(
      nn.lpPool2d(image, { ...options, p: 2 }),
      windows.map((w) => Math.sqrt(sum(inside(w).map((p) => values[p]! ** 2)))),
    )
  })
})

test('gradients are those of finite differences; batches of batches', () => {
  const small = some(2, 2, 1, 3, 4)
  const options = { kernelSize: 2, stride: 2, dilation: 2, padding: 'same' } as const
  const f = (x: Tensor): readonly Tensor[] => {
    const [largest, indices] = nn.maxPool2dWithIndices(x, options)
    return [
      nn.avgPool2d(x, { ...options, countIncludePad: false }),
      largest,
      nn.maxUnpool2d(T.square(largest) as Tensor, indices, { kernelSize: 2, outputSize: [3, 4] }),
      nn.lpPool3d(T.exp(x) as Tensor, { p: 3, kernelSize: [1, 2, 2], padding: [0, [1, 0], 0] }),
    ]
  }
  checkGrad(f, [small], { order: 1 })
  checkVmap(f, [T.stack([small, T.neg(small)]) as Tensor])
})

describe('places of the largest', () => {
  test('along one axis and three, without a batch', () => {
    const line = T.tensor([[3, 9, 9, 1, 4]]) as Tensor
    expect(nn.maxPool1dWithIndices(line, { kernelSize: 2, ceilMode: true }).map(flat)).toEqual([
      [9, 9, 4],
      [1, 2, 4],
    ])
    const volume = some(3, 1, 2, 4, 4, 4)
    const [largest, indices] = nn.maxPool3dWithIndices(volume, { kernelSize: 2 })
    const channels = T.reshape(volume, [1, 2, 64]) as Tensor
    const found = T.takeAlongAxis(channels, T.reshape(indices, [1, 2, 8]) as Tensor) as Tensor
    expect(flat(found)).toEqual(flat(largest))
    const back = nn.maxUnpool3d(largest, indices, { kernelSize: 2 })
    expect(back.shape).toEqual(volume.shape)
    expect(flat(nn.maxPool3d(T.maximum(back, -9) as Tensor, { kernelSize: 2 }))).toEqual(
      flat(T.maximum(largest, 0) as Tensor),
    )
    expect(sum(flat(back))).toBeCloseTo(sum(flat(largest)), 4)
  })
  test('NaN wins; where all is -Infinity, the least integer, or equal, it is the first inside', () => {
    const padded = { kernelSize: 3, stride: 2, padding: 1 } as const
    const nan = T.tensor([[1, Number.NaN, 2]]) as Tensor
    expect(nn.maxPool1dWithIndices(nan, { kernelSize: 3 }).map(flat)).toEqual([[Number.NaN], [1]])
    const least = T.full([1, 1, 4, 4], Number.NEGATIVE_INFINITY) as Tensor
    expect(flat(nn.maxPool2dWithIndices(least, padded)[1])).toEqual([0, 1, 4, 5])
    expect(flat(nn.maxPool2dWithIndices(T.full([1, 1, 4, 4], -(2 ** 31), { dtype: 'i32' }), padded)[1])).toEqual([
      0, 1, 4, 5,
    ])
    const wide = { kernelSize: 2, stride: 1, padding: 1, dilation: 2 } as const
    expect(flat(nn.maxPool1dWithIndices(T.full([1, 3], Number.NEGATIVE_INFINITY), wide)[1])).toEqual([1, 0, 1])
  })
  test('nothing to pool', () => {
    const [largest, indices] = nn.maxPool2dWithIndices(T.zeros([0, 2, 4, 4]), { kernelSize: 2 })
    expect([largest.shape, indices.shape]).toEqual([
      [0, 2, 2, 2],
      [0, 2, 2, 2],
    ])
    expect(nn.maxUnpool2d(largest, indices, { kernelSize: 2 }).shape).toEqual([0, 2, 4, 4])
  })
})

describe('maxUnpool', () => {
  test("PyTorch's examples: the usual size, and another", () => {
    const x = T.tensor([[[1, 2, 3, 4, 5, 6, 7, 8]]]) as Tensor
    const [largest, indices] = nn.maxPool1dWithIndices(x, { kernelSize: 2, stride: 2 })
    expect(flat(nn.maxUnpool1d(largest, indices, { kernelSize: 2, stride: 2 }))).toEqual([0, 2, 0, 4, 0, 6, 0, 8])
    const odd = nn.maxUnpool1d(largest, indices, { kernelSize: 2, stride: 2, outputSize: [9] })
    expect(flat(odd)).toEqual([0, 2, 0, 4, 0, 6, 0, 8, 0])
    expect(
      nn.maxUnpool2d(T.ones([1, 2, 3]), T.zeros([1, 2, 3], { dtype: 'i32' }), { kernelSize: 3, stride: 2, padding: 1 })
        .shape,
    ).toEqual([1, 3, 5])
  })
  test('a place that there is not', () => {
    expect(() => flat(nn.maxUnpool1d(T.ones([1, 1]), T.tensor([[4]]), { kernelSize: 2 }))).toThrow('index 4')
  })
})

test('means of whole numbers, which would be cut, are refused', () => {
  for (const dtype of ['i32', 'u8', 'bool'] as const) {
    const x = T.cast(T.tensor([[3, 4]]), dtype) as Tensor
    for (const [name, pooled] of [
      ['nn.avgPool1d', nn.avgPool1d(x, { kernelSize: 2 })],
      ['nn.adaptiveAvgPool1d', nn.adaptiveAvgPool1d(x, 1)],
      ['nn.lpPool1d', nn.lpPool1d(x, { p: 1, kernelSize: 2 })],
      ['nn.lpPool1d', nn.lpPool1d(x, { p: 2, kernelSize: 2 })],
    ] as const) {
      const mistake = mistakeOf(pooled as Tensor)
      expect([mistake.op, mistake.reason]).toEqual([name, expect.stringMatching(/^not defined on (i32|u8|bool)$/)])
    }
  }
})

describe('what does not fit', () => {
  test.each([
    [{ kernelSize: 3, padding: 2 }, 'windows of 3 with padding 2 do not fit axis 2'],
    [{ kernelSize: 3, padding: [[3, 0], 0] }, 'windows of 3 with padding [3, 0] do not fit axis 2'],
    [{ kernelSize: 3, padding: [0, [-1, 2]] }, 'do not fit axis 3'],
    [{ kernelSize: 2, padding: [[1, 0, 0], 0] }, 'is not 2 whole numbers, or pairs of them'],
    [{ kernelSize: [2], padding: 'same' }, '2 of each'],
    [{ kernelSize: 9 }, 'windows of 9 with padding 0 do not fit axis 2 of size 5'],
  ] as const)('%j', (options, reason) => {
    const mistake = mistakeOf(nn.avgPool2d(image, options as never) as Tensor)
    expect([mistake.op, mistake.reason]).toEqual(['nn.avgPool2d', expect.stringContaining(reason)])
  })
})

describe('convolutions', () => {
  const weight = some(4, 2, 1, 3, 2)
  const taps = flat(weight)
  test.each(layouts.filter(([, rows, columns]) => rows.k === 3 && columns.k === 2))(
    '%s',
    (_, rows, columns, options) => {
      const { kernelSize: __, ...geometry } = options
      const got = nn.conv2d(image, { weight }, geometry as nn.ConvOptions) as Tensor
      expect(got.shape).toEqual([1, 2, countOf(rows), countOf(columns)])
      const windows = windowsOf(rows, columns)
      near(
        got,
        [0, 1].flatMap((o) =>
          windows.map((w) => sum(w.map((p, t) => (p === undefined ? 0 : values[p]! * taps[o * 6 + t]!)))),
        ),
      )
      checkGrad((x: Tensor, k: Tensor) => nn.conv2d(x, { weight: k }, geometry as nn.ConvOptions), [image, weight], {
        order: 1,
        maxElements: 6,
      })
    },
  )
})
