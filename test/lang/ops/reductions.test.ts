/** Derivatives of the reductions: finite differences, ties, zeros, infinities, second order. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { build } from '../../../src/lang/build.ts'
import type { Monoid } from '../../../src/lang/ir.ts'
import {
  backward,
  bind,
  checkJvp,
  evalNodes,
  forward,
  noise,
  numbers,
  runs,
  shapes,
  tangentOf,
  value,
} from './rules.ts'

const smooth: readonly Monoid[] = ['sum', 'prod', 'max', 'min', 'argmax', 'argmin', 'meanVar', 'logSumExp']

/** The row of partial derivatives of a reduction of one vector: tangents along the basis. */
const gradient = (monoid: Monoid, v: readonly number[], output = 0): number[] =>
  v.map((_, k) => {
    const basis = v.map((_, j) => (j === k ? 1 : 0))
    const [x, dx] = [value('f32', [v.length], v), value('f32', [v.length], basis)]
    return tangentOf('reduce', { monoid, axes: [0] }, [x], [dx])[output]![0]!
  })

describe.each(smooth)('%s', (monoid) => {
  it('has the tangent of finite differences, on any shape and axes', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.integer()),
    )
    fc.assert(
      fc.property(cases, ([shape, axes, seed]) => {
        fc.pre(!monoid.startsWith('arg') || axes.length === 1)
        fc.pre(axes.every((a) => shape[a] !== 0) || monoid === 'sum' || monoid === 'prod')
        checkJvp('reduce', { monoid, axes }, [noise('f32', shape, seed)], 5)
      }),
      runs,
    )
  })

  it('has a transposable tangent: reverse mode gives the same gradient', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.integer())
    fc.assert(
      fc.property(cases, ([n, m, seed]) => {
        const [x, dx, ct] = [noise('f32', [m, n, 2], seed), noise('f32', [m, n, 2], seed + 1), noise('f32', [m, 2], 5)]
        const { nodes, bound } = bind([x, dx, ct])
        const reduced = build.reduce([nodes[0]!], { monoid, axes: [1] })
        const outputs = monoid.startsWith('arg') || monoid === 'meanVar' ? 2 : 1
        for (let index = 0; index < outputs; index++) {
          const out = outputs === 1 ? reduced : build.get([reduced], { index })
          const [tangent] = forward([out], new Map([[nodes[0]!, nodes[1]!]]))
          if (!tangent) continue
          const [there, back] = evalNodes([tangent, backward(tangent, nodes[1]!, nodes[2]!)!], bound)
          const inner = (a: number[], b: number[]): number => a.reduce((s, v, i) => s + v * b[i]!, 0)
          expect(inner(numbers(back), numbers(dx))).toBeCloseTo(inner(numbers(ct), numbers(there)), 9)
        }
      }),
      runs,
    )
  })
})

describe('ties', () => {
  it('max and min spread evenly', () => {
    expect(gradient('max', [2, 1, 2, 2])).toEqual([1 / 3, 0, 1 / 3, 1 / 3])
    expect(gradient('min', [2, 1, 1])).toEqual([0, 0.5, 0.5])
    expect(gradient('max', [-Infinity, -Infinity])).toEqual([0.5, 0.5])
  })
  it('argmax and argmin take the first', () => {
    expect(gradient('argmax', [2, 1, 2])).toEqual([1, 0, 0])
    expect(gradient('argmin', [2, 1, 1])).toEqual([0, 1, 0])
    expect(gradient('argmax', [1, Number.NaN, 3])).toEqual([0, 1, 0])
  })
  it('a NaN maximum has a NaN tangent', () => {
    expect(gradient('max', [1, Number.NaN])).toEqual([Number.NaN, Number.NaN])
  })
})

describe('prod', () => {
  it('is right with no, one and two zeros', () => {
    expect(gradient('prod', [2, 3, 4])).toEqual([12, 8, 6])
    expect(gradient('prod', [2, 0, 4])).toEqual([0, 8, 0])
    expect(gradient('prod', [0, 3, 0])).toEqual([0, 0, 0])
    expect(gradient('prod', [0])).toEqual([1])
    expect(gradient('prod', [5, 4, 3, 2, 0, 1, 1])).toEqual([0, 0, 0, 0, 120, 0, 0])
  })
  it.each([[[2, 3, 4, 5]], [[2, 0, 4, 5]], [[0, 3, 0, 5]], [[0, 0, 0]], [[7, 2]], [[1, 2, 3, 4, 5]]])(
    'has the exact Hessian and third derivative at %j',
    (v) => {
      const n = v.length
      const { nodes, bound } = bind([value('f32', [n], v)])
      const f = build.reduce(nodes, { monoid: 'prod', axes: [0] })
      const basis = (k: number): number[] => v.map((_, j) => (j === k ? 1 : 0))
      const without = (...drop: number[]): number => v.reduce((p, x, i) => (drop.includes(i) ? p : p * x), 1)
      const along = bind([0, 1, 2].map(() => value('f32', [n], v)))
      const [first] = forward([f], new Map([[nodes[0]!, along.nodes[0]!]]))
      const [second] = forward([first!], new Map([[nodes[0]!, along.nodes[1]!]]))
      const [third] = forward([second!], new Map([[nodes[0]!, along.nodes[2]!]]))
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const k = (i + j + 1) % n
          const at = new Map(bound)
          ;[i, j, k].forEach((index, d) => {
            at.set(along.nodes[d]!, value('f32', [n], basis(index)))
          })
          const [h, t] = evalNodes([second!, third ?? second!], at)
          expect(numbers(h)).toEqual([i === j ? 0 : without(i, j)])
          if (third) expect(numbers(t)).toEqual([new Set([i, j, k]).size < 3 ? 0 : without(i, j, k)])
        }
      }
    },
  )
})

describe('meanVar and logSumExp', () => {
  it('have their formulas', () => {
    expect(gradient('meanVar', [1, 2, 6])).toEqual([1 / 3, 1 / 3, 1 / 3])
    expect(gradient('meanVar', [1, 2, 6], 1).map((g) => g * 3)).toEqual([-4, -2, 6])
    const soft = gradient('logSumExp', [1000, 1001, 999])
    const [a, b, c] = [Math.exp(-1), 1, Math.exp(-2)]
    soft.forEach((g, i) => {
      expect(g).toBeCloseTo([a, b, c][i]! / (a + b + c), 12)
    })
  })
  it('logSumExp is masked by -inf, and shared evenly where all is masked', () => {
    const [a, masked, b] = gradient('logSumExp', [0, -Infinity, 1])
    expect([a, masked, b]).toEqual([expect.closeTo(1 / (1 + Math.E), 12), 0, expect.closeTo(Math.E / (1 + Math.E), 12)])
    expect(gradient('logSumExp', [-Infinity, -Infinity])).toEqual([0.5, 0.5])
  })
  it('the variance has its constant Hessian', () => {
    const v = [1, 4, 2, 8]
    const { nodes, bound } = bind([value('f32', [4], v)])
    const variance = build.get([build.reduce(nodes, { monoid: 'meanVar', axes: [0] })], { index: 1 })
    const along = bind([value('f32', [4], [1, 0, 0, 0]), value('f32', [4], [0, 1, 0, 0])])
    const [first] = forward([variance], new Map([[nodes[0]!, along.nodes[0]!]]))
    const [same] = forward([first!], new Map([[nodes[0]!, along.nodes[0]!]]))
    const [cross] = forward([first!], new Map([[nodes[0]!, along.nodes[1]!]]))
    const [s, c] = evalNodes([same!, cross!], new Map([...bound, ...along.bound]))
    expect(s!.data[0]).toBeCloseTo((2 / 4) * (1 - 1 / 4), 12)
    expect(c!.data[0]).toBeCloseTo(-(2 / 4) / 4, 12)
  })
})

describe('all and any', () => {
  it('have no tangent, nor has a reduction of nothing', () => {
    const empty = value('f32', [2, 0], [])
    for (const monoid of ['sum', 'prod', 'logSumExp'] as const) {
      expect(tangentOf('reduce', { monoid, axes: [1] }, [empty], [empty])).toEqual([[0, 0]])
    }
  })
})
