/** The laws of every monoid, on numbers: identity, associativity, and that elements may be lifted one by one. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KernelDType } from '../../src/lang/dtype.ts'
import { contractionRuns, isPositional, type StateMonoid, stateMonoids } from '../../src/lang/monoids.ts'
import { numberArithmetic } from '../../src/lang/number-arithmetic.ts'

const seed = 20261130

const elements: Readonly<Record<string, fc.Arbitrary<number>>> = {
  f32: fc.oneof(
    { weight: 8, arbitrary: fc.float({ min: -100, max: 100, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(0, -0, Infinity, -Infinity, NaN, 3e38, 1e-30) },
  ),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  bool: fc.integer({ min: 0, max: 1 }),
}

const numeric: readonly KernelDType[] = ['f32', 'i32', 'u32']
const domains: { readonly [M in StateMonoid]: readonly KernelDType[] } = {
  sum: numeric,
  terms: numeric,
  prod: numeric,
  max: numeric,
  min: numeric,
  all: ['bool'],
  any: ['bool'],
  argmax: numeric,
  argmin: numeric,
  lastMax: numeric,
  lastMin: numeric,
  moments: ['f32'],
  logSumExp: ['f32'],
}
const cases = Object.entries(domains).flatMap(([monoid, dtypes]) =>
  dtypes.map((dtype) => ({ monoid: monoid as StateMonoid, dtype })),
)

/** Equal, or equal but for rounding at the size of the largest element. */
const close = (x: number, y: number, size: number): boolean =>
  Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-9 * Math.max(1, Math.abs(x), size)

describe.each(cases)('$monoid of $dtype', ({ monoid, dtype }) => {
  const row = stateMonoids[monoid]
  const a = numberArithmetic(dtype)
  const lift = (x: number, at: number): readonly number[] =>
    row.lift(a, x, dtype, isPositional(monoid) ? at : undefined)
  const merge = (x: readonly number[], y: readonly number[]): readonly number[] => row.merge(a, x, y, dtype)
  const identity = row.identity(dtype)
  const serial = (xs: readonly number[], from = 0): readonly number[] =>
    xs.reduce((s, x, i) => merge(s, lift(x, from + i)), identity)
  const list = fc.array(elements[dtype]!, { minLength: 1, maxLength: 12 })

  it('has as many components as its identity', () => {
    expect(row.components(dtype)).toHaveLength(identity.length)
    expect(lift(1, 0)).toHaveLength(identity.length)
  })

  it('the identity changes nothing, bit for bit', () => {
    fc.assert(
      fc.property(list, (xs) => {
        const state = serial(xs)
        const results = row.finish(a, state, dtype)
        for (const other of [merge(identity, state), merge(state, identity)])
          row.finish(a, other, dtype).forEach((x, i) => {
            // Of nothing but lowest elements the position of the identity is as good as theirs, and it comes first.
            if (i === 0 || results[0] !== identity[0]) expect(x).toBe(results[i])
          })
      }),
      { seed },
    )
  })

  it('the parts may be merged in any grouping, up to rounding', () => {
    fc.assert(
      fc.property(list, list, list, (x, y, z) => {
        const [p, q, r] = [serial(x), serial(y, x.length), serial(z, x.length + y.length)]
        const finite = [...x, ...y, ...z].filter(Number.isFinite).map(Math.abs)
        const size = Math.max(0, ...finite) ** (monoid === 'moments' ? 2 : 1)
        const left = row.finish(a, merge(merge(p, q), r), dtype)
        const right = row.finish(a, merge(p, merge(q, r)), dtype)
        const whole = row.finish(a, serial([...x, ...y, ...z]), dtype)
        left.forEach((e, i) => {
          expect([e, right[i]!, whole[i]!].every((v) => close(e, v, size) || Number.isNaN(v) === Number.isNaN(e))).toBe(
            true,
          )
        })
      }),
      { seed },
    )
  })
})

describe('products of floats', () => {
  const row = stateMonoids.prod
  const a = numberArithmetic('f32')
  const product = (xs: readonly number[]): number =>
    row.finish(
      a,
      xs.reduce<readonly number[]>((s, x) => row.merge(a, s, row.lift(a, x, 'f32', undefined), 'f32'), [1, 0]),
      'f32',
    )[0]!
  it('do not overflow on the way', () => {
    expect(product(new Array(40).fill(1e30).concat(new Array(40).fill(1e-30)))).toBeCloseTo(1, 9)
    expect(product([...new Array(40).fill(1e300), 0])).toBe(0)
    expect(product([1e300, 1e300])).toBe(Infinity)
    expect(product([5e-324, 2 ** 1000])).toBe(5e-324 * 2 ** 1000)
  })
})

describe('runs of contractions', () => {
  it.each([
    [[10], [256]],
    [
      [64, 3, 3],
      [16, 64, 256],
    ],
    [
      [5, 300],
      [1, 256],
    ],
    [
      [2, 192],
      [1, 256],
    ],
    [
      [7, 2, 128],
      [1, 2, 256],
    ],
  ])('of %j are %j', (sizes, runs) => {
    expect(contractionRuns(sizes)).toEqual(runs)
  })
})
