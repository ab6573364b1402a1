/** A loop and its derivative's copy of it are one loop, and no loop does what nobody asks: counts, and equal values. */
import { describe, expect, it } from 'vitest'
import { mergeScans } from '../../../passes/graph/scan-merge.ts'
import { pruneScans } from '../../../passes/graph/scan-prune.ts'
import * as T from '../../../src/index.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node, NodeOf } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'
import { traceTree } from '../../../src/lang/trace.ts'
import { noise } from '../../lang/ops/rules.ts'

type X = T.Tensor
const scansOf = (graph: Graph): readonly NodeOf<'scan'>[] =>
  topological(graph.outputs).filter((n): n is NodeOf<'scan'> & Node => n.op === 'scan')
const run = (pass: typeof mergeScans, graph: Graph): Graph => {
  const result = pass.run(graph)
  if ('left' in result) throw new Error('the pass refused')
  return result.right
}
const sameValues = (a: Graph, b: Graph, shapes: readonly (readonly number[])[]): void => {
  const inputs = shapes.map((shape, i) => noise('f32', shape, 3 + i))
  expect(evaluate(b, inputs).map((v) => Array.from(v.data))).toEqual(evaluate(a, inputs).map((v) => Array.from(v.data)))
}

const loss = (w: X, xs: X): X => {
  const [h, ys] = T.scan(
    (c: X, v: X) => {
      const next = T.tanh(T.add(T.matmul(c, w) as X, v)) as X
      return [next, T.sin(next) as X] as const
    },
    T.zeros([2, 3]) as X,
    xs,
  )
  return T.add(T.sum(T.square(h)), T.sum(ys as X)) as X
}
const shapes = [
  [3, 3],
  [4, 2, 3],
] as const
const traced = (f: (w: X, xs: X) => unknown): Graph =>
  traceTree(
    f as (...args: never[]) => unknown,
    shapes.map((s) => T.spec(s)),
  ).graph

describe('loops over the same values', () => {
  it('become one: the function itself and the one that keeps what its gradient needs', () => {
    const graph = traced((w, xs) => T.valueAndGrad(loss as (a: X, b: X) => X)(w, xs))
    const merged = run(mergeScans, graph)
    expect([scansOf(graph).length, scansOf(merged).length]).toEqual([3, 2])
    sameValues(graph, merged, shapes)
  })
  it('become one: the function itself and the one that runs beside tangents', () => {
    const graph = traced((w, xs) => T.jvp(loss, [w, xs], [w, xs]))
    const merged = run(mergeScans, graph)
    expect([scansOf(graph).length, scansOf(merged).length]).toEqual([2, 1])
    sameValues(graph, merged, shapes)
  })
  it('stay apart where they differ, or one needs the other', () => {
    const body = (k: number) => (c: X, v: X) => [T.mul(T.add(c, v), k) as X, v] as const
    const two = traced((_w, xs) => [1, 2].map((k) => T.scan(body(k), T.zeros([2, 3]) as X, xs)[0]))
    const chain = traced(
      (_w, xs) => T.scan(body(1), T.zeros([2, 3]) as X, T.scan(body(1), T.zeros([2, 3]) as X, xs)[1] as X)[0],
    )
    expect([two, chain].map((g) => scansOf(run(mergeScans, g)).length)).toEqual([2, 2])
  })
  it('stay apart where one carries nothing and goes over what the other has stacked', () => {
    const mapped = traced((_w, xs) => {
      const [, ys] = T.scan((c: X, v: X) => [T.add(c, v) as X, T.sin(c) as X] as const, T.zeros([2, 3]) as X, xs)
      return T.map((y: X) => T.sum(y), ys as never)
    })
    const twice = traced((_w, xs) => T.map((y: X) => T.sum(y), T.map((v: X) => T.sin(v), xs as never) as never))
    for (const graph of [mapped, twice]) {
      const merged = run(mergeScans, graph)
      expect(scansOf(merged)).toHaveLength(2)
      sameValues(graph, merged, shapes)
    }
  })
})

describe('a loop', () => {
  it('loses outputs, carries and operands that nobody uses', () => {
    const graph = traced((w, xs) => {
      const [state, ys] = T.scan(
        (c: { a: X; b: X; n: X }, v: X) => {
          const a = T.tanh(T.matmul(c.a, w)) as X
          return [{ a, b: T.add(c.b, v) as X, n: T.add(c.n, 1) as X }, T.add(c.b, T.sum(v)) as X] as const
        },
        { a: T.zeros([2, 3]) as X, b: T.zeros([2, 3]) as X, n: T.tensor(0) as X },
        xs,
      )
      void state
      return ys
    })
    const small = run(pruneScans, graph)
    const [before, after] = [scansOf(graph)[0]!, scansOf(small)[0]!]
    expect([before.params.carries, before.params.body.outputs.length]).toEqual([3, 4])
    expect([after.params.carries, after.params.body.outputs.length, after.args.length]).toEqual([1, 2, 2])
    sameValues(graph, small, shapes)
    expect(run(pruneScans, small)).toBe(small)
  })
})
