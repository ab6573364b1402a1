/** Groups of shapes go together, reach every way in which operands differ, and keep to what was asked for. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { arbBroadcastable } from '../../src/testing/index.ts'

const seed = 42
const sizeOf = (shape: T.Shape): number => shape.reduce((n, d) => n * d, 1)

describe('arbBroadcastable', () => {
  test('gives shapes whose sum has the joint shape', () => {
    fc.assert(
      fc.property(arbBroadcastable({ count: 3 }), ({ shapes, joint }) => {
        const [x, y, z] = shapes.map((s) => T.zeros(s) as T.Tensor)
        expect(T.add(T.add(x!, y!), z!).shape).toEqual(joint)
      }),
      { seed },
    )
  })

  test('keeps to count, rank, elements and sizes', () => {
    const options = { count: 4, maxRank: 2, maxElements: 12, empty: false }
    for (const { shapes, joint } of fc.sample(arbBroadcastable(options), { seed, numRuns: 300 })) {
      expect(shapes).toHaveLength(4)
      expect(joint.length).toBeLessThanOrEqual(2)
      expect(sizeOf(joint)).toBeLessThanOrEqual(12)
      expect(sizeOf(joint)).toBeGreaterThan(0)
    }
    expect(fc.sample(arbBroadcastable(), { seed, numRuns: 1 })[0]!.shapes).toHaveLength(2)
  })

  test('reaches equal shapes, missing axes, stretched axes on both sides, scalars and empty ones', () => {
    const groups = fc.sample(arbBroadcastable(), { seed, numRuns: 400 })
    const seen = (want: (a: T.Shape, b: T.Shape, joint: T.Shape) => boolean): boolean =>
      groups.some(({ shapes, joint }) => want(shapes[0]!, shapes[1]!, joint))
    const same = (a: T.Shape, b: T.Shape): boolean => a.join() === b.join()
    expect(seen((a, b) => a.length > 1 && same(a, b))).toBe(true)
    expect(seen((a, b) => a.length < b.length && a.length > 0)).toBe(true)
    expect(seen((a, b) => a.length > b.length)).toBe(true)
    // An outer product: neither is the whole.
    expect(seen((a, b, joint) => !same(a, joint) && !same(b, joint))).toBe(true)
    expect(seen((a, b) => a.length === 0 && b.length > 0)).toBe(true)
    expect(seen((_a, _b, joint) => joint.includes(0))).toBe(true)
  })

  test('shrinks to a small group', () => {
    const differ = fc.property(arbBroadcastable(), ({ shapes }) => shapes[0]!.length === shapes[1]!.length)
    const found = fc.check(differ, { seed }).counterexample![0]
    expect(found.joint.length).toBe(1)
    expect(found.shapes.some((s) => s.length === 0)).toBe(true)
  })
})
