/** Arithmetic on numbers: integers wrap, floats are Float64, and m·2ᵉ gives back what was split. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numberArithmetic } from '../../src/lang/number-arithmetic.ts'

const f32 = numberArithmetic('f32')
const i32 = numberArithmetic('i32')
const u32 = numberArithmetic('u32')

describe('arithmetic on numbers', () => {
  it('wraps integers', () => {
    expect(i32.apply('add', 2 ** 31 - 1, 1)).toBe(-(2 ** 31))
    expect(i32.apply('sub', -(2 ** 31), 1)).toBe(2 ** 31 - 1)
    expect(i32.apply('mul', 65537, 65537)).toBe(131073)
    expect(i32.apply('mul', 2 ** 31 - 1, 2 ** 31 - 1)).toBe(1)
    expect(u32.apply('mul', 2 ** 32 - 1, 2 ** 32 - 1)).toBe(1)
    expect(u32.apply('add', 2 ** 32 - 1, 2)).toBe(1)
    expect(u32.apply('mul', 2 ** 31, 3)).toBe(2 ** 31)
    expect(u32.apply('max', 2 ** 32 - 1, 2)).toBe(2 ** 32 - 1)
  })
  it('does not wrap floats', () => {
    expect(f32.apply('add', 2 ** 31, 2 ** 31)).toBe(2 ** 32)
    expect(f32.apply('mul', 0.5, 3)).toBe(1.5)
    expect([f32.apply('sub', 0.5, 3), f32.apply('div', 3, 2), f32.apply('min', 3, 2)]).toEqual([-2.5, 1.5, 2])
    expect([f32.apply('exp', 1), f32.apply('log', 2)]).toEqual([Math.E, Math.LN2])
    expect([f32.constant(0.25, 'f32'), f32.hold(7)]).toEqual([0.25, 7])
  })
  it('has the predicates as 0 and 1', () => {
    expect([f32.apply('isNan', NaN), f32.apply('isInf', -Infinity), f32.apply('isInf', NaN)]).toEqual([1, 1, 0])
    expect([f32.apply('lt', 1, 1), f32.apply('le', 1, 1), f32.apply('eq', 1, 1), f32.apply('not', 1)]).toEqual([
      0, 1, 1, 0,
    ])
    expect([f32.apply('lt', 1, 2), f32.apply('le', 2, 1), f32.apply('eq', 1, 2), f32.apply('not', 0)]).toEqual([
      1, 0, 0, 1,
    ])
    expect([f32.apply('select', 1, 5, 6), f32.apply('select', 0, 5, 6)]).toEqual([5, 6])
    expect([i32.apply('and', 1, 0), i32.apply('or', 1, 0)]).toEqual([0, 1])
  })
  it('refuses what no monoid uses', () => {
    expect(() => f32.apply('sin', 1)).toThrow(/monoids do not use sin/)
  })
  it('keeps zeros and infinities, whatever the power', () => {
    expect([f32.scale(0, 5000), f32.scale(-Infinity, -5000), f32.scale(NaN, 1)]).toEqual([0, -Infinity, NaN])
  })
  it('splits every number into a mantissa from 1 to 2 and a power, and puts it together again', () => {
    fc.assert(
      fc.property(fc.double(), (x) => {
        const [m, e] = f32.split(x)
        if (x !== 0 && Number.isFinite(x)) {
          expect(Math.abs(m)).toBeGreaterThanOrEqual(1)
          expect(Math.abs(m)).toBeLessThan(2)
        } else expect([m, e]).toEqual([x, 0])
        expect(f32.scale(m, e)).toBe(x)
      }),
      { seed: 20261130 },
    )
  })
})
