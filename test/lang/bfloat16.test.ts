/** bfloat16 and the words of packed dtypes, against what their definitions say. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBfloat16, roundBfloat16, toBfloat16 } from '../../src/lang/bfloat16.ts'
import { packWords, unpackWords } from '../../src/lang/pack.ts'

const runs = { seed: 42, numRuns: 2000 }

describe('bfloat16', () => {
  test('bits round-trip, all of them', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const x = fromBfloat16(bits)
      if (Number.isNaN(x)) expect(Number.isNaN(fromBfloat16(toBfloat16(x)))).toBe(true)
      else expect(toBfloat16(x)).toBe(bits)
    }
  })

  test('rounds to the nearest, and to the even one of two', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const bits = toBfloat16(Math.abs(x))
        const [below, here, above] = [bits - 1, bits, bits + 1].map((b) => (b < 0 ? -Infinity : fromBfloat16(b)))
        if (here === Infinity) return Math.abs(x) >= 2 ** 128 - 2 ** 119
        const distance = Math.abs(Math.abs(x) - here!)
        const other = Math.min(Math.abs(x) - below!, above! === Infinity ? Infinity : above! - Math.abs(x))
        return distance < other || (distance === other && bits % 2 === 0)
      }),
      runs,
    )
  })

  test.each([
    [1 + 2 ** -8, 1],
    [1 + 3 * 2 ** -8, 1 + 2 ** -6],
    [-0, -0],
    [3.4e38, Infinity],
    [-Infinity, -Infinity],
    [2 ** -133, 2 ** -133],
    [Number.NaN, Number.NaN],
  ])('%d is %d', (x, y) => {
    expect(roundBfloat16(x)).toBe(y)
  })
})

describe('words', () => {
  test('hold the first element in their lowest bits, and zeros behind the last', () => {
    expect(Array.from(packWords('i8', [1, -1, 2, -128, 3]), (w) => w.toString(16))).toEqual(['8002ff01', '3'])
    expect(Array.from(packWords('u8', [255, 0, 1]), (w) => w.toString(16))).toEqual(['100ff'])
    expect(Array.from(packWords('bf16', [1, -2, 0.5]), (w) => w.toString(16))).toEqual(['c0003f80', '3f00'])
    expect(packWords('u8', [])).toEqual(new Uint32Array(0))
  })

  test('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -128, max: 127 }), { maxLength: 9 }), (values) => {
        expect(Array.from(unpackWords('i8', packWords('i8', values), values.length))).toEqual(values)
        const bytes = values.map((v) => v + 128)
        expect(Array.from(unpackWords('u8', packWords('u8', bytes), bytes.length))).toEqual(bytes)
        expect(Array.from(unpackWords('bf16', packWords('bf16', values), values.length))).toEqual(values)
      }),
      { seed: 42, numRuns: 200 },
    )
  })
})
