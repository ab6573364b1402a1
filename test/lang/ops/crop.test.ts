/** slice, pad and concat against index loops; their linear columns by finite differences and the dot test. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ParamsOf } from '../../../src/lang/ir.ts'
import {
  at,
  checkBatch,
  checkJvp,
  checkLinear,
  checkTranspose,
  evalOp,
  indices,
  noise,
  numbers,
  refusal,
  runs,
  shapes,
  tangentOf,
  type,
  value,
} from './rules.ts'

describe('slice', () => {
  const axis = (n: number): fc.Arbitrary<[number, number, number]> =>
    fc
      .tuple(fc.integer({ min: 0, max: n }), fc.integer({ min: 0, max: n }), fc.integer({ min: 1, max: 3 }))
      .map(([a, b, s]) => [Math.min(a, b), Math.max(a, b), s])

  it('is start:stop:step on every axis', () => {
    const cases = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.tuple(...shape.map(axis)), fc.integer()))
    fc.assert(
      fc.property(cases, ([shape, cuts, seed]) => {
        const p = { start: cuts.map((c) => c[0]), stop: cuts.map((c) => c[1]), step: cuts.map((c) => c[2]) }
        const x = noise('f32', shape, seed)
        const wanted = indices(shape)
          .filter((i) => i.every((k, a) => k >= p.start[a]! && k < p.stop[a]! && (k - p.start[a]!) % p.step[a]! === 0))
          .map((i) => at(x, i))
        expect(numbers(evalOp('slice', p, x)[0])).toEqual(wanted)
        checkLinear('slice', p, shape, seed)
      }),
      runs,
    )
  })
  it('refuses bounds and steps that do not fit', () => {
    const cut = (start: number, stop: number, step: number): string =>
      refusal('slice', { start: [0, start], stop: [2, stop], step: [1, step] }, type([2, 5]))
    expect(cut(3, 6, 1)).toBe(
      'axis 1: slice 3:6 does not fit axis 1 of size 5 (bounds must satisfy 0 <= start <= stop <= 5)',
    )
    expect(cut(3, 2, 1)).toContain('slice 3:2 does not fit axis 1 of size 5')
    expect(cut(-1, 2, 1)).toContain('slice -1:2 does not fit axis 1 of size 5')
    expect(cut(0, 2, 0)).toBe('axis 1: step 0 on axis 1 is not a positive integer (flip first for a negative step)')
    expect(refusal('slice', { start: [0], stop: [1], step: [1] }, type([2, 5]))).toBe('start has 1 entry for rank 2')
    expect(refusal('slice', { start: [0], stop: [1, 1], step: [1] }, type([2]))).toBe('stop has 2 entries for rank 1')
  })
})

describe('pad', () => {
  /** What position p of the padded axis shows: an index of the operand, or nothing. */
  const sourceOf = (p: number, n: number, low: number, interior: number): number | undefined => {
    for (let i = 0; i < n; i++) if (low + i * (interior + 1) === p) return i
    return undefined
  }
  const edge = fc.integer({ min: -3, max: 4 })
  const axis = (n: number): fc.Arbitrary<readonly [number, number, number]> =>
    fc.tuple(edge, edge, fc.integer({ min: 0, max: 2 })).map(([low, high, interior]) => {
      const size = n + Math.max(0, n - 1) * interior
      return [low, Math.max(high, -size - low), interior] as const
    })
  const brute = (p: ParamsOf['pad'], x: ReturnType<typeof noise>): number[] => {
    const shape = x.shape.map((n, a) => {
      let size = p.low[a]! + p.high[a]!
      for (let i = 0; i < n; i++) size += 1 + (i > 0 ? p.interior[a]! : 0)
      return size
    })
    return indices(shape).map((i) => {
      const source = i.map((k, a) => sourceOf(k, x.shape[a]!, p.low[a]!, p.interior[a]!))
      return source.every((s) => s !== undefined) ? at(x, source as number[]) : p.value
    })
  }

  it("is XLA's pad, with crops and interior padding", () => {
    const cases = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.tuple(...shape.map(axis)), fc.integer()))
    fc.assert(
      fc.property(cases, ([shape, ends, seed]) => {
        const p = { low: ends.map((e) => e[0]), high: ends.map((e) => e[1]), interior: ends.map((e) => e[2]), value: 9 }
        const x = noise('f32', shape, seed)
        expect(numbers(evalOp('pad', p, x)[0])).toEqual(brute(p, x))
        checkJvp('pad', p, [x])
        checkLinear('pad', { ...p, value: 0 }, shape, seed)
        checkBatch('pad', p, [noise('f32', [2, ...shape], seed)], 2)
      }),
      { ...runs, numRuns: 150 },
    )
  })
  it.each([
    ['more cropped than there is', [3], -5, 4, 0, [7, 7]],
    ['all cropped', [3], -2, -1, 0, []],
    ['crop inside the interior padding', [3], -1, -1, 1, [7, 1, 7]],
    ['an empty operand', [0], 2, 1, 3, [7, 7, 7]],
  ] as const)('handles %s', (_, shape, low, high, interior, wanted) => {
    const p = { low: [low], high: [high], interior: [interior], value: 7 }
    expect(numbers(evalOp('pad', p, value('i32', shape, [0, 1, 2].slice(0, shape[0])))[0])).toEqual(wanted)
    checkTranspose('pad', { ...p, value: 0 }, [noise('f32', shape, 3)])
  })
  it('pads with infinities and integer bounds', () => {
    const p = { low: [1], high: [0], interior: [0], value: -Infinity }
    expect(numbers(evalOp('pad', p, value('f32', [1], [2]))[0])).toEqual([-Infinity, 2])
    expect(numbers(evalOp('pad', { ...p, value: 2 ** 32 - 1 }, value('u32', [1], [2]))[0])).toEqual([2 ** 32 - 1, 2])
  })
  it('refuses negative sizes and values the dtype lacks', () => {
    const p = { low: [0], high: [0], interior: [0], value: 0 }
    expect(refusal('pad', { ...p, low: [-2], high: [-2] }, type([3]))).toBe(
      'axis 0: padding (-2, -2) leaves axis 0 of size 3 with -1 elements',
    )
    expect(refusal('pad', { ...p, interior: [-1] }, type([3]))).toBe(
      'axis 0: interior padding -1 on axis 0 is not a non-negative integer',
    )
    expect(refusal('pad', { ...p, high: [0.5] }, type([3]))).toBe(
      'axis 0: padding (0, 0.5) on axis 0 is not a pair of integers',
    )
    expect(refusal('pad', { ...p, value: 0.5 }, type([3], 'i32'))).toBe(
      'cannot pad i32 with 0.5 (cast the operand first)',
    )
    expect(refusal('pad', { ...p, value: -1 }, type([3], 'u32'))).toContain('cannot pad u32 with -1')
    expect(refusal('pad', { ...p, value: 2 }, type([3], 'bool'))).toContain('cannot pad bool with 2')
    expect(refusal('pad', p, type([3, 1]))).toBe('low has 1 entry for rank 2')
  })
})

describe('concat', () => {
  it('joins along an axis, for any shapes', () => {
    const cases = fc
      .tuple(
        shapes.filter((s) => s.length > 0),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
      )
      .chain(([shape, sizes]) =>
        fc.tuple(fc.constant(shape), fc.constant(sizes), fc.nat(shape.length - 1), fc.integer()),
      )
    fc.assert(
      fc.property(cases, ([shape, sizes, axis, seed]) => {
        const xs = sizes.map((n, i) => noise('f32', shape.with(axis, n), seed + i))
        const [y] = evalOp('concat', { axis }, ...xs)
        const total = sizes.reduce((a, b) => a + b, 0)
        expect(y!.shape).toEqual(shape.with(axis, total))
        for (const i of indices(y!.shape)) {
          let [which, k] = [0, i[axis]!]
          while (k >= sizes[which]!) k -= sizes[which++]!
          expect(at(y!, i)).toBe(at(xs[which]!, i.with(axis, k)))
        }
        checkJvp('concat', { axis }, xs)
      }),
      runs,
    )
  })
  it('gives each operand its part of the cotangent', () => {
    const xs = [noise('f32', [2, 1], 1), noise('f32', [2, 3], 2), noise('f32', [2, 0], 3)]
    // With one operand linear the others are zeros of the linear map.
    for (const which of [0, 1, 2]) {
      const only = xs.map((x, i) => (i === which ? x : value('f32', x.shape, [])))
      checkTranspose('concat', { axis: 1 }, only, which)
    }
  })
  it('fills symbolic zeros', () => {
    const xs = [value('f32', [1], [1]), value('f32', [2], [2, 3])]
    expect(tangentOf('concat', { axis: 0 }, xs, [undefined, value('f32', [2], [5, 6])])).toEqual([[0, 5, 6]])
  })
  it('batches, repeating what is not batched', () => {
    const [a, b] = [noise('i32', [3, 2, 2], 1), noise('i32', [2, 1], 2)]
    checkBatch('concat', { axis: 1 }, [a, b, a], 3, [true, false, true])
    checkBatch('concat', { axis: 0 }, [noise('bool', [0, 2], 1)], 0)
  })
  it('refuses disagreement with the axis and both operands', () => {
    expect(refusal('concat', { axis: 0 }, type([2, 3]), type([2, 4]))).toBe(
      'axis 1: sizes of axis 1 differ: operand 1 is f32[2, 4], operand 0 is f32[2, 3] (only axis 0 may differ in size)',
    )
    expect(refusal('concat', { axis: 0 }, type([2]), type([2], 'i32'))).toBe(
      'dtypes differ: operand 1 is i32[2], operand 0 is f32[2] (cast them to one dtype)',
    )
    expect(refusal('concat', { axis: 0 }, type([2]), type([2, 1]))).toContain('ranks differ: operand 1 is f32[2, 1]')
    expect(refusal('concat', { axis: 1 }, type([2]))).toBe('axis 1: axis 1 is out of range for rank 1')
    expect(refusal('concat', { axis: 0 }, type([]))).toBe('cannot join scalars along an axis (stack them instead)')
    expect(refusal('concat', { axis: 0 })).toBe('needs at least one operand')
  })
})
