/** Mantissas and exponents in a graph: exact, in range, and the exponents constants to derivatives. */
import { describe, expect, it } from 'vitest'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { joined, split, timesPower, timesScaled } from '../../../src/lang/ops/powers-of-two.ts'

const numbers = [1, -1, 2, 0.75, 3e38, -2e-38, 1e-20, 1.41, 0.71, 0].map(Math.fround)

const run = (f: (x: Node) => readonly Node[], data: readonly number[]): readonly (readonly number[])[] => {
  const inputs = freshInputs([{ shape: [data.length], dtype: 'f32' }])
  const x = { shape: [data.length], dtype: 'f32', data: Float64Array.from(data) } as const
  return evaluate({ inputs, outputs: f(inputs[0]!) }, [x]).map((v) => [...v.data])
}

describe('powers of two', () => {
  it('split numbers into mantissas near 1 and exponents, exactly', () => {
    const [mantissas, exponents, values] = run((x) => {
      const s = split(b, x)
      return [s.mantissa, s.exponent, joined(b, s)]
    }, numbers)
    expect(values).toEqual(numbers)
    mantissas!.forEach((m, i) => {
      if (numbers[i] === 0) expect([m, exponents![i]]).toEqual([0, 0])
      else {
        expect(Math.abs(m)).toBeGreaterThan(0.7)
        expect(Math.abs(m)).toBeLessThan(1.42)
        expect(m * 2 ** exponents![i]!).toBe(numbers[i])
      }
    })
  })
  it('keep products that leave f32 on the way', () => {
    const [product] = run(
      (x) => {
        const s = split(b, x)
        const huge = timesScaled(b, s, s)
        const inverse = split(
          b,
          b.div([b.const([], { shape: [], dtype: 'f32', values: [1] }), b.reshape([x], { shape: [] })], {}),
        )
        const back = timesScaled(
          b,
          timesScaled(b, huge, {
            mantissa: b.reshape([inverse.mantissa], { shape: [1] }),
            exponent: b.reshape([inverse.exponent], { shape: [1] }),
          }),
          split(b, x),
        )
        return [joined(b, { ...back, exponent: b.neg([b.neg([back.exponent], {})], {}) })]
      },
      [1e15],
    )
    expect(product![0]! / 1e30).toBeCloseTo(1, 6)
  })
  it('scale rows by exponents of their own, past f32 to infinity and to 0', () => {
    const inputs = freshInputs([
      { shape: [3, 2], dtype: 'f32' },
      { shape: [3], dtype: 'i32' },
    ])
    const outputs = [timesPower(b, inputs[0]!, inputs[1]!)]
    const x = { shape: [3, 2], dtype: 'f32', data: Float64Array.from([1, -3, 1, 2, 1, 2]) } as const
    const e = { shape: [3], dtype: 'i32', data: Int32Array.from([-3, 400, -400]) } as const
    expect([...evaluate({ inputs, outputs }, [x, e])[0]!.data].map((v) => Math.fround(v))).toEqual([
      0.125,
      -0.375,
      Infinity,
      Infinity,
      0,
      0,
    ])
  })
})
