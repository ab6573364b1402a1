/** Loop nests as statements: an instance for each point of a tile, accumulators around loops, guards at edges. */
import { describe, expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { KStmt } from '../../../codegen/kernel/kernel.ts'
import type { Access } from '../../../codegen/lower/access.ts'
import { emitCluster } from '../../../codegen/lower/emit.ts'
import { threadsOf } from '../../../codegen/lower/emit-grid.ts'
import { portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { placeCluster } from '../../../passes/loop/schedule/nest.ts'
import type { Role, Schedule } from '../../../passes/loop/schedule/roles.ts'
import type { Profile } from '../../../passes/profile.ts'
import { build as b } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node, TensorType } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { interpretPlan, planOf, runDevice } from '../../differential.ts'
import { f32, i32, program } from '../../passes/graph/programs.ts'
import { arbitraryInputs, clusterOf, expectClose, runCluster } from '../../passes/loop/clusters.ts'
import { expressionsOf, kernelOf, runByHand, statementsOf } from '../hand-made.ts'

const matmul = (x: Node, y: Node): Node => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
const vector: Role = { unroll: 1, vector: true }
const tile = (unroll: number): Role => ({ unroll, vector: false })

/** A single cluster with roles for the ranges of its store, in order, then of its reduction. */
const scheduled = (graph: Graph, onGrid: number, roles: readonly (Role | undefined)[]) => {
  const single = clusterOf(graph.outputs[0]!)
  const [store] = single.cluster.stores
  const over = store!.value.kind === 'reduce' ? store!.value.over : []
  const ranges = [...store!.ranges, ...over]
  const schedule: Schedule = {
    nest: placeCluster(single.cluster, store!.ranges.slice(0, onGrid)),
    roles: new Map(ranges.flatMap((r, i) => (roles[i] ? [[r, roles[i]] as const] : []))),
  }
  const run = (inputs: readonly Value[]): Value => {
    const memory = new Map(graph.inputs.map((n, i) => [single.bufferOf(n).id, inputs[i]!.data]))
    const data = runByHand(single.cluster, memory, portable, schedule).get(store!.buffer.id)!
    return { ...inputs[0]!, ...evaluate(graph, inputs)[0]!, data }
  }
  return { schedule, run, body: kernelOf(single.cluster, portable, schedule).kernel.body }
}

const count = (body: readonly KStmt[], kind: KStmt['kind']): number =>
  statementsOf(body).filter((s) => s.kind === kind).length

describe('tiles', () => {
  it.each<
    [
      string,
      TensorType,
      TensorType,
      readonly (Role | undefined)[],
      { vars: number; assigns: number; stores: number; loads: number },
    ]
  >([
    ['none', f32(5, 3), f32(3, 7), [], { vars: 1, assigns: 1, stores: 1, loads: 2 }],
    ['2 by 3 points', f32(4, 3), f32(3, 6), [tile(2), tile(3)], { vars: 6, assigns: 6, stores: 6, loads: 5 }],
    ['2 rows of a vector', f32(4, 3), f32(3, 8), [tile(2), vector], { vars: 2, assigns: 2, stores: 2, loads: 3 }],
    [
      '2 vectors',
      f32(4, 3),
      f32(3, 8),
      [undefined, { unroll: 2, vector: true }],
      { vars: 2, assigns: 2, stores: 2, loads: 3 },
    ],
    [
      '3 steps of the sum',
      f32(4, 6),
      f32(6, 5),
      [undefined, undefined, tile(3)],
      { vars: 1, assigns: 3, stores: 1, loads: 6 },
    ],
    [
      '2 rows, 2 steps',
      f32(4, 6),
      f32(6, 5),
      [tile(2), undefined, tile(2)],
      { vars: 2, assigns: 4, stores: 2, loads: 6 },
    ],
    ['an edge', f32(5, 3), f32(3, 7), [tile(2), tile(3)], { vars: 6, assigns: 6, stores: 6, loads: 5 }],
  ])('of %s hold one accumulator a point and share loads', (_, x, y, roles, expected) => {
    const graph = program([x, y], matmul)
    const { body, run } = scheduled(graph, 2, roles)
    const loads = expressionsOf(body).filter((e) => e.kind === 'load').length
    expect({ vars: count(body, 'var'), assigns: count(body, 'assign'), stores: count(body, 'store'), loads }).toEqual(
      expected,
    )
    const inputs = arbitraryInputs(graph)
    expectClose([run(inputs)], evaluate(graph, inputs))
  })

  it('need fewer invocations, rounded up at the edges', () => {
    const graph = program([f32(5, 3), f32(3, 8)], matmul)
    const threads = (roles: readonly (Role | undefined)[]): number => threadsOf(scheduled(graph, 2, roles).schedule)
    expect([
      threads([]),
      threads([tile(2)]),
      threads([tile(2), vector]),
      threads([tile(5), { unroll: 2, vector: true }]),
    ]).toEqual([40, 24, 6, 1])
  })

  it('that take a range whole need no loop', () => {
    const graph = program([f32(4, 6), f32(6, 5)], matmul)
    expect(count(scheduled(graph, 2, [undefined, undefined, tile(6)]).body, 'for')).toBe(0)
    expect(count(scheduled(graph, 2, [undefined, undefined, tile(3)]).body, 'for')).toBe(1)
    expect(count(scheduled(graph, 0, []).body, 'for')).toBe(3)
  })
})

describe('names', () => {
  it('are used once each, and only after they are defined', () => {
    const { cluster } = clusterOf(program([f32(5, 3), f32(3, 7)], (x, y) => b.exp([matmul(x, y)], {})).outputs[0]!)
    const defined = statementsOf(kernelOf(cluster).kernel.body).flatMap((s) =>
      s.kind === 'let' || s.kind === 'var' || s.kind === 'for' ? [s.name] : [],
    )
    expect(new Set(defined).size).toBe(defined.length)
  })

  it('are asked of the namer, so that clusters of one kernel do not meet', () => {
    const { cluster } = clusterOf(program([f32(8)], (x) => b.exp([x], {})).outputs[0]!)
    const [store] = cluster.stores
    const schedule: Schedule = { nest: placeCluster(cluster, store!.ranges), roles: new Map() }
    const [from, to] = kernelOf(cluster, portable, schedule).kernel.bindings
    const access = (id: number): Access => ({ binding: id === store!.buffer.id ? to! : from!, offset: 0 })
    let given = 0
    const name = (prefix: string): string => `mine_${prefix}${given++}`
    const body = emitCluster(cluster, schedule, k.ref('t'), access, name, () => {
      throw new Error('nothing is carried')
    })
    const defined = statementsOf(body).flatMap((s) => (s.kind === 'let' ? [s.name] : []))
    expect(defined.length).toBeGreaterThan(0)
    expect(defined.every((name) => name.startsWith('mine_'))).toBe(true)
  })
})

interface Case {
  readonly name: string
  readonly graph: Graph
  readonly inputs?: readonly Value[]
}

const row = (...data: readonly number[]): Value => ({ ...f32(data.length), data: Float64Array.from(data) })

const extreme =
  (monoid: 'argmax' | 'argmin', index: number) =>
  (x: Node): Node =>
    b.get([b.reduce([x], { monoid, axes: [0] })], { index })

const cases: readonly Case[] = [
  { name: 'a product of prime sizes', graph: program([f32(13, 11), f32(11, 17)], matmul) },
  {
    name: 'a product with bias, activation and a transposed result',
    graph: program([f32(16, 12), f32(12, 20), f32(20)], (x, w, bias) => {
      const y = b.add([matmul(x, w), b.broadcast([bias], { shape: [16, 20], axes: [0] })], {})
      return b.permute([b.tanh([y], {})], { axes: [1, 0] })
    }),
  },
  {
    name: 'a row and its sum, which is stored beside it',
    graph: program([f32(5, 8)], (x) => {
      const s = b.reduce([x], { monoid: 'sum', axes: [1] })
      return [b.sub([x, b.broadcast([s], { shape: [5, 8], axes: [1] })], {}), s]
    }),
  },
  { name: 'the first of equal maxima', graph: program([f32(5)], extreme('argmax', 1)), inputs: [row(1, 7, 7, 0, 7)] },
  { name: 'the first of equal minima', graph: program([f32(5)], extreme('argmin', 1)), inputs: [row(3, 1, 7, 1, 1)] },
  {
    name: 'NaN as the maximum',
    graph: program([f32(5)], extreme('argmax', 1)),
    inputs: [row(1, NaN, Infinity, NaN, 7)],
  },
  {
    name: 'the value of that maximum',
    graph: program([f32(5)], extreme('argmax', 0)),
    inputs: [row(1, NaN, Infinity, NaN, 7)],
  },
  {
    name: 'sums over all of a tensor',
    graph: program([f32(12, 20), i32(7)], (x, n) => [
      b.reduce([x], { monoid: 'logSumExp', axes: [0, 1] }),
      b.reduce([n], { monoid: 'prod', axes: [0] }),
    ]),
  },
  {
    name: 'a strided convolution with padding',
    graph: program([f32(2, 3, 9), f32(4, 3, 3)], (x, w) => {
      const padded = b.pad([x], { low: [0, 0, 1], high: [0, 0, 1], interior: [0, 0, 0], value: 0 })
      const windows = b.window([padded], { axis: 2, size: 3, stride: 2, dilation: 1 })
      return b.dot([windows, w], { lhs: [0, 1, 2, 3], rhs: [4, 1, 3], out: [0, 4, 2] })
    }),
  },
]

describe('kernels agree with the reference', () => {
  const layers: readonly (readonly [string, Profile])[] = [
    ['portable', portable],
    ['software', software],
  ]
  it.each(cases)('$name', async ({ graph, inputs = arbitraryInputs(graph) }) => {
    const want = evaluate(graph, inputs)
    if (graph.outputs.length === 1) expectClose([runCluster(graph, inputs)], want, 'one cluster')
    for (const [name, profile] of layers) expectClose(interpretPlan(planOf(graph, profile).plan, inputs), want, name)
    expectClose(await runDevice(graph, inputs), want, 'device')
  })
})
