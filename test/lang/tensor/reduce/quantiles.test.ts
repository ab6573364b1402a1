/** What lies between two elements, by every method; percentages. */
import { expect, test } from 'vitest'
import type { QuantileMethod } from '../../../../src/index.ts'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/index.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const { POSITIVE_INFINITY: inf, NaN: nan } = Number
const x = T.tensor([4, 1, 3, 2, 10])
const holed = T.tensor([4, nan, 1, 3, nan, 2, 10])

/** numpy.quantile of [1, 2, 3, 4, 10] at 0, 0.1, 0.375, 0.5, 0.625, 0.9, 1. */
const qs = [0, 0.1, 0.375, 0.5, 0.625, 0.9, 1]
const known: Readonly<Record<QuantileMethod, readonly number[]>> = {
  linear: [1, 1.4, 2.5, 3, 3.5, 7.6, 10],
  lower: [1, 1, 2, 3, 3, 4, 10],
  higher: [1, 2, 3, 3, 4, 10, 10],
  midpoint: [1, 1.5, 2.5, 3, 3.5, 7, 10],
  nearest: [1, 1, 3, 3, 3, 10, 10],
}

test.each(Object.entries(known))('%s', (name, want) => {
  const method = name as QuantileMethod
  for (const got of [
    T.quantile(x, qs, { method }),
    T.percentile(x, [0, 10, 37.5, 50, 62.5, 90, 100], { method }),
    T.nanquantile(holed, qs, { method }),
  ])
    flat(got).forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 5)
    })
})

test('infinite neighbours that do not count are not multiplied by 0', () => {
  const line = T.tensor([1, 2, inf])
  expect(flat(T.quantile(line, [0.5, 1]))).toEqual([2, inf])
  expect(flat(T.nanquantile(line, [0.5, 0.75, 1]))).toEqual([2, inf, inf])
  expect(flat(T.nanquantile(T.tensor([-inf, 1, nan]), [0, 1]))).toEqual([-inf, 1])
})

test('what they refuse', () => {
  expect(() => T.quantile(x, 0.5, { method: 'cubic' as never })).toThrow("T.quantile: the method is 'cubic'")
  expect(mistakeOf(T.percentile(x, 101))).toMatchObject({ op: 'T.percentile', reason: /101 is no percentage/ as never })
})

test('along axes, and their gradients', () => {
  const y = T.tensor([
    [4, 1, 3.5, 2],
    [0.5, 6, 7, -8],
  ]) as Tensor
  expect(nested(T.percentile(y, 50, { axis: 1, keepdims: true }))).toEqual([[2.75], [3.25]])
  checkGrad((z: Tensor) => [T.percentile(z, 30, { axis: 1 }), T.nanquantile(z, 0.3, { axis: 0 })] as never, [y])
})
