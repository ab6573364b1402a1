/** checkGrad accepts right derivatives, refuses wrong ones, and agrees with every derivative of a random program. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { customJvp, customVjp } from '../../passes/transform/custom.ts'
import { type DType, isFloat } from '../../src/lang/dtype.ts'
import type { Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import type { Value } from '../../src/lang/primitive.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { arbTensor } from '../../src/testing/arbitrary.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { type Sample, showSample } from '../../src/testing/sample.ts'
import { agrees, dotTest, type SlopePair, slopesOf } from '../../src/testing/slopes.ts'
import { expectation } from '../../src/testing/tolerance.ts'

type Floats = Tensor<readonly number[], 'f32'>
type Matrix = Tensor<readonly [3, 4], 'f32'>
const matrix = arbTensor({ shape: [3, 4], dtype: 'f32' } as const, { specials: false })
const settings = { seed: 42, numRuns: 30 }

const smooth: Readonly<Record<string, (x: Matrix, y: Matrix) => Tensor<never, DType> | Tensor>> = {
  'x · sin y': (x, y) => T.mul(x, T.sin(y)),
  'tanh of a product': (x, y) => T.tanh(T.mul(x, y)),
  'exp of a scaled sum': (x, y) => T.sum(T.exp(T.mul(T.add(x, y), 0.25))),
  'sigmoid over the columns': (x, y) => T.sum(T.sigmoid(T.sub(x, y)), { axis: 0 }),
}

describe('checkGrad', () => {
  test.each(Object.entries(smooth))('accepts %s', (_name, f) => {
    fc.assert(
      fc.property(matrix, matrix, (x, y) => checkGrad(f, [x, y] as const)),
      settings,
    )
  })

  const point = T.tensor([0.5, -1.25, 2])

  test('refuses a derivative that was stopped', () => {
    const f = (x: Tensor): Tensor => T.mul(x, T.stopGradient(x))
    expect(() => checkGrad(f, [point])).toThrow(
      /argument \[0\], element 0: the gradient is (-?0\.\d+), finite differences give -?\d\.\d+ \(seed 42\)/,
    )
  })

  test('takes trees and names the leaf', () => {
    const f = (p: { readonly w: Tensor; readonly b: Tensor }): Tensor =>
      T.add(T.mul(p.w, p.w), T.mul(T.stopGradient(p.b), p.b))
    expect(() => checkGrad(f, [{ w: point, b: point }])).toThrow(/argument \[0\]\.b, element 0/)
  })

  test('says where a kink is', () => {
    expect(() => checkGrad((x: Tensor) => T.floor(x), [T.tensor([1], { dtype: 'f32' })])).toThrow(/no result depends/)
    const step = (x: Tensor): Tensor => T.add(x, T.floor(x))
    expect(() => checkGrad(step, [T.tensor([1], { dtype: 'f32' })])).toThrow(/do not settle/)
  })

  test('checks the second derivative too, unless order is 1', () => {
    const slope = customJvp(
      (a: Floats) => T.sin(a),
      ([a], [da]) => [T.sin(a), T.mul(da, T.stopGradient(T.cos(a)))],
    )
    const pull = customVjp(
      (a: Floats) => T.sin(a),
      (a) => [T.sin(a), a] as const,
      (a, ct) => [T.mul(ct, T.stopGradient(T.cos(a)))],
    )
    for (const f of [slope, pull]) {
      const check = (order?: 1 | 2) => () =>
        checkGrad((x: Floats) => f(x), [T.tensor([0.5, 2])], order ? { order } : {})
      expect(check()).toThrow(/element 0: the gradient's gradient is 0, finite differences of the gradient give /)
      expect(check(2)).toThrow(/gradient's gradient/)
      expect(check(1)).not.toThrow()
    }
  })

  test('lets a gradient have a kink, and checks beside it', () => {
    const squared = (x: Floats): Floats => T.square(T.relu(x))
    checkGrad(squared, [T.tensor([-1, 0, 2.5])])
    checkGrad((x: Floats) => T.relu(x), [T.tensor([-1, 2.5])])
    const wrong = customJvp(squared, ([x], [dx]) => [squared(x), T.mul(dx, T.stopGradient(T.mul(2, T.relu(x))))])
    expect(() => checkGrad((x: Floats) => wrong(x), [T.tensor([-1, 0, 2.5])])).toThrow(
      /element 2: the gradient's gradient/,
    )
  })

  test('finds one wrong element of a hundred, and names it', () => {
    const masked = (at: number): ((x: Floats) => Floats) => {
      const mask = T.tensor(
        Array.from({ length: 100 }, (_, i) => (i === at ? 0 : 1)),
        { dtype: 'f32' },
      )
      return customJvp(
        (x: Floats) => T.sin(x),
        ([x], [dx]) => [T.sin(x), T.mul(T.mul(dx, mask), T.cos(x))],
      )
    }
    const x = T.tensor(
      Array.from({ length: 100 }, (_, i) => (i - 50) / 30),
      { dtype: 'f32' },
    )
    for (const at of [1, 37, 98]) {
      const f = masked(at)
      expect(() => checkGrad((y: Floats) => f(y), [x])).toThrow(`argument [0], element ${at}: the gradient is 0`)
    }
    checkGrad((y: Floats) => T.sin(y), [x])
  })

  test('judges what a kink in a large argument leaves', () => {
    const x = T.tensor(
      Array.from({ length: 64 }, (_, i) => (i - 20) / 16),
      { dtype: 'f32' },
    )
    const dented = customJvp(
      (y: Floats) => T.square(T.relu(y)),
      ([y], [dy]) => [T.square(T.relu(y)), T.mul(T.stopGradient(T.mul(2, T.relu(y))), dy)],
    )
    checkGrad((y: Floats) => T.square(T.relu(y)), [x])
    expect(() => checkGrad((y: Floats) => dented(y), [x])).toThrow(/gradient's gradient/)
    expect(() => checkGrad((y: Floats) => T.abs(y), [x])).toThrow(/element 20: finite differences do not settle/)
  })

  test('draws its cotangents from the seed, which a failure names', () => {
    const f = (x: Floats): Floats => T.mul(x, T.stopGradient(x))
    const complaint = (seed: number): string => {
      try {
        checkGrad(f, [point], { seed })
        return ''
      } catch (e) {
        return (e as Error).message
      }
    }
    expect(complaint(7)).toMatch(/\(seed 7\)$/)
    expect(complaint(7)).toBe(complaint(7))
    expect(complaint(8).replace('seed 8', 'seed 7')).not.toBe(complaint(7))
  })

  test('takes an argument without a gradient for one that nothing depends on', () => {
    const forgets = customJvp(
      (x: Floats, y: Floats) => T.mul(x, y),
      ([x, y], [dx]) => [T.mul(x, y), T.mul(dx, y)],
    )
    expect(() => checkGrad((x: Floats, y: Floats) => forgets(x, y), [point, point])).toThrow(
      /argument \[1\], element 0: the gradient is 0/,
    )
  })

  test('refuses a function without a derivative', () => {
    expect(() => checkGrad((x: Tensor) => T.stopGradient(x), [point])).toThrow(/no result depends/)
  })
})

/** The same program at numbers that no tie is at: min(trunc(x), x) is x on both sides of -2, and a tie there. */
const beside = ({ graph, inputs }: Sample): Sample => ({
  graph,
  inputs: inputs.map((v): Value => {
    if (!isFloat(v.dtype)) return v
    return { ...v, data: Float64Array.from(v.data, (x, i) => x + 1e-3 + (i % 7) * 1e-4) }
  }),
})

const isJudged = (p: SlopePair): boolean => p.settled && Number.isFinite(p.difference) && Number.isFinite(p.gradient)

const isTie = (sample: Sample): boolean =>
  (slopesOf(beside(sample), { maxElements: 6 }) ?? []).every((p) => !isJudged(p) || agrees(p, 1e-3))

describe('random programs', () => {
  // The first two drop derivatives on purpose; atan2(0, 0) has none, a loop without a bound no reverse mode.
  const without: ReadonlySet<Op> = new Set(['stopGradient', 'bitcast', 'atan2', 'while'])
  const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => !without.has(op))
  const samples = fc.sample(arbGraph({ maxNodes: 20, specials: false, ops }), { seed: 7, numRuns: 800 })

  test('gradients agree with finite differences', () => {
    let judged = 0
    let kinks = 0
    let singular = 0
    for (const sample of samples) {
      // One kink lies across every direction of a large input.
      const across = new Set<string>()
      for (const p of slopesOf(sample) ?? []) {
        if (!p.settled || !Number.isFinite(p.difference)) {
          const where = `${p.input}: ${p.elements.join()}`
          if (!across.has(where)) kinks++
          across.add(where)
          continue
        }
        // acos(x / x) has the slope 0 · inf.
        if (!Number.isFinite(p.gradient)) {
          singular++
          continue
        }
        judged++
        if (agrees(p, 1e-3)) continue
        if (isTie(sample)) kinks++
        else throw new Error(`${JSON.stringify(p)}\n${showSample(sample)}`)
      }
    }
    console.log(`${judged} slopes judged, ${kinks} beside kinks, ${singular} singular`)
    expect(judged).toBeGreaterThan(1000)
    expect(kinks).toBeLessThan(judged / 10)
    expect(singular).toBeLessThan(judged / 100)
  })

  test('forward and reverse mode agree', () => {
    let judged = 0
    for (const sample of samples) {
      if ('discarded' in expectation(sample, 1)) continue
      const d = dotTest(sample)
      if (!d || !Number.isFinite(d.size)) continue
      judged++
      const good = Math.abs(d.forward - d.reverse) <= 1e-9 * Math.max(1, d.size)
      if (!good) throw new Error(`forward ${d.forward}, reverse ${d.reverse}\n${showSample(sample)}`)
    }
    expect(judged).toBeGreaterThan(300)
  })
})
