/** Counts by number and by bin against loops. */
import { describe, expect, test } from 'vitest'
import type { HistogramOptions } from '../../../../src/index.ts'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf } from '../run.ts'

const { POSITIVE_INFINITY: inf, NaN: nan } = Number

describe('bincount', () => {
  const x = T.tensor([
    [1, 4, 1],
    [0, -1, 9],
  ])
  const weights = T.tensor([
    [0.5, 1, 2],
    [4, 8, 16],
  ]) as Tensor
  test('counts what has a place', () => {
    const counts = T.bincount(x, { length: 5 })
    expect([counts.dtype, flat(counts)]).toEqual(['i32', [1, 2, 0, 0, 1]])
    const sums = T.bincount(x, { length: 3, weights })
    expect([sums.dtype, flat(sums)]).toEqual(['f32', [4, 2.5, 0]])
    expect(flat(T.bincount(x, { length: 0 }))).toEqual([])
    expect(flat(T.bincount(T.zeros([0], { dtype: 'i32' }), { length: 2 }))).toEqual([0, 0])
    expect(flat(T.bincount(T.tensor([true, false, true]), { length: 2 }))).toEqual([1, 2])
    expect(flat(T.bincount(T.tensor([255, 3], { dtype: 'u8' }), { length: 4 }))).toEqual([0, 0, 0, 1])
  })
  test('what it refuses, gradients, batches', () => {
    expect(mistakeOf(T.bincount(T.zeros([2]), { length: 2 }))).toMatchObject({ op: 'T.bincount' })
    expect(mistakeOf(T.bincount(x, { length: 2, weights: T.ones([6]) }))).toMatchObject({ op: 'T.bincount' })
    checkGrad(((w: Tensor) => T.bincount(x, { length: 5, weights: w })) as never, [weights])
    checkVmap(((i: Tensor) => T.bincount(i, { length: 3 })) as never, [x])
  })
})

/** numpy.histogram for given edges. */
const counted = (data: readonly number[], edges: readonly number[], weights = data.map(() => 1)): readonly number[] => {
  const bins = edges.length - 1
  return Array.from({ length: bins }, (_, b) =>
    data.reduce((sum, v, i) => {
      const isIn = edges[b]! <= v && (v < edges[b + 1]! || (b === bins - 1 && v === edges[bins]))
      return isIn ? sum + weights[i]! : sum
    }, 0),
  )
}

describe('histogram', () => {
  const data = [0.5, 1, 1.5, 2, 2.25, 3, 3, -1, 4.5, 0]
  const x = T.tensor(data)
  const of = (y: Tensor, o?: HistogramOptions): readonly (readonly number[])[] => T.histogram(y, o).map(flat)

  test.each<[string, HistogramOptions, readonly number[]]>([
    ['ten bins over the data', {}, Array.from({ length: 11 }, (_, i) => -1 + 0.55 * i)],
    ['over a range', { bins: 4, range: [0, 3] }, [0, 0.75, 1.5, 2.25, 3]],
    ['between edges', { bins: [0, 1, 3, 3.5] }, [0, 1, 3, 3.5]],
    ['between the edges of a tensor', { bins: T.tensor([-2, 0, 0.5, 9]) }, [-2, 0, 0.5, 9]],
    ['of one place', { bins: 2, range: [2, 2] }, [1.5, 2, 2.5]],
  ])('%s', (_, o, edges) => {
    const [counts, found] = of(x, o)
    found!.forEach((e, i) => {
      expect(e).toBeCloseTo(edges[i]!, 5)
    })
    expect(counts).toEqual(counted(data, found!))
    expect(T.histogram(x, o)[0].dtype).toBe('i32')
  })

  test('weighed, and as a density', () => {
    const w = data.map((_, i) => i / 2)
    const o = { bins: [0, 1, 2, 4] }
    expect(of(x, { ...o, weights: T.tensor(w) })[0]).toEqual(counted(data, o.bins, w))
    const plain = counted(data, o.bins)
    const total = plain.reduce((a, b) => a + b, 0)
    of(x, { ...o, density: true })[0]!.forEach((v, i) => {
      expect(v).toBeCloseTo(plain[i]! / total / (o.bins[i + 1]! - o.bins[i]!), 6)
    })
  })

  test('of nothing, of NaN, of infinities, of whole numbers', () => {
    expect(of(T.zeros([0]), { bins: 2 })).toEqual([
      [0, 0],
      [0, 0.5, 1],
    ])
    expect(of(T.tensor([nan, 0.5, inf, -inf]), { bins: 2, range: [0, 1] })[0]).toEqual([0, 1])
    expect(of(T.tensor([3, 3, 3]), { bins: 2 })).toEqual([
      [0, 3],
      [2.5, 3, 3.5],
    ])
  })

  test('what it refuses', () => {
    const wrong: readonly HistogramOptions[] = [
      { bins: 0 },
      { bins: 2.5 },
      { bins: [1] },
      { bins: 'auto' as never },
      { range: [1] as never },
      { range: [2, 1] },
      { range: [0, inf] },
      { bins: [0, 1], range: [0, 1] },
      { weights: T.ones([3]) },
    ]
    for (const o of wrong) expect(mistakeOf(T.histogram(x, o)[0])).toMatchObject({ op: 'T.histogram' })
  })

  test('gradients of weights, batches', () => {
    checkGrad(((w: Tensor) => T.histogram(x, { bins: 3, weights: w })[0]) as never, [T.ones([10])])
    checkVmap(((y: Tensor) => T.histogram(y, { bins: 3 })) as never, [T.reshape(x, [2, 5])])
  })
})
