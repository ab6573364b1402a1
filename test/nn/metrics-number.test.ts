/** Metrics of scores and of numbers: against pairs and sums written out, with ties, one class, and nothing at all. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const inf = Number.POSITIVE_INFINITY
const s = [0.5, 0.25, 0.5, 0.75, 0.125, 0.25, 0.25, 0.875]
const y = [1, 0, 0, 1, 0, 1, 0, 0]
const [scores, labels] = [T.tensor(s) as Tensor, T.tensor(y) as Tensor]

/** The share of pairs of a positive and a negative that are in order, ties counting half. */
const pairs = (xs: readonly number[], ys: readonly number[]): number => {
  const of = (c: number): readonly number[] => xs.filter((_, i) => ys[i] === c)
  const each = of(1).flatMap((a) => of(0).map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))
  return each.reduce((a: number, b) => a + b, 0) / each.length
}

describe('rocCurve', () => {
  test('a point for every threshold, ties together', () => {
    const [fpr, tpr, thresholds] = nn.rocCurve(scores, labels)
    const sorted = [...s].sort((a, b) => b - a)
    expect(flat(thresholds)).toEqual([inf, ...sorted])
    const rate = (c: number): readonly number[] =>
      [inf, ...sorted].map((t) => s.filter((v, i) => v >= t && y[i] === c).length / y.filter((v) => v === c).length)
    near(fpr, rate(0))
    near(tpr, rate(1))
  })
  test('one class alone, nothing at all, labels of other kinds', () => {
    const [fpr, tpr] = nn.rocCurve(T.tensor([1, 2]), T.tensor([1, 1]))
    expect([flat(fpr), flat(tpr)]).toEqual([
      [Number.NaN, Number.NaN, Number.NaN],
      [0, 0.5, 1],
    ])
    const none = nn.rocCurve(T.zeros([0]), T.zeros([0], { dtype: 'i32' }))
    expect(none.map(flat)).toEqual([[Number.NaN], [Number.NaN], [inf]])
    for (const other of [T.tensor(y.map((v) => 2 * v - 1)), T.cast(labels, 'bool'), T.cast(labels, 'u8')])
      expect(nn.rocCurve(scores, other).map(flat)).toEqual(nn.rocCurve(scores, labels).map(flat))
  })
})

describe('rocAuc', () => {
  test('is the share of pairs in order', () => {
    near(nn.rocAuc(scores, labels), [pairs(s, y)])
    near(nn.rocAuc(T.tensor([3, 1, 2, 2]), T.tensor([0, 1, 1, 0])), [pairs([3, 1, 2, 2], [0, 1, 1, 0])])
    near(nn.rocAuc(T.tensor([-inf, inf, 0, -0]), T.tensor([0, 1, 1, 0])), [pairs([-inf, inf, 0, 0], [0, 1, 1, 0])])
  })
  test('is exact where all are in order, none, and all alike', () => {
    const many = Array.from({ length: 97 }, (_, i) => i)
    const upper = T.greater(T.tensor(many), 60) as Tensor
    expect(flat(nn.rocAuc(T.tensor(many), upper))).toEqual([1])
    expect(flat(nn.rocAuc(T.neg(T.tensor(many)) as Tensor, upper))).toEqual([0])
    expect(flat(nn.rocAuc(T.zeros([97]), upper))).toEqual([0.5])
  })
  test('is NaN where a score is, as are the rates of its row', () => {
    const scores = T.tensor([
      [Number.NaN, 0.5, 0.25],
      [0.75, 0.5, 0.25],
    ])
    const labels = T.tensor([
      [1, 0, 1],
      [1, 0, 1],
    ])
    expect(flat(nn.rocAuc(scores, labels))).toEqual([Number.NaN, 0.5])
    const [, found] = nn.rocCurve(scores, labels)
    expect(flat(found)).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN, 0, 0.5, 0.5, 1])
  })

  test('is NaN where a class is missing', () => {
    for (const c of [0, 1]) expect(flat(nn.rocAuc(scores, T.full([8], c, { dtype: 'i32' })))).toEqual([Number.NaN])
    expect(flat(nn.rocAuc(T.zeros([0]), T.zeros([0], { dtype: 'i32' })))).toEqual([Number.NaN])
  })
  test('of batches', () => {
    const [a, b] = [T.reshape(scores, [2, 4]) as Tensor, T.reshape(labels, [2, 4]) as Tensor]
    near(nn.rocAuc(a, b), [pairs(s.slice(0, 4), y.slice(0, 4)), pairs(s.slice(4), y.slice(4))])
    checkVmap((u: Tensor, v: Tensor) => [nn.rocAuc(u, v), nn.rocCurve(u, v)], [a, b])
  })
})

describe('metrics of numbers', () => {
  const p = [2.5, 0, 2, 8]
  const t = [3, -0.5, 2, 7]
  const [a, b] = [T.tensor(p) as Tensor, T.tensor(t) as Tensor]
  test("scikit-learn's examples", () => {
    near(nn.r2Score(a, b), [0.9486081370449679])
    near(nn.rmse(a, b), [Math.sqrt(0.375)])
    near(nn.meanAbsoluteError(a, b), [0.5])
    near(nn.r2Score(T.tensor([1, 2, 3]), T.tensor([3, 2, 1])), [-3])
  })
  test('constant targets, one example, none', () => {
    near(nn.r2Score(T.tensor([2, 2]), T.tensor([2, 2])), [1])
    near(nn.r2Score(T.tensor([2, 3]), T.tensor([2, 2])), [0])
    expect(flat(nn.r2Score(T.tensor([2]), T.tensor([2])))).toEqual([Number.NaN])
    expect(flat(nn.r2Score(T.tensor([Number.NaN, 2]), T.tensor([2, 2])))).toEqual([Number.NaN])
    for (const f of [nn.r2Score, nn.rmse, nn.meanAbsoluteError])
      expect(flat(f(T.zeros([0]), T.zeros([0])))).toEqual([Number.NaN])
  })
  test('batches, integers, half precision', () => {
    const rows = T.tensor([
      [0, 4],
      [1, 1],
    ]) as Tensor
    near(nn.rmse(rows, T.zeros([2, 2])), [Math.sqrt(8), 1])
    near(nn.meanAbsoluteError(T.cast(rows, 'f16'), T.zerosLike(rows)), [2, 1])
    expect(nn.r2Score(T.cast(a, 'f16'), b).dtype).toBe('f32')
  })
})

describe('perplexity', () => {
  const logits = T.tensor([
    [0, 1, 2],
    [1, 0, 0.5],
  ]) as Tensor
  test('is e to the mean cross-entropy of what counts', () => {
    const at = (row: readonly number[], c: number): number =>
      Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[c]!
    near(nn.perplexity(logits, T.tensor([2, 1])), [Math.exp((at([0, 1, 2], 2) + at([1, 0, 0.5], 1)) / 2)])
    near(nn.perplexity(logits, T.tensor([2, -100])), [Math.exp(at([0, 1, 2], 2))])
    near(nn.perplexity(logits, T.tensor([2, 0]), { ignoreIndex: 0 }), [Math.exp(at([0, 1, 2], 2))])
    expect(flat(nn.perplexity(T.zeros([0, 3]), T.zeros([0], { dtype: 'i32' })))).toEqual([Number.NaN])
    expect(nn.perplexity(T.cast(logits, 'bf16'), T.tensor([2, 1])).dtype).toBe('f32')
  })
})

test.each([
  ['rocCurve', () => nn.rocCurve(T.zeros([3]), T.zeros([2], { dtype: 'i32' }))[0], 'differ'],
  ['rocAuc', () => nn.rocAuc(T.zeros([3]), T.zeros([3])), 'labels are f32, not integers or bool'],
  ['r2Score', () => nn.r2Score(T.zeros([3, 1]), T.zeros([3])), 'differ'],
  ['rmse', () => nn.rmse(T.zeros([]), T.zeros([])), 'not scalars'],
  ['perplexity', () => nn.perplexity(T.zeros([3, 2]), T.zeros([2], { dtype: 'i32' })), 'do not fit scores'],
] as const)('a mistake has the name of the function: %s', (name, f, reason) => {
  const { op, reason: said } = mistakeOf(f())
  expect(op).toBe(`nn.${name}`)
  expect(said).toContain(reason)
})
