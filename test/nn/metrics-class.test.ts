/** Metrics of classes against loops over examples, and where there are no positives, no predictions, one class, nothing. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const classes = 4
// The class 3 is never predicted, 2 never true.
const p = [0, 2, 1, 1, 0, 0, 2, 1, 1, 0]
const y = [0, 1, 1, 1, 0, 3, 0, 1, 0, 3]
const [predicted, target] = [T.tensor(p) as Tensor, T.tensor(y) as Tensor]

const count = (keep: (p: number, y: number) => boolean): number => p.filter((v, i) => keep(v, y[i]!)).length
const over = (a: number, b: number): number => (b === 0 ? 0 : a / b)
const all = Array.from({ length: classes }, (_, c) => {
  const [hits, said, support] = [count((a, b) => a === c && b === c), count((a) => a === c), count((_, b) => b === c)]
  return { precision: over(hits, said), recall: over(hits, support), f1Score: over(2 * hits, said + support), support }
})
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length

describe('accuracy', () => {
  test('counts, batches, nothing at all', () => {
    near(nn.accuracy(predicted, target), [count((a, b) => a === b) / p.length])
    const batch = T.reshape(predicted, [2, 5])
    near(nn.accuracy(batch, T.reshape(target, [2, 5])), [4 / 5, 1 / 5])
    expect(flat(nn.accuracy(T.zeros([0], { dtype: 'i32' }), T.zeros([0], { dtype: 'i32' })))).toEqual([Number.NaN])
    near(nn.accuracy(T.greater(T.tensor([0.2, 0.7]), 0.5), T.tensor([0, 1], { dtype: 'u8' })), [1])
  })
})

describe('scores', () => {
  /** Scores whose greatest is that of a label; further ties come after it. */
  const scoresOf = (labels: Tensor): Tensor => T.add(T.oneHot(labels, classes), 0.25) as Tensor
  test('predict what is greatest, in every metric of labels', () => {
    const scores = scoresOf(predicted)
    const options = { average: 'none', classes } as const
    const all = (given: Tensor): readonly Tensor[] => [
      nn.accuracy(given, target),
      nn.confusionMatrix(given, target, { classes }),
      nn.precision(given, target, options),
      nn.recall(given, target, options),
      nn.f1Score(given, target, options),
    ]
    all(scores).forEach((metric, i) => {
      expect(flat(metric)).toEqual(flat(all(predicted)[i]!))
    })
    const batch = T.reshape(scores, [2, 5, classes]) as Tensor
    near(nn.accuracy(batch, T.reshape(target, [2, 5])), [4 / 5, 1 / 5])
    near(nn.accuracy(T.reshape(target, [2, 5]))(batch), [4 / 5, 1 / 5])
    expect(checkVmap((x: Tensor) => nn.accuracy(x, T.tensor([1, 0, 2, 3, 1])), [batch])).toBeUndefined()
  })
  test('of equal ones the first, NaN before all, whole numbers, nothing at all', () => {
    const odd = T.tensor([
      [1, 1, 0],
      [Number.NaN, 9, 9],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0],
    ]) as Tensor
    near(nn.accuracy(odd, T.tensor([0, 0, 2])), [1])
    near(nn.accuracy(T.tensor([[7, 9, 8]]), T.tensor([1])), [1])
    expect(flat(nn.accuracy(T.zeros([0, 3]), T.zeros([0], { dtype: 'i32' })))).toEqual([Number.NaN])
  })
  test('of one class, and of other examples, are refused', () => {
    expect(mistakeOf(nn.accuracy(T.zeros([5, 1]), T.zeros([5], { dtype: 'i32' }))).reason).toContain(
      '[5, 1] and targets of',
    )
    expect(mistakeOf(nn.f1Score(T.zeros([4, 3]), T.zeros([5], { dtype: 'i32' }))).reason).toContain(
      '[4] and targets of',
    )
    expect(mistakeOf(nn.accuracy(T.zeros([3]), T.tensor(1))).reason).toContain('differ')
  })
})

describe('topKAccuracy', () => {
  const scores = T.tensor([
    [0.5, 0.2, 0.2, 0.1],
    [0.25, 0.25, 0.25, 0.25],
    [0.1, 0.2, 0.3, 0.4],
  ]) as Tensor
  test.each([
    // Of equal scores that of the greater label comes first, as in scikit-learn's stable argsort.
    [1, [1, 0, 0]],
    [2, [1, 0, 1]],
    [3, [1, 1, 1]],
    [4, [1, 1, 1]],
    [9, [1, 1, 1]],
  ])('k %i', (k, hits) => {
    near(nn.topKAccuracy(scores, T.tensor([0, 1, 2]), { k }), [mean(hits)])
    const each = nn.topKAccuracy(T.expandDims(scores, 1), T.tensor([[0], [1], [2]]), { k })
    near(each, hits)
  })
  test('labels that are no class, NaN and -Infinity, nothing at all', () => {
    near(nn.topKAccuracy(scores, T.tensor([-1, 4, 2]), { k: 4 }), [1 / 3])
    const odd = T.tensor([[Number.NEGATIVE_INFINITY, Number.NaN, 0]]) as Tensor
    near(nn.topKAccuracy(odd, T.tensor([0]), { k: 2 }), [0])
    near(nn.topKAccuracy(odd, T.tensor([0]), { k: 3 }), [1])
    near(nn.topKAccuracy(odd, T.tensor([2])), [1])
    expect(flat(nn.topKAccuracy(T.zeros([0, 3]), T.zeros([0], { dtype: 'i32' })))).toEqual([Number.NaN])
  })
})

describe('confusionMatrix', () => {
  const table = Array.from({ length: classes ** 2 }, (_, i) =>
    count((a, b) => b === Math.floor(i / classes) && a === i % classes),
  )
  test('true classes are rows, predicted ones columns', () => {
    const got = nn.confusionMatrix(predicted, target, { classes })
    expect([got.dtype, got.shape, flat(got)]).toEqual(['i32', [classes, classes], table])
  })
  test('normalised, 0 where nothing is', () => {
    const row = (i: number): number => all[Math.floor(i / classes)]!.support
    const column = (i: number): number => count((a) => a === i % classes)
    const by = (normalize: 'true' | 'pred' | 'all'): Tensor =>
      nn.confusionMatrix(predicted, target, { classes, normalize })
    near(
      by('true'),
      table.map((v, i) => over(v, row(i))),
    )
    near(
      by('pred'),
      table.map((v, i) => over(v, column(i))),
    )
    near(
      by('all'),
      table.map((v) => v / p.length),
    )
  })
  test('labels that are no class count nowhere; batches; nothing at all', () => {
    const odd = nn.confusionMatrix(T.tensor([-1, 5, 0, 2]), T.tensor([0, 0, 2, 1]), { classes: 2 })
    expect(flat(odd)).toEqual([0, 0, 0, 0])
    const cells = nn.confusionMatrix(T.tensor([[0], [1]]), T.tensor([[1], [1]]), { classes: 2 })
    expect(flat(cells)).toEqual([0, 0, 1, 0, 0, 0, 0, 1])
    expect(
      flat(nn.confusionMatrix(T.zeros([0], { dtype: 'i32' }), T.zeros([0], { dtype: 'i32' }), { classes: 2 })),
    ).toEqual([0, 0, 0, 0])
    checkVmap(
      (a: Tensor, b: Tensor) => nn.confusionMatrix(a, b, { classes: 2 }),
      [
        T.tensor([
          [0, 1, 0],
          [1, 1, 3],
        ]) as Tensor,
        T.tensor([
          [0, 0, 1],
          [0, 1, 1],
        ]) as Tensor,
      ],
    )
  })
})

const scores = { precision: nn.precision, recall: nn.recall, f1Score: nn.f1Score } as const

describe.each(Object.keys(scores) as (keyof typeof scores)[])('%s', (name) => {
  const f = scores[name]
  const each = all.map((c) => c[name])
  test('of each class, and its averages', () => {
    near(f(predicted, target, { average: 'none', classes }), each)
    near(f(predicted, target, { average: 'macro', classes }), [mean(each)])
    const weighed = all.reduce((sum, c) => sum + c.support * c[name], 0) / p.length
    near(f(predicted, target, { average: 'weighted', classes }), [weighed])
    near(f(predicted, target, { average: 'micro', classes }), [count((a, b) => a === b) / p.length])
    near(f(predicted, target), [each[1]!])
    near(f(predicted, target, { positive: 0 }), [each[0]!])
  })
  test('batches', () => {
    const [a, b] = [predicted, target].map((t) => T.reshape(t, [2, 5]) as Tensor) as [Tensor, Tensor]
    const rows = [0, 1].map((i) => f(T.select(a, i), T.select(b, i), { average: 'none', classes }))
    expect(flat(f(a, b, { average: 'none', classes }))).toEqual(rows.flatMap(flat))
  })
  test('nothing to divide by is 0, or what is asked for', () => {
    const nothing = [T.tensor([0, 0]), T.tensor([0, 0])] as const
    near(f(...nothing), [0])
    near(f(...nothing, { zeroDivision: 1 }), [1])
    expect(flat(f(...nothing, { zeroDivision: Number.NaN }))).toEqual([Number.NaN])
    const empty = [T.zeros([0], { dtype: 'i32' }), T.zeros([0], { dtype: 'i32' })] as const
    for (const average of ['binary', 'micro', 'macro', 'weighted'] as const)
      near(f(...empty, { average, classes: 2 }), [0])
  })
  test('a class whose score is NaN counts in no mean', () => {
    const labels = [T.tensor([0, 1, 1]), T.tensor([0, 1, 0])] as const
    const options = { classes: 4, zeroDivision: Number.NaN }
    const [a, b, ...others] = flat(f(...labels, { ...options, average: 'none' })) as [number, number, number, number]
    expect(others).toEqual([Number.NaN, Number.NaN])
    near(f(...labels, { ...options, average: 'macro' }), [(a + b) / 2])
    near(f(...labels, { ...options, average: 'weighted' }), [(2 * a + b) / 3])
  })
  test('the number of classes is needed for all but one', () => {
    expect(() => f(predicted, target, { average: 'macro' })).toThrow(
      `nn.${name}: average 'macro' needs the number of classes`,
    )
    expect(() => f(predicted, target, { average: 'mean' as never })).toThrow(`nn.${name}: the average is 'mean'`)
  })
})

const i32 = (...shape: number[]): Tensor => T.zeros(shape, { dtype: 'i32' }) as Tensor

test.each([
  ['accuracy', () => nn.accuracy(i32(3), i32(4)), 'predictions of shape [3] and targets of shape [4] differ'],
  ['accuracy', () => nn.accuracy(i32(3, 1), i32(3)), 'differ'],
  ['accuracy', () => nn.accuracy(i32(), i32()), 'not scalars'],
  ['accuracy', () => nn.accuracy(T.zeros([3]), i32(3)), 'predictions are f32, not labels'],
  ['topKAccuracy', () => nn.topKAccuracy(T.zeros([3]), i32(3)), 'scores of shape [3] do not fit targets of shape [3]'],
  ['topKAccuracy', () => nn.topKAccuracy(T.zeros([3, 2]), T.zeros([3])), 'targets are f32, not labels'],
  ['confusionMatrix', () => nn.confusionMatrix(i32(3), i32(2), { classes: 2 }), 'differ'],
  ['precision', () => nn.precision(i32(3), T.zeros([3])), 'targets are f32'],
  ['recall', () => nn.recall(i32(3), i32(1)), 'differ'],
  ['f1Score', () => nn.f1Score(i32(), i32()), 'not scalars'],
] as const)('a mistake has the name of the function: %s %#', (name, f, reason) => {
  const { op, reason: said } = mistakeOf(f())
  expect(op).toBe(`nn.${name}`)
  expect(said).toContain(reason)
})
