/** Index arithmetic by brute force: every simplified expression equals the plain one at every point of its ranges. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Index, LoopValue, Range } from '../../../../passes/loop/ir/cluster.ts'
import {
  addIndex,
  constantIndex,
  divIndex,
  evaluateIndex,
  flatten,
  modIndex,
  rangeIndex,
  rangesOfIndex,
  scaleIndex,
  shiftIndex,
  substituteIndex,
  unflatten,
  valueIndex,
} from '../../../../passes/loop/ir/index-expression.ts'

const settings = { seed: 42, numRuns: 400 }

/** Three small ranges: the product is what brute force walks. */
const ranges: readonly Range[] = [
  { id: 0, size: 4 },
  { id: 1, size: 5 },
  { id: 2, size: 6 },
]
type Point = (r: Range) => number

const points: readonly Point[] = Array.from({ length: 4 * 5 * 6 }, (_, flat) => {
  const at = [flat % 4, Math.floor(flat / 4) % 5, Math.floor(flat / 20)]
  return (r) => at[r.id]!
})

const noValue = (): number => {
  throw new Error('no computed values here')
}
const valueAt = (a: Index, p: Point): number => evaluateIndex(a, p, noValue)
const floorMod = (x: number, by: number): number => x - by * Math.floor(x / by)

/** An expression twice: through the rules, and as plain arithmetic. */
interface Pair {
  readonly index: Index
  readonly plain: (p: Point) => number
  readonly text: string
}

const leaf: fc.Arbitrary<Pair> = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((c) => ({ index: constantIndex(c), plain: () => c, text: `${c}` })),
  fc.constantFrom(...ranges).map((r) => ({ index: rangeIndex(r), plain: (p: Point) => p(r), text: `r${r.id}` })),
)

const { pair } = fc.letrec<{ pair: Pair }>((tie) => ({
  pair: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.tuple(tie('pair'), tie('pair')).map(([a, b]) => ({
      index: addIndex(a.index, b.index),
      plain: (p: Point) => a.plain(p) + b.plain(p),
      text: `(${a.text} + ${b.text})`,
    })),
    fc.tuple(tie('pair'), fc.integer({ min: -7, max: 7 })).map(([a, k]) => ({
      index: scaleIndex(a.index, k),
      plain: (p: Point) => a.plain(p) * k,
      text: `${a.text}*${k}`,
    })),
    fc.tuple(tie('pair'), fc.integer({ min: -12, max: 12 })).map(([a, k]) => ({
      index: shiftIndex(a.index, k),
      plain: (p: Point) => a.plain(p) + k,
      text: `(${a.text} + ${k})`,
    })),
    fc.tuple(tie('pair'), fc.integer({ min: 1, max: 12 })).map(([a, k]) => ({
      index: divIndex(a.index, k),
      plain: (p: Point) => Math.floor(a.plain(p) / k),
      text: `${a.text} div ${k}`,
    })),
    fc.tuple(tie('pair'), fc.integer({ min: 1, max: 12 })).map(([a, k]) => ({
      index: modIndex(a.index, k),
      plain: (p: Point) => floorMod(a.plain(p), k),
      text: `${a.text} mod ${k}`,
    })),
  ),
}))

/** Brute force over all points; `expect` only on failure, as it is slow. */
const isExact = (a: Index, plain: (p: Point) => number, text: string): void => {
  for (const p of points) {
    const want = plain(p) + 0
    const got = valueAt(a, p)
    if (got === want && got >= a.min && got <= a.max) continue
    const where = `${text} as ${a.key} in [${a.min}, ${a.max}] at ${ranges.map((r) => `r${r.id}=${p(r)}`).join(' ')}`
    expect(got, where).toBe(want)
    expect([got >= a.min, got <= a.max], where).toEqual([true, true])
  }
}

describe('random index expressions', () => {
  test('mean what the plain arithmetic means, inside their bounds', () => {
    fc.assert(
      fc.property(pair, ({ index, plain, text }) => isExact(index, plain, text)),
      { ...settings, numRuns: 1500 },
    )
  })

  test('equal keys mean equal expressions', () => {
    const seen = new Map<string, readonly number[]>()
    fc.assert(
      fc.property(pair, ({ index }) => {
        const values = points.map((p) => valueAt(index, p))
        const known = seen.get(index.key)
        if (known) expect(values).toEqual(known)
        seen.set(index.key, values)
      }),
      settings,
    )
  })

  test('adding and taking away again gives the same expression', () => {
    fc.assert(
      fc.property(pair, pair, (a, b) => {
        const back = addIndex(addIndex(a.index, b.index), scaleIndex(b.index, -1))
        isExact(back, a.plain, `${a.text} + ${b.text} - ${b.text}`)
      }),
      settings,
    )
  })

  test('by·(x div by) + x mod by is x again', () => {
    fc.assert(
      fc.property(
        pair,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: -4, max: 4 }),
        ({ index, plain, text }, by, c) => {
          const whole = addIndex(scaleIndex(divIndex(index, by), by * c), scaleIndex(modIndex(index, by), c))
          isExact(whole, (p) => c * plain(p), `${c}·(${text}) taken apart by ${by}`)
          const depends = index.terms.length > 0 && c !== 0
          if (depends) expect(whole.key).toBe(scaleIndex(index, c).key)
        },
      ),
      settings,
    )
  })

  test('ranges are those the value may depend on', () => {
    fc.assert(
      fc.property(pair, ({ index, plain }) => {
        const named = rangesOfIndex(index)
        for (const r of ranges) {
          if (named.has(r)) continue
          const moved = points.find((p) => plain((x) => (x === r ? 0 : p(x))) !== plain(p))
          expect(moved).toBeUndefined()
        }
      }),
      settings,
    )
  })

  test('substitution commutes with evaluation', () => {
    fc.assert(
      fc.property(pair, pair, ({ index, plain, text }, inner) => {
        // The first range becomes the inner expression brought into [0, 4).
        const small = modIndex(inner.index, ranges[0]!.size)
        const put = substituteIndex(index, (r) => (r === ranges[0] ? small : undefined))
        const through = (p: Point): number =>
          plain((r) => (r === ranges[0] ? floorMod(inner.plain(p), ranges[0]!.size) : p(r)))
        isExact(put, through, `${text} with r0 = ${inner.text} mod 4`)
      }),
      settings,
    )
  })
})

describe('points and flat indices', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 0, maxLength: 4 })
  const rangesFor = (sizes: readonly number[]): readonly Range[] => sizes.map((size, i) => ({ id: 10 + i, size }))
  const walk = (rs: readonly Range[], visit: (p: Point) => void): void => {
    const total = rs.reduce((n, r) => n * r.size, 1)
    for (let flat = 0; flat < total; flat++) {
      const at = new Map<Range, number>()
      let rest = flat
      for (const r of rs.toReversed()) {
        at.set(r, rest % r.size)
        rest = Math.floor(rest / r.size)
      }
      visit((r) => at.get(r)!)
    }
  }

  test('unflatten undoes flatten, as the very same expressions', () => {
    fc.assert(
      fc.property(shape, (sizes) => {
        const rs = rangesFor(sizes)
        const point = rs.map(rangeIndex)
        const back = unflatten(flatten(point, sizes), sizes)
        expect(back.map((p) => p.key)).toEqual(point.map((p) => p.key))
      }),
      settings,
    )
  })

  test('flatten undoes unflatten of one flat range', () => {
    fc.assert(
      fc.property(shape, (sizes) => {
        const flat: Range = { id: 9, size: sizes.reduce((n, d) => n * d, 1) }
        expect(flatten(unflatten(rangeIndex(flat), sizes), sizes).key).toBe(rangeIndex(flat).key)
      }),
      settings,
    )
  })

  test('a reshape reads the element with the same flat number', () => {
    const cases: readonly (readonly [readonly number[], readonly number[]])[] = [
      [[6, 4], [4, 6]],
      [[2, 3, 4], [4, 3, 2]],
      [[2, 3, 4], [6, 4]],
      [[12], [3, 1, 4]],
      [[5, 7], [7, 5]],
      [[1, 8, 3], [2, 12]],
    ] // biome-ignore format: pairs
    for (const [to, from] of cases) {
      const rs = rangesFor(to)
      const inner = unflatten(flatten(rs.map(rangeIndex), to), from)
      walk(rs, (p) => {
        const flat = rs.reduce((i, r) => i * r.size + p(r), 0)
        const back = inner.reduce((i, x, axis) => i * from[axis]! + valueAt(x, p), 0)
        expect(back).toBe(flat)
        inner.forEach((x, axis) => {
          expect(valueAt(x, p)).toBeGreaterThanOrEqual(0)
          expect(valueAt(x, p)).toBeLessThan(from[axis]!)
        })
      })
    }
  })
})

describe('special ranges and values', () => {
  test('a range of one point is the constant 0', () => {
    expect(rangeIndex({ id: 3, size: 1 }).key).toBe(constantIndex(0).key)
    expect(rangeIndex({ id: 3, size: 0 }).key).toBe(constantIndex(0).key)
  })

  test('a computed index is bounded by its axis and substituted by value', () => {
    const [r] = ranges
    const make = (id: number): LoopValue => ({ id, dtype: 'i32', ranges: new Set([r!]), kind: 'const', value: id })
    const [v, w] = [make(1), make(2)]
    const index = addIndex(scaleIndex(valueIndex(v, 7), 3), rangeIndex(r!))
    expect([index.min, index.max]).toEqual([0, 21])
    expect(rangesOfIndex(index)).toEqual(new Set([r]))
    const other = substituteIndex(
      index,
      () => undefined,
      (x) => (x === v ? w : x),
    )
    expect(
      evaluateIndex(
        other,
        () => 2,
        (x) => (x === w ? 5 : Number.NaN),
      ),
    ).toBe(17)
    expect(
      evaluateIndex(
        index,
        () => 0,
        () => 99,
      ),
    ).toBe(18)
    expect(
      evaluateIndex(
        index,
        () => 0,
        () => -1,
      ),
    ).toBe(0)
    expect(valueIndex(v, 1).key).toBe('0')
  })
})
