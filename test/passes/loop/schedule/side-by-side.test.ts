/** Which clusters share a dispatch: all that are ready, unless each would run through what the others compute. */
import { describe, expect, it } from 'vitest'
import { hardware, portable, software } from '../../../../codegen/targets/wgsl/profiles.ts'
import type { Group } from '../../../../passes/loop/fuse/fusion.ts'
import { sideBySide } from '../../../../passes/loop/schedule/side-by-side.ts'
import type { Profile } from '../../../../passes/profile.ts'
import { build as b } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import { interpretPlan, planOf } from '../../../differential.ts'
import { f32, program } from '../../graph/programs.ts'
import { arbitraryInputs, expectClose, kernelsOf } from '../clusters.ts'

const maps = (n: number, m: number): Graph => program([f32(n), f32(m)], (x, y) => [b.exp([x], {}), b.sin([y], {})])

describe('two maps', () => {
  it.each<[string, Profile, number, readonly string[]]>([
    ['small ones share a dispatch, though branches are masked', software, 4096, ['exp, sin']],
    ['large ones are two where branches are masked', software, 262_144, ['exp', 'sin']],
    ['large ones share one where a branch is taken or not', portable, 262_144, ['exp, sin']],
    ['and on wide machines', hardware, 262_144, ['exp, sin']],
  ])('%s', (_, profile, size, kernels) => {
    const { fusion, plan } = planOf(maps(size, size / 2), profile)
    expect(kernelsOf(fusion)).toEqual(kernels)
    expect(plan.prediction.dispatches).toBe(kernels.length)
  })

  it.each([portable, software])('compute the same together and apart: $name', (profile) => {
    const graph = maps(4096, 1024)
    const inputs = arbitraryInputs(graph)
    const apart = { ...profile, costs: { ...profile.costs, masked: 1 } }
    expect([planOf(graph, profile), planOf(graph, apart)].map((p) => p.fusion.kernels.length)).toEqual([1, 2])
    for (const p of [profile, apart]) expectClose(interpretPlan(planOf(graph, p).plan, inputs), evaluate(graph, inputs))
  })
})

describe('groups', () => {
  const group = (id: number, statements: number, more: object = {}): Group =>
    ({ id, cost: { statements }, ...more }) as unknown as Group

  /** Kernels by the ids of their groups, where `edges` lead from what is read to its readers. */
  const kernels = (
    groups: readonly Group[],
    edges: readonly (readonly [number, number])[],
    profile: Profile = portable,
  ): readonly (readonly number[])[] =>
    sideBySide(
      groups,
      (f) => edges.filter(([from]) => from === f.id).map(([, to]) => groups.find((g) => g.id === to)!),
      profile,
    ).map((k) => k.map((g) => g.id))

  it('that wait for one another are in later kernels, what is ready at once in one', () => {
    const four = [group(3, 1), group(0, 1), group(2, 1), group(1, 1)]
    expect(kernels(four, [])).toEqual([[0, 1, 2, 3]])
    expect(
      kernels(four, [
        [0, 2],
        [1, 2],
        [2, 3],
      ]),
    ).toEqual([[0, 1], [2], [3]])
  })

  it('share a kernel of at most twice the statements that a cluster may have', () => {
    const { statements } = portable.costs
    const three = [0, 1, 2].map((id) => group(id, statements))
    expect(kernels(three, [])).toEqual([[0, 1], [2]])
  })

  it.each([
    ['of few invocations', [4000, 4000], [[0, 1]]],
    ['not of many', [5000, 5000], [[0], [1]]],
    ['not a small one with a large one, which would run through it', [9000, 100], [[0], [1]]],
    ['as many as are few together', [2000, 2000, 2000, 2000], [[0, 1, 2], [3]]],
  ] as const)(
    'share a kernel where branches are masked if that saves a dispatch and its text: %s',
    (_, sizes, made) => {
      // Ten statements of 2 ns for each invocation of another, against 180 microseconds.
      const grids = sizes.map((size, id) =>
        group(id, 10, { solved: { schedule: { nest: { grid: [{ id: 0, size }] }, roles: new Map() } } }),
      )
      expect(kernels(grids, [], software)).toEqual(made)
      expect(kernels(grids, [])).toEqual([sizes.map((_, id) => id)])
    },
  )

  it('of a routine are kernels of their own', () => {
    const three = [group(0, 1), group(1, 1, { routine: {} }), group(2, 1)]
    expect(kernels(three, [])).toEqual([[0, 2], [1]])
    expect(kernels([group(0, 1, { routine: {} }), group(1, 1)], [])).toEqual([[0], [1]])
  })

  it('that wait for one another in a circle are a mistake', () => {
    const two = [group(0, 1), group(1, 1)]
    expect(() =>
      kernels(two, [
        [0, 1],
        [1, 0],
      ]),
    ).toThrow(/wait for one another/)
  })
})
