/** The two readings of the price table: what a schedule costs, and what is stored instead of computed again. */
import { expect, it } from 'vitest'
import { maxRecompute, priceOf, readPrice, recomputePrice } from '../../passes/op-prices.ts'
import { binaryOps, unaryOps } from '../../src/lang/ir.ts'

it('what is not listed costs one addition', () => {
  expect([priceOf('add'), priceOf('select'), priceOf('reshape')]).toEqual([1, 1, 1])
  expect([priceOf('div'), priceOf('exp'), priceOf('pow'), priceOf('threefry')]).toEqual([3, 20, 80, 80])
})

it('an expensive operation of one tensor may be computed again, and with any other is stored', () => {
  const expensive = [...unaryOps, ...binaryOps, 'threefry', 'elementwise'].filter(
    (op) => recomputePrice(op as 'exp') + readPrice === maxRecompute,
  )
  expect(expensive.sort()).toEqual(
    [
      'exp', 'exp2', 'expm1', 'log', 'log2', 'log10', 'log1p', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh',
      'tanh', 'asinh', 'acosh', 'atanh', 'erf', 'erfc', 'erfinv', 'lgamma', 'digamma', 'sigmoid', 'pow', 'atan2',
      'threefry', 'elementwise',
    ].sort(), // biome-ignore format: a list
  )
  expect(recomputePrice('rem')).toBe(1)
  expect(recomputePrice('sqrt')).toBe(1)
})
