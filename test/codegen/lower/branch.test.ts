/** Choices as branches: a point reads the part it needs, nested no deeper than compilers take; a pad stays a select. */
import { describe, expect, it } from 'vitest'
import type { KExpr, KStmt } from '../../../codegen/kernel/kernel.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import * as T from '../../../src/index.ts'
import { build as b } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, TensorType } from '../../../src/lang/ir.ts'
import { traceTree } from '../../../src/lang/trace.ts'
import { interpretPlan, planOf, runDevice } from '../../differential.ts'
import { f32, program } from '../../passes/graph/programs.ts'
import { arbitraryInputs, expectClose } from '../../passes/loop/clusters.ts'
import { expressionsOf, statementsOf } from '../hand-made.ts'

type If = Extract<KStmt, { readonly kind: 'if' }>
type Load = Extract<KExpr, { readonly kind: 'load' }>

const loadsIn = (body: readonly KStmt[]): readonly Load[] => expressionsOf(body).filter((e) => e.kind === 'load')

/** What an invocation of the only kernel of a graph does: the body of its guard. */
const bodyOf = (graph: Graph): readonly KStmt[] => {
  const { plan } = planOf(graph, portable)
  expect(plan.kernels).toHaveLength(1)
  return plan.kernels[0]!.kernel.body.flatMap((s) => (s.kind === 'if' ? s.then : [s]))
}

const isChoice = (s: KStmt): s is If => s.kind === 'if' && s.else.length > 0

/** How deep branches stand in one another. */
const depthOf = (body: readonly KStmt[]): number =>
  Math.max(0, ...body.map((s) => (s.kind === 'if' ? 1 + depthOf([...s.then, ...s.else]) : 0)))

/** The most loads that one point runs. */
const loadsOfPoint = (body: readonly KStmt[]): number =>
  body.reduce(
    (n, s) => n + (s.kind === 'if' ? Math.max(loadsOfPoint(s.then), loadsOfPoint(s.else)) : loadsIn([s]).length),
    0,
  )

const branchesIn = (body: readonly KStmt[]): number => statementsOf(body).filter((s) => s.kind === 'if').length

const functionsIn = (body: readonly KStmt[]): readonly string[] =>
  expressionsOf(body).flatMap((e) => (e.kind === 'unary' ? [e.op] : []))

const agrees = async (graph: Graph): Promise<void> => {
  const inputs = arbitraryInputs(graph)
  const want = evaluate(graph, inputs)
  expectClose(interpretPlan(planOf(graph, portable).plan, inputs), want)
  expectClose(await runDevice(graph, inputs), want, 'device')
}

const joined = (types: readonly TensorType[], axis: number): Graph => program(types, (...xs) => b.concat(xs, { axis }))

const updated = (types: readonly TensorType[], f: (x: T.Tensor, ...more: T.Tensor[]) => T.Tensor): Graph =>
  traceTree(f as never, types).graph

describe('a concatenation', () => {
  it.each([2, 3, 5, 8, 13, 32])(
    'of %i parts loads each in its own branch, no deeper than their logarithm',
    async (n) => {
      const graph = joined(
        Array.from({ length: n }, (_, i) => f32(3 + (i % 4))),
        0,
      )
      const body = bodyOf(graph)
      expect(loadsIn(body)).toHaveLength(n)
      expect(new Set(loadsIn(body).map((l) => l.binding + JSON.stringify(l.index))).size).toBe(n)
      expect([loadsOfPoint(body), branchesIn(body)]).toEqual([1, n - 1])
      expect(depthOf(body)).toBe(Math.ceil(Math.log2(n)))
      await agrees(graph)
    },
  )

  it.each([
    ['whole vectors', [8, 4, 12], [4, 4, 4]],
    ['elements where a part is no whole number of them', [8, 5, 12], [1, 1, 1]],
    ['elements where no part is, though the row is one', [5, 7], [1, 1]],
  ] as const)('along the last axis reads %s', async (_, columns, widths) => {
    const graph = joined(
      columns.map((n) => f32(3, n)),
      1,
    )
    const body = bodyOf(graph)
    expect(loadsIn(body).map((l) => l.type.width)).toEqual(widths)
    expect(loadsOfPoint(body)).toBe(1)
    await agrees(graph)
  })

  it('computes in a branch what one part alone is made of', async () => {
    const graph = program([f32(8), f32(4), f32(8)], (x, y, z) =>
      b.concat([b.tanh([b.mul([x, z], {})], {}), y], { axis: 0 }),
    )
    const body = bodyOf(graph)
    const [choice] = body.filter(isChoice)
    expect([functionsIn(choice!.then), functionsIn(choice!.else)]).toEqual([['tanh'], []])
    expect([loadsIn(choice!.then).length, loadsIn(choice!.else).length]).toEqual([2, 1])
    expect(loadsIn(body)).toHaveLength(3)
    await agrees(graph)
  })
})

describe('a padded read', () => {
  it.each([
    ['of vectors', [4], [8]],
    ['of elements', [3], [2]],
  ] as const)('stays a select, without a branch: %s', async (_, low, high) => {
    const graph = program([f32(8)], (x) => b.pad([x], { low, high, interior: [0], value: 7 }))
    const body = bodyOf(graph)
    expect(branchesIn(body)).toBe(0)
    expect(expressionsOf(body).some((e) => e.kind === 'select')).toBe(true)
    await agrees(graph)
  })
})

describe('updates of one slice after another', () => {
  it('leave before the choice what both sides read', async () => {
    const graph = updated([f32(8), f32(8), f32(4)], (x, y, z) => {
      const shared = T.tanh(x)
      return T.setAt(T.add(shared, y), ['0:4'], T.mul(T.slice(shared, [[0, 4]]), z))
    })
    const body = bodyOf(graph)
    const [choice] = body.filter(isChoice)
    expect([functionsIn([choice!]), functionsIn(body)]).toEqual([[], ['tanh']])
    expect([loadsIn(choice!.then).length, loadsIn(choice!.else).length, loadsIn(body).length]).toEqual([1, 1, 3])
    await agrees(graph)
  })

  it('leave before the choice what is stored by itself too', async () => {
    const { graph } = traceTree(
      ((x: T.Tensor, y: T.Tensor, z: T.Tensor) => {
        const shared = T.tanh(x)
        return [shared, T.setAt(y, ['0:4'], T.mul(T.slice(shared, [[0, 4]]), z))]
      }) as never,
      [f32(8), f32(8), f32(4)],
    )
    const body = bodyOf(graph)
    const [choice] = body.filter(isChoice)
    expect([functionsIn([choice!]), functionsIn(body)]).toEqual([[], ['tanh']])
    expect([loadsIn(choice!.then).length, loadsIn(choice!.else).length, loadsIn(body).length]).toEqual([1, 1, 3])
    await agrees(graph)
  })

  it.each([
    ['16, each a branch', 16, 1, 16, 1],
    // What is left reads one by one.
    ['40, of which the first 24 have one side', 40, 1, 17, 25],
    ['40 that overlap', 40, 3, 17, 25],
  ] as const)('nest no deeper than 17 choices: %s', async (_, times, rows, depth, loads) => {
    const graph = updated([f32(times + 2, 8), f32(times, 8)], (x, u) => {
      let y = x
      for (let i = 0; i < times; i++) y = T.setAt(y, [`${i}:${i + rows}`], T.select(u, i))
      return y
    })
    const body = bodyOf(graph)
    expect([depthOf(body), loadsOfPoint(body), loadsIn(body).length]).toEqual([depth, loads, times + 1])
    await agrees(graph)
  })

  it('by the same values are selects: all are read once', async () => {
    const graph = updated([f32(6, 8), f32(8), f32(8)], (x, u, v) => {
      let y = x
      for (let i = 0; i < 6; i++) y = T.setAt(y, [`${i}:${i + 1}`], i % 2 === 0 ? u : v)
      return y
    })
    const body = bodyOf(graph)
    expect([branchesIn(body), loadsIn(body).length]).toEqual([0, 3])
    await agrees(graph)
  })
})
