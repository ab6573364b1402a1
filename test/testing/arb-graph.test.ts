/** Random programs are well-typed, small, the same for a seed; failures shrink to the node that is to blame. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { verifyGraph } from '../../passes/verify-graph.ts'
import { build as b, freshInputs, typeOf, typesOf } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Node, Op } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import { arbGraph, type GraphOptions } from '../../src/testing/arb-graph.ts'
import { arbDim, arbShape, arbValue } from '../../src/testing/arbitrary.ts'
import { showSample, united } from '../../src/testing/sample.ts'
import { smallest } from '../../src/testing/shrink.ts'

const nodesOf = (outputs: readonly Node[]): readonly Node[] => topological(outputs)
const drawn = fc.sample(arbGraph({ maxNodes: 30 }), { seed: 42, numRuns: 300 })

describe('arbGraph', () => {
  test('gives legal graphs whose arguments fit', () => {
    for (const { graph, inputs } of drawn) {
      expect(verifyGraph(graph, 'traced')).toEqual([])
      expect(evaluate(graph, inputs).length).toBe(graph.outputs.length)
    }
  })

  test('keeps to the number of nodes', () => {
    const counts = drawn.map((s) => nodesOf(s.graph.outputs).length)
    // A few guards of the last op may come on top.
    expect(Math.max(...counts)).toBeLessThanOrEqual(30 + 4)
    expect(counts.filter((n) => n > 15).length).toBeGreaterThan(100)
  })

  test('is the same for the same seed', () => {
    const again = fc.sample(arbGraph({ maxNodes: 30 }), { seed: 42, numRuns: 20 })
    expect(again.map(showSample)).toEqual(drawn.slice(0, 20).map(showSample))
  })

  test('keeps to ops, dtypes and plain numbers', () => {
    const ops: readonly Op[] = ['add', 'mul', 'reduce', 'permute']
    const samples = fc.sample(arbGraph({ ops, dtypes: ['f32'], specials: false }), { seed: 1, numRuns: 100 })
    const helpers: readonly Op[] = ['input', 'const', 'data', 'iota', 'broadcast', 'reshape', 'get']
    for (const { graph, inputs } of samples) {
      for (const n of nodesOf(graph.outputs)) {
        expect([...ops, ...helpers]).toContain(n.op)
        // An argmax has a position beside its value, which nothing uses.
        if (n.op !== 'get') expect(isFloat(typeOf(n).dtype)).toBe(true)
      }
      for (const v of inputs) expect(v.data.every(Number.isFinite)).toBe(true)
    }
  })

  test('loops and branches unless they are left out', () => {
    const inside = (outputs: readonly Node[]): readonly Node[] =>
      nodesOf(outputs).flatMap((n) => [n, ...graphsOf(n).flatMap((g) => inside(g.outputs))])
    const opsIn = (samples: typeof drawn): ReadonlySet<Op> =>
      new Set(samples.flatMap((s) => inside(s.graph.outputs).map((n) => n.op)))
    const usual = opsIn(drawn)
    for (const op of ['scan', 'while', 'cond'] as const) expect(usual).toContain(op)
    for (const op of ['customCall', 'elementwise', 'kernel'] as const) expect(usual).not.toContain(op)
    const options = { maxNodes: 30, without: ['while', 'cond'] as const }
    const straight = opsIn(fc.sample(arbGraph(options), { seed: 42, numRuns: 100 }))
    for (const op of ['while', 'cond'] as const) expect(straight).not.toContain(op)
    expect(straight).toContain('scan')
  })

  test('maps parts over batches unless ops are named, or vmap is false', () => {
    const shown = (options: GraphOptions): readonly string[] =>
      fc.sample(arbGraph({ maxNodes: 30, ...options }), { seed: 42, numRuns: 20 }).map(showSample)
    expect(shown({})).toEqual(shown({ vmap: true }))
    expect(shown({})).not.toEqual(shown({ vmap: false }))
    const ops = ['sin', 'mul', 'dot'] as const
    expect(shown({ ops })).toEqual(shown({ ops, vmap: false }))
    expect(shown({ ops })).not.toEqual(shown({ ops, vmap: true }))
  })

  test('reaches NaN, infinities, empty tensors and scalars', () => {
    const values = drawn.flatMap((s) => s.inputs)
    expect(values.some((v) => v.data.some((x) => Number.isNaN(x)))).toBe(true)
    expect(values.some((v) => v.data.some((x) => Math.abs(x) === Number.POSITIVE_INFINITY))).toBe(true)
    const shapes = drawn.flatMap((s) => nodesOf(s.graph.outputs).flatMap((n) => typesOf(n).map((t) => t.shape)))
    expect(shapes.some((s) => s.includes(0))).toBe(true)
    expect(shapes.some((s) => s.length === 0)).toBe(true)
  })
})

describe('shrinking', () => {
  const blames =
    (op: Op) =>
    (s: { readonly graph: { readonly outputs: readonly Node[] } }): boolean =>
      nodesOf(s.graph.outputs).some((n) => n.op === op)

  test.each(['tanh', 'scatterAdd', 'threefry', 'pad'] as const)('finds the one %s', async (op) => {
    const sample = drawn.find(blames(op))!
    const small = await smallest(sample, blames(op))
    const inner = nodesOf(small.graph.outputs).filter((n) => n.args.length > 0)
    expect(inner.map((n) => n.op)).toEqual(op === 'threefry' ? ['threefry', 'get'] : [op])
    expect(evaluate(small.graph, small.inputs).length).toBe(1)
  })

  test('fast-check reports the shrunk program as text', () => {
    const result = fc.check(
      fc.property(arbGraph({ maxNodes: 30 }), (s) => !blames('dot')(s)),
      { seed: 42 },
    )
    const report = fc.defaultReportMessage(result as fc.RunDetails<[unknown]>)!
    expect(report).toContain('seed: 42')
    expect(report.match(/ = dot\(/g)).toHaveLength(1)
    expect(report).toContain('return %')
  })
})

describe('united', () => {
  test('computes what its parts compute', () => {
    const parts = drawn.slice(0, 6)
    const whole = united(parts)
    const separate = parts.flatMap((s) => evaluate(s.graph, s.inputs))
    expect(evaluate(whole.graph, whole.inputs)).toEqual(separate)
  })

  test('keeps samples apart that share nodes', () => {
    const inputs = freshInputs([{ shape: [2], dtype: 'f32' }])
    const graph = { inputs, outputs: [b.neg([inputs[0]!], {})] }
    const of = (...xs: number[]) => [{ shape: [2], dtype: 'f32' as const, data: Float64Array.from(xs) }]
    const whole = united([
      { graph, inputs: of(1, 2) },
      { graph, inputs: of(3, 4) },
    ])
    expect(evaluate(whole.graph, whole.inputs).map((v) => Array.from(v.data))).toEqual([
      [-1, -2],
      [-3, -4],
    ])
  })
})

describe('small arbitraries', () => {
  test('keep to their bounds', () => {
    fc.assert(
      fc.property(arbShape({ maxElements: 64 }), (s) => s.reduce((n, d) => n * d, 1) <= 64),
      { seed: 42 },
    )
    fc.assert(
      fc.property(arbDim({ empty: false }), (d) => d > 0),
      { seed: 42 },
    )
    const wanted = arbValue({ shape: [3, 5], dtype: 'f32' })
    fc.assert(
      fc.property(wanted, (v) => v.data.length === 15 && v.data.every((x) => Object.is(Math.fround(x), x))),
      { seed: 42 },
    )
    fc.assert(
      fc.property(arbValue({ shape: [40], dtype: 'u32' }), (v) => v.data.every((x) => x >= 0)),
      { seed: 42 },
    )
  })
})
