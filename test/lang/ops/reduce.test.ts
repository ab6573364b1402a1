/** reduce: every monoid against naive formulas over index loops, special values, empty operands, refusals, batching. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DType } from '../../../src/lang/dtype.ts'
import { type Monoid, monoids } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import {
  at,
  checkBatch,
  checkTranspose,
  evalOp,
  indices,
  inferred,
  noise,
  numbers,
  refusal,
  runs,
  shapes,
  type,
  value,
} from './rules.ts'

const mean = (v: number[]): number => v.reduce((a, b) => a + b, 0) / v.length

/** Each monoid over a list of plain numbers, by its textbook formula. */
const naive: { readonly [M in Monoid]: (v: number[]) => number[] } = {
  sum: (v) => [v.reduce((a, b) => a + b, 0)],
  prod: (v) => [v.reduce((a, b) => a * b, 1)],
  max: (v) => [Math.max(...v)],
  min: (v) => [Math.min(...v)],
  all: (v) => [v.every((b) => b === 1) ? 1 : 0],
  any: (v) => [v.some((b) => b === 1) ? 1 : 0],
  argmax: (v) => [Math.max(...v), v.indexOf(Math.max(...v))],
  argmin: (v) => [Math.min(...v), v.indexOf(Math.min(...v))],
  meanVar: (v) => [mean(v), mean(v.map((x) => (x - mean(v)) ** 2))],
  logSumExp: (v) => [Math.log(v.reduce((a, x) => a + Math.exp(x), 0))],
}

/** Elements of `x` grouped by their index outside `axes`, groups and members in row-major order. */
const groups = (x: Value, axes: readonly number[]): number[][] => {
  const kept = x.shape.flatMap((_, a) => (axes.includes(a) ? [] : [a]))
  const members = new Map(indices(kept.map((a) => x.shape[a]!)).map((i) => [i.join(), [] as number[]]))
  for (const i of indices(x.shape)) members.get(kept.map((a) => i[a]).join())!.push(at(x, i))
  return [...members.values()]
}

const dtypeOf = (m: Monoid): DType => (m === 'all' || m === 'any' ? 'bool' : 'f32')
const single = (m: Monoid): boolean => m === 'argmax' || m === 'argmin'
const over = (m: Monoid, v: readonly number[], dtype: DType = 'f32'): number[] =>
  evalOp('reduce', { monoid: m, axes: [0] }, value(dtype, [v.length], v)).map((o) => o.data[0]!)

describe.each(monoids)('%s', (monoid) => {
  it('agrees with its formula on any shape and axes, and batches', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.integer()),
    )
    fc.assert(
      fc.property(cases, ([shape, axes, seed]) => {
        fc.pre(!single(monoid) || axes.length === 1)
        fc.pre(axes.every((a) => shape[a] !== 0) || ['sum', 'prod', 'all', 'any'].includes(monoid))
        const x = noise(dtypeOf(monoid), shape, seed)
        const outs = evalOp('reduce', { monoid, axes }, x)
        const want = groups(x, axes).map(naive[monoid])
        for (const [o, out] of outs.entries()) {
          expect(out.shape).toEqual(shape.filter((_, a) => !axes.includes(a)))
          want.forEach((w, i) => {
            expect(out.data[i]).toBeCloseTo(w[o]!, 10)
          })
        }
        for (const size of [0, 2])
          checkBatch('reduce', { monoid, axes }, [noise(x.dtype, [size, ...shape], seed)], size)
      }),
      runs,
    )
  })
})

describe('special values', () => {
  const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY]
  it.each<[Monoid, number[], number[]]>([
    ['sum', [inf, -inf], [nan]],
    ['sum', [inf, 1], [inf]],
    ['prod', [inf, 0], [nan]],
    ['max', [1, nan, 3], [nan]],
    ['max', [-inf, -inf], [-inf]],
    ['min', [nan, 1], [nan]],
    ['max', [-0, 0, -0], [0]],
    ['min', [0, -0, 0], [-0]],
    ['sum', [-0, -0], [-0]],
    ['sum', [-0, 0], [0]],
    ['min', [3, -inf], [-inf]],
    ['argmax', [1, 3, 3, 2], [3, 1]],
    ['argmax', [1, nan, inf, nan], [nan, 1]],
    ['argmax', [nan, 1], [nan, 0]],
    ['argmin', [2, 1, 1], [1, 1]],
    ['argmin', [-inf, nan], [nan, 1]],
    ['argmax', [-inf, -inf], [-inf, 0]],
    ['meanVar', [inf, 1], [inf, nan]],
    ['meanVar', [5], [5, 0]],
    ['logSumExp', [-inf, -inf], [-inf]],
    ['logSumExp', [inf, 1], [inf]],
    ['logSumExp', [inf, -inf], [inf]],
    ['logSumExp', [inf, nan], [nan]],
    ['logSumExp', [-inf, 0], [0]],
    ['logSumExp', [1000, 1000], [1000 + Math.LN2]],
    ['logSumExp', [-1000, -1000], [-1000 + Math.LN2]],
  ])('%s of %s is %s', (monoid, v, want) => {
    expect(over(monoid, v)).toEqual(want)
  })
  it('keeps the variance of large, close numbers', () => {
    const [m, v] = over('meanVar', [1e8 + 4, 1e8 + 7, 1e8 + 13, 1e8 + 16])
    expect(m).toBe(1e8 + 10)
    expect(v).toBe(22.5)
  })
  it('of nothing', () => {
    expect(over('sum', [])).toEqual([0])
    expect(over('prod', [])).toEqual([1])
    expect(over('sum', [], 'i32')).toEqual([0])
    expect(over('all', [], 'bool')).toEqual([1])
    expect(over('any', [], 'bool')).toEqual([0])
    expect(over('logSumExp', [])).toEqual([-inf])
    expect(over('meanVar', [])).toEqual([nan, nan])
    expect(numbers(evalOp('reduce', { monoid: 'max', axes: [1] }, value('f32', [0, 3], []))[0])).toEqual([])
  })
  it('wraps integers', () => {
    const [big, wide] = [2 ** 31 - 1, 2 ** 32 - 1]
    expect(over('sum', [big, 1], 'i32')).toEqual([-(2 ** 31)])
    expect(over('sum', [wide, 2], 'u32')).toEqual([1])
    expect(over('prod', [big, big], 'i32')).toEqual([Number(BigInt.asIntN(32, BigInt(big) ** 2n))])
    expect(over('prod', [wide, wide - 1, 3], 'u32')).toEqual([
      Number(BigInt.asUintN(32, BigInt(wide) * BigInt(wide - 1) * 3n)),
    ])
    expect(over('max', [1, wide], 'u32')).toEqual([wide])
    expect(over('argmin', [3, -(2 ** 31)], 'i32')).toEqual([-(2 ** 31), 1])
  })
  it('folds a million elements, rows or columns', () => {
    const x = noise('f32', [100], 3)
    const wide = evalOp('broadcast', { shape: [10_000, 100], axes: [0] }, x)[0]!
    expect(numbers(evalOp('reduce', { monoid: 'max', axes: [0] }, wide)[0])).toEqual(numbers(x))
    const total = numbers(x).reduce((a, b) => a + b, 0)
    expect(evalOp('reduce', { monoid: 'sum', axes: [0, 1] }, wide)[0]!.data[0]).toBeCloseTo(total * 10_000, 6)
  })
})

describe('types', () => {
  it('gives a value and an i32 index, or two floats', () => {
    expect(inferred('reduce', { monoid: 'argmax', axes: [0] }, [type([2, 3], 'u32')])).toEqual([
      type([3], 'u32'),
      type([3], 'i32'),
    ])
    expect(inferred('reduce', { monoid: 'meanVar', axes: [1, 0] }, [type([2, 3], 'f16')])).toEqual([
      type([], 'f16'),
      type([], 'f16'),
    ])
  })
  it('sums transpose to broadcasts', () => {
    for (const axes of [[], [1], [2, 0], [0, 1, 2]])
      checkTranspose('reduce', { monoid: 'sum', axes }, [noise('f32', [2, 3, 4], 9)])
    checkTranspose('reduce', { monoid: 'sum', axes: [0] }, [noise('f32', [0, 3], 9)])
  })
})

describe('refusals', () => {
  const no = (monoid: Monoid, axes: readonly number[], shape: readonly number[], dtype?: DType): string =>
    refusal('reduce', { monoid, axes }, type(shape, dtype))
  it.each<[string, string]>([
    [no('sum', [2], [2, 3]), 'axis 2: axis 2 is out of range for rank 2'],
    [no('sum', [0], []), 'axis 0: axis 0 is out of range for rank 0'],
    [no('sum', [1, 1], [2, 3]), 'axis 1: axis 1 is listed twice'],
    [
      no('max', [1], [2, 0]),
      'axis 1: max over axis 1 of size 0 has no identity (pad the axis, or test its size first)',
    ],
    [
      no('argmin', [0], [0]),
      'axis 0: argmin over axis 0 of size 0 has no identity (pad the axis, or test its size first)',
    ],
    [no('argmax', [0, 1], [2, 2]), 'argmax takes exactly one axis, got [0, 1] (reshape to join axes)'],
    [no('argmax', [], [2, 2]), 'argmax takes exactly one axis, got [] (reshape to join axes)'],
    [no('sum', [0], [2], 'bool'), 'cannot take the sum of bool (cast to i32 to count)'],
    [no('max', [0], [2], 'bool'), 'cannot take the maximum of bool (use any, or cast to i32 first)'],
    [no('meanVar', [0], [2], 'i32'), 'cannot take the mean and variance of i32 (cast to f32 first)'],
    [no('logSumExp', [0], [2], 'u32'), 'cannot take the logSumExp of u32 (cast to f32 first)'],
    [no('all', [0], [2]), 'all is for bool, not f32 (compare first, with T.notEqual(x, 0) say)'],
  ])('%s', (got, want) => {
    expect(got).toBe(want)
  })
})
