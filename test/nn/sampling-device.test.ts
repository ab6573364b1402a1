/** Pooling, sampling, losses, positions, the CTC loss, initial weights and metrics on both devices, from arguments, with gradients: one program each. */
import { describe, expect, test } from 'vitest'
import { grad } from '../../passes/transform/gradient.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat } from '../lang/tensor/run.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape) as Tensor

const total = (xs: readonly Tensor[]): Tensor =>
  xs.map((x, k) => T.mul(T.sum(T.square(x)) as Tensor, 1 + k)).reduce((a, b) => T.add(a, b) as Tensor)

const pooled = (x: Tensor): readonly Tensor[] => {
  const options = { kernelSize: [3, 2], stride: [2, 1], dilation: [1, 2], padding: [[2, 0], 1] } as const
  const [largest, indices] = nn.maxPool2dWithIndices(x, options)
  return [
    largest,
    nn.maxUnpool2d(largest, indices, { kernelSize: 1, outputSize: [5, 6] }),
    nn.avgPool2d(x, { kernelSize: 3, stride: 2, padding: 'same', countIncludePad: false }),
    nn.conv2d(x, { weight: T.full([2, 2, 3, 2], 0.5) as Tensor }, { padding: 'same', stride: 2 }) as Tensor,
    nn.fold(nn.unfold(x, { kernelSize: [1, 2, 2] }), { outputSize: [2, 5, 6], kernelSize: [1, 2, 2] }),
    nn.depthToSpace(nn.spaceToDepth(T.narrow(x, 0, 4, { axis: 2 }), 2), 2, { mode: 'CRD' }),
  ]
}

const read = (x: Tensor, grid: Tensor, boxes: Tensor): readonly Tensor[] => [
  nn.gridSample(x, grid),
  nn.gridSample(x, grid, { paddingMode: 'reflection', alignCorners: true }),
  nn.gridSample(x, grid, { mode: 'bicubic', paddingMode: 'border' }),
  nn.roiAlign(x, boxes, { outputSize: [2, 3], samplingRatio: 2 }),
]

const [x, grid] = [some(1, 1, 2, 5, 6), T.mul(some(2, 1, 2, 3, 2), 1.75) as Tensor]
const boxes = T.add(T.mul(T.abs(some(3, 3, 5)), T.tensor([0, 2, 2, 3, 3])), T.tensor([0, 0, 0, 2.5, 2.5])) as Tensor

const ctc = (logits: Tensor, targets: Tensor, frames: Tensor, labels: Tensor): Tensor =>
  nn.ctcLoss(nn.logSoftmax(logits), targets, frames, labels, { zeroInfinity: true }) as Tensor
const sequences = [
  some(4, 5, 3, 4),
  T.tensor([
    [1, 2, 2],
    [3, 3, 9],
    [1, 1, 1],
  ]),
  T.tensor([5, 4, 3]),
  T.tensor([3, 2, 3]),
] as const

const measured = (scores: Tensor, labels: Tensor, predicted: Tensor): readonly Tensor[] => [
  ...nn.rocCurve(scores, labels),
  nn.rocAuc(scores, labels),
  nn.rocAuc(scores, T.zerosLike(labels)),
  nn.accuracy(predicted, labels),
  nn.confusionMatrix(predicted, labels, { classes: 3 }),
  nn.precision(predicted, labels, { average: 'none', classes: 3 }),
  nn.f1Score(predicted, labels, { average: 'weighted', classes: 3 }),
  nn.topKAccuracy(T.stack([scores, T.neg(scores)], { axis: 1 }) as Tensor, labels, { k: 1 }),
  nn.r2Score(scores, T.cast(labels, 'f32') as Tensor),
]

const drawn = (key: Tensor): readonly Tensor[] => {
  const w = nn.orthogonal(key, [3, 5]) as Tensor
  return [
    T.matmul(w, T.matrixTranspose(w)) as Tensor,
    nn.lecunNormal(key, [4, 3]),
    nn.gumbelSoftmax(key, T.arange(4, { dtype: 'f32' }) as Tensor, { hard: true }),
    nn.focalLoss(nn.lecunUniform(key, [4]), T.ones([4])) as Tensor,
  ]
}

/** Losses of pairs and of three, each with slopes, and what is laid along positions. */
const lost = (a: Tensor, b: Tensor, signs: Tensor, labels: Tensor): readonly Tensor[] => {
  const sign = T.at(signs, ':', 0) as Tensor
  const chance = T.sigmoid(b) as Tensor
  return [
    nn.gaussianNllLoss(a, b, T.add(chance, 0.5)) as Tensor,
    nn.tripletMarginLoss(a, b, T.roll(b, 1, { axis: 0 })) as Tensor,
    nn.cosineEmbeddingLoss(a, b, sign, { margin: 0.1 }) as Tensor,
    nn.crossEntropy(T.reshape(a, [2, 2, 4]) as Tensor, T.reshape(labels, [2, 2]) as Tensor, { axis: -1 }) as Tensor,
    nn.rotary(T.reshape(a, [1, 1, 4, 4]) as Tensor, { positions: labels }) as Tensor,
    nn.lpPool1d(T.reshape(a, [1, 4, 4]) as Tensor, { kernelSize: 2, p: 2 }) as Tensor,
  ]
}

describe.each([
  ['the GPU', sharedDevice],
  ['the processor', sharedProcessor],
])('on %s', (_, open) => {
  const agrees = async (f: (...xs: Tensor[]) => unknown, args: readonly Tensor[]): Promise<void> => {
    expect(await agreesWithReference(f as never, [...args] as never, { device: await open() })).toBe(true)
  }
  test('pooling', () => agrees((a) => [pooled(a!), grad((b: Tensor) => total(pooled(b)) as never)(a!)], [x]))
  test('sampling', () =>
    agrees(
      (a, g, b) => [
        read(a!, g!, b!),
        grad((c: Tensor, h: Tensor) => total([nn.gridSample(c, h)]) as never, { argnums: [0, 1] } as never)(a!, g!),
      ],
      [x, grid, boxes],
    ))
  test('slopes of boxes', () =>
    agrees(
      (a, b) =>
        grad((c: Tensor, d: Tensor) => total([nn.roiAlign(c, d, { outputSize: [2, 3], samplingRatio: 2 })]) as never, {
          argnums: [0, 1],
        } as never)(a!, b!),
      [x, boxes],
    ))
  test('losses and positions', () =>
    agrees(
      (a, b, s, l) => [lost(a!, b!, s!, l!), grad((c: Tensor) => total(lost(c, b!, s!, l!)) as never)(a!)],
      [some(6, 4, 4), some(7, 4, 4), T.sign(some(8, 4, 4)) as Tensor, T.tensor([3, 0, 1, 2])],
    ))
  test('the CTC loss', () =>
    agrees((a, y, t, l) => [ctc(a!, y!, t!, l!), grad((b: Tensor) => ctc(b, y!, t!, l!) as never)(a!)], sequences))
  test('metrics and draws', () =>
    agrees(
      (s, y, p, k) => [measured(s!, y!, p!), drawn(k!)],
      [
        T.tensor([0.5, 0.25, 0.5, 0.75, 0.125, 0.25]),
        T.tensor([1, 0, 0, 1, 0, 1]),
        T.tensor([1, 2, 0, 1, 2, 0]),
        random.key(3),
      ],
    ))
})
