/** Running extremes of booleans, and prefixes that leave out their element. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

test('running extremes of bool are bool', () => {
  const [most, at] = T.cummax(T.tensor([false, true, false]))
  expect([most.dtype, flat(most), flat(at)]).toEqual(['bool', [0, 1, 1], [0, 1, 1]])
  const [least] = T.cummin(T.tensor([true, false, true]))
  expect([least.dtype, flat(least)]).toEqual(['bool', [1, 0, 0]])
})

describe('exclusive prefixes', () => {
  const x = T.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const exclusive = true
  test('leave their element out, from either end', () => {
    expect(nested(T.cumsum(x, { axis: 1, exclusive }))).toEqual([
      [0, 1, 3],
      [0, 4, 9],
    ])
    expect(nested(T.cumsum(x, { axis: -1, exclusive, reverse: true }))).toEqual([
      [5, 3, 0],
      [11, 6, 0],
    ])
    expect(nested(T.cumsum(x, { exclusive }))).toEqual([
      [0, 0, 0],
      [1, 2, 3],
    ])
    expect(nested(T.cumprod(x, { axis: 1, exclusive, reverse: true }))).toEqual([
      [6, 3, 1],
      [30, 6, 1],
    ])
    const logs = flat(T.logcumsumexp(T.tensor([0.5, 1.5]), { exclusive }))
    expect(logs).toEqual([Number.NEGATIVE_INFINITY, 0.5])
  })
  test('of one element, of none, of other dtypes', () => {
    expect(flat(T.cumsum(T.tensor([7]), { exclusive }))).toEqual([0])
    expect(T.cumsum(T.zeros([2, 0]), { axis: 1, exclusive }).shape).toEqual([2, 0])
    const counts = T.cumsum(T.tensor([true, true, true]), { exclusive })
    expect([counts.dtype, flat(counts)]).toEqual(['i32', [0, 1, 2]])
    expect(flat(T.cumsum(T.tensor([Number.NaN, 1]), { exclusive }))).toEqual([0, Number.NaN])
    expect(mistakeOf(T.cumsum(x, { axis: 2, exclusive }) as Tensor)).toMatchObject({ op: 'T.cumsum', axis: 2 })
  })
  test('have gradients, of zeros too', () => {
    const y = T.tensor([1.5, 0, -2, 0.5])
    const both = (z: Tensor): readonly Tensor[] => [
      T.cumsum(z, { exclusive, reverse: true }),
      T.cumprod(z, { exclusive }),
    ]
    checkGrad(both as never, [y], { order: 1 })
  })
})
