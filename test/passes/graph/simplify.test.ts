import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalise } from '../../../passes/graph/canonicalise.ts'
import { fold } from '../../../passes/graph/fold.ts'
import { dropStopGradient, exactRules, simplify, simplifyWith } from '../../../passes/graph/simplify.ts'
import type { Pass } from '../../../passes/pass.ts'
import { rewriteWithStats } from '../../../passes/rewrite.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build, constant } from '../../../src/lang/build.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { topological } from '../../../src/lang/topological.ts'
import { comparable, f32, program, results } from './programs.ts'
import { graphs } from './random-graph.ts'

const b = build
const apply = (pass: Pass<Graph, Graph>, graph: Graph): Graph => {
  const found = pass.run(graph)
  if (found._tag === 'Left') throw new Error('this pass cannot fail')
  return found.right
}

describe.each([canonicalise, fold, simplify])('$name on random graphs', (pass) => {
  it.each([false, true])('keeps meaning and types, is idempotent and legal (sums: %s)', (sums) => {
    fc.assert(
      fc.property(graphs(sums), (graph) => {
        expect(verifyGraph(graph, 'checked')).toEqual([])
        const after = apply(pass, graph)
        expect(verifyGraph(after, 'checked')).toEqual([])
        expect(after.inputs).toBe(graph.inputs)
        for (const round of [0, 1]) {
          expect(comparable(results(after, round), !sums)).toEqual(comparable(results(graph, round), !sums))
        }
        const again = apply(pass, after)
        expect(again.outputs.every((n, i) => n === after.outputs[i])).toBe(true)
      }),
      { seed: 42, numRuns: 300 },
    )
  })
})

describe('simplify', () => {
  it('never stops at a bound', () => {
    fc.assert(
      fc.property(graphs(true), (graph) => {
        expect(rewriteWithStats(exactRules)(graph).stats.bounded).toBe(0)
      }),
      { seed: 42, numRuns: 300 },
    )
  })

  it('reaches a common fixed point of folding, order and identities', () => {
    const graph = program([f32(2, 3)], (x) => {
      const two = b.sub([fill(b, f32(2, 3), 3), constant(f32(2, 3), [1, 1, 1, 1, 1, 1])], {})
      const one = b.div([two, fill(b, f32(2, 3), 2)], {})
      const twice = b.permute([b.permute([b.mul([one, x], {})], { axes: [1, 0] })], { axes: [1, 0] })
      return b.reshape([b.reshape([twice], { shape: [6] })], { shape: [2, 3] })
    })
    expect(apply(simplify, graph).outputs).toEqual([graph.inputs[0]])
  })

  it('finds a + b in b + a', () => {
    const graph = program([f32(3), f32(3)], (x, y) => [b.exp([b.add([x, y], {})], {}), b.exp([b.add([y, x], {})], {})])
    const [p, q] = apply(simplify, graph).outputs
    expect(p).toBe(q)
    expect(p).toBe(graph.outputs[0])
  })

  it('computes before it repeats', () => {
    const graph = program([f32(64)], (x) => b.exp([b.broadcast([x], { shape: [1000, 64], axes: [0] })], {}))
    const [out] = apply(simplify, graph).outputs
    expect(out).toBe(b.broadcast([b.exp([graph.inputs[0]!], {})], { shape: [1000, 64], axes: [0] }))
  })

  it('assumes real numbers only when asked to', () => {
    const graph = program([f32(3)], (x) => b.sub([x, x], {}))
    expect(apply(simplify, graph)).toEqual(graph)
    expect(apply(simplifyWith({ fastMath: true }), graph).outputs).toEqual([fill(b, f32(3), 0)])
  })

  it('leaves an index out of range to the run', () => {
    const graph = program([], () =>
      b.gather([constant(f32(3), [1, 2, 3]), constant({ shape: [2], dtype: 'i32' }, [0, 3])], { batch: 0 }),
    )
    expect(apply(simplify, graph).outputs).toEqual(graph.outputs)
  })

  it('does not spell out large constants', () => {
    const graph = program([], () =>
      b.exp(
        [
          constant(
            f32(65),
            new Array(65).fill(1).map((_, i) => i),
          ),
        ],
        {},
      ),
    )
    expect(apply(simplify, graph).outputs).toEqual(graph.outputs)
  })

  it('drops stopGradient only where told to', () => {
    const graph = program([f32(3)], (x) => b.exp([b.stopGradient([x], {})], {}))
    expect(apply(simplify, graph).outputs).toEqual(graph.outputs)
    const after = apply(dropStopGradient, graph)
    expect(verifyGraph(after, 'lowered')).toEqual([])
    expect(verifyGraph(graph, 'lowered')).toHaveLength(1)
  })
})

describe('a graph of 100,000 nodes', () => {
  const depth = 100_000
  it('is simplified without recursion, each node visited a bounded number of times', () => {
    const graph = program([f32(2), f32(2)], (x, y) => {
      let n: Node = x
      for (let i = 0; i < depth / 4; i++) {
        n = b.mul([fill(b, f32(2), 1), b.add([y, b.neg([b.neg([n], {})], {})], {})], {})
      }
      return n
    })
    const before = topological(graph.outputs).length
    const { graph: after, stats } = rewriteWithStats(exactRules)(graph)
    expect(before).toBeGreaterThan(depth)
    expect(stats.visits).toBeLessThan(3 * before)
    expect(topological(after.outputs).length).toBe(2 + depth / 4)
  })

  it('costs twice as much when it is twice as large', () => {
    const visits = (levels: number): number => {
      const graph = program([f32(2)], (x) => {
        let n: Node = x
        // Two uses a level: 2^levels paths, of which a walk without memory would take every one.
        for (let i = 0; i < levels; i++) n = b.add([b.exp([n], {}), b.mul([n, fill(b, f32(2), 1)], {})], {})
        return n
      })
      return rewriteWithStats(exactRules)(graph).stats.visits
    }
    expect(visits(2000) / visits(1000)).toBeLessThan(2.1)
  })
})
