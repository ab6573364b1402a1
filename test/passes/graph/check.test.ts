import { describe, expect, it } from 'vitest'
import { check, errorsOf } from '../../../passes/graph/check.ts'
import { valueAndGrad } from '../../../passes/transform/gradient.ts'
import { build, constant, freshInputs } from '../../../src/lang/build.ts'
import { showError } from '../../../src/lang/errors.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../src/lang/types/tensor.ts'
import { f32, i32, program } from './programs.ts'

const b = build
const zeros = (...shape: number[]): Node => constant(f32(...shape), new Array(shape.reduce((p, d) => p * d, 1)).fill(0))
const errors = (graph: Graph): readonly string[] => errorsOf(graph).map((e) => `${e.op}: ${e.reason}`)

describe('check', () => {
  it('passes a well-typed graph on as it is', () => {
    const graph = program([f32(3)], (x) => b.exp([x], {}))
    expect(check.run(graph)).toEqual({ _tag: 'Right', right: graph })
  })

  it('reports every independent mistake at once, in the order they were made', () => {
    const graph = program([f32(3), i32(3)], (x, n) => {
      const shapes = b.add([x, zeros(2)], {})
      const dtypes = b.mul([x, n], {})
      const axis = b.reduce([x], { monoid: 'sum', axes: [1] })
      const size = b.reshape([x], { shape: [2, 2] })
      return [size, b.sub([dtypes, shapes], {}), b.exp([axis], {})]
    })
    expect(errors(graph).map((e) => e.split(':')[0])).toEqual(['add', 'mul', 'reduce', 'reshape'])
    const found = check.run(graph)
    expect(found).toMatchObject({ _tag: 'Left', left: { tag: 'CheckError' } })
    if (found._tag === 'Left') expect(showError(found.left)).toMatch(/^4 errors\n1\. add: .*shapes \[3\] and \[2\]/)
  })

  it('says nothing about what only stands above a mistake', () => {
    const graph = program([f32(3)], (x) => {
      let n: Node = b.add([x, zeros(2)], {})
      for (let i = 0; i < 5; i++) n = b.mul([n, b.exp([n], {})], {})
      return [n, b.neg([n], {})]
    })
    expect(errors(graph)).toHaveLength(1)
  })

  it('counts two equal mistakes as two', () => {
    const graph = program([f32(3)], (x) => [b.add([x, zeros(2)], {}), b.add([x, zeros(2)], {})])
    expect(errors(graph)).toHaveLength(2)
  })

  it('reports the mistake of a loss once, with its gradient there too', () => {
    const [x] = freshInputs([f32(3)])
    const loss = (w: Tensor): Tensor => {
      const wrong = b.mul([nodeOf(w), zeros(2)], {})
      return tensorOf(b.reduce([wrong], { monoid: 'sum', axes: [0] }))
    }
    const [value, gradient] = valueAndGrad(loss)(tensorOf(x!))
    const graph = { inputs: [x], outputs: [value, gradient].map(nodeOf) } as unknown as Graph
    expect(errors(graph).map((e) => e.split(':')[0])).toEqual(['mul'])
  })

  it('takes 100,000 nodes and a mistake at the bottom', () => {
    const graph = program([f32(3)], (x) => {
      let n: Node = b.add([x, zeros(2)], {})
      for (let i = 0; i < 100_000; i++) n = b.sin([n], {})
      return n
    })
    expect(errors(graph)).toHaveLength(1)
  })
})
