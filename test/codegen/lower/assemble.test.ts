/** Clusters side by side in one kernel, the workgroups they get, and kernels that are the same. */

import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { KStmt } from '../../../codegen/kernel/kernel.ts'
import { makePlan } from '../../../codegen/plan/make-plan.ts'
import { kernelOf } from '../../../codegen/plan/steps.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { printerFor } from '../../../src/compile/targets.ts'
import { build as b } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { interpretPlan, planOf } from '../../differential.ts'
import { f32, i32, program, u32 } from '../../passes/graph/programs.ts'
import { arbitraryInputs, expectClose } from '../../passes/loop/clusters.ts'
import { statementsOf } from '../hand-made.ts'

const maps = (sizes: readonly number[]): Graph =>
  program(
    sizes.map((n) => f32(n)),
    (...xs) => xs.map((x) => b.exp([x], {})),
  )

const runs = (graph: Graph, profile = portable): void => {
  const inputs = arbitraryInputs(graph)
  expectClose(interpretPlan(planOf(graph, profile).plan, inputs), evaluate(graph, inputs))
}

describe('clusters side by side', () => {
  it('are branches on the workgroup, each on its own stretch of the grid', () => {
    const graph = maps([1000, 100, 10])
    const { plan } = planOf(graph)
    expect(plan.steps).toHaveLength(1)
    const [step] = plan.steps
    const { kernel } = plan.kernels[0]!
    const size = kernel.workgroupSize
    // A vector an invocation where four divide the size.
    const groups = [250, 25, 10].map((threads) => Math.ceil(threads / size))
    expect(step!.kind === 'dispatch' && step!.workgroups).toBe(groups.reduce((n, g) => n + g, 0))
    // Halved: the last of the three stands alone.
    const [first] = kernel.body
    const [inner] = first?.kind === 'if' ? first.then : []
    const endOf = (b: KStmt | undefined): number | undefined =>
      b?.kind === 'if' && b.cond.kind === 'binary' ? k.constantOf(b.cond.b) : undefined
    expect([endOf(first), endOf(inner)]).toEqual([groups[0]! + groups[1]!, groups[0]])
    runs(graph)
  })

  it('nest no deeper than the logarithm of their number', () => {
    const { plan } = planOf(maps(Array.from({ length: 200 }, (_, i) => i + 1)))
    const depth = (body: readonly KStmt[]): number =>
      body.reduce((n, x) => {
        const inner = x.kind === 'if' ? Math.max(depth(x.then), depth(x.else)) : x.kind === 'for' ? depth(x.body) : -1
        return Math.max(n, inner + 1)
      }, 0)
    expect(plan.kernels.length).toBeGreaterThan(0)
    for (const { kernel } of plan.kernels) expect(depth(kernel.body)).toBeLessThan(12)
  })

  it.each([[[1, 1]], [[64, 65, 63]], [[3, 1000, 5, 7]], [[97, 89]]])(
    'of %j elements each compute their own',
    (sizes) => {
      runs(maps(sizes))
    },
  )

  it.each([
    [[5], 8, 1],
    [[64], 8, 2],
    [[4096], 64, 16],
    [[1_000_000], 64, 3907],
  ])('of %j elements: workgroups of %i, %i of them', (sizes, size, groups) => {
    const { plan } = planOf(maps(sizes))
    const [step] = plan.steps
    expect([plan.kernels[0]!.kernel.workgroupSize, step!.kind === 'dispatch' && step!.workgroups]).toEqual([
      size,
      groups,
    ])
  })

  it('guard the invocations of the last workgroup', () => {
    const { kernel } = planOf(maps([13])).plan.kernels[0]!
    const guards = statementsOf(kernel.body).flatMap((s) =>
      s.kind === 'if' && s.cond.kind === 'binary' && s.cond.op === 'lt' ? [k.constantOf(s.cond.b)] : [],
    )
    expect(guards).toEqual([13])
  })

  it('are named for what they store, the most', () => {
    const graph = program([f32(5), f32(7)], (x, y) => [b.exp([x], {}), b.neg([y], {}), b.exp([y], {})])
    expect(planOf(graph).plan.kernels[0]!.kernel.name).toBe('exp2_neg')
  })
})

describe('more tensors than bindings', () => {
  const graph = program([f32(5), i32(6), u32(7), f32(8), f32(12)], (...xs) => xs.map((x) => b.add([x, x], {})))

  it.each([10, 8, 6, 4])('share bindings of %i, neighbours of one arena at their offsets', (storageBuffers) => {
    const profile = { ...portable, storageBuffers }
    const { plan } = planOf(graph, profile)
    for (const { kernel } of plan.kernels) expect(kernel.bindings.length).toBeLessThanOrEqual(storageBuffers)
    for (const step of plan.steps)
      if (step.kind === 'dispatch')
        for (const p of [...(step.reads ?? []), ...(step.writes ?? [])])
          expect(
            step.bindings.some(
              ({ arena, offset, bytes }) =>
                arena === p.place.arena && offset <= p.place.offset && p.place.offset + p.place.bytes <= offset + bytes,
            ),
          ).toBe(true)
    runs(graph, profile)
  })

  it('never mix a read and a written arena', () => {
    const { plan } = planOf(graph, { ...portable, storageBuffers: 4 })
    for (const step of plan.steps) {
      if (step.kind !== 'dispatch') continue
      const { bindings } = kernelOf(plan, step)
      const access = new Map<number, string>()
      for (const [i, { arena }] of step.bindings.entries()) {
        expect(access.get(arena) ?? bindings[i]!.access).toBe(bindings[i]!.access)
        access.set(arena, bindings[i]!.access)
      }
    }
  })

  it('are a typed error where the arenas of one operation are too many', () => {
    const profile = { ...portable, storageBuffers: 1 }
    const planned = makePlan(
      {
        name: 'tight',
        graph,
        inputs: graph.inputs.map((_, i) => ({ path: `[${i}]`, donated: false })),
        outputs: graph.outputs.map((_, i) => ({ path: `[${i}]`, keep: false })),
        inputTree: { list: [0, 1, 2, 3, 4] },
        outputTree: { list: [0, 1, 2, 3, 4] },
      },
      profile,
      printerFor(profile),
    )
    expect(E.isLeft(planned) && planned.left).toMatchObject({
      tag: 'LimitError',
      what: 'storage buffers of one kernel',
      needed: 2,
      limit: 1,
    })
  })
})

describe('equal kernels', () => {
  it('of a program are compiled once and run on their own tensors', () => {
    const layer = (x: Node, w: Node): Node => b.dot([x, w], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
    const graph = program([f32(64, 64), f32(64, 64), f32(64, 64), f32(64, 64)], (x, ...ws) => ws.reduce(layer, x))
    const { plan } = planOf(graph)
    // The first reads two arguments; the others read and write intermediates, in turns at the same two places.
    expect(plan.steps.map((s) => s.kind === 'dispatch' && s.kernel)).toEqual([0, 1, 1])
    runs(graph)
  })
})
