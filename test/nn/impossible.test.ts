/** What has probability, weight or count 0 costs nothing, be its logarithm -Infinity; means over nothing are NaN. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { DType } from '../../src/lang/dtype.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { flat } from '../lang/tensor/run.ts'

const inf = Number.POSITIVE_INFINITY
const f32 = (xs: unknown): Tensor => T.tensor(xs as number[], { dtype: 'f32' }) as Tensor
const none = { reduction: 'none' } as const

type LossOf = (x: Tensor, y: Tensor) => Tensor

/** A loss, predictions and targets of which one element is impossible, and what that costs; the others are not. */
const pairs: readonly (readonly [name: string, f: LossOf, x: number[], y: number[], at: number, cost: number])[] = [
  ['klDiv', (x, y) => nn.klDiv(x, y, none) as Tensor, [-inf, -0.5, -2], [0, 0.5, 0], 0, 0],
  ['klDiv, impossible and asked for', (x, y) => nn.klDiv(x, y, none) as Tensor, [-0.5, -inf], [0.5, 0.5], 1, inf],
  [
    'klDiv of logarithms',
    (x, y) => nn.klDiv(x, y, { ...none, logTarget: true }) as Tensor,
    [-inf, -0.5, -0.25],
    [-inf, -0.5, -0.75],
    0,
    0,
  ],
  [
    'klDiv of a logarithm',
    (x, y) => nn.klDiv(x, y, { ...none, logTarget: true }) as Tensor,
    [-0.5, -1],
    [-inf, -0.75],
    0,
    0,
  ],
  ['binaryCrossEntropy at 0', (x, y) => nn.binaryCrossEntropy(x, y, none) as Tensor, [0, 0.5], [0, 0.25], 0, 0],
  ['binaryCrossEntropy at 1', (x, y) => nn.binaryCrossEntropy(x, y, none) as Tensor, [1, 0.5], [1, 0.25], 0, 0],
  ['with logits, never', (x, y) => nn.binaryCrossEntropyWithLogits(x, y, none) as Tensor, [-inf, 2], [0, 0.25], 0, 0],
  ['with logits, always', (x, y) => nn.binaryCrossEntropyWithLogits(x, y, none) as Tensor, [inf, 2], [1, 0.25], 0, 0],
  ['with logits, wrong', (x, y) => nn.binaryCrossEntropyWithLogits(x, y, none) as Tensor, [inf, 2], [0, 1], 0, inf],
  [
    'with logits that weigh nothing',
    (x, y) =>
      nn.binaryCrossEntropyWithLogits(x, y, { ...none, weight: f32([0, 1]), posWeight: f32([2, 0.5]) }) as Tensor,
    [inf, 2],
    [0, 0.25],
    0,
    0,
  ],
  [
    'with logits whose positives weigh nothing',
    (x, y) => nn.binaryCrossEntropyWithLogits(x, y, { ...none, posWeight: f32([0, 0.5]) }) as Tensor,
    [-inf, 2],
    [1, 0.25],
    0,
    0,
  ],
  ['poissonNllLoss', (x, y) => nn.poissonNllLoss(x, y, none) as Tensor, [-inf, 0.5], [0, 3], 0, 0],
  [
    'poissonNllLoss of rates',
    (x, y) => nn.poissonNllLoss(x, y, { ...none, logInput: false, eps: 0, full: true }) as Tensor,
    [0, 0.5],
    [0, 3],
    0,
    0,
  ],
  ['xlogy', (x, y) => T.xlogy(y, x) as Tensor, [0, 0.5], [0, 3], 0, 0],
]

/** Rows of scores in which a class is impossible, of probability or weight 0; and the rows without it. */
const logits = f32([
  [-inf, 1, 2],
  [0.5, -inf, 0],
])
const soft = f32([
  [0, 0.25, 0.75],
  [0.5, 0, 0.5],
])
const left = f32([
  [1, 2],
  [0.5, 0],
])
const leftSoft = f32([
  [0.25, 0.75],
  [0.5, 0.5],
])
const weightless = { ...none, weight: f32([0, 1, 2]) }
const hard = T.tensor([0, 2])
const rows: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[]])[] = [
  [
    'soft targets',
    (x) => nn.crossEntropy(x, soft, none) as Tensor,
    flat(nn.crossEntropy(left, leftSoft, none) as Tensor),
  ],
  [
    'a class without weight',
    (x) => nn.crossEntropy(x, hard, weightless) as Tensor,
    [0, 2 * Math.log(1 + Math.exp(0.5))],
  ],
  [
    'nllLoss of a class without weight',
    (x) => nn.nllLoss(nn.logSoftmax(x), hard, weightless) as Tensor,
    [0, 2 * Math.log(1 + Math.exp(0.5))],
  ],
  ['a margin without weight', (x) => nn.multiMarginLoss(x, T.tensor([0, 0]), weightless), [0, 0]],
  ['its square', (x) => nn.multiMarginLoss(x, T.tensor([0, 0]), { ...weightless, p: 2 }), [0, 0]],
]
const smoothed = (x: Tensor): Tensor =>
  nn.crossEntropy(x, T.tensor([1, 2]), { ...weightless, labelSmoothing: 0.25, reduction: 'none' }) as Tensor

const slopes = (
  f: (...xs: Tensor[]) => Tensor,
  argnums: number | readonly number[],
  args: readonly Tensor[],
): unknown =>
  T.grad((...xs: Tensor[]) => T.sum(f(...xs)) as Tensor<readonly []>, { argnums } as never)(
    ...(args as readonly never[]),
  )

describe('what is impossible and does not count costs nothing', () => {
  const args = pairs.map(([, , x, y]) => [f32(x), f32(y)] as const)
  const everything = (given: typeof args, scores: Tensor): readonly Tensor[] => [
    ...pairs.flatMap(([, f], i) => [
      f(given[i]![0], given[i]![1]),
      ...(slopes(f as never, [0, 1], given[i]!) as readonly Tensor[]),
    ]),
    ...rows.flatMap(([, f]) => [f(scores), slopes(f as never, 0, [scores]) as Tensor]),
  ]
  const onDevice = T.jit(everything) as unknown as (...xs: unknown[]) => Promise<readonly T.HostTensor[]>
  const judge = (found: readonly ArrayLike<number>[]): void => {
    pairs.forEach(([name, f, x, y, at, cost], i) => {
      const [values, dx, dy] = found.slice(3 * i, 3 * i + 3).map((a) => Array.from(a)) as [number[], number[], number[]]
      expect(values[at], name).toEqual(cost === 0 ? expect.closeTo(0, 6) : cost)
      values.forEach((v, k) => {
        if (k === at) return
        const alone = flat(f(f32(x), f32(y)))[k]!
        expect(v, name).toBeCloseTo(alone, 4)
        expect(Number.isFinite(v), name).toBe(true)
      })
      expect(dx.some(Number.isNaN), `${name}: ${dx}`).toBe(false)
      expect(dy.some(Number.isNaN), `${name}: ${dy}`).toBe(false)
      if (cost === 0) expect([...dx, ...dy].every(Number.isFinite), `${name}: ${dx}; ${dy}`).toBe(true)
      // A rate has a cost of its own.
      if (cost === 0 && name !== 'poissonNllLoss of rates') expect(dx[at], name).toBeCloseTo(0, 6)
    })
    rows.forEach(([name, , want], i) => {
      const [values, dx] = found.slice(3 * pairs.length + 2 * i, 3 * pairs.length + 2 * i + 2).map((a) => Array.from(a))
      want.forEach((w, k) => {
        expect(values![k], name).toBeCloseTo(w, 5)
      })
      expect(dx!.every(Number.isFinite), `${name}: ${dx}`).toBe(true)
    })
  }
  test('on the reference', () => {
    judge(everything(args, logits).map(flat))
  })
  test('on the device', async () => {
    judge((await onDevice(args, logits)).map((t) => t.data))
  })
  test('smoothing counts every class that has a weight', () => {
    expect(flat(smoothed(logits))[0]).toBeCloseTo(
      0.75 * Math.log(1 + Math.E) + (0.25 / 3) * (Math.log(1 + Math.E) + 2 * Math.log(1 + 1 / Math.E)),
      5,
    )
    expect(flat(smoothed(logits))[1]).toBe(inf)
    expect(flat(nn.crossEntropy(logits, T.tensor([0, 1]), { ...none, labelSmoothing: 1 }) as Tensor)).toEqual([
      inf,
      inf,
    ])
  })
})

describe('the mean of an empty batch is NaN', () => {
  const dtypes: readonly DType[] = ['f32', 'f16', 'bf16', 'i32', 'u32', 'i8', 'u8']
  const empty = T.zeros([0, 3]) as Tensor
  const like =
    (f: (x: Tensor, y: Tensor) => Tensor) =>
    (dtype: DType): Tensor =>
      f(empty, T.zeros([0, 3], { dtype }) as Tensor)
  const classes =
    (f: (x: Tensor, y: Tensor) => Tensor, x: Tensor = empty) =>
    (dtype: DType): Tensor =>
      f(x, T.zeros([0], { dtype }) as Tensor)
  const weight = f32([1, 2, 3])
  const elements: Readonly<Record<string, (dtype: DType) => Tensor>> = {
    ...Object.fromEntries(
      (
        [
          'mseLoss',
          'l1Loss',
          'huberLoss',
          'smoothL1Loss',
          'binaryCrossEntropy',
          'binaryCrossEntropyWithLogits',
          'klDiv',
          'poissonNllLoss',
          'hingeLoss',
          'hingeEmbeddingLoss',
          'softMarginLoss',
        ] as const
      ).map((name) => [name, like(nn[name] as never)]),
    ),
    'klDiv, batchmean': like((x, y) => nn.klDiv(x, y, { reduction: 'batchmean' }) as Tensor),
    gaussianNllLoss: like((x, y) => nn.gaussianNllLoss(x, y, T.ones([0, 3]))),
    marginRankingLoss: like((x, y) => nn.marginRankingLoss(x, x, y)),
    tripletMarginLoss: like((x, y) => nn.tripletMarginLoss(x, x, y)),
    cosineEmbeddingLoss: (dtype) => nn.cosineEmbeddingLoss(empty, empty, T.zeros([0], { dtype })),
  }
  const integers: Readonly<Record<string, (dtype: DType) => Tensor>> = {
    nllLoss: classes(nn.nllLoss as never),
    'nllLoss, weighed': classes((x, y) => nn.nllLoss(x, y, { weight }) as Tensor),
    'nllLoss, ignoring': classes((x, y) => nn.nllLoss(x, y, { ignoreIndex: 1 }) as Tensor),
    crossEntropy: classes(nn.crossEntropy as never),
    'crossEntropy, weighed': classes((x, y) => nn.crossEntropy(x, y, { weight }) as Tensor),
    'crossEntropy, smoothed': classes((x, y) => nn.crossEntropy(x, y, { labelSmoothing: 0.1 }) as Tensor),
    'crossEntropy of no positions': (dtype) =>
      nn.crossEntropy(T.zeros([2, 3, 0]), T.zeros([2, 0], { dtype })) as Tensor,
    multiMarginLoss: classes((x, y) => nn.multiMarginLoss(x, y)),
    'multiMarginLoss, weighed': classes((x, y) => nn.multiMarginLoss(x, y, { weight })),
  }
  test.each(Object.entries(elements))('%s', (_, f) => {
    for (const dtype of dtypes) expect(flat(f(dtype)), dtype).toEqual([Number.NaN])
  })
  test.each(Object.entries(integers))('%s', (_, f) => {
    for (const dtype of dtypes.filter((d) => !d.includes('f'))) expect(flat(f(dtype)), dtype).toEqual([Number.NaN])
  })
  test('soft targets', () => {
    expect(flat(nn.crossEntropy(empty, T.zeros([0, 3])) as Tensor)).toEqual([Number.NaN])
  })
  test('on the device, where the gradient is empty', async () => {
    const of = (x: Tensor, y: Tensor): readonly Tensor[] => [
      nn.crossEntropy(x, y) as Tensor,
      slopes((v: Tensor) => nn.crossEntropy(v, y) as Tensor, 0, [x]) as Tensor,
    ]
    const [loss, slope] = await T.jit(of)(empty, T.zeros([0], { dtype: 'i32' }))
    expect([loss!.data[0], slope!.shape]).toEqual([Number.NaN, [0, 3]])
  })
})
