/** Bags of embeddings against sums written out: empty bags, padding, factors, largest elements. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf, nested } from '../lang/tensor/run.ts'

const rows = [
  [1, -2],
  [3, 4.5],
  [-5, 0.5],
  [7, -1],
]
const table = T.tensor(rows)
const indices = [2, 0, 3, 3, 1]

/** Bags of the vector of indices, by Python's slices. */
const bags = (offsets: readonly number[]): readonly (readonly number[])[] =>
  offsets.map((from, b) => indices.slice(from, offsets[b + 1] ?? indices.length))

const reduceBag = (bag: readonly number[], mode: 'sum' | 'mean' | 'max'): readonly number[] =>
  [0, 1].map((c) => {
    const column = bag.map((r) => rows[r]![c]!)
    if (column.length === 0) return 0
    const total = column.reduce((a, b) => a + b, 0)
    return mode === 'sum' ? total : mode === 'mean' ? total / column.length : Math.max(...column)
  })

describe('embeddingBag', () => {
  test.each(['sum', 'mean', 'max'] as const)('%s over offsets, empty bags too', (mode) => {
    for (const offsets of [[0, 2], [0, 0, 3, 5, 5], [0]]) {
      const got = nn.embeddingBag(T.tensor(indices), table, { offsets: T.tensor(offsets), mode })
      expect(nested(got)).toEqual(bags(offsets).map((bag) => reduceBag(bag, mode).map(Math.fround)))
    }
  })

  test.each(['sum', 'mean', 'max'] as const)('%s over the rows of a matrix without the padding row', (mode) => {
    const got = nn.embeddingBag(
      T.tensor([
        [1, 3, 1],
        [2, 2, 0],
      ]),
      table,
      { mode, paddingIndex: 2 },
    )
    expect(nested(got)).toEqual([[1, 3, 1], [0]].map((bag) => reduceBag(bag, mode).map(Math.fround)))
  })

  test('factors multiply rows', () => {
    const got = nn.embeddingBag(T.tensor([[1, 3]]), table, { mode: 'sum', perSampleWeights: T.tensor([[0.5, -2]]) })
    expect(flat(got)).toEqual([-12.5, 4.25])
  })

  test('no bags, no indices', () => {
    const none = T.zeros([0], { dtype: 'i32' })
    expect(nn.embeddingBag(none, table, { offsets: none }).shape).toEqual([0, 2])
    for (const mode of ['sum', 'mean', 'max'] as const) {
      expect(flat(nn.embeddingBag(none, table, { offsets: T.tensor([0, 0]), mode }))).toEqual([0, 0, 0, 0])
      expect(flat(nn.embeddingBag(T.zeros([1, 0], { dtype: 'i32' }), table, { mode }))).toEqual([0, 0])
    }
  })

  test('mistakes are named', () => {
    const flatIndices = T.tensor(indices)
    expect(mistakeOf(nn.embeddingBag(flatIndices, table)).reason).toBe('indices of rank 1 without offsets')
    expect(
      mistakeOf(nn.embeddingBag(flatIndices, table, { offsets: T.tensor([0]), perSampleWeights: T.ones([5]) })).hint,
    ).toContain("'sum'")
    expect(() => flat(nn.embeddingBag(T.tensor([[4]]), table))).toThrow('index 4')
  })

  test('gradients are those of finite differences', () => {
    const offsets = T.tensor([0, 2, 2])
    checkGrad(
      (w: Tensor<readonly [number, number]>, f: Tensor) => [
        nn.embeddingBag(T.tensor(indices), w, { offsets }),
        nn.embeddingBag(T.tensor(indices), w, { offsets, mode: 'max' }),
        nn.embeddingBag(T.tensor(indices), w, { offsets, mode: 'sum', perSampleWeights: f }),
      ],
      [table as Tensor<readonly [number, number]>, T.tensor([0.5, 1, -1.5, 2, 0.25]) as Tensor],
    )
  })
})
