/** Printed values against what PyTorch prints for the same tensors. */
import { describe, expect, test } from 'vitest'
import { showValue } from '../../../src/lang/print/tensor-values.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../src/lang/types/tensor.ts'
import { evaluated } from '../tensor/run.ts'

const f32 = { dtype: 'f32' } as const
const cases: readonly (readonly [string, Tensor, string])[] = [
  [
    'whole floats end in a point',
    T.tensor(
      [
        [1, 2],
        [3, 4],
      ],
      f32,
    ),
    'tensor([[1., 2.],\n        [3., 4.]])',
  ],
  [
    'integers are aligned',
    T.tensor([
      [1, -20],
      [300, 4],
    ]),
    'tensor([[  1, -20],\n        [300,   4]])',
  ],
  ['booleans', T.tensor([true, false]), 'tensor([ True, False])'],
  ['a scalar', T.tensor(2.5), 'tensor(2.5000)'],
  ['a whole scalar', T.tensor(3), 'tensor(3)'],
  ['four decimals', T.tensor([0.1, -2.34567, 10]), 'tensor([ 0.1000, -2.3457, 10.0000])'],
  ['ties to even', T.tensor([0.03125, 0.09375, 1.5]), 'tensor([0.0312, 0.0938, 1.5000])'],
  ['zeros', T.zeros([2]), 'tensor([0., 0.])'],
  ['a negative zero', T.tensor([-0, 1.5]), 'tensor([-0.0000, 1.5000])'],
  ['small numbers in scientific notation', T.tensor([1e-5, 1]), 'tensor([1.0000e-05, 1.0000e+00])'],
  ['a wide range too', T.tensor([0.5, 1000]), 'tensor([5.0000e-01, 1.0000e+03])'],
  ['large whole floats too', T.tensor([2e9, 1], f32), 'tensor([2.0000e+09, 1.0000e+00])'],
  [
    'NaN and infinity do not widen columns',
    T.tensor([Number.NaN, 1, Number.POSITIVE_INFINITY]),
    'tensor([nan, 1., inf])',
  ],
  ['negative infinity', T.tensor([Number.NEGATIVE_INFINITY, 0.5]), 'tensor([  -inf, 0.5000])'],
  [
    'a matrix of fractions',
    T.tensor([
      [1, 2.5],
      [3, -4.25],
    ]),
    'tensor([[ 1.0000,  2.5000],\n        [ 3.0000, -4.2500]])',
  ],
  ['a whole scalar of floats', T.tensor(3, f32), 'tensor(3.)'],
  ['a scalar that is not a number', T.tensor(Number.NaN), 'tensor(nan)'],
  ['a small scalar', T.tensor(0.00001), 'tensor(1.0000e-05)'],
  ['a boolean scalar', T.tensor(true), 'tensor(True)'],
  ['a negative zero among whole numbers', T.tensor([-0, 1], f32), 'tensor([-0., 1.])'],
  ['no finite number', T.full([2], Number.POSITIVE_INFINITY), 'tensor([inf, inf])'],
  ['the least that is not scientific', T.tensor([0.0001, 0.1]), 'tensor([1.0000e-04, 1.0000e-01])'],
  [
    'scientific notation beside what is not finite',
    T.tensor([1e-6, Number.NaN, Number.NEGATIVE_INFINITY]),
    'tensor([1.0000e-06,        nan,       -inf])',
  ],
  ['below the normal numbers', T.div(T.tensor([1e-38], f32), 10), 'tensor([1.0000e-39])'],
  ['half precision', T.tensor([0.1, 2], { dtype: 'f16' }), 'tensor([0.1000, 2.0000], dtype=f16)'],
  ['nothing of another dtype and shape', T.zeros([0, 2], { dtype: 'u32' }), 'tensor([], size=(0, 2), dtype=u32)'],
  [
    'a dtype that the line has no room for',
    T.full([17], 10, { dtype: 'u32' }),
    `tensor([${Array(17).fill('10').join(', ')}],\n       dtype=u32)`,
  ],
  [
    'a line with room for it',
    T.full([15], 10, { dtype: 'u32' }),
    `tensor([${Array(15).fill('10').join(', ')}], dtype=u32)`,
  ],
  ['another dtype is named', T.tensor([1, 2], { dtype: 'u32' }), 'tensor([1, 2], dtype=u32)'],
  ['nothing', T.zeros([0]), 'tensor([])'],
  ['nothing of some shape', T.zeros([2, 0]), 'tensor([], size=(2, 0))'],
  ['no integers', T.zeros([0], { dtype: 'i32' }), 'tensor([], dtype=i32)'],
  [
    'blocks are set apart by an empty line',
    T.reshape(T.arange(8), [2, 2, 2]),
    'tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]])',
  ],
  [
    'long rows are broken at 80 columns',
    T.arange(30),
    'tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])',
  ],
  ['large tensors are cut short', T.arange(1001), 'tensor([   0,    1,    2,  ...,  998,  999, 1000])'],
  [
    'in both directions',
    T.reshape(T.arange(1200), [40, 30]),
    [
      'tensor([[   0,    1,    2,  ...,   27,   28,   29],',
      '        [  30,   31,   32,  ...,   57,   58,   59],',
      '        [  60,   61,   62,  ...,   87,   88,   89],',
      '        ...,',
      '        [1110, 1111, 1112,  ..., 1137, 1138, 1139],',
      '        [1140, 1141, 1142,  ..., 1167, 1168, 1169],',
      '        [1170, 1171, 1172,  ..., 1197, 1198, 1199]])',
    ].join('\n'),
  ],
  [
    'a short axis beside a long one is whole',
    T.zeros([2, 501], f32),
    'tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.]])',
  ],
]

describe('showValue', () => {
  test.each(cases)('%s', (_, x, expected) => {
    expect(showValue(evaluated(x))).toBe(expected)
  })

  test('options', () => {
    const x = evaluated(T.arange(10))
    expect(showValue(x, { threshold: 5, edgeItems: 2 })).toBe('tensor([0, 1,  ..., 8, 9])')
    expect(showValue(evaluated(T.tensor([1 / 3])), { precision: 2 })).toBe('tensor([0.33])')
  })
})
