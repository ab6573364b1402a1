/**
 * Random programs of every primitive, those included that no kernel knows: branches, loops without a known end, calls. Their
 * values, gradients, tangents and batches agree on the reference interpreter, after every pass, and in the Plan's kernels.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { batchGraph } from '../../passes/transform/batch.ts'
import { typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { allocate, type HostArray } from '../../src/lang/dtype.ts'
import type { Graph, Node, Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { topological } from '../../src/lang/topological.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { gradientOf, tangentOf } from '../../src/testing/derivative.ts'
import type { Sample } from '../../src/testing/sample.ts'
import type { Expectation } from '../../src/testing/tolerance.ts'
import { agrees, plain, runs, type Subject, type Tally } from './harness.ts'

const minutes = 60_000
// Only derivatives bring customLinear about, and they transpose it away.
const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => op !== 'customLinear')
const without = (...left: readonly Op[]): readonly Op[] => ops.filter((op) => !left.includes(op))

const everyNode = (graph: Graph): readonly Node[] =>
  topological(graph.outputs).flatMap((n) => [n, ...graphsOf(n).flatMap(everyNode)])

/** The elements of example `i`: the same numbers in other places, so that indices stay inside their axes. */
const turned = (data: HostArray, by: number): HostArray => data.map((_, k) => data[(k + by) % data.length]!)

const together = <T extends HostArray>(parts: readonly T[], into: T): T => {
  let at = 0
  for (const p of parts) {
    into.set(p, at)
    at += p.length
  }
  return into
}

/** `count` examples side by side that differ in some inputs, of which their shapes decide, and what each gives alone. */
const batchOf = (drawn: Sample, count: number, tally: Tally): Subject | 'discarded' | 'without' => {
  const { graph } = drawn
  const flags = graph.inputs.map((n, i) => (i + sizeOf(n.params.shape)) % 2 === 0 || graph.inputs.length === 1)
  if (!flags.some((f) => f)) return 'without'
  const examples = Array.from({ length: count }, (_, e) =>
    drawn.inputs.map((v, i): Value => (flags[i] ? { ...v, data: turned(v.data, e) } : v)),
  )
  const alone: Expectation[] = []
  for (const inputs of examples) {
    const expected = tally.judge({ graph, inputs })
    if (!expected) return 'discarded'
    alone.push(expected)
  }
  const batched = batchGraph(graph, flags, count)
  const inputs = batched.graph.inputs.map(({ params: { shape, dtype } }, i): Value => {
    if (!flags[i]) return { ...drawn.inputs[i]! }
    const parts = examples.map((xs) => xs[i]!.data)
    return { shape, dtype, data: together(parts, allocate(dtype, count * parts[0]!.length)) }
  })
  const outputs = batched.graph.outputs
  return {
    sample: { graph: batched.graph, inputs },
    expected: {
      values: outputs.map((n, k): Value => {
        const { shape, dtype } = typeOf(n)
        const parts = alone.map((e) => e.values[k]!.data).slice(0, batched.batched[k] ? count : 1)
        return { shape, dtype, data: together(parts, allocate(dtype, parts.length * parts[0]!.length)) }
      }),
      allowed: outputs.map((_, k) => {
        const parts = alone.map((e) => e.allowed[k]!).slice(0, batched.batched[k] ? count : 1)
        return together(parts, new Float64Array(parts.length * parts[0]!.length))
      }),
    },
  }
}

describe('random programs of every primitive', () => {
  test('every primitive takes part, in the graphs of others too', () => {
    const drawn = fc.sample(arbGraph({ maxNodes: 30, ops }), { seed: 42, numRuns: 800 })
    const seen = new Set<Op>(drawn.flatMap((s) => everyNode(s.graph).map((n) => n.op)))
    expect(ops.filter((op) => !seen.has(op))).toEqual([])
  })

  test('values', { timeout: 60 * minutes }, () => {
    agrees(
      'values',
      runs(300, 6000),
      plain((s) => s),
      { maxNodes: 25, ops, vmap: true },
    )
  })

  test('gradients', { timeout: 60 * minutes }, () => {
    // A loop without a bound has none.
    const some = { maxNodes: 20, ops: without('while'), vmap: true }
    agrees(
      'gradients',
      runs(300, 6000),
      plain((s) => gradientOf(s)?.sample),
      some,
    )
  })

  test('tangents', { timeout: 60 * minutes }, () => {
    // Some functions with derivatives of their own, and some kernels, have only the other mode.
    const some = { maxNodes: 20, ops: without('customCall', 'kernel') }
    agrees('tangents', runs(150, 3000), plain(tangentOf), some)
  })

  test('batches', { timeout: 60 * minutes }, () => {
    agrees('batches', runs(300, 6000), (s, tally) => batchOf(s, 2, tally), {
      maxNodes: 20,
      ops,
      vmap: true,
      maxElements: 64,
    })
  })

  test('batches of gradients', { timeout: 60 * minutes }, () => {
    const some = { maxNodes: 15, ops: without('while'), maxElements: 64 }
    agrees(
      'batches of gradients',
      runs(150, 3000),
      (s, tally) => {
        const gradient = gradientOf(s)
        return gradient ? batchOf(gradient.sample, 3, tally) : 'without'
      },
      some,
    )
  })
})
