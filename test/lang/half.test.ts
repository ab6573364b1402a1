/** Half precision against the definition: every bit pattern, and the nearest of two neighbours. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHalf, roundHalf, toHalf } from '../../src/lang/half.ts'

const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits)

describe('half precision', () => {
  it('reads the values that the standard lists', () => {
    const cases: readonly (readonly [number, number])[] = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0x3c01, 1 + 2 ** -10],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
    ]
    for (const [bits, value] of cases) expect(fromHalf(bits)).toBe(value)
    expect(fromHalf(0x8000)).toBe(-0)
    expect(fromHalf(0x7e00)).toBeNaN()
  })

  it('goes there and back for every number', () => {
    for (const bits of [...finite, 0x7c00]) {
      expect(toHalf(fromHalf(bits))).toBe(bits)
      expect(toHalf(fromHalf(bits | 0x8000))).toBe(bits | 0x8000)
    }
    expect(fromHalf(toHalf(Number.NaN))).toBeNaN()
  })

  it('takes the nearer neighbour, and the even one at a tie', () => {
    for (const bits of finite.slice(0, -1)) {
      const [low, high] = [fromHalf(bits), fromHalf(bits + 1)]
      const middle = (low + high) / 2
      const even = bits % 2 === 0 ? bits : bits + 1
      expect(toHalf(middle)).toBe(even)
      expect(toHalf(low + (high - low) * 0.49)).toBe(bits)
      expect(toHalf(low + (high - low) * 0.51)).toBe(bits + 1)
    }
  })

  it('overflows to infinity from 65520 on', () => {
    expect([65504, 65519, 65520, 1e30].map(toHalf)).toEqual([0x7bff, 0x7bff, 0x7c00, 0x7c00])
    expect(toHalf(-1e30)).toBe(0xfc00)
  })

  it('rounds once: every binary16 number is itself, midpoints go to the even neighbour, and what lies just above does not', () => {
    for (let bits = 0; bits < 31 << 10; bits++) {
      const [x, next] = [fromHalf(bits), fromHalf(bits + 1)]
      const middle = (x + next) / 2
      const wrong =
        roundHalf(x) !== x ||
        roundHalf(-x) !== -x ||
        (bits < 0x7bff && roundHalf(middle) !== (bits % 2 === 0 ? x : next)) ||
        (bits < 0x7bff && roundHalf(middle * (1 + 2 ** -50)) !== next)
      if (wrong) expect.fail(`half ${bits.toString(16)} (${x})`)
    }
    expect([65519.9, 65520, -65520, Number.POSITIVE_INFINITY, 2 ** -25].map(roundHalf)).toEqual([
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      0,
    ])
    expect(roundHalf(Number.NaN)).toBeNaN()
    expect(roundHalf(-1e-9)).toBe(-0)
  })

  it('has bits after a rounding to f32, which may make a tie of what is none', () => {
    const aboveTie = 1 + 2 ** -11 + 2 ** -40
    expect(roundHalf(aboveTie)).toBe(1 + 2 ** -10)
    expect(fromHalf(toHalf(aboveTie))).toBe(1)
    fc.assert(
      fc.property(fc.double({ min: -70000, max: 70000, noNaN: true }), (x) => {
        expect(fromHalf(toHalf(x))).toBe(roundHalf(Math.fround(x)))
      }),
      { seed: 42, numRuns: 2000 },
    )
  })

  it('keeps order', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
        const [x, y] = [fromHalf(toHalf(a)), fromHalf(toHalf(b))]
        return a <= b ? x <= y : x >= y
      }),
      { seed: 42 },
    )
  })
})
