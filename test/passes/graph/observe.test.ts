/** Observations become further results: out of loops, branches and calls, with nothing of them left in the graph. */
import { describe, expect, test } from 'vitest'
import * as E from '#fp/Either'
import { type Observation, observationsOf, observe } from '../../../passes/graph/observe.ts'
import * as T from '../../../src/index.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'
import { traceTree } from '../../../src/lang/trace.ts'

const vector = (...data: readonly number[]): Value => ({
  shape: [data.length],
  dtype: 'f32',
  data: Float64Array.from(data),
})

const freed = (graph: Graph): Graph => {
  const result = observe.run(graph)
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** What `f` gives on `x`, and what its observations do. */
const run = (f: (x: T.Tensor) => T.Tensor, x: Value) => {
  const traced = traceTree(f as never, [T.spec(x.shape)])
  const graph = freed(traced.graph)
  const observations = observationsOf(traced.graph)
  expect(topological(graph.outputs).filter((n) => n.op === 'observe')).toEqual([])
  const values = evaluate(graph, [x]).map((v) => ({ shape: v.shape, data: Array.from(v.data) }))
  return { result: values[0]!.data, seen: observations.map((o, i) => [o.label, o.shape, values[i + 1]!.data] as const) }
}

const shown = (o: Observation): string => `${o.kind} ${o.label} ${o.dtype}[${o.shape}]`

test('a graph without them is left alone', () => {
  const { graph } = traceTree((x: T.Tensor) => T.exp(x), [T.spec([2])])
  expect(observationsOf(graph)).toEqual([])
  expect(freed(graph)).toBe(graph)
})

test('values are further results, checks three counts', () => {
  const f = (x: T.Tensor): T.Tensor => T.checkNumerics(T.log(T.debug(x, 'before')), 'log')
  expect(run(f, vector(1, -1, 0))).toEqual({
    result: [0, Number.NaN, Number.NEGATIVE_INFINITY],
    seen: [
      ['before', [3], [1, -1, 0]],
      ['log', [3], [1, 1, 1]],
    ],
  })
})

test('turns of a loop are stacked, loops in loops too', () => {
  const inner = (c: T.Tensor): T.Tensor => T.foriLoop(0, 2, (_i, d) => T.debug(T.add(d, 1), 'inner'), c)
  const f = (x: T.Tensor): T.Tensor => T.foriLoop(0, 3, (_i, c) => T.mul(inner(c), 2), x)
  expect(run(f, vector(0))).toEqual({ result: [28], seen: [['inner', [3, 2, 1], [1, 2, 5, 6, 13, 14]]] })
})

test('a check counts only in the branch that is taken', () => {
  const root = (y: T.Tensor): T.Tensor => T.checkNumerics(T.sqrt(y), 'root')
  const f = (x: T.Tensor): T.Tensor => T.cond(T.less(T.sum(x), 0) as never, T.neg, root, x)
  expect(run(f, vector(-4))).toEqual({ result: [4], seen: [['root', [1], [0, 0, 0]]] })
  expect(run(f, vector(4))).toEqual({ result: [2], seen: [['root', [1], [0, 0, 0]]] })
  expect(run(f, vector(Number.NaN)).seen).toEqual([['root', [1], [1, 0, 0]]])
})

test('calls, batches and derivatives', () => {
  const f = (x: T.Tensor): T.Tensor => T.sum(T.sqrt(T.debug(T.checkNumerics(x, 'x'), 'same')))
  expect(run(T.checkpoint(f) as never, vector(4, 9)).seen).toEqual([
    ['x', [2], [0, 0, 0]],
    ['same', [2], [4, 9]],
  ])
  expect(run(T.grad(f as never) as never, vector(0, 4))).toEqual({
    result: [Number.POSITIVE_INFINITY, 0.25],
    seen: [
      ['x', [2], [0, 0, 0]],
      ['same', [2], [0, 4]],
      ['gradient of x', [2], [0, 1, 0]],
    ],
  })
  const rows = (x: T.Tensor): T.Tensor =>
    T.vmap((row: T.Tensor) => T.debug(T.sum(row), 'row'))(T.reshape(x, [2, 2]) as never)
  expect(run(rows, vector(1, 2, 3, 4)).seen).toEqual([['row', [2], [3, 7]]])
})

describe('what is said of each', () => {
  test('kind, label and type; nothing of an empty tensor is checked', () => {
    const f = (x: T.Tensor): T.Tensor => {
      const empty = T.checkNumerics(T.zeros([0]), 'empty')
      return T.add(T.sum(T.concat([empty, T.checkNumerics(x, 'x')])), T.debug(T.argmax(x), 'at'))
    }
    const { graph } = traceTree(f as never, [T.spec([2])])
    expect(observationsOf(graph).map(shown).sort()).toEqual(['finite x f32[2]', 'print at i32[]'])
  })

  test('an unbounded loop has no place for them', () => {
    const f = (x: T.Tensor): T.Tensor =>
      T.whileLoop(
        (c) => T.less(T.sum(c), 10) as never,
        (c) => T.debug(T.mul(c, 2), 'w'),
        x,
      )
    const result = T.compile(f as never, [T.spec([2])])
    expect(result._tag === 'Left' && T.showError(result.left)).toMatch(
      /cannot look into a whileLoop[\s\S]*observe\.test\.ts:\d+:\d+\n {2}hint: carry the value out of the loop/,
    )
  })
})
