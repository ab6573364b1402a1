/** Sorting and quantiles as users call them: options, shapes, gradients, mistakes. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'
import { mistakeOf } from '../run.ts'

const list = (x: T.Tensor): readonly number[] => Array.from(T.reference(x).data as ArrayLike<number>)

describe('sort and argsort', () => {
  it('sort the last axis, or another', () => {
    const x = T.tensor([
      [3, 1],
      [0, 2],
    ])
    expect(list(T.sort(x))).toEqual([1, 3, 0, 2])
    expect(list(T.sort(x, { axis: 0, descending: true }))).toEqual([3, 2, 0, 1])
    expect(list(T.takeAlongAxis(x, T.argsort(x)))).toEqual(list(T.sort(x)))
    expect(list(T.sort(T.zeros([0])))).toEqual([])
    expect(T.sort(T.zeros([3, 0, 2]), { axis: 0 }).shape).toEqual([3, 0, 2])
  })
  it('sort bytes and halves', () => {
    expect(list(T.sort(T.cast(T.tensor([3, -1, 2]), 'i8')))).toEqual([-1, 2, 3])
    expect(list(T.argsort(T.cast(T.tensor([3, -1, 2]), 'bf16')))).toEqual([1, 2, 0])
  })
  it('give the gradient to the places the elements come from', () => {
    const weights = T.tensor([1, 10, 100])
    const g = T.grad((x: T.Tensor) => T.sum(T.mul(T.sort(x), weights)))(T.tensor([3, 1, 2], { dtype: 'f32' }))
    expect(list(g)).toEqual([100, 1, 10])
  })
  it('refuse scalars', () => {
    expect(mistakeOf(T.sort(T.tensor(1)))).toMatchObject({ tag: 'ShapeError', op: 'T.sort' })
  })
})

describe('topK and kthvalue', () => {
  it('choose along an axis', () => {
    const x = T.tensor([
      [1, 5, 3],
      [9, 9, 2],
    ])
    expect(T.topK(x, 2).map(list)).toEqual([
      [5, 3, 9, 9],
      [1, 2, 0, 1],
    ])
    expect(T.topK(x, 1, { axis: 0, largest: false }).map(list)).toEqual([
      [1, 5, 2],
      [0, 0, 1],
    ])
    expect(T.kthvalue(x, 3).map(list)).toEqual([
      [5, 9],
      [1, 1],
    ])
    expect(T.kthvalue(x, 1, { axis: 0, keepdims: true })[0].shape).toEqual([1, 3])
    expect(T.topK(x, 0)[0].shape).toEqual([2, 0])
  })
  it('refuse more than there is', () => {
    expect(mistakeOf(T.topK(T.zeros([2]), 3)[0])).toMatchObject({ tag: 'ShapeError', op: 'T.topK' })
    expect(mistakeOf(T.kthvalue(T.zeros([2]), 0)[1])).toMatchObject({ tag: 'ShapeError', op: 'T.kthvalue' })
  })
})

describe('quantile and median', () => {
  const x = T.tensor([
    [1, 7, 3],
    [4, 0, 9],
  ])
  it('lie between neighbours in order', () => {
    expect(list(T.quantile(x, 0.25, { axis: 1 }))).toEqual([2, 2])
    expect(T.quantile(x, [0, 1], { axis: [0, 1], keepdims: true }).shape).toEqual([2, 1, 1])
    expect(list(T.median(x))).toEqual([3.5])
    expect(list(T.median(T.tensor([1, 2, 3, 4], { dtype: 'i32' })))).toEqual([2.5])
    expect(list(T.median(T.tensor([1, Number.NaN, 3])))).toEqual([Number.NaN])
    expect(list(T.quantile(T.tensor([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]), 0.75))).toEqual([
      Number.POSITIVE_INFINITY,
    ])
  })
  it('have gradients', () => {
    expect(list(T.grad((v: T.Tensor) => T.quantile(v, 0.25))(T.tensor([5, 1, 3], { dtype: 'f32' })))).toEqual([
      0, 0.5, 0.5,
    ])
  })
  it('refuse', () => {
    expect(mistakeOf(T.quantile(x, 1.5))).toMatchObject({ tag: 'ShapeError', op: 'T.quantile' })
    expect(mistakeOf(T.median(T.zeros([0])))).toMatchObject({ tag: 'ShapeError', op: 'T.median' })
  })
})

describe('unique', () => {
  const parts = (x: T.Tensor, o: T.UniqueOptions): readonly (readonly number[])[] => {
    const u = T.unique(x, o)
    return [u.values, u.counts, u.inverse, u.distinct].map(list)
  }
  it('makes room for as many as asked', () => {
    const x = T.tensor([
      [5, 2],
      [2, Number.NaN],
      [Number.NaN, 5],
    ])
    expect(parts(x, { size: 4, fillValue: -1 })).toEqual([
      [2, 5, Number.NaN, -1],
      [2, 2, 2, 0],
      [1, 0, 0, 2, 2, 1],
      [3],
    ])
    expect(parts(x, { size: 1 })).toEqual([[2], [2], [1, 0, 0, 2, 2, 1], [3]])
    expect(parts(T.tensor([true, false, true]), { size: 2 })).toEqual([[0, 1], [1, 2], [1, 0, 1], [2]])
    expect(T.unique(x, { size: 0 }).inverse.shape).toEqual([3, 2])
    expect(parts(T.zeros([0]), { size: 2, fillValue: 7 })).toEqual([[7, 7], [0, 0], [], [0]])
  })
  it('refuses', () => {
    expect(() => T.unique(T.zeros([2]), { size: -1 })).toThrow("T.unique: the option 'size' is -1, not a whole number")
  })
})

it('a mistake of several results is said once', () => {
  const made = T.compile((x: T.Tensor) => T.topK(x, 5), [T.spec([3])])
  expect(made).toMatchObject({ left: { tag: 'CheckError', errors: [{ op: 'T.topK' }] } })
})
