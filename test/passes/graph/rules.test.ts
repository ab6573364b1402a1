import { describe, expect, it } from 'vitest'
import { canonicalRules } from '../../../passes/graph/canonicalise.ts'
import { fastRules } from '../../../passes/graph/rules/fast.ts'
import { exactRules, stopNothing } from '../../../passes/graph/simplify.ts'
import { type Rule, rewriteWithStats } from '../../../passes/rewrite.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { arithmeticCases } from './arithmetic-cases.ts'
import { bool, comparable, f32, i32, program, results } from './programs.ts'
import { structureCases } from './structure-cases.ts'

const b = build
const evaluateF64 = (graph: Graph, inputs: readonly Value[]): readonly (readonly number[])[] =>
  evaluate(graph, inputs).map((v) => Array.from(v.data))
const V = f32(16)
const _M = f32(4, 5)
const c = (value: number, type = V): Node => fill(b, type, value)
const _ci = (value: number): Node => fill(b, i32(16), value)
const un = (op: 'neg' | 'abs' | 'floor' | 'round' | 'not' | 'exp', x: Node): Node => b[op]([x], {})
const I = i32(16)
const _B = bool(16)
const none = (rank: number): readonly number[] => Array.from({ length: rank }, () => 0)
const ones = (rank: number): readonly number[] => Array.from({ length: rank }, () => 1)

const exact: Readonly<Record<string, readonly Graph[]>> = { ...arithmeticCases, ...structureCases }

/** The same for rules that are right for real numbers: inputs are ordinary there, and the last bits are not compared. */
const fast: Readonly<Record<string, Graph>> = {
  fastMulZero: program([V], (x) => b.mul([x, c(-0)], {})),
  fastAddZero: program([V], (x) => b.sub([b.add([x, c(0)], {}), c(-0)], {})),
  fastSubSelf: program([V], (x) => b.sub([x, x], {})),
  fastDivSelf: program([V], (x) => b.div([x, x], {})),
  fastZeroDiv: program([V], (x) => b.div([c(0), x], {})),
  fastDivConstant: program([V], (x) => b.div([x, c(3)], {})),
  fastPow: program([V], (x) => [b.pow([x, c(3)], {}), b.pow([x, c(0.5)], {}), b.pow([x, c(-0.5)], {})]),
  fastNegSub: program([V, V], (x, y) => un('neg', b.sub([x, y], {}))),
  fastLogExp: program([V], (x) => b.log([un('exp', x)], {})),
  fastJoin: program([V], (x) => b.mul([b.mul([x, c(3)], {}), c(0.1)], {})),
  fastSumRepeated: program([f32(3)], (x) =>
    b.reduce([b.broadcast([x], { shape: [2, 3, 5], axes: [0, 2] })], { monoid: 'sum', axes: [0, 1, 2] }),
  ),
  fastReduceTwice: program([f32(2, 3, 4)], (x) =>
    b.reduce([b.reduce([x], { monoid: 'sum', axes: [0] })], { monoid: 'sum', axes: [1] }),
  ),
}

describe('every rule', () => {
  it('has a case, and a name of its own', () => {
    const names = [...exactRules, ...canonicalRules].map((r) => r.name)
    expect(Object.keys(exact).toSorted()).toEqual([...new Set(names)].toSorted())
    expect(Object.keys(fast).toSorted()).toEqual(fastRules.map((r) => r.name).toSorted())
    expect(new Set(exactRules.map((r) => r.name)).size).toBe(exactRules.length)
  })

  const byName = new Map<string, Rule>(exactRules.map((r) => [r.name, r]))
  it.each(Object.keys(exact))('%s fires and keeps every bit', (name) => {
    for (const graph of exact[name]!) {
      expect(verifyGraph(graph, 'checked')).toEqual([])
      const { graph: after, stats } = rewriteWithStats([byName.get(name)!])(graph)
      expect(stats.fired.get(name)).toBeGreaterThan(0)
      expect(stats.bounded).toBe(0)
      expect(verifyGraph(after, 'checked')).toEqual([])
      for (const round of [0, 1, 2])
        expect(comparable(results(after, round), true)).toEqual(comparable(results(graph, round), true))
      const again = rewriteWithStats([byName.get(name)!])(after)
      expect(again.graph.outputs).toEqual(after.outputs)
    }
  })

  it.each(fastRules)('$name fires and is right for real numbers', (r) => {
    const graph = fast[r.name]!
    const { graph: after, stats } = rewriteWithStats([r])(graph)
    expect(stats.fired.get(r.name)).toBeGreaterThan(0)
    const ordinary = graph.inputs.map(({ params: { shape, dtype } }, i) => ({
      shape,
      dtype,
      data: Float64Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, k) => 0.3 + ((k * 7 + i * 3) % 11) / 5),
    }))
    const [want, got] = [graph, after].map((g) => evaluateF64(g, ordinary))
    for (const [i, v] of want!.entries()) for (const [k, x] of v.entries()) expect(got![i]![k]).toBeCloseTo(x, 6)
  })

  it('stopNothing drops stopGradient', () => {
    const graph = program([V], (x) => b.exp([b.stopGradient([x], {})], {}))
    expect(rewriteWithStats([stopNothing])(graph).graph.outputs).toEqual([un('exp', graph.inputs[0]!)])
  })
})

describe('what must not be rewritten', () => {
  const same = (graph: Graph): void => {
    const { graph: after } = rewriteWithStats(exactRules)(graph)
    for (const round of [0, 1, 2])
      expect(comparable(results(after, round), true)).toEqual(comparable(results(graph, round), true))
    expect(after.outputs).toEqual(graph.outputs)
  }
  it.each<[string, Graph]>([
    ['x + 0 turns -0 into 0', program([V], (x) => b.add([x, c(0)], {}))],
    ['x - (-0) turns -0 into 0', program([V], (x) => b.sub([x, c(-0)], {}))],
    ['0 - x is 0 where -x is -0', program([V], (x) => b.sub([c(0), x], {}))],
    ['x * 0 is NaN at infinity', program([V], (x) => b.mul([x, c(0)], {}))],
    ['x - x is NaN at infinity', program([V], (x) => b.sub([x, x], {}))],
    ['x / x is NaN at 0', program([V], (x) => b.div([x, x], {}))],
    ['x = x is false for NaN', program([V], (x) => b.eq([x, x], {}))],
    ['x / 3 is not x * (1/3)', program([V], (x) => b.div([x, c(3)], {}))],
    ['√(-∞) is not (-∞)^½', program([V], (x) => b.pow([x, c(0.5)], {}))],
    ['f32 loses bits of i32', program([I], (x) => b.cast([b.cast([x], { dtype: 'f32' })], { dtype: 'i32' }))],
    [
      'bits of a float do not survive as a number',
      program([I], (x) => b.bitcast([b.bitcast([x], { dtype: 'f32' })], { dtype: 'i32' })),
    ],
    [
      'interior padding is not cropping',
      program([f32(3)], (x) => b.pad([x], { low: none(1), high: none(1), interior: ones(1), value: 0 })),
    ],
    [
      'a crop before padding loses elements',
      program([f32(6)], (x) =>
        b.pad([b.slice([x], { start: [2], stop: [6], step: [1] })], { low: [2], high: [0], interior: [0], value: 0 }),
      ),
    ],
  ])('%s', (_, graph) => same(graph))
})
