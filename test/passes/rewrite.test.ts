import { describe, expect, it } from 'vitest'
import { rewriteWithStats, rule } from '../../passes/rewrite.ts'
import { build, constant, typeOf } from '../../src/lang/build.ts'
import type { Node } from '../../src/lang/ir.ts'
import { f32, program } from './graph/programs.ts'

const b = build
const sinToCos = rule('sinToCos', ['sin'], ({ args: [x] }, r) => r.cos([x!], {}))
const cosToTan = rule('cosToTan', ['cos'], ({ args: [x] }, r) => r.tan([x!], {}))
const tanToSin = rule('tanToSin', ['tan'], ({ args: [x] }, r) => r.sin([x!], {}))

describe('rewrite', () => {
  it('applies rules to what rules give, until none fires', () => {
    const graph = program([f32()], (x) => b.exp([b.sin([x], {})], {}))
    const { graph: after, stats } = rewriteWithStats([sinToCos, cosToTan])(graph)
    expect(after.outputs).toEqual([b.exp([b.tan([graph.inputs[0]!], {})], {})])
    expect([...stats.fired]).toEqual([
      ['sinToCos', 1],
      ['cosToTan', 1],
    ])
    expect(stats.bounded).toBe(0)
  })

  it('tries the rules of an op in the order of the list', () => {
    const first = rule('first', ['sin'], ({ args: [x] }) => x)
    const graph = program([f32()], (x) => b.sin([x], {}))
    expect(rewriteWithStats([first, sinToCos])(graph).graph.outputs).toEqual(graph.inputs)
  })

  it('visits a shared node once', () => {
    let seen = 0
    const watch = rule('watch', ['sin'], () => {
      seen++
      return undefined
    })
    const graph = program([f32()], (x) => {
      const shared = b.sin([x], {})
      return [b.add([shared, shared], {}), b.exp([shared], {})]
    })
    const { stats } = rewriteWithStats([watch])(graph)
    expect(seen).toBe(1)
    expect(stats.visits).toBe(4)
  })

  it('ends where rules go in circles, or grow without end', () => {
    const grow = rule('grow', ['neg'], (n, r) => r.neg([r.add([n.args[0]!, r.exp([n.args[0]!], {})], {})], {}))
    const nest = rule('nest', ['exp'], (n, r) => r.add([n, n], {}))
    const graph = program([f32()], (x) => [b.sin([x], {}), b.neg([x], {})])
    for (const rules of [[sinToCos, cosToTan, tanToSin], [grow], [nest, grow]]) {
      expect(rewriteWithStats(rules)(graph).stats.bounded).toBeGreaterThan(0)
    }
  })

  it('refuses a rule that changes the type', () => {
    const wrong = rule('wrong', ['sin'], () => constant(f32(2), [1, 2]))
    const graph = program([f32()], (x) => b.sin([x], {}))
    expect(() => rewriteWithStats([wrong])(graph)).toThrow('rule wrong changes the type of sin')
  })

  it('leaves ill-typed nodes alone, and what stands above them', () => {
    const graph = program([f32(3)], (x) => b.sin([b.add([b.sin([x], {}), constant(f32(2), [1, 2])], {})], {}))
    expect(rewriteWithStats([sinToCos])(graph).graph.outputs).toEqual(graph.outputs)
  })

  it('keeps nodes that no rule touches', () => {
    const graph = program([f32(3)], (x) => b.exp([b.add([x, x], {})], {}))
    expect(rewriteWithStats([sinToCos])(graph).graph.outputs[0]).toBe(graph.outputs[0])
    expect(typeOf(graph.outputs[0] as Node)).toEqual(f32(3))
  })
})
