/** Tolerances are tight where arithmetic is exact, wide where it is ill-conditioned, and refuse to judge what rounding decides. */
import { describe, expect, test } from 'vitest'
import { build as b, constant, freshInputs } from '../../src/lang/build.ts'
import type { Node } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import type { Sample } from '../../src/testing/sample.ts'
import { difference, type Expectation, expectation } from '../../src/testing/tolerance.ts'

const value = (...xs: readonly number[]): Value => ({ shape: [xs.length], dtype: 'f32', data: Float64Array.from(xs) })
const sample = (f: (...xs: Node[]) => Node, ...inputs: readonly Value[]): Sample => {
  const nodes = freshInputs(inputs)
  return { graph: { inputs: nodes, outputs: [f(...nodes)] }, inputs }
}
const judged = (s: Sample): Expectation => {
  const e = expectation(s)
  if ('discarded' in e) throw new Error(e.discarded)
  return e
}
const ulpAtOne = 2 ** -23

describe('expectation', () => {
  test('allows a few units in the last place where nothing is rounded', () => {
    const e = judged(sample((x, y) => b.add([x!, y!], {}), value(1), value(0.25)))
    expect(e.values[0]!.data[0]).toBe(1.25)
    expect(e.allowed[0]![0]).toBeLessThan(5 * ulpAtOne)
  })

  test('allows more where terms cancel', () => {
    const x = value(1.1, 1e6 + 0.3, -1e6 - 0.7)
    const e = judged(
      sample((y) => b.reduce([b.exp([b.log1p([b.abs([y!], {})], {})], {})], { monoid: 'sum', axes: [0] }), x),
    )
    const cancelling = judged(
      sample(
        (y) =>
          b.reduce([b.mul([y!, constant({ shape: [3], dtype: 'f32' }, [1.7, 1.3, 1.3])], {})], {
            monoid: 'sum',
            axes: [0],
          }),
        x,
      ),
    )
    expect(e.allowed[0]![0]).toBeGreaterThan(0.1)
    expect(cancelling.allowed[0]![0]).toBeGreaterThan(0.1)
    expect(cancelling.allowed[0]![0]).toBeLessThan(10)
  })

  test('does not judge what rounding decides', () => {
    const third = (x: Node): Node => b.div([x, constant({ shape: [1], dtype: 'f32' }, [3])], {})
    const sumOfThirds = (x: Node): Node => b.add([b.add([third(x), third(x)], {}), third(x)], {})
    expect(expectation(sample((x) => b.floor([sumOfThirds(x!)], {}), value(1)))).toEqual({ discarded: 'discrete' })
    expect(expectation(sample((x) => b.eq([sumOfThirds(x!), x!], {}), value(1)))).toEqual({ discarded: 'discrete' })
    const huge = sample((x) => b.mul([x!, x!], {}), value(1e20))
    expect(expectation(huge)).toEqual({ discarded: 'overflow' })
    const partial = sample(
      (x) => b.reduce([x!], { monoid: 'prod', axes: [0] }),
      value(...new Array<number>(20).fill(1e20), 0),
    )
    expect(expectation(partial)).toEqual({ discarded: 'overflow' })
    const overZero = sample((x) => b.div([x!, b.sub([sumOfThirds(x!), x!], {})], {}), value(1))
    expect(expectation(overZero)).toEqual({ discarded: 'special' })
  })

  test('does not judge what the sign of a zero decides', () => {
    const none = value(0, 0, 0)
    const zero = (x: Node): Node => b.reduce([x], { monoid: 'sum', axes: [0] })
    const third = constant({ shape: [], dtype: 'f32' }, [1 / 3])
    const signed = (x: Node): Node => b.mul([zero(x), third], {})
    expect(expectation(sample((x) => b.atan2([zero(x!), signed(x!)], {}), none))).toEqual({ discarded: 'discrete' })
    expect(expectation(sample((x) => b.bitcast([signed(x!)], { dtype: 'i32' }), none))).toEqual({
      discarded: 'discrete',
    })
    expect(expectation(sample((x) => b.div([third, signed(x!)], {}), none))).toEqual({ discarded: 'special' })
    // Away from the tear both signs give the same.
    const smooth = judged(sample((x) => b.atan2([signed(x!), third], {}), none))
    expect(smooth.allowed[0]![0]).toBeLessThan(ulpAtOne)
  })

  test('judges discrete values of exact operands', () => {
    const e = judged(sample((x) => b.floor([b.mul([x!, x!], {})], {}), value(1.5, -2, 3)))
    expect(Array.from(e.values[0]!.data)).toEqual([2, 4, 9])
  })

  test('says the same at every call', () => {
    const s = sample((x) => b.sin([b.exp([x!], {})], {}), value(1, 2, 3))
    expect(judged(s)).toEqual(judged(s))
  })
})

describe('difference', () => {
  const e = judged(sample((x) => b.exp([x!], {}), value(0, 1, Number.NaN, Number.POSITIVE_INFINITY)))
  const with_ = (i: number, x: number): readonly Value[] => [{ ...e.values[0]!, data: e.values[0]!.data.with(i, x) as Float64Array }] // biome-ignore format: one line

  test('accepts the reference and its neighbours', () => {
    expect(difference(e, e.values)).toBeUndefined()
    expect(difference(e, with_(1, Math.fround(Math.E) + 2 ** -22))).toBeUndefined()
  })

  test.each([
    [1, Math.E + 1e-5],
    [2, 1],
    [1, Number.NaN],
    [3, 3.4e38],
    [3, Number.NEGATIVE_INFINITY],
    [0, Number.POSITIVE_INFINITY],
  ])('element %i as %d is refused', (i, x) => {
    expect(difference(e, with_(i, x))).toContain(`output 0 at [${i}] is ${x}`)
  })

  test('integers must be equal', () => {
    const s = sample((x) => b.cast([x!], { dtype: 'i32' }), value(7))
    const wrong: Value = { shape: [1], dtype: 'i32', data: Int32Array.of(8) }
    expect(difference(judged(s), [wrong])).toContain('is 8, not 7')
  })
})
