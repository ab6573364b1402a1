/** Long contractions in two stages: the same results, parallel on the device. */
import { describe, expect, test } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { splitReductions } from '../../../passes/graph/split-reduce.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build as b, freshInputs, typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { allocate, type DType } from '../../../src/lang/dtype.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, ParamsOf } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'
import { randomWords } from '../../codegen/kernel/sweep.ts'
import { planOf, runDevice } from '../../differential.ts'

const split = (graph: Graph): Graph => {
  const result = splitReductions.run(graph)
  if (result._tag === 'Left') throw new Error('the pass cannot fail')
  return result.right
}

const next = randomWords(3)
const random = (shape: readonly number[], dtype: DType = 'f32'): Value => {
  const data = allocate(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = dtype === 'i32' ? (next() % 200) - 100 : Math.fround(next() / 2 ** 32)
  return { shape, dtype, data }
}

const dotOf = (xs: readonly Value[], params: ParamsOf['dot']): Graph => {
  const inputs = freshInputs(xs)
  return { inputs, outputs: [b.dot([...inputs], params)] }
}

describe('long contractions', () => {
  const cases: Readonly<Record<string, readonly [readonly Value[], ParamsOf['dot']]>> = {
    'two vectors': [[random([5003]), random([5003])], { lhs: [0], rhs: [0], out: [] }],
    'integers wrap': [[random([9000], 'i32'), random([9000], 'i32')], { lhs: [0], rhs: [0], out: [] }],
    'a row by a matrix of few columns': [[random([6000]), random([3, 6000])], { lhs: [0], rhs: [1, 0], out: [1] }],
    'two contracted axes': [[random([2, 90, 70]), random([70, 90])], { lhs: [5, 1, 2], rhs: [2, 1], out: [5] }],
    'three short ones': [[random([20, 20, 20]), random([20, 20, 20])], { lhs: [0, 1, 2], rhs: [0, 1, 2], out: [] }],
    'a batch axis': [[random([2, 4900]), random([4900, 2])], { lhs: [0, 1], rhs: [1, 0], out: [0] }],
  }
  test.each(Object.entries(cases))('%s', (_, [xs, params]) => {
    const graph = dotOf(xs, params)
    const made = split(graph)
    expect(topological(made.outputs).some((n) => n.op === 'reduce')).toBe(true)
    expect(verifyGraph(made, 'checked')).toEqual([])
    expect(typeOf(made.outputs[0]!)).toEqual(typeOf(graph.outputs[0]!))
    expect(split(made).outputs[0] === made.outputs[0]).toBe(true)
    const [want, got] = [evaluate(graph, xs)[0]!, evaluate(made, xs)[0]!]
    want.data.forEach((v, i) => {
      if (xs[0]!.dtype === 'i32') expect(got.data[i]).toBe(v)
      else expect(Math.abs(got.data[i]! / v - 1)).toBeLessThan(1e-12)
    })
  })

  test('those with many results, or none, stay', () => {
    for (const [shape, params] of [
      [[8, 5000], { lhs: [0, 1], rhs: [0, 1], out: [0] }],
      [[0, 5000], { lhs: [0, 1], rhs: [0, 1], out: [0] }],
      [[4096], { lhs: [0], rhs: [0], out: [] }],
    ] as const) {
      const graph = dotOf([random(shape), random(shape)], params)
      expect(split(graph).outputs[0] === graph.outputs[0]).toBe(true)
    }
  })

  test('of a million elements on the device: within 4 ULP, on many invocations', async () => {
    const xs = [random([1_000_000]), random([1_000_000])]
    const graph = dotOf(xs, { lhs: [0], rhs: [0], out: [] })
    const exact = evaluate(graph, xs)[0]!.data[0]!
    const made = split(graph)
    const got = (await runDevice(made, xs))[0]!.data[0]!
    expect(Math.abs(got - exact) / 2 ** (Math.floor(Math.log2(exact)) - 23)).toBeLessThanOrEqual(4)
    const { kernels } = planOf(made, portable).fusion
    expect(Math.max(...kernels[0]!.map((f) => f.cost.threads))).toBeGreaterThanOrEqual(512)
  })
})
