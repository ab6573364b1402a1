/**
 * Random programs on the CPU: the reference interpreter, the graph after every pass, the Loop
 * interpreter after fusion and the Kernel interpreter of the Plan agree. Every pass is idempotent and leaves a legal graph.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as E from '#fp/Either'
import { canonicalise } from '../../passes/graph/canonicalise.ts'
import { check } from '../../passes/graph/check.ts'
import { fold } from '../../passes/graph/fold.ts'
import { inlineCalls } from '../../passes/graph/inline.ts'
import { dropStopGradient, exactRules, simplify } from '../../passes/graph/simplify.ts'
import { rewriteWithStats } from '../../passes/rewrite.ts'
import type { Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import { parseGraph } from '../../src/lang/parse.ts'
import { showGraph } from '../../src/lang/print/graph-text.ts'
import { topological } from '../../src/lang/topological.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { agrees, plain, runs } from './harness.ts'

const minutes = 60_000
const seed = 42

describe('random programs on every interpreter', () => {
  test('values', { timeout: 60 * minutes }, () =>
    agrees(
      'values',
      runs(2000, 20_000),
      plain((s) => s),
    ),
  )
  test('half precision beside the rest', { timeout: 60 * minutes }, () =>
    agrees(
      'halves',
      runs(200, 3000),
      plain((s) => s),
      { maxNodes: 25, dtypes: ['f16', 'f32', 'i32', 'bool'] },
    ),
  )
})

describe('random programs', () => {
  const drawn = fc.sample(arbGraph({ maxNodes: 30 }), { seed, numRuns: 600 })

  test('every primitive takes part', () => {
    const seen = new Set<Op>(drawn.flatMap((s) => topological(s.graph.outputs).map((n) => n.op)))
    // These are asked for by name: they are gone before a graph is lowered, or users bring them along.
    const apart: ReadonlySet<string> = new Set<Op>(['customCall', 'customLinear', 'elementwise', 'kernel'])
    expect(Object.keys(primitives).filter((op) => !apart.has(op) && !seen.has(op as Op))).toEqual([])
  })

  test.each([check, inlineCalls, dropStopGradient, canonicalise, simplify, fold])('$name is idempotent', (pass) => {
    for (const { graph } of drawn) {
      const once = pass.run(graph)
      if (E.isLeft(once)) throw new Error('a well-typed graph was refused')
      const twice = pass.run(once.right)
      if (E.isLeft(twice)) throw new Error('a well-typed graph was refused')
      // Nodes are interned, so an equal graph has the very same outputs.
      const same = twice.right.outputs.every((n, i) => n === once.right.outputs[i])
      if (!same) expect(showGraph(twice.right), showGraph(graph)).toBe(showGraph(once.right))
    }
  })

  test('rewriting ends by itself, not by its bound', () => {
    const run = rewriteWithStats(exactRules)
    for (const { graph } of drawn) expect(run(graph).stats.bounded, showGraph(graph)).toBe(0)
  })

  test('the text form is read back as the same graph', () => {
    for (const { graph } of drawn) {
      const text = showGraph(graph)
      const back = parseGraph(text)
      if (E.isLeft(back)) throw new Error(`${JSON.stringify(back.left)}\n${text}`)
      expect(showGraph(back.right)).toBe(text)
    }
  })
})
