/** Parameters of another shape than the documented one: refused by the function that was called, and by no other. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { forms } from '../../src/lang/tensor/dual.ts'
import { isTensor } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { exact, heads, image, labels, loose, ones, scores } from './shape-cases.ts'

type Case = (typeof exact)[number]
type Shape = Case[2]

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
