/** checkGrad accepts right derivatives, refuses wrong ones, and agrees with every derivative of a random program. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DType } from '../../src/lang/dtype.ts'
import type { Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/table.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { arbTensor } from '../../src/testing/arbitrary.ts'
import { agrees, checkGrad, dotTest, slopesOf } from '../../src/testing/check-grad.ts'
import { showSample } from '../../src/testing/sample.ts'
import { expectation } from '../../src/testing/tolerance.ts'

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
      /argument \[0\], element 0: the gradient is -0.5, finite differences give -0.99999/,
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

  test('refuses a function without a derivative', () => {
    expect(() => checkGrad((x: Tensor) => T.stopGradient(x), [point])).toThrow(/no result depends/)
  })
})

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
      for (const p of slopesOf(sample, 6) ?? []) {
        if (!p.settled || !Number.isFinite(p.difference)) {
          kinks++
          continue
        }
        // acos(x / x) has the slope 0 · inf.
        if (!Number.isFinite(p.gradient)) {
          singular++
          continue
        }
        judged++
        if (!agrees(p, 1e-3)) throw new Error(`${JSON.stringify(p)}\n${showSample(sample)}`)
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
