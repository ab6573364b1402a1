/** Which values are computed together, which clusters share a dispatch, and why others do not. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { makePlan, type Planned } from '../../../../codegen/plan/make-plan.ts'
import { hardware, portable, software } from '../../../../codegen/targets/wgsl/profiles.ts'
import type { Fusion } from '../../../../passes/loop/fuse/fuse.ts'
import type { Fused } from '../../../../passes/loop/fuse/fusion.ts'
import { isBufferLeaf } from '../../../../passes/loop/fuse/stored-nodes.ts'
import { printerFor } from '../../../../src/compile/targets.ts'
import * as T from '../../../../src/index.ts'
import { build as b, freshInputs, typeOf } from '../../../../src/lang/build.ts'
import { sizeOf } from '../../../../src/lang/dim.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../../src/lang/ir.ts'
import { gelu, layerNorm, softmax } from '../../../../src/nn/index.ts'
import { arbGraph } from '../../../../src/testing/arb-graph.ts'
import { interpretPlan, planOf } from '../../../differential.ts'
import { f32, program } from '../../graph/programs.ts'
import { arbitraryInputs, expectClose, kernelsOf } from '../clusters.ts'

const compiled = (f: (...xs: T.Tensor[]) => unknown, shapes: readonly (readonly number[])[], options = {}): Planned =>
  T.orThrow(
    T.compile(
      f as never,
      shapes.map((s) => T.spec(s)),
      options,
    ),
  ).planned

interface Case {
  readonly why: string
  readonly f: (...xs: T.Tensor[]) => unknown
  readonly shapes: readonly (readonly number[])[]
  readonly kernels: readonly string[]
}

const rows = { axis: 1 } as const

const cases: readonly Case[] = [
  { why: 'softmax is one row', f: (x) => softmax(x!), shapes: [[64, 100]], kernels: ['div'] },
  {
    why: 'layer norm is one row, weight and bias included',
    f: (x, weight, bias) => layerNorm(x!, { weight: weight!, bias: bias! }),
    shapes: [[64, 128], [128], [128]],
    kernels: ['add'],
  },
  {
    why: 'mean and variance are taken in one pass',
    f: (x) => [T.mean(x!, rows), T.variance(x!, { ...rows, correction: 1 })],
    shapes: [[512, 512]],
    kernels: ['mul+div'],
  },
  {
    why: 'two reductions of one large tensor read it once',
    f: (x) => [T.sum(x!, rows), T.max(x!, rows)],
    shapes: [[512, 512]],
    kernels: ['reduce+reduce'],
  },
  {
    why: 'of a small one, they need no more than the same dispatch',
    f: (x) => [T.sum(x!, rows), T.max(x!, rows)],
    shapes: [[64, 128]],
    kernels: ['reduce, reduce'],
  },
  {
    why: 'a contraction takes its epilogue along, up to a transposed store',
    f: (x, w, bias) => T.matrixTranspose(gelu(T.add(T.matmul(x!, w!), bias!))),
    shapes: [[64, 96], [96, 128], [128]],
    kernels: ['permute'],
  },
  {
    why: 'a map and its mask share what they read',
    f: (x) => [T.relu(x!), T.greater(x!, 0)],
    shapes: [[512, 512]],
    kernels: ['select+lt'],
  },
  {
    why: 'one column: each element of the prologue is used once',
    f: (x, w) => T.matmul(T.tanh(x!), w!),
    shapes: [
      [64, 64],
      [64, 1],
    ],
    kernels: ['reshape'],
  },
  {
    why: '128 columns: the prologue would be computed 128 times',
    f: (x, w) => T.matmul(T.tanh(T.exp(x!)), w!),
    shapes: [
      [128, 128],
      [128, 128],
    ],
    kernels: ['tanh', 'dot'],
  },
  {
    why: 'a contraction over a short axis is computed again rather than stored',
    f: (q, k, v) => T.matmul(T.matmul(q!, k!), v!),
    shapes: [
      [64, 4],
      [4, 64],
      [64, 64],
    ],
    kernels: ['dot'],
  },
  {
    why: 'what two kernels read is stored once',
    f: (x, w, v) => {
      const e = T.tanh(T.matmul(x!, w!))
      return [T.matmul(e, v!), T.sum(T.mul(e, e), { axis: 0 })]
    },
    shapes: [
      [64, 64],
      [64, 64],
      [64, 64],
    ],
    kernels: ['tanh', 'dot, reduce'],
  },
  {
    why: 'nothing is computed for an empty result',
    f: (x) => [T.mul(T.slice(x!, [[0, 0]]), 2), T.add(x!, 1)],
    shapes: [[5]],
    kernels: ['add'],
  },
]

describe('fusion', () => {
  it.each(cases)('$why', ({ f, shapes, kernels }) => {
    expect(kernelsOf(compiled(f, shapes).fusion)).toEqual(kernels)
  })

  it('puts twelve unrelated maps side by side, within eight bindings', () => {
    const { plan, fusion } = compiled(
      (...xs) => xs.map((x, i) => T.add(T.mul(x, i + 1.5), T.sin(x))),
      Array.from({ length: 12 }, (_, i) => [1000 + i]),
    )
    expect(fusion.kernels.map((k) => k.length)).toEqual([12])
    expect(plan.kernels[0]!.kernel.bindings.length).toBeLessThanOrEqual(portable.storageBuffers)
  })

  it('says what a join that was not made would have cost and saved', () => {
    const { fusion } = compiled(
      (x, w) => T.matmul(T.tanh(T.exp(x!)), w!),
      [
        [128, 128],
        [128, 128],
      ],
    )
    const [refusal] = fusion.refused
    expect([refusal!.producer.map((n) => n.op), refusal!.consumer.map((n) => n.op)]).toEqual([['tanh'], ['dot']])
    const [, together, apart] = /together they need at least (\d+) operations, apart (\d+)/.exec(refusal!.reason)!
    // 128·128 elements at 50 operations, computed once, and again by each vector of four columns.
    expect(Number(together)).toBeGreaterThan(128 * 128 * 50 * 32)
    expect(Number(apart)).toBeLessThan(Number(together) / 5)
    // The product is not written, and not read.
    expect(refusal!.savedBytes).toBe(2 * 4 * 128 * 128)
  })
})

/** Where the cluster that stores `n` stands among the kernels. */
const kernelOf = (fusion: Fusion, n: Node): number =>
  fusion.kernels.findIndex((kernel) => kernel.some((f) => f.stored.includes(n)))

describe('arguments that are given away', () => {
  const donating = (graph: Graph): Planned => planOf(graph, portable, true)

  it.each([
    ['an element by itself', true, (x: Node) => b.add([x, x], {})],
    ['with a neighbour', false, (x: Node) => b.add([x, b.flip([x], { axes: [0] })], {})],
    [
      'and its row, which is summed before',
      true,
      (x: Node) => b.add([x, b.broadcast([sumOf(x, 1)], { shape: [8, 8], axes: [1] })], {}),
    ],
    ['transposed', false, (x: Node) => b.permute([x], { axes: [1, 0] })],
  ] as const)('are overwritten where they are read in place: %s', (_, inPlace, f) => {
    const graph = program([f32(8, 8)], f)
    const { fusion, plan } = donating(graph)
    expect(fusion.inPlace.length === 1).toBe(inPlace)
    expect(plan.steps.filter((s) => s.kind === 'copy').length).toBe(inPlace ? 0 : 1)
    const inputs = arbitraryInputs(graph)
    expectClose(interpretPlan(plan, inputs), evaluate(graph, inputs))
  })

  it('are not joined into a kernel that would overwrite what it still reads', () => {
    const spread = (x: Node): Node => b.broadcast([sumOf(x, 1)], { shape: [512, 512], axes: [1] })
    const graph = program([f32(512, 512)], (x) => b.add([x, spread(x)], {}))
    expect(kernelsOf(planOf(graph).fusion)).toEqual(['add'])
    const { fusion } = donating(graph)
    expect(kernelsOf(fusion)).toEqual(['reduce', 'add'])
    expect(fusion.refused.map((r) => r.reason)).toEqual([
      'it would overwrite an argument that the same kernel still reads elsewhere',
    ])
  })

  it('are read by other kernels before they are overwritten', () => {
    // The update stands first in the graph and has nothing else to wait for.
    const graph = program([f32(64, 64), f32(64, 64)], (x, w) => [
      b.mul([x, x], {}),
      b.dot([x, w], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] }),
    ])
    const { fusion, plan } = donating(graph)
    const [update, product] = graph.outputs
    expect(fusion.inPlace.map((d) => d.output)).toContain(update)
    expect(kernelOf(fusion, product!)).toBeLessThan(kernelOf(fusion, update!))
    const inputs = arbitraryInputs(graph)
    expectClose(interpretPlan(plan, inputs), evaluate(graph, inputs))
  })

  it('keep their place when a later kernel still reads them', () => {
    // s is what the other reader waits for, so the update cannot come last.
    const graph = program([f32(64, 64)], (x) => {
      const update = b.add([x, x], {})
      const total = b.dot([update, update], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
      return [update, b.dot([total, x], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })]
    })
    const { fusion, plan } = donating(graph)
    expect(fusion.inPlace).toEqual([])
    const inputs = arbitraryInputs(graph)
    expectClose(interpretPlan(plan, inputs), evaluate(graph, inputs))
  })
})

const sumOf = (x: Node, axis: number): Node => b.reduce([x], { monoid: 'sum', axes: [axis] })

/** What every fusion must be, whatever it decides. */
const faultsOf = (fusion: Fusion, graph: Graph): readonly string[] => {
  const faults: string[] = []
  const stored = new Map<Node, number>()
  const clusters: readonly (readonly [Fused, number])[] = fusion.kernels.flatMap((k, i) =>
    k.map((f) => [f, i] as const),
  )
  for (const [f, i] of clusters) {
    for (const n of f.stored) {
      if (stored.has(n)) faults.push(`${n.op} is stored twice`)
      stored.set(n, i)
    }
  }
  for (const [f, i] of clusters)
    for (const n of f.reads)
      if (!isBufferLeaf(n) && !((stored.get(n) ?? i) < i))
        faults.push(`kernel ${i} reads ${n.op} of kernel ${stored.get(n)}`)
  for (const n of graph.outputs)
    if (!isBufferLeaf(n) && sizeOf(typeOf(n).shape) > 0 && !stored.has(n)) faults.push(`${n.op} is never stored`)
  return faults
}

describe('any graph', () => {
  it.each([portable, software, hardware])('is stored once and read after: random programs for $name', (profile) => {
    fc.assert(
      fc.property(arbGraph({ maxNodes: 40, without: ['while', 'cond'] }), ({ graph }) => {
        expect(faultsOf(planOf(graph, profile, true).fusion, graph)).toEqual([])
      }),
      { seed: 42, numRuns: 60 },
    )
  })

  it('is ordered where joined siblings lead back to earlier nodes', () => {
    const [x, y, z] = freshInputs([f32(512, 512), f32(512, 512), f32(512, 512)])
    const multiply = (m: Node, v: Node): Node => b.dot([m, v], { lhs: [0, 1], rhs: [1], out: [0] })
    const early = b.reduce([x!], { monoid: 'max', axes: [1] })
    const last = b.dot([early, y!], { lhs: [0], rhs: [0, 1], out: [1] })
    const between = multiply(z!, sumOf(y!, 0))
    // `early` and `late` are joined over x; then joining `last` with the sum over y would close a circle.
    const late = multiply(x!, between)
    const graph = { inputs: [x!, y!, z!], outputs: [last, late] }
    const { fusion } = planOf(graph)
    expect(kernelsOf(fusion)).toContain('reduce+dot')
    expect(faultsOf(fusion, graph)).toEqual([])
    expect(fusion.refused.map((r) => r.reason)).toContain('another kernel lies between them')
  })

  it('with 2,000 operations one after the other becomes kernels of bounded size', () => {
    const graph = program([f32(1000)], (x) => {
      let y: Node = x
      for (let i = 0; i < 2000; i++)
        y = i % 3 === 0 ? b.sin([y], {}) : i % 3 === 1 ? b.add([y, x], {}) : b.mul([y, y], {})
      return y
    })
    const { fusion, plan } = planOf(graph)
    const statements = fusion.kernels.flat().map((f) => f.cost.statements)
    expect(Math.max(...statements)).toBeLessThanOrEqual(portable.costs.statements)
    expect(plan.steps.length).toBeGreaterThanOrEqual(2000 / portable.costs.statements)
    expect(plan.steps.length).toBeLessThan(20)
    // The pieces repeat, so the device compiles fewer kernels than it runs.
    expect(plan.kernels.length).toBeLessThan(plan.steps.length)
  })

  it('of thousands of nodes is planned in one go', () => {
    let state = 42
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return (state >>> 8) % n
    }
    const graph = program([f32(64, 16), f32(64, 16), f32(64, 16)], (...inputs) => {
      const pool: Node[] = [...inputs]
      const maps = ['add', 'mul', 'sub', 'max'] as const
      for (let i = 0; i < 5_000; i++) {
        const [x, y] = [pool[pool.length - 1]!, pool[Math.max(0, pool.length - 1 - below(300))]!]
        if (below(20) > 0) pool.push(b[maps[below(4)]!]([x, y], {}))
        else pool.push(b.broadcast([sumOf(x, 1)], { shape: [64, 16], axes: [1] }))
      }
      return pool[pool.length - 1]!
    })
    const planned = makePlan(
      {
        name: 'large',
        graph,
        inputs: graph.inputs.map((_, i) => ({ path: `[${i}]`, donated: false })),
        outputs: [{ path: '', keep: false }],
        inputTree: { list: [0, 1, 2] },
        outputTree: 0,
      },
      portable,
      printerFor(portable),
    )
    if (E.isLeft(planned)) throw new Error(JSON.stringify(planned.left))
    const { fusion } = planned.right
    expect(faultsOf(fusion, graph)).toEqual([])
    const clusters = fusion.kernels.flat()
    expect(clusters.length).toBeGreaterThan(5_000 / portable.costs.statements)
    expect(Math.max(...clusters.map((f) => f.cost.statements))).toBeLessThanOrEqual(portable.costs.statements)
  })
})
