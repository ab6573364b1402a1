/** Reductions of the Graph IR as reductions of the Loop IR: every monoid on ordinary and special numbers, and its parts. */
import { describe, expect, it } from 'vitest'
import { valuesBelow } from '../../../../passes/loop/ir/values.ts'
import { build as b, typesOf } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import { type Graph, type Monoid, monoids, type TensorType } from '../../../../src/lang/ir.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import { bool, f32, i32, program, u32 } from '../../graph/programs.ts'
import { arbitraryInputs, clusterOf, expectClose, runCluster } from '../clusters.ts'

/** One graph an output of the reduction. */
const reductions = (monoid: Monoid, type: TensorType, axes: readonly number[]): readonly Graph[] => {
  const outputs = (graph: Graph): number => typesOf(graph.outputs[0]!).length
  const whole = program([type], (x) => b.reduce([x], { monoid, axes }))
  if (outputs(whole) === 1) return [whole]
  return [0, 1].map((index) => program([type], (x) => b.get([b.reduce([x], { monoid, axes })], { index })))
}

const typesFor: { readonly [M in Monoid]: readonly TensorType[] } = {
  sum: [f32(3, 5), i32(3, 5), u32(3, 5)],
  prod: [f32(3, 5), i32(3, 5)],
  max: [f32(3, 5), i32(3, 5), u32(3, 5)],
  min: [f32(3, 5), i32(3, 5), u32(3, 5)],
  all: [bool(3, 5)],
  any: [bool(3, 5)],
  argmax: [f32(3, 5), i32(3, 5), u32(3, 5)],
  argmin: [f32(3, 5), i32(3, 5), u32(3, 5)],
  meanVar: [f32(3, 5)],
  logSumExp: [f32(3, 5)],
}

/** argmax and argmin take one axis. */
const axesFor = (monoid: Monoid): readonly (readonly number[])[] =>
  monoid === 'argmax' || monoid === 'argmin' ? [[0], [1]] : [[0], [1], [0, 1], []]

const cases = monoids.flatMap((monoid) =>
  typesFor[monoid].flatMap((type) => axesFor(monoid).map((axes) => ({ monoid, dtype: type.dtype, axes, type }))),
)

describe('reductions', () => {
  it.each(cases)('$monoid of $dtype over [$axes]', ({ monoid, type, axes }) => {
    for (const graph of reductions(monoid, type, axes)) {
      const inputs = arbitraryInputs(graph)
      expectClose([runCluster(graph, inputs)], evaluate(graph, inputs))
    }
  })

  const row = (...data: readonly number[]): Value => ({ ...f32(1, data.length), data: Float64Array.from(data) })
  const special: readonly (readonly [string, Value])[] = [
    ['an infinity', row(1, Infinity, 2)],
    ['nothing but minus infinity', row(-Infinity, -Infinity)],
    ['both infinities', row(Infinity, -Infinity)],
    ['NaN in the middle', row(1, NaN, 3)],
    ['equal extremes', row(2, 5, 5, 2)],
    ['zeros of both signs', row(-0, 0, -0)],
    ['large numbers', row(1000, 1001, 1002)],
  ]
  it.each(special)('of %s', (_, value) => {
    for (const monoid of ['sum', 'max', 'min', 'argmax', 'argmin', 'meanVar', 'logSumExp'] as const)
      for (const graph of reductions(monoid, f32(...value.shape), [1]))
        expectClose([runCluster(graph, [value])], evaluate(graph, [value]), monoid)
  })

  it.each([
    ['sum', 0],
    ['prod', 1],
    ['logSumExp', -Infinity],
  ] as const)('the %s of nothing', (monoid, expected) => {
    const [graph] = reductions(monoid, f32(2, 0), [1])
    expect([...runCluster(graph!, [{ ...f32(2, 0), data: new Float64Array() }]).data]).toEqual([expected, expected])
  })
})

/** The reductions of a cluster as text, operands first. */
const parts = (graph: Graph): readonly string[] =>
  valuesBelow(clusterOf(graph.outputs[0]!).cluster.stores.map((s) => s.value)).flatMap((v) =>
    v.kind === 'reduce' ? [`${v.monoid}.${v.component} over ${v.over.map((r) => r.size).join()}`] : [],
  )

describe('composite monoids', () => {
  it.each([
    ['the mean is one sum', 'meanVar', 0, ['sum.0 over 5']],
    ['the variance is the moments, of one pass', 'meanVar', 1, [1, 2, 3, 0].map((c) => `moments.${c} over 5`)],
    ['logSumExp is a maximum and a sum relative to it', 'logSumExp', 0, ['logSumExp.1 over 5', 'logSumExp.0 over 5']],
    ['argmax carries its position', 'argmax', 1, ['argmax.1 over 5']],
  ] as const)('%s', (_, monoid, index, expected) => {
    expect(parts(reductions(monoid, f32(3, 5), [1])[index]!)).toEqual(expected)
  })

  it('a sum of sums is one sum over both axes, a maximum of sums is not', () => {
    const sum = program([f32(3, 5)], (x) =>
      b.reduce([b.reduce([x], { monoid: 'sum', axes: [1] })], { monoid: 'sum', axes: [0] }),
    )
    expect(parts(sum)).toEqual(['sum.0 over 3,5'])
    const max = program([f32(3, 5)], (x) =>
      b.reduce([b.reduce([x], { monoid: 'sum', axes: [1] })], { monoid: 'max', axes: [0] }),
    )
    expect(parts(max)).toEqual(['sum.0 over 5', 'max.0 over 3'])
  })

  it('over no axes there is nothing to reduce', () => {
    expect(parts(reductions('prod', f32(3, 5), [])[0]!)).toEqual([])
  })
})
