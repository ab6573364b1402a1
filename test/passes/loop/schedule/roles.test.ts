/** Vectors and register tiles: only where memory allows, never two vectors in one value, every element stored once. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import { runKernel } from '../../../../codegen/kernel/interp/run-kernel.ts'
import type { Kernel, KStmt } from '../../../../codegen/kernel/kernel.ts'
import { kernelOf } from '../../../../codegen/plan/steps.ts'
import { portable, software } from '../../../../codegen/targets/wgsl/profiles.ts'
import type { Cluster, Range } from '../../../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../../../passes/loop/ir/values.ts'
import { chooseGrid } from '../../../../passes/loop/schedule/cost.ts'
import { type Schedule, stepOf } from '../../../../passes/loop/schedule/roles.ts'
import type { Profile } from '../../../../passes/profile.ts'
import { build as b } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph, Node, TensorType } from '../../../../src/lang/ir.ts'
import { arbGraph } from '../../../../src/testing/arb-graph.ts'
import { interpretPlan, planOf } from '../../../differential.ts'
import { f32, i32, program } from '../../graph/programs.ts'
import { arbitraryInputs, clusterOf, expectClose } from '../clusters.ts'

const scheduled = (types: readonly TensorType[], f: (...xs: Node[]) => Node, profile: Profile = portable): Schedule =>
  chooseGrid(clusterOf(program(types, f).outputs[0]!).cluster, profile).schedule

/** Roles by range size: `16: 2 vectors`, `7: 3`. */
const rolesOf = ({ roles }: Schedule): readonly string[] =>
  [...roles].map(([{ size }, { unroll, vector }]) => (vector ? `${size}: ${unroll} vectors` : `${size}: ${unroll}`))

const matmul = (x: Node, y: Node): Node => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })

describe('vectors', () => {
  it.each<[string, readonly string[], Schedule]>([
    ['of whole rows', ['8: 1 vectors'], scheduled([f32(3, 8)], (x) => b.neg([x], {}))],
    ['not where rows end inside one', [], scheduled([f32(3, 6)], (x) => b.neg([x], {}))],
    ['not of odd sizes', [], scheduled([f32(7)], (x) => b.neg([x], {}))],
    [
      'along what is stored in order, though one operand is transposed',
      ['12: 1 vectors'],
      scheduled([f32(8, 12), f32(12, 8)], (x, y) => b.add([x, b.permute([y], { axes: [1, 0] })], {})),
    ],
    [
      'of what is summed',
      ['16: 1 vectors'],
      scheduled([f32(5, 16)], (x) => b.reduce([x], { monoid: 'sum', axes: [1] })),
    ],
    [
      'of what is kept, where the sum strides',
      ['16: 1 vectors'],
      scheduled([f32(5, 16)], (x) => b.reduce([x], { monoid: 'sum', axes: [0] })),
    ],
    [
      'not of positions that argmax reports',
      [],
      scheduled([f32(5, 16)], (x) => b.get([b.reduce([x], { monoid: 'argmax', axes: [1] })], { index: 1 })),
    ],
    [
      'one of two that meet in a product',
      ['16: 1 vectors'],
      scheduled([f32(8), f32(16)], (x, y) => b.dot([x, y], { lhs: [0], rhs: [1], out: [0, 1] })),
    ],
    [
      'of indices, though each lane gathers its own row',
      ['8: 1 vectors'],
      scheduled([f32(9, 3), i32(8)], (x, i) => b.gather([x, i], { batch: 0 })),
    ],
  ])('%s', (_, roles, schedule) => {
    expect(rolesOf(schedule)).toEqual(roles)
  })

  /** What no schedule may do, whatever it gains. */
  const faultsOf = (cluster: Cluster, { roles, nest }: Schedule): readonly string[] => {
    const values = valuesBelow(cluster.stores.map((s) => s.value))
    const vectors = (ranges: Iterable<Range>): number => [...ranges].filter((x) => roles.get(x)?.vector).length
    const inLoops = new Set(values.flatMap((v) => (v.kind === 'reduce' ? v.over : [])))
    return [
      ...[...roles].filter(([x, role]) => role.vector && x.size % 4 !== 0).map(([x]) => `a vector of ${x.size}`),
      // Only the grid masks the edge of a tile.
      ...[...roles]
        .filter(([x, role]) => x.size % stepOf(role) !== 0 && (inLoops.has(x) || !nest.grid.includes(x)))
        .map(([x]) => `a loop over ${x.size} in tiles that do not divide it`),
      ...values.filter((v) => vectors(v.ranges) > 1).map((v) => `two vectors in a ${v.kind}`),
      ...cluster.stores.filter((s) => vectors(s.ranges) > 1).map(() => 'two vectors in a store'),
      ...values
        .filter(
          (v) => v.kind === 'reduce' && vectors(new Set([...v.values.flatMap((x) => [...x.ranges]), ...v.over])) > 1,
        )
        .map(() => 'two vectors in a reduction'),
    ]
  }

  it.each([portable, software])('never meet, nor leave a rest: random programs for $name', (profile) => {
    fc.assert(
      fc.property(arbGraph({ maxNodes: 30, without: ['while', 'cond'] }), ({ graph }) => {
        for (const kernel of planOf(graph, profile).fusion.kernels)
          for (const f of kernel) expect(faultsOf(f.cluster, f.schedule)).toEqual([])
      }),
      { seed: 42, numRuns: 100 },
    )
  })
})

describe('register tiles', () => {
  it('take points of the grid that share loads, as many as keep the machine full', () => {
    const tiles = (profile: Profile): readonly string[] =>
      rolesOf(scheduled([f32(128, 64), f32(64, 128)], matmul, profile))
    expect(tiles({ ...portable, schedule: 'serial' })).toEqual(['128: 1 vectors', '128: 2', '64: 4'])
    // There, a vector of four takes four loads, so that steps of four along the sum save nothing.
    expect(tiles(software)).toEqual(['128: 2 vectors', '128: 8'])
  })

  it('do not multiply what shares nothing', () => {
    expect(rolesOf(scheduled([f32(64, 64)], (x) => b.reduce([x], { monoid: 'sum', axes: [0] }), software))).toEqual([
      '64: 1 vectors',
    ])
  })

  it('of prime sizes overlap at the edge', () => {
    const roles = rolesOf(scheduled([f32(61, 37), f32(37, 53)], matmul, software))
    expect(roles.length).toBeGreaterThan(0)
    expect(roles.every((role) => !role.includes('vector'))).toBe(true)
  })
})

/** `kernel` with every store counting how often it happens: what is stored, plus one. */
const counting = (kernel: Kernel): Kernel => {
  const bindings = new Map(kernel.bindings.map((x) => [x.name, x]))
  const count = (s: KStmt): KStmt => {
    if (s.kind === 'for') return { ...s, body: s.body.map(count) }
    if (s.kind === 'if') return k.ifStmt(s.cond, s.then.map(count), s.else.map(count))
    if (s.kind !== 'store') return s
    const before = k.load(bindings.get(s.binding)!, s.index)
    const one = k.splat(k.lit(1, before.type.scalar), before.type.width)
    return k.store(bindings.get(s.binding)!, s.index, k.add(before, one))
  }
  return { ...kernel, body: kernel.body.map(count) }
}

/** How often each element of each dispatch's results is stored, the numbers that occur. */
const storeCounts = (graph: Graph, profile: Profile): readonly (readonly number[])[] => {
  const { plan } = planOf(graph, profile)
  return plan.steps.map((step) => {
    if (step.kind !== 'dispatch') return []
    const kernel = kernelOf(plan, step)
    const buffers = step.bindings.map((p) => new ArrayBuffer(p.bytes))
    runKernel(
      counting(kernel),
      step.workgroups,
      buffers.map((buffer) => ({ buffer })),
    )
    const written = kernel.bindings.flatMap((x, i) =>
      x.access === 'read_write' ? [...new Float32Array(buffers[i]!)] : [],
    )
    const size = step.writes!.reduce((n, w) => n + w.place.bytes / 4, 0)
    return [...new Set(written.slice(0, size))].toSorted((x, y) => x - y)
  })
}

describe('every element is stored once', () => {
  // Places are whole vectors: up to three elements behind the last are never stored.
  const rest = (size: number): readonly number[] => (size % 4 === 0 ? [1] : [0, 1])
  it.each([
    [61, 37, 53],
    [67, 5, 71],
    [128, 16, 64],
    [13, 8, 2],
    [1, 7, 97],
    [33, 12, 40],
  ])('in a product of %i by %i by %i', (m, c, n) => {
    const graph = program([f32(m, c), f32(c, n)], matmul)
    for (const profile of [portable, software]) expect(storeCounts(graph, profile)).toEqual([rest(m * n)])
    const inputs = arbitraryInputs(graph)
    const want = evaluate(graph, inputs)
    for (const profile of [portable, software]) expectClose(interpretPlan(planOf(graph, profile).plan, inputs), want)
  })

  it('in a convolution of prime sizes', () => {
    const graph = program([f32(17, 19), f32(3, 3)], (x, w) => {
      const rows = b.window([x], { axis: 0, size: 3, stride: 1, dilation: 1 })
      const both = b.window([rows], { axis: 1, size: 3, stride: 1, dilation: 1 })
      return b.dot([both, w], { lhs: [0, 1, 2, 3], rhs: [2, 3], out: [0, 1] })
    })
    for (const profile of [portable, software]) expect(storeCounts(graph, profile)).toEqual([rest(15 * 17)])
  })

  it('in rows that workgroups share, where all invocations know what one of them stores', () => {
    const graph = program([f32(4, 2052)], (x) => {
      const s = b.reduce([x], { monoid: 'sum', axes: [1] })
      return [s, b.sub([x, b.broadcast([s], { shape: [4, 2052], axes: [1] })], {})]
    })
    const { kernels } = planOf(graph, portable).plan
    expect(kernels.map(({ kernel }) => kernel.arrays.map((a) => a.space))).toEqual([['workgroup']])
    expect(
      storeCounts(graph, portable)
        .flat()
        .filter((n) => n > 1),
    ).toEqual([])
  })

  it('beside a store over fewer ranges', () => {
    const graph = program([f32(61, 52)], (x) => {
      const s = b.reduce([x], { monoid: 'sum', axes: [1] })
      return [s, b.sub([x, b.broadcast([s], { shape: [61, 52], axes: [1] })], {})]
    })
    expect(
      storeCounts(graph, portable)
        .flat()
        .every((n) => n <= 1),
    ).toBe(true)
  })
})
