/** Parameters of another shape than the documented one: refused by the function that was called, and by no other. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { forms } from '../../src/lang/tensor/dual.ts'
import { isTensor } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'

type Shape = readonly number[]

/** The editor refuses many of these calls; a program that was never checked makes them all the same. */
const loose = (name: string, ...args: readonly unknown[]): unknown =>
  (nn as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[name]!(...args)

const ones = (...shape: number[]): Tensor => T.ones(shape) as Tensor
const labels = T.tensor([0, 2])
const scores = ones(2, 3)
const image = ones(2, 3, 4, 4)

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
const cells = [
  ['rnnCell', simple, (p: unknown) => nn.rnnCell(scores, state, p as never)],
  ['gruCell', gated, (p: unknown) => nn.gruCell(scores, state, p as never)],
  ['lstmCell', cell, (p: unknown) => nn.lstmCell(scores, [state, state], p as never)],
  ['rnn', simple, (p: unknown) => nn.rnn(ones(4, 2, 3), [p as never])],
  ['gru', gated, (p: unknown) => nn.gru(ones(4, 2, 3), [p as never])],
  ['lstm', cell, (p: unknown) => nn.lstm(ones(4, 2, 3), [p as never])],
] as const

const heads = {
  inProjWeight: ones(12, 4),
  inProjBias: ones(12),
  outProjWeight: ones(4, 4),
  outProjBias: ones(4),
}
const channels = ['weight', 'bias'] as const
const running = { runningMean: ones(3), runningVar: ones(3) }

const exact: readonly Case[] = [
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
  ['embeddingBag', 'perSampleWeights', [2, 3], (p) => bags({ perSampleWeights: p, mode: 'sum' })],
]
const bags = (options: object): unknown =>
  nn.embeddingBag(T.zeros([2, 3], { dtype: 'i32' }), ones(4, 5) as never, options)

/** The same with another length, one axis more, one axis fewer, and [1]. */
const others = (shape: Shape): readonly Shape[] =>
  [
    shape.with(-1, shape.at(-1)! + 1),
    shape.with(0, shape[0]! - 1),
    [1, ...shape],
    [...shape, 1],
    shape.slice(1),
    shape.map(() => 1),
  ].filter((s) => s.join() !== shape.join())

const first = (x: unknown): Tensor => (Array.isArray(x) ? first(x[0]) : (x as Tensor))

describe('a parameter of another shape is refused by the function that was called', () => {
  test.each(exact)('%s: %s %j', (name, _, shape, call) => {
    expect(isTensor(first(call(T.ones(shape) as Tensor)))).toBe(true)
    expect(() => flat(first(call(T.ones(shape) as Tensor)))).not.toThrow()
    for (const other of others(shape)) {
      const { op, reason } = mistakeOf(first(call(T.ones(other) as Tensor)))
      expect(op, `${other.join()}: ${reason}`).toBe(`nn.${name}`)
    }
  })
})

/** A call of a function on what broadcasts to a shape, but may not spread it. */
const spread: readonly Case[] = [
  ['binaryCrossEntropy', 'weight', [2, 3], (weight) => nn.binaryCrossEntropy(scores, scores, { weight })],
  ['binaryCrossEntropyWithLogits', 'weight', [2, 3], (weight) => bce({ weight })],
  ['binaryCrossEntropyWithLogits', 'posWeight', [2, 3], (posWeight) => bce({ posWeight })],
  ['gaussianNllLoss', 'target', [2, 3], (y) => nn.gaussianNllLoss(scores, y, scores)],
  ['cosineEmbeddingLoss', 'target', [2], (y) => nn.cosineEmbeddingLoss(scores, scores, y)],
  [
    'scaledDotProductAttention',
    'mask',
    [2, 4, 5],
    (mask) => nn.scaledDotProductAttention(ones(2, 4, 6), ones(2, 5, 6), ones(2, 5, 3), { mask }),
  ],
  ['multiHeadAttention', 'mask', [2, 5, 5], (mask) => nn.multiHeadAttention(ones(5, 4), heads, { heads: 2, mask })],
]
const bce = (options: object): unknown => loose('binaryCrossEntropyWithLogits', scores, scores, options)

describe('what broadcasts may not spread what it meets', () => {
  test.each(spread)('%s: %s to %j', (name, _, shape, call) => {
    for (const own of [shape, shape.map(() => 1), shape.slice(1), [], shape.with(0, 1)])
      expect(() => flat(first(call(T.ones(own) as Tensor))), `${own}`).not.toThrow()
    for (const other of [[1, ...shape].with(0, 2), [1, ...shape], shape.with(-1, shape.at(-1)! + 1)]) {
      const { op, reason } = mistakeOf(first(call(T.ones(other) as Tensor)))
      expect(op, `${other}: ${reason}`).toBe(`nn.${name}`)
    }
  })
})

/** Calls with something that does not fit; none says what a function beneath calls it. */
const mistakes: readonly (readonly [name: string, call: () => unknown, reason?: string])[] = [
  [
    'fold',
    () => nn.fold(ones(1, 4, 2), { outputSize: [2, 3, 7], kernelSize: [2, 2] }),
    'the output size [2, 3, 7] is not two',
  ],
  ['fold', () => nn.fold(ones(1, 4, 2), { outputSize: [2], kernelSize: [2, 2] }), 'the output size [2] is not two'],
  ['unfold', () => nn.unfold(image, { kernelSize: [2] }), 'takes rank 3 (or 2 without a batch), not rank 4'],
  ['maxPool2d', () => nn.maxPool2d(image, { kernelSize: 2, padding: [[1, 0]] }), 'the padding [[1,0]] is not 2 whole'],
  ['conv1d', () => nn.conv1d(ones(1, 1, 4), { weight: ones(1, 1, 2) }, { padding: [1, 1] }), 'is not 1 whole'],
  ['lpPool3d', () => nn.lpPool3d(image, { p: 2, kernelSize: [2, 2] }), '3 of each'],
  ['maxPool2dWithIndices', () => nn.maxPool2dWithIndices(image, { kernelSize: 9 })],
  ['maxUnpool2d', () => nn.maxUnpool2d(image, T.zeros([2, 3, 4, 5], { dtype: 'i32' }), { kernelSize: 2 })],
  ['maxUnpool2d', () => nn.maxUnpool2d(image, image, { kernelSize: 2 }), 'indices are f32, not integers'],
  [
    'maxUnpool1d',
    () => nn.maxUnpool1d(image, T.zeros([2, 3, 4, 4], { dtype: 'i32' }), { kernelSize: 2 }),
    'takes rank 3',
  ],
  ['lpPool1d', () => nn.lpPool1d(image, { p: 2, kernelSize: 2 })],
  ['lpPool2d', () => nn.lpPool2d(ones(4), { p: 2, kernelSize: 2 }), 'takes rank 4 (or 3'],
  ['lpPool2d', () => nn.lpPool2d(image, { p: 2, kernelSize: [2, 2, 2] })],
  ['prelu', () => nn.prelu(image, ones(4)), 'the weight has shape [4], not [3]'],
  ['prelu', () => nn.prelu(image, ones(1, 1))],
  ['prelu', () => nn.prelu(image, ones(3, 1))],
  ['nllLoss', () => nn.nllLoss(ones(2, 3), T.tensor([0.5, 1]))],
  ['nllLoss', () => nn.nllLoss(ones(), T.tensor(0)), 'takes scores'],
  ['multiMarginLoss', () => nn.multiMarginLoss(ones(2, 3), T.tensor([0, 1, 2])), '3 targets do not fit 2 rows'],
  ['embedding', () => loose('embedding', labels, ones(4)), 'the weight has 1 axes'],
  ['embedding', () => loose('embedding', labels, ones(4, 3, 2))],
  ['embedding', () => loose('embedding', scores, ones(4, 3))],
  ['embeddingBag', () => loose('embeddingBag', T.zeros([2, 2], { dtype: 'i32' }), ones(4))],
  ['glu', () => nn.glu(ones(2, 3)), 'axis -1 of size 3 has no halves'],
  ['glu', () => nn.glu(ones(2, 4), { axis: 2 })],
  ['klDiv', () => loose('klDiv', ones(4, 1), ones(4)), 'would be compared all with all'],
  ['mseLoss', () => loose('mseLoss', ones(4), ones(3))],
  ['marginRankingLoss', () => nn.marginRankingLoss(ones(4), ones(3), ones(4))],
  ['tripletMarginLoss', () => nn.tripletMarginLoss(ones(4, 2), ones(3, 2), ones(4, 2))],
  ['cosineSimilarity', () => nn.cosineSimilarity(ones(4, 2), ones(4, 3))],
  ['cosineSimilarity', () => nn.cosineSimilarity(ones(4), ones(4)), 'axis 1'],
  ['pairwiseDistance', () => nn.pairwiseDistance(ones(4, 2), ones(4, 3))],
  ['normalize', () => nn.normalize(ones(4))],
  ['softmax', () => nn.softmax(ones(4), { axis: 1 })],
  ['logSoftmax', () => nn.logSoftmax(ones(4), { axis: 1 })],
  ['layerNorm', () => nn.layerNorm(ones(), {})],
  ['batchNorm', () => nn.batchNorm(ones(4)), 'takes [N, C, …]'],
  ['instanceNorm', () => nn.instanceNorm(ones(4))],
  ['groupNorm', () => nn.groupNorm(image, {}, { groups: 2 }), '2 groups do not divide 3 channels'],
  ['rmsNorm', () => nn.rmsNorm(ones())],
  ['linear', () => loose('linear', ones(), { weight: ones(2, 3) })],
  ['scaledDotProductAttention', () => nn.scaledDotProductAttention(ones(4, 6), ones(5, 7), ones(5, 3))],
  ['scaledDotProductAttention', () => nn.scaledDotProductAttention(ones(6), ones(5, 6), ones(5, 3)), 'ranks from 2'],
  [
    'multiHeadAttention',
    () => nn.multiHeadAttention(ones(5, 4), heads, { heads: 2, key: ones(3, 4), value: ones(2, 4) }),
  ],
  ['multiHeadAttention', () => nn.multiHeadAttention(ones(5, 4), heads, { heads: 2, key: ones(3, 5) })],
]

describe('a mistake has the name of the function that was called', () => {
  test.each(mistakes.map(([name, call, reason = '']) => ({ name, call, reason })))(
    '$name: $reason %#',
    ({ name, call, reason }) => {
      const found = mistakeOf(first(call()))
      expect(found.op).toBe(`nn.${name}`)
      expect(found.reason).toContain(reason)
    },
  )
  test('an option of a function beneath too', () => {
    expect(() => loose('lpPool2d', image, { p: 2, kernelSize: '2' })).toThrow(
      "nn.lpPool2d: the option 'kernelSize' is '2'",
    )
  })
  test('curried, and in a gradient', () => {
    expect(mistakeOf(T.pipe(image, nn.prelu(ones(4)) as never)).op).toBe('nn.prelu')
    const slope = T.grad((x: Tensor) => nn.nllLoss(x, labels, { weight: ones(2) }) as Tensor<readonly []>)
    expect(() => T.reference(slope(scores))).toThrow('nn.nllLoss: the weight has shape [2], not [3]')
  })
  test('but what a user’s own function makes keeps its own', () => {
    const own = T.vmap((x: Tensor) => T.add(x, ones(7)))
    expect(() => T.reference(own(scores) as Tensor)).toThrow('T.add')
  })
})

/** Arguments that fit no function, of every number that its form takes. */
const odd: readonly (readonly unknown[])[] = [
  [ones(2, 3), ones(4, 5), ones(6, 7)],
  [ones(7), ones(2, 3), ones(5)],
  [ones(), ones(3), ones(2)],
]

test('whatever a function of tensors alone refuses, it refuses by its own name', () => {
  const named = [...forms].filter(([name, { by }]) => by === 'operands' && /^(T|nn)\./.test(name))
  let refused = 0
  for (const [name, { count }] of named) {
    const f = (name.startsWith('nn.') ? nn : T)[name.split('.')[1]! as never] as (
      ...args: readonly unknown[]
    ) => unknown
    for (const args of odd) {
      if (typeof f !== 'function' || count > args.length) continue
      let made: unknown
      try {
        made = f(...args.slice(0, count))
      } catch {
        continue
      }
      for (const x of [made].flat()) {
        if (!isTensor(x)) continue
        const { type } = x as unknown as { type: { _tag: string; left: { op: string } } }
        if (type._tag === 'Left') {
          refused++
          expect(type.left.op).toBe(name)
        }
      }
    }
  }
  expect(refused).toBeGreaterThan(50)
})
