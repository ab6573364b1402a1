/** Loads and stores: whole vectors, single elements of them, words of another type, and nothing outside a tensor. */
import { describe, expect, it } from 'vitest'
import type { KExpr } from '../../../codegen/kernel/kernel.ts'
import { portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { build as b } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { interpretPlan, planOf } from '../../differential.ts'
import { bool, f32, i32, program, u32 } from '../../passes/graph/programs.ts'
import { arbitraryInputs, clusterOf, expectClose } from '../../passes/loop/clusters.ts'
import { expressionsOf, kernelOf, statementsOf } from '../hand-made.ts'

const loadsOf = (n: Node): readonly Extract<KExpr, { kind: 'load' }>[] =>
  expressionsOf(kernelOf(clusterOf(n).cluster).kernel.body).filter((e) => e.kind === 'load')

const storesIn = (n: Node): readonly number[] =>
  statementsOf(kernelOf(clusterOf(n).cluster).kernel.body).flatMap((s) =>
    s.kind === 'store' ? [s.value.type.width] : [],
  )

const one = (graph: Graph): Node => graph.outputs[0]!

const agrees = (graph: Graph): void => {
  const inputs = arbitraryInputs(graph)
  const want = evaluate(graph, inputs)
  for (const profile of [portable, software, { ...portable, storageBuffers: 3 }])
    expectClose(interpretPlan(planOf(graph, profile).plan, inputs), want, profile.name)
}

describe('loads', () => {
  it('of aligned rows are whole vectors', () => {
    const graph = program([f32(3, 8)], (x) => b.neg([x], {}))
    expect(loadsOf(one(graph)).map((l) => l.type.width)).toEqual([4])
    agrees(graph)
  })

  it('that are not aligned are four elements', () => {
    const graph = program([f32(3, 9)], (x) => b.neg([b.slice([x], { start: [0, 1], stop: [3, 9], step: [1, 1] })], {}))
    expect(loadsOf(one(graph)).map((l) => [l.type.width, l.component])).toEqual(new Array(4).fill([1, undefined]))
    agrees(graph)
  })

  it('of one element of a vector pick a component', () => {
    // Rows move by vectors, and each row's first element is wanted by itself.
    const graph = program([f32(3, 8)], (x) => {
      const first = b.reshape([b.slice([x], { start: [0, 0], stop: [3, 1], step: [1, 1] })], { shape: [3] })
      return b.add([x, b.broadcast([first], { shape: [3, 8], axes: [1] })], {})
    })
    const found = loadsOf(one(graph))
    expect(found.map((l) => l.type.width)).toEqual([4, 4])
    agrees(graph)
    // Where four picked elements are no neighbours, each is a component of its own vector.
    const turned = program([f32(8, 8)], (x) => b.add([x, b.permute([x], { axes: [1, 0] })], {}))
    expect(loadsOf(one(turned)).filter((l) => l.component !== undefined)).toHaveLength(4)
    agrees(turned)
  })

  it('in a tile share the vector that their neighbours need', () => {
    const graph = program([f32(64, 32), f32(32, 64)], (x, y) =>
      b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] }),
    )
    const profile = { ...software, costs: { ...software.costs, text: 0, vectorLoad: 1 } }
    const { plan, fusion } = planOf(graph, profile)
    const [f] = fusion.kernels[0]!
    const unrolls = [...f!.schedule.roles.values()].map((r) => r.unroll)
    const loads = expressionsOf(plan.kernels[0]!.kernel.body).filter((e) => e.kind === 'load')
    const products = unrolls.reduce((n, u) => n * u, 1)
    // One by one there would be two loads a product.
    expect(products).toBeGreaterThanOrEqual(16)
    expect(loads.length).toBeLessThanOrEqual(products / 2)
    agrees(graph)
  })

  it('under a guard point at the first element where it does not hold', () => {
    const graph = program([f32(5)], (x) => b.pad([x], { low: [3], high: [2], interior: [1], value: 7 }))
    const [load] = loadsOf(one(graph))
    expect(load!.index.kind).toBe('select')
    agrees(graph)
  })

  it('of a vector under a guard by lanes are guarded each by itself', () => {
    agrees(program([f32(2, 5)], (x) => b.pad([x], { low: [0, 2], high: [0, 1], interior: [0, 0], value: -1 })))
    agrees(program([f32(4, 8)], (x) => b.pad([x], { low: [-1, -2], high: [1, 2], interior: [0, 0], value: 3 })))
  })
})

describe('stores', () => {
  it('of aligned rows are whole vectors, of others four elements', () => {
    expect(storesIn(one(program([f32(3, 8)], (x) => b.neg([x], {}))))).toEqual([4])
    const turned = program([f32(8, 12)], (x) => b.permute([b.exp([x], {})], { axes: [1, 0] }))
    expect(storesIn(one(turned))).toEqual([1, 1, 1, 1])
    agrees(turned)
  })

  it('of what does not move along the vector repeat it', () => {
    const graph = program([f32(3)], (x) => b.broadcast([x], { shape: [3, 8], axes: [1] }))
    expect(storesIn(one(graph))).toEqual([4])
    agrees(graph)
  })
})

describe('types in memory', () => {
  it.each<[string, Graph]>([
    ['a bool is a word, 0 or 1', program([bool(6), bool(6)], (p, q) => b.and([p, q], {}))],
    ['bools by vectors', program([bool(8), f32(8)], (p, x) => b.select([p, x, b.neg([x], {})], {}))],
    [
      // Within three bindings, each kind of arena is one binding: its tensors are of four types.
      'tensors of all types share a binding as words',
      program([f32(5), i32(5), u32(5), bool(5)], (x, i, u, p) => [
        b.exp([x], {}),
        b.neg([i], {}),
        b.add([u, u], {}),
        b.not([p], {}),
        b.select([p, x, b.cast([i], { dtype: 'f32' })], {}),
      ]),
    ],
    [
      'special values pass through words unchanged',
      program([f32(5), i32(5), bool(4)], (x, i, p) => [
        b.neg([x], {}),
        b.abs([i], {}),
        b.isNan([x], {}),
        b.not([p], {}),
      ]),
    ],
  ])('%s', (_, graph) => {
    agrees(graph)
    const { plan } = planOf(graph, { ...portable, storageBuffers: 3 })
    for (const { kernel } of plan.kernels) expect(kernel.bindings.length).toBeLessThanOrEqual(3)
  })

  it('a binding of several types holds words', () => {
    const graph = program([f32(5), i32(5)], (x, i) => [b.exp([x], {}), b.neg([i], {})])
    const { plan } = planOf(graph, { ...portable, storageBuffers: 2 })
    expect(plan.kernels[0]!.kernel.bindings.map((x) => x.element.scalar)).toEqual(['u32', 'u32'])
    const inputs = [
      { ...f32(5), data: Float64Array.of(0, -0, NaN, Infinity, -Infinity) },
      { ...i32(5), data: Int32Array.of(0, -1, 2147483647, -2147483648, 5) },
    ]
    expectClose(interpretPlan(plan, inputs), evaluate(graph, inputs))
  })
})
