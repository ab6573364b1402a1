/** A store per part: a concatenation of large parts is cut where branches are masked, to read each part once. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Planned } from '../../../codegen/plan/make-plan.ts'
import type { Step } from '../../../codegen/plan/plan.ts'
import { kernelOf } from '../../../codegen/plan/steps.ts'
import { verifyPlan } from '../../../codegen/plan/verify-plan.ts'
import { portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../../passes/profile.ts'
import * as T from '../../../src/index.ts'
import { build as b } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import { traceTree } from '../../../src/lang/trace.ts'
import { interpretPlan, planOf } from '../../differential.ts'
import { f32, program } from '../../passes/graph/programs.ts'
import { arbitraryInputs, expectClose } from '../../passes/loop/clusters.ts'
import { expressionsOf } from '../hand-made.ts'

type Dispatch = Extract<Step, { readonly kind: 'dispatch' }>

const dispatchesOf = ({ plan }: Planned): readonly Dispatch[] =>
  plan.steps.flatMap((s) => (s.kind === 'dispatch' ? [s] : []))

const joined = (parts: number, shape: readonly number[], axis: number): Graph =>
  program(
    Array.from({ length: parts }, () => f32(...shape)),
    (...xs) => b.concat(xs, { axis }),
  )

/** The plan of a graph, which computes what the reference does. */
const planned = (graph: Graph, profile: Profile, donate = false): Planned => {
  const made = planOf(graph, profile, donate)
  expect(verifyPlan(made.plan)).toEqual([])
  const inputs = arbitraryInputs(graph)
  expectClose(interpretPlan(made.plan, inputs), evaluate(graph, inputs))
  return made
}

/** What may become of a choice, with another tensor of its shape. */
type Then = (y: T.Tensor, z: T.Tensor, axis: number) => unknown

const thens: readonly Then[] = [
  (y) => y,
  (y, z) => T.add(y, z),
  (y, z) => [y, T.mul(y, z)],
  (y, z, axis) => [T.sub(z, y), T.sum(z, { axis })],
  (y) => T.matrixTranspose(y),
  (y) =>
    T.pad(y, [
      [1, 2],
      [3, 0],
    ]),
  (y, z) => [T.flip(y), T.exp(z)],
]

/** What each dispatch chooses between: selects and loads. */
const readsOf = (made: Planned): readonly (readonly [number, number])[] =>
  dispatchesOf(made).map((step) => {
    const all = expressionsOf(kernelOf(made.plan, step).body)
    return [all.filter((e) => e.kind === 'select').length, all.filter((e) => e.kind === 'load').length]
  })

describe('a concatenation of 64 large parts', () => {
  const graph = joined(64, [4096], 0)

  it('is 64 dispatches of one pipeline where branches are masked, each of which reads its part', () => {
    const made = planned(graph, software)
    expect([made.plan.kernels.length, dispatchesOf(made).length]).toEqual([1, 64])
    expect(readsOf(made)).toEqual(Array.from({ length: 64 }, () => [0, 1]))
    expect(dispatchesOf(made).map((s) => s.reads!.map((r) => r.value))).toEqual(
      made.plan.inputs.map((slot) => [slot.value]),
    )
    expect(made.plan.prediction.bytes).toBe(2 * 4 * 64 * 4096)
  })

  it('is one dispatch where a branch that is not taken costs nothing', () => {
    const made = planned(graph, portable)
    expect(dispatchesOf(made)).toHaveLength(1)
    expect(dispatchesOf(made)[0]!.inParts).toBeUndefined()
  })
})

describe('what is cut', () => {
  it('is not a small result, for which a dispatch costs more than reads in vain', () => {
    expect(dispatchesOf(planned(joined(8, [10], 0), software))).toHaveLength(1)
  })

  it('is each row, where the parts lie side by side', () => {
    const made = planned(joined(16, [256, 32], 1), software)
    expect([made.plan.kernels.length, dispatchesOf(made).length]).toEqual([1, 16])
    expect(readsOf(made)).toEqual(Array.from({ length: 16 }, () => [0, 1]))
    expect(made.plan.prediction.bytes).toBe(2 * 4 * 256 * 512)
    // Every part writes all rows, from its own column on.
    expect(dispatchesOf(made).map((s) => s.writes![0]!.place.offset % (4 * 512))).toEqual(
      Array.from({ length: 16 }, (_, i) => 4 * 32 * i),
    )
  })

  it('is a result that slices of are replaced one after another', () => {
    const rows = 16
    const { graph } = traceTree(
      ((x: T.Tensor, u: T.Tensor) => {
        let y = x
        for (let i = 0; i < rows; i++) y = T.setAt(y, [i], T.select(u, i))
        return y
      }) as never,
      [f32(rows, 4096), f32(rows, 4096)],
    )
    const made = planned(graph, software)
    expect(readsOf(made)).toEqual(Array.from({ length: rows }, () => [0, 1]))
  })

  it('is nothing that overwrites an argument in place', () => {
    const graph = program([f32(64 * 1024), ...Array.from({ length: 64 }, () => f32(1024))], (x, ...parts) =>
      b.add([b.concat(parts, { axis: 0 }), x], {}),
    )
    expect(dispatchesOf(planned(graph, software)).length).toBe(64)
    const made = planned(graph, software, true)
    expect(made.fusion.inPlace).toHaveLength(1)
    expect(dispatchesOf(made)).toHaveLength(1)
  })

  it('is nothing that is summed', () => {
    const graph = program(
      Array.from({ length: 64 }, () => f32(64, 8)),
      (...xs) => b.reduce([b.concat(xs, { axis: 0 })], { monoid: 'sum', axes: [1] }),
    )
    const eager = { ...software, costs: { ...software.costs, dispatch: 1e-9 } }
    expect(dispatchesOf(planned(joined(64, [64, 8], 0), eager))).toHaveLength(64)
    expect(dispatchesOf(planned(graph, eager))).toHaveLength(1)
  })

  it('leaves a kernel to the clusters that share a dispatch with it', () => {
    const graph = program([f32(64), ...Array.from({ length: 32 }, () => f32(4096))], (x, ...xs) => [
      b.concat(xs, { axis: 0 }),
      b.exp([x], {}),
    ])
    expect(dispatchesOf(planned(graph, software))).toHaveLength(33)
  })
})

it('choices of any sizes are right where all is cut that can be', { timeout: 300_000 }, () => {
  const eager = { ...software, costs: { ...software.costs, dispatch: 1e-12, masked: 1e-3 } }
  let cut = 0
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 10 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(0, 1),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 3 }),
      fc.constantFrom<Then[]>(...thens),
      fc.boolean(),
      (sizes, across, axis, updates, then, donate) => {
        const total = sizes.reduce((n, size) => n + size, 0)
        const shape = (n: number): readonly number[] => (axis === 0 ? [n, across] : [across, n])
        const f = (z: T.Tensor, u: T.Tensor, ...parts: T.Tensor[]): unknown => {
          let y = T.concat(
            parts.map((x, i) => (i % 3 === 1 ? T.tanh(x) : x)),
            { axis },
          )
          for (const [a, b] of updates) {
            const [from, to] = [Math.min(a % total, b % total), Math.max(a % total, b % total) + 1]
            const where: readonly (readonly [number, number])[] =
              axis === 0
                ? [[from, to]]
                : [
                    [0, across],
                    [from, to],
                  ]
            y = T.setAt(
              y,
              where.map(([first, last]): T.Index => `${first}:${last}`),
              T.slice(u, where),
            )
          }
          return then(y, z, axis)
        }
        const types = [shape(total), shape(total), ...sizes.map(shape)].map((s) => f32(...s))
        const { graph } = traceTree(f as never, types)
        if (dispatchesOf(planned(graph, eager, donate)).some((s) => s.inParts)) cut++
      },
    ),
    { seed: 42, numRuns: 60 },
  )
  expect(cut).toBeGreaterThan(15)
})
