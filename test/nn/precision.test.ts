/** 16-bit floats: computed in f32 and rounded once, wherever something is reduced. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { isHalf } from '../../src/lang/dtype.ts'
import { roundTo } from '../../src/lang/scalar-functions.ts'
import { topological } from '../../src/lang/topological.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { flat } from '../lang/tensor/run.ts'

const some = (seed: number, shape: readonly number[], low = -3, high = 3): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low, high })), shape) as Tensor

/** Functions of floats, and the shapes of these; all positive where it says so. */
type Case = readonly [
  name: string,
  f: (...xs: Tensor[]) => Tensor,
  shapes: readonly (readonly number[])[],
  low?: number,
]

const labels = T.tensor([2, 0, 4, 1])
const rows = [4, 5] as const
const image = [2, 3, 4, 4] as const
const pairs: readonly Case[] = (
  [
    'mseLoss',
    'l1Loss',
    'huberLoss',
    'smoothL1Loss',
    'hingeLoss',
    'softMarginLoss',
    'binaryCrossEntropyWithLogits',
  ] as const
).map((name): Case => [name, nn[name] as never, [rows, rows]])

const cases: readonly Case[] = [
  ['vectorNorm', (x) => T.vectorNorm(x!, { axis: 1 }) as Tensor, [rows]],
  ['vectorNorm 3', (x) => T.vectorNorm(x!, { axis: 1, p: 3 }) as Tensor, [rows]],
  ['variance', (x) => T.variance(x as never, { axis: 1, correction: 1 }) as Tensor, [rows]],
  ['std', (x) => T.std(x as never, { axis: 1, correction: 1 }) as Tensor, [rows]],
  ['mean', (x) => T.mean(x as never, { axis: 1 }) as Tensor, [rows]],
  ['cumsum', (x) => T.cumsum(x!, { axis: 1 }), [rows]],
  ['cumprod', (x) => T.cumprod(x!, { axis: 1 }), [rows]],
  ['logcumsumexp', (x) => T.logcumsumexp(x!, { axis: 1 }) as Tensor, [rows]],
  ['softmax', (x) => nn.softmax(x!), [rows]],
  ['softmin', (x) => nn.softmin(x!), [rows]],
  ['logSoftmax', (x) => nn.logSoftmax(x!), [rows]],
  ['normalize', (x) => nn.normalize(x!), [rows]],
  ['layerNorm', (x, w, b) => nn.layerNorm(x!, { weight: w!, bias: b! }), [rows, [5], [5]]],
  ['rmsNorm', (x, w) => nn.rmsNorm(x!, { weight: w! }), [rows, [5]]],
  ['batchNorm', (x, w, b) => nn.batchNorm(x!, { weight: w!, bias: b! }), [image, [3], [3]]],
  ['batchNorm, inference', (x, m, v) => nn.batchNorm(x!, { runningMean: m!, runningVar: v! }), [image, [3], [3]], 0.5],
  [
    'batchNormStep',
    (x, m, v) => nn.batchNormStep(x!, { runningMean: m!, runningVar: v! }).runningVar,
    [image, [3], [3]],
    0.5,
  ],
  ['groupNorm', (x, w) => nn.groupNorm(x!, { weight: w! }, { groups: 3 }), [image, [3]]],
  ['instanceNorm', (x, w) => nn.instanceNorm(x!, { weight: w! }), [image, [3]]],
  ['avgPool1d', (x) => nn.avgPool1d(x!, { kernelSize: 3, padding: 1, countIncludePad: false }), [[2, 3, 7]]],
  ['avgPool2d', (x) => nn.avgPool2d(x!, { kernelSize: 3 }), [image]],
  ['lpPool2d', (x) => nn.lpPool2d(x!, { p: 3, kernelSize: 2 }), [image], 0.5],
  ['adaptiveAvgPool2d', (x) => nn.adaptiveAvgPool2d(x!, 3), [image]],
  ['bicubic', (x) => nn.interpolate(x!, { size: 7, mode: 'bicubic' }), [image]],
  ['gridSample', (x, g) => nn.gridSample(x!, g!), [image, [2, 3, 3, 2]]],
  ['gridSample, bicubic', (x, g) => nn.gridSample(x!, g!, { mode: 'bicubic' }), [image, [2, 3, 3, 2]]],
  ['affineGrid', (x) => nn.affineGrid(x!, [2, 1, 2, 4]), [[2, 2, 3]]],
  ['roiAlign', (x, b) => nn.roiAlign(x!, b!, { outputSize: 2, samplingRatio: 2 }), [image, [3, 5]], 0.5],
  ['gumbelSoftmax', (x) => nn.gumbelSoftmax(random.key(0), x!), [rows]],
  ['focalLoss', (x, y) => nn.focalLoss(x!, y!) as Tensor, [rows, rows], 0.5],
  ['ctcLoss', (x) => nn.ctcLoss(x!, T.tensor([[1], [2]]), T.tensor([4, 3]), T.tensor([1, 1])) as Tensor, [[4, 2, 5]]],
  ['cosineSimilarity', (x, y) => nn.cosineSimilarity(x!, y!), [rows, rows]],
  ['pairwiseDistance', (x, y) => nn.pairwiseDistance(x!, y!), [rows, rows]],
  ['embeddingBag', (w) => nn.embeddingBag(T.tensor([[0, 1, 3]]), w as never), [rows]],
  [
    'scaledDotProductAttention',
    (q, k, v, mask) => nn.scaledDotProductAttention(q!, k!, v!, { mask: mask! }),
    [[3, 4], rows.with(1, 4), rows, [3, 4]],
  ],
  [
    'scaledDotProductAttention, grouped',
    (q, k) => nn.scaledDotProductAttention(q!, k!, k!, { grouped: true, softcap: 0.5, causal: true, offset: 1 }),
    [
      [4, 3, 4],
      [2, 3, 4],
    ],
  ],
  ['attentionWeights', (q, k) => nn.attentionWeights(q!, k!), [rows, rows]],
  ['rotary', (x) => nn.rotary(x!, { width: 4 }), [rows]],
  ...pairs,
  ['binaryCrossEntropy', (x, y) => nn.binaryCrossEntropy(x!, y!) as Tensor, [rows, rows], 0.5],
  ['klDiv', (x, y) => nn.klDiv(x!, y!) as Tensor, [rows, rows], 0.5],
  ['poissonNllLoss', (x, y) => nn.poissonNllLoss(x!, y!, { full: true }) as Tensor, [rows, rows], 0.5],
  ['gaussianNllLoss', (x, y, v) => nn.gaussianNllLoss(x!, y!, v!), [rows, rows, rows], 0.5],
  ['crossEntropy', (x, w) => nn.crossEntropy(x!, labels, { weight: w! }) as Tensor, [rows, [5]], 0.5],
  ['crossEntropy, soft', (x, y) => nn.crossEntropy(x!, y!) as Tensor, [rows, rows]],
  ['nllLoss', (x) => nn.nllLoss(x!, labels) as Tensor, [rows]],
  ['multiMarginLoss', (x) => nn.multiMarginLoss(x!, labels, { p: 2 }), [rows]],
  ['hingeEmbeddingLoss', (x) => nn.hingeEmbeddingLoss(x!, T.onesLike(x!)) as Tensor, [rows]],
  ['marginRankingLoss', (x, y) => nn.marginRankingLoss(x!, y!, T.onesLike(x!)), [rows, rows]],
  ['tripletMarginLoss', (x, y, z) => nn.tripletMarginLoss(x!, y!, z!), [rows, rows, rows]],
  ['cosineEmbeddingLoss', (x, y) => nn.cosineEmbeddingLoss(x!, y!, T.tensor([1, -1, 1, -1])), [rows, rows]],
]

const halves = ['f16', 'bf16'] as const

const named = ([name, f, shapes, low]: Case) => ({ name, f, shapes, low: low ?? -3 })

/** The same numbers in a 16-bit dtype, and in f32. */
const operands = (dtype: 'f16' | 'bf16', shapes: readonly (readonly number[])[], low = -3) =>
  shapes.map((shape, i) => {
    const exact = T.fromArray(flat(some(i + 1, shape, low)).map(roundTo(dtype)), shape) as Tensor
    return [T.cast(exact, dtype) as Tensor, exact] as const
  })

describe.each(halves)('%s', (dtype) => {
  const round = roundTo(dtype)
  const rounded = (x: Tensor): readonly number[] => Array.from(T.reference(x).data as ArrayLike<number>, round)
  test.each(cases.map(named))('$name is what f32 gives, rounded once', ({ f, shapes, low }) => {
    const both = operands(dtype, shapes, low)
    const [narrow, wide] = [0, 1].map((i) => both.map((pair) => pair[i as 0 | 1])) as [Tensor[], Tensor[]]
    const y = f(...narrow)
    expect(y.dtype).toBe(dtype)
    expect(rounded(y)).toEqual(rounded(f(...wide)))
    const slope = (xs: readonly Tensor[]): Tensor =>
      T.grad((x: Tensor) => T.sum(T.cast(f(x, ...xs.slice(1)), 'f32')) as Tensor<readonly []>)(xs[0]!)
    expect(rounded(slope(narrow))).toEqual(rounded(slope(wide)))
  })
  test.each(cases.map(named))('$name has no 16-bit arithmetic in its graph', ({ f, shapes, low }) => {
    const y = f(...operands(dtype, shapes, low).map(([x]) => x))
    // What moves numbers, and a sign.
    const exact = new Set([
      'neg',
      'cast',
      'const',
      'data',
      'reshape',
      'broadcast',
      'gather',
      'slice',
      'permute',
      'pad',
      'window',
    ])
    const odd = topological([nodeOf(y)]).filter(
      (n) => !exact.has(n.op) && n.type._tag === 'Right' && n.type.right.some((t) => isHalf(t.dtype)),
    )
    expect(odd.map((n) => n.op)).toEqual([])
  })
})

test('squares and sums that f16 cannot hold', () => {
  const large = T.full([1, 64], 300, { dtype: 'f16' }) as Tensor
  const first = (x: Tensor): number => Number(T.reference(x).data[0])
  expect(first(nn.rmsNorm(large))).toBeCloseTo(1, 3)
  expect(first(T.vectorNorm(large) as Tensor)).toBe(2400)
  expect(first(nn.normalize(large))).toBe(0.125)
  expect(first(nn.cosineSimilarity(large, large))).toBe(1)
  const apart = T.cast(T.tensor([300, 0, 0, 0]), 'f16') as Tensor
  expect(first(nn.mseLoss(apart, T.zerosLike(apart)) as Tensor)).toBe(roundTo('f16')(22500))
  expect(first(nn.avgPool1d(T.full([1, 1, 64], 3e4, { dtype: 'f16' }), { kernelSize: 64 }))).toBe(roundTo('f16')(3e4))
  expect(first(nn.lpPool1d(T.full([1, 1, 4], 300, { dtype: 'f16' }), { p: 2, kernelSize: 4 }))).toBe(600)
  expect(first(T.std(T.cast(T.tensor([-300.5, 300.5]), 'f16'), { correction: 1 }) as Tensor)).toBeCloseTo(425, 0)
  expect(first(nn.scaledDotProductAttention(large, large, large))).toBe(300)
})

test('the reference rounds results of 16-bit floats, one by one', () => {
  const at = (x: number): Tensor => T.full([1], x, { dtype: 'f16' }) as Tensor
  const value = (x: Tensor): number => Number(T.reference(x).data[0])
  expect(value(T.sub(T.add(at(2048), 1) as Tensor, 2048) as Tensor)).toBe(0)
  expect(value(T.sub(T.mul(at(60000), 2) as Tensor, 60000) as Tensor)).toBe(Number.POSITIVE_INFINITY)
  expect(value(T.cast(T.div(at(1), 3), 'f32') as Tensor)).toBe(roundTo('f16')(1 / 3))
  // A sum is rounded as a whole.
  expect(value(T.sum(T.cast(T.tensor([2048, 1, 1]), 'f16')) as Tensor)).toBe(2050)
})

test('bf16 on the device', async () => {
  const few = cases.filter(([name]) =>
    ['rmsNorm', 'normalize', 'pairwiseDistance', 'avgPool2d', 'crossEntropy'].includes(name),
  )
  const given = few.map(([, , shapes, low]) => operands('bf16', shapes, low).map(([x]) => x))
  const everything = (all: readonly (readonly Tensor[])[]): readonly Tensor[] => all.map((xs, i) => few[i]![1](...xs))
  const run = T.jit(everything as never) as unknown as (all: unknown) => Promise<readonly T.HostTensor[]>
  const got = await run(given)
  everything(given).forEach((y, i) => {
    const want = T.reference(y).data
    Array.from(got[i]!.data, Number).forEach((v, k) => {
      expect(Math.abs(v - Number(want[k])), few[i]![0]).toBeLessThanOrEqual(Math.abs(Number(want[k])) * 2 ** -7)
    })
  })
})
