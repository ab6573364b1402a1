/** Operations in halves mean what they meant: on the interpreter, bit by bit where no float is added in another order. */
import { describe, expect, it } from 'vitest'
import { halve } from '../../../passes/graph/halve.ts'
import { build as b, typeOf } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { f32, i32, program } from './programs.ts'

/** Whole numbers, so that sums are exact. */
const filled = (shape: readonly number[], dtype: 'f32' | 'i32', most: number): Value => {
  const numbers = Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => (i * 7 + (i % 3)) % most)
  return { shape, dtype, data: dtype === 'f32' ? Float64Array.from(numbers) : Int32Array.from(numbers) }
}

const get = (n: Node, index: number): Node => b.get([n], { index })

const outputsOf = (n: Node): readonly Node[] => [get(n, 0), get(n, 1)]

const cases: readonly (readonly [string, ReturnType<typeof f32>[], number, (...xs: Node[]) => readonly Node[]])[] = [
  ['a contraction', [f32(3, 5), f32(5, 4)], 9, (x, y) => [b.dot([x!, y!], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })]],
  ['a sum', [f32(3, 7)], 9, (x) => [b.reduce([x!], { monoid: 'sum', axes: [1] })]],
  ['a maximum', [f32(3, 7)], 9, (x) => [b.reduce([x!], { monoid: 'max', axes: [0, 1] })]],
  ['the first of equal extremes', [i32(3, 9)], 4, (x) => outputsOf(b.reduce([x!], { monoid: 'argmax', axes: [1] }))],
  ['a product', [f32(3, 7)], 5, (x) => [b.reduce([x!], { monoid: 'prod', axes: [1] })]],
  ['a part of a sum', [f32(3, 50)], 9, (x) => [b.reduce([x!], { monoid: 'sum', axes: [1], states: [4] })]],
  ['a lookup', [f32(9, 4), i32(2, 5)], 9, (t, i) => [b.gather([t!, i!], { batch: 0 })]],
  ['a lookup in batches', [f32(2, 5, 3), i32(2, 4)], 5, (t, i) => [b.gather([t!, i!], { batch: 1 })]],
  ['added rows', [i32(6), f32(6, 4)], 5, (i, x) => [b.scatterAdd([i!, x!], { batch: 0, size: 5 })]],
  ['added rows in batches', [i32(2, 6), f32(2, 6, 3)], 5, (i, x) => [b.scatterAdd([i!, x!], { batch: 1, size: 5 })]],
  ['added numbers', [i32(6), f32(6)], 5, (i, x) => [b.scatterAdd([i!, x!], { batch: 0, size: 5 })]],
  [
    'sorted lines',
    [f32(4, 6)],
    11,
    (x) => {
      const sorted = b.sort([x!], { axis: 1, descending: true })
      return [get(sorted, 0), get(sorted, 1)]
    },
  ],
  ['running sums', [f32(4, 6)], 9, (x) => [b.cumulate([x!], { monoid: 'sum', axis: 0, reverse: true })]],
]

describe('in halves', () => {
  it.each(cases)('%s', (_, types, most, make) => {
    const graph = program(types, (...xs) => make(...xs))
    const inputs = types.map(({ shape, dtype }) => filled(shape, dtype as 'f32', most))
    const [first] = graph.outputs
    const halved = halve(first!.op === 'get' ? first!.args[0]! : first!)!
    expect(halved.outputs.map(typeOf)).toEqual(graph.outputs.map(typeOf))
    expect(halved.halves.length).toBeGreaterThan(1)
    expect(evaluate({ inputs: graph.inputs, outputs: halved.outputs }, inputs)).toEqual(evaluate(graph, inputs))
  })

  it.each(['meanVar', 'logSumExp'] as const)('%s, up to rounding', (monoid) => {
    const { inputs, outputs } = program([f32(3, 50)], (x) => {
      const n = b.reduce([x], { monoid, axes: [1] })
      return monoid === 'meanVar' ? outputsOf(n) : [n]
    })
    const node = monoid === 'meanVar' ? outputs[0]!.args[0]! : outputs[0]!
    const data = Float64Array.from({ length: 150 }, (_, i) => 1e5 + Math.sin(i))
    const x: Value = { shape: [3, 50], dtype: 'f32', data }
    const want = evaluate({ inputs, outputs }, [x])
    evaluate({ inputs, outputs: halve(node)!.outputs }, [x]).forEach((got, o) => {
      got.data.forEach((v, i) => {
        expect(v / want[o]!.data[i]!).toBeCloseTo(1, 9)
      })
    })
  })

  it('a sum on a level of its order, so that the bits stay', () => {
    const lengths = [9, 16, 33, 100, 129, 1000].map((n) => {
      const { outputs } = program([f32(n)], (x) => [b.reduce([x], { monoid: 'sum', axes: [0] })])
      return typeOf(halve(outputs[0]!)!.halves[0]!.args[0]!).shape[0]
    })
    expect(lengths).toEqual([8, 8, 32, 96, 128, 512])
  })

  it('nothing that is one term already, and nothing that has no parts', () => {
    const { outputs } = program([f32(3, 1)], (x) => [b.reduce([x], { monoid: 'sum', axes: [1] }), b.exp([x], {})])
    expect(outputs.map(halve)).toEqual([undefined, undefined])
  })
})
