/** Calls of layers on one parameter each, with the shape that it is documented to have. */
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'

type Shape = readonly number[]

/** The editor refuses many of these calls; a program that was never checked makes them all the same. */
export const loose = (name: string, ...args: readonly unknown[]): unknown =>
  (nn as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[name]!(...args)

export const ones = (...shape: number[]): Tensor => T.ones(shape) as Tensor
export const labels: Tensor = T.tensor([0, 2])
export const scores: Tensor = ones(2, 3)
export const image: Tensor = ones(2, 3, 4, 4)

/** A call of a function on one parameter, and the shape that it is documented to have. */
type Case = readonly [name: string, what: string, shape: Shape, call: (p: Tensor) => unknown]

const norm = (name: string, x: Tensor, what: readonly string[], shape: Shape, options?: unknown): readonly Case[] =>
  what.map((key): Case => [name, key, shape, (p) => loose(name, x, { [key]: p }, ...(options ? [options] : []))])

const conv = (name: string, x: Tensor, weight: Tensor, outs: number): Case => [
  name,
  'bias',
  [outs],
  (bias) => loose(name, x, { weight, bias }),
]

const cell = { weightIh: ones(8, 3), weightHh: ones(8, 2), biasIh: ones(8), biasHh: ones(8) }
const gated = { weightIh: ones(6, 3), weightHh: ones(6, 2), biasIh: ones(6), biasHh: ones(6) }
const simple = { weightIh: ones(2, 3), weightHh: ones(2, 2), biasIh: ones(2), biasHh: ones(2) }
const state = ones(2, 2)
const peephole = { ...cell, peepholes: ones(6) }
const projected = { weightIh: ones(8, 3), weightHh: ones(8, 5), weightHr: ones(5, 2) }
const cells = [
  ['rnnCell', simple, (p: unknown) => nn.rnnCell(scores, state, p as never)],
  ['gruCell', gated, (p: unknown) => nn.gruCell(scores, state, p as never)],
  ['lstmCell', cell, (p: unknown) => nn.lstmCell(scores, [state, state], p as never)],
  ['rnn', simple, (p: unknown) => nn.rnn(ones(4, 2, 3), [p as never])],
  ['gru', gated, (p: unknown) => nn.gru(ones(4, 2, 3), [p as never])],
  ['lstm', cell, (p: unknown) => nn.lstm(ones(4, 2, 3), [p as never])],
  ['lstm', peephole, (p: unknown) => nn.lstm(ones(4, 2, 3), [p as never], { lengths: T.tensor([1, 4]) })],
  ['lstm', projected, (p: unknown) => nn.lstm(ones(4, 2, 3), [p as never])],
  ['lstmCell', peephole, (p: unknown) => nn.lstmCell(scores, [state, state], p as never)],
] as const

const encoder = { linear1: { weight: ones(6, 4), bias: ones(6) }, linear2: { weight: ones(4, 6), bias: ones(4) } }
const residual = { conv1: ones(3, 3, 3, 3), conv2: ones(3, 3, 3, 3) }

export const heads: nn.MultiHeadParams = {
  inProjWeight: ones(12, 4),
  inProjBias: ones(12),
  outProjWeight: ones(4, 4),
  outProjBias: ones(4),
}
const channels = ['weight', 'bias'] as const
const running = { runningMean: ones(3), runningVar: ones(3) }

export const exact: readonly Case[] = [
  ['nllLoss', 'weight', [3], (weight) => nn.nllLoss(scores, labels, { weight })],
  ['crossEntropy', 'weight', [3], (weight) => nn.crossEntropy(scores, labels, { weight })],
  ['crossEntropy', 'weight', [3], (weight) => nn.crossEntropy(scores, scores, { weight })],
  ['crossEntropy', 'weight', [3], (weight) => nn.crossEntropy(scores, labels, { weight, labelSmoothing: 0.1 })],
  ['crossEntropy', 'weight', [3], (weight) => nn.crossEntropy(ones(3), T.tensor(1), { weight })],
  ['multiMarginLoss', 'weight', [3], (weight) => nn.multiMarginLoss(scores, labels, { weight })],
  ...norm('rmsNorm', scores, ['weight'], [3]),
  ...norm('layerNorm', scores, channels, [3], { rank: 1 }),
  ...norm('layerNorm', image, channels, [4, 4], { rank: 2 }),
  ...norm('batchNorm', image, channels, [3]),
  ...norm('batchNorm', scores, channels, [3]),
  ...norm('instanceNorm', image, channels, [3]),
  ...norm('groupNorm', image, channels, [3], { groups: 3 }),
  ...(['runningMean', 'runningVar'] as const).flatMap((key): readonly Case[] => [
    ['batchNorm', key, [3], (p) => nn.batchNorm(image, { ...running, [key]: p })],
    ['batchNormStep', key, [3], (p) => nn.batchNormStep(image, { ...running, [key]: p }).output],
  ]),
  ...channels.map(
    (key): Case => ['batchNormStep', key, [3], (p) => nn.batchNormStep(image, { ...running, [key]: p }).runningMean],
  ),
  ['linear', 'weight', [5, 3], (weight) => loose('linear', scores, { weight, bias: ones(5) })],
  ['linear', 'bias', [5], (bias) => loose('linear', scores, { weight: ones(5, 3), bias })],
  conv('conv1d', ones(2, 3, 4), ones(5, 3, 2), 5),
  conv('conv2d', image, ones(5, 3, 2, 2), 5),
  conv('conv3d', ones(2, 3, 4, 4, 4), ones(5, 3, 2, 2, 2), 5),
  conv('convTranspose1d', ones(2, 3, 4), ones(3, 5, 2), 5),
  conv('convTranspose2d', image, ones(3, 5, 2, 2), 5),
  conv('convTranspose3d', ones(2, 3, 4, 4, 4), ones(3, 5, 2, 2, 2), 5),
  ...cells.flatMap(([name, params, call]) =>
    Object.entries(params).map(([key, p]): Case => [name, key, p.shape, (q) => call({ ...params, [key]: q })]),
  ),
  ...Object.entries(heads).map(
    ([key, p]): Case => [
      'multiHeadAttention',
      key,
      p.shape,
      (q) => nn.multiHeadAttention(ones(2, 5, 4), { ...heads, [key]: q }, { heads: 2 }),
    ],
  ),
  ...Object.entries(heads).map(
    ([key, p]): Case => [
      'transformerEncoderBlock',
      `selfAttn.${key}`,
      p.shape,
      (q) => block({ selfAttn: { ...heads, [key]: q } }),
    ],
  ),
  ...(['linear1', 'linear2'] as const).flatMap((part) =>
    Object.entries(encoder[part]).map(
      ([key, p]): Case => [
        'transformerEncoderBlock',
        `${part}.${key}`,
        p.shape,
        (q) => block({ [part]: { ...encoder[part], [key]: q } }),
      ],
    ),
  ),
  ...(['norm1', 'norm2'] as const).flatMap((part) =>
    channels.map(
      (key): Case => ['transformerEncoderBlock', `${part}.${key}`, [4], (q) => block({ [part]: { [key]: q } })],
    ),
  ),
  ...(['bn1', 'bn2'] as const).flatMap((part) =>
    channels.map((key): Case => ['residualBlock', `${part}.${key}`, [3], (q) => past({ [part]: { [key]: q } })]),
  ),
  ['rnn', 'lengths', [2], (n) => nn.rnn(ones(4, 2, 3), [simple], { lengths: T.cast(n, 'i32') })],
  ['embeddingBag', 'perSampleWeights', [2, 3], (p) => bags({ perSampleWeights: p, mode: 'sum' })],
]
const block = (part: object): unknown =>
  nn.transformerEncoderBlock(ones(2, 5, 4), { selfAttn: heads, ...encoder, norm1: {}, norm2: {}, ...part } as never, {
    heads: 2,
    normFirst: true,
  })
const past = (part: object): unknown =>
  nn.residualBlock(image, {
    conv1: { weight: residual.conv1 },
    bn1: {},
    conv2: { weight: residual.conv2 },
    bn2: {},
    ...part,
  })
const bags = (options: object): unknown =>
  nn.embeddingBag(T.zeros([2, 3], { dtype: 'i32' }), ones(4, 5) as never, options)
