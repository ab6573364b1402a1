import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { verifyGraph } from '../../passes/verify-graph.ts'
import { build, constant, freshInputs } from '../../src/lang/build.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { f32, program } from './graph/programs.ts'

const b = build

describe('verifyGraph', () => {
  it('accepts legal graphs, several outputs of a node included', () => {
    const graph = program([f32(3, 4)], (x) => {
      const stats = b.reduce([x], { monoid: 'argmax', axes: [1] })
      return [b.get([stats], { index: 0 }), b.get([stats], { index: 1 })]
    })
    expect(verifyGraph(graph, 'lowered')).toEqual([])
  })

  it('refuses inputs that are not the graph’s, and inputs listed twice', () => {
    const [x, y] = freshInputs([f32(), f32()])
    const outputs = [b.add([x!, y!], {})]
    expect(verifyGraph({ inputs: [x!], outputs }, 'traced')).toEqual([
      `node ${y!.id} (input) is not an input of the graph`,
    ])
    expect(verifyGraph({ inputs: [x!, y!, x!], outputs }, 'traced')).toEqual(['an input is listed twice'])
  })

  it('refuses ill-typed nodes once the graph is checked', () => {
    const graph = program([f32(3)], (x) => b.add([x, constant(f32(2), [1, 2])], {}))
    expect(verifyGraph(graph, 'traced')).toEqual([])
    expect(verifyGraph(graph, 'checked')[0]).toContain('ill-typed')
  })

  it('refuses stopGradient in a graph to be lowered', () => {
    const graph = program([f32(3)], (x) => b.stopGradient([x], {}))
    expect(verifyGraph(graph, 'checked')).toEqual([])
    expect(verifyGraph(graph, 'lowered')[0]).toContain('may not occur')
  })

  it('notices a type that the row does not infer, and an argument younger than its user', () => {
    const graph = program([f32(3)], (x) => b.exp([x], {}))
    const out = graph.outputs[0]!
    const forged = { ...out, type: E.right([f32(4)]) } as unknown as Node
    expect(verifyGraph({ ...graph, outputs: [forged] }, 'checked')[0]).toContain(
      'has type f32[4], its row infers f32[3]',
    )
    const younger = { ...out, id: 0 } as unknown as Node
    expect(verifyGraph({ ...graph, outputs: [younger] } as Graph, 'checked')[0]).toContain('is older than its argument')
  })
})
