/** Long reductions in two stages: the same results at every awkward size, parallel on the device, and sums to 4 ULP. */
import { describe, expect, test } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { splitReductions } from '../../../passes/graph/split-reduce.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build as b, freshInputs, typeOf, typesOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { allocate, type DType } from '../../../src/lang/dtype.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import { roundHalf } from '../../../src/lang/half.ts'
import type { Graph, Monoid, Node } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'
import { randomWords } from '../../codegen/kernel/sweep.ts'
import { planOf, runDevice } from '../../differential.ts'
import { f32, program } from './programs.ts'

const split = (graph: Graph): Graph => {
  const result = splitReductions.run(graph)
  if (result._tag === 'Left') throw new Error('the pass cannot fail')
  return result.right
}

const reductions = (graph: Graph): readonly Node[] => topological(graph.outputs).filter((n) => n.op === 'reduce')

const elements = (n: Node): number => {
  const { shape } = typeOf(n.args[0]!)
  return n.op === 'reduce' ? n.params.axes.reduce((k, a) => k * shape[a]!, 1) : 0
}

const filled = (shape: readonly number[], dtype: DType, f: (i: number) => number): Value => {
  const data = allocate(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = f(i)
  return { shape, dtype, data }
}

const outputsOf = (x: Node, monoid: Monoid, axes: readonly number[]): readonly Node[] => {
  const n = b.reduce([x], { monoid, axes })
  const count = typesOf(n).length
  return count === 1 ? [n] : Array.from({ length: count }, (_, index) => b.get([n], { index }))
}

const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[4099], [0]],
  [[2, 10007], [1]],
  [
    [3, 5000, 2],
    [0, 1],
  ],
  [[5000, 3], [0]],
  [
    [17, 2, 401],
    [0, 2],
  ],
  [
    [70, 71],
    [1, 0],
  ],
  [[2, 1, 4900], [2]],
]

describe('the same result', () => {
  test.each(shapes)('%j over %j', (shape, axes) => {
    const next = randomWords(5)
    const real = filled(shape, 'f32', () => Math.fround(next() / 2 ** 32 + 0.5))
    // Ties, and an extreme that comes twice.
    const whole = filled(shape, 'i32', () => (next() % 2000) - 1000)
    const truth = filled(shape, 'bool', (i) => (i === 4000 ? 0 : 1))
    const some = filled(shape, 'f32', (i) => (i % 4001 === 77 ? Number.NaN : next() % 10))
    const runs: readonly (readonly [Value, readonly Monoid[]])[] = [
      [real, ['sum', 'max', 'min', 'meanVar', 'logSumExp']],
      [whole, ['sum', 'prod', 'max', 'min', ...(axes.length === 1 ? (['argmax', 'argmin'] as const) : [])]],
      [truth, ['all', 'any']],
      [some, ['max', ...(axes.length === 1 ? (['argmax', 'argmin'] as const) : [])]],
    ]
    for (const [value, monoids] of runs) {
      const inputs = freshInputs([value])
      const graph: Graph = { inputs, outputs: monoids.flatMap((m) => outputsOf(inputs[0]!, m, axes)) }
      const made = split(graph)
      expect(verifyGraph(made, 'checked')).toEqual([])
      expect(made.outputs.map(typeOf)).toEqual(graph.outputs.map(typeOf))
      expect(Math.max(...reductions(made).map(elements))).toBeLessThan(1100)
      expect(split(made).outputs.every((n, i) => n === made.outputs[i])).toBe(true)
      const [want, got] = [evaluate(graph, [value]), evaluate(made, [value])]
      want.forEach((w, o) => {
        w.data.forEach((v, i) => {
          const g = got[o]!.data[i]!
          const same = Object.is(v, g) || (value.dtype === 'f32' && Math.abs(g / v - 1) < 1e-12)
          if (!same) expect.fail(`output ${o} of ${monoids}: ${g}, not ${v}`)
        })
      })
    }
  })

  test('of f16 through f32, and of all-infinite blocks', () => {
    const half = filled([5000], 'f16', (i) => (i % 8) / 8)
    const graph = program([{ shape: [5000], dtype: 'f16' }], (x) => b.reduce([x], { monoid: 'sum', axes: [0] }))
    expect(split(graph).outputs[0]!.op).toBe('cast')
    expect(evaluate(split(graph), [half])[0]!.data[0]).toBe(roundHalf(2187.5))
    const low = filled([5000], 'f32', () => Number.NEGATIVE_INFINITY)
    const least = program([f32(5000)], (x) => b.get([b.reduce([x], { monoid: 'argmax', axes: [0] })], { index: 1 }))
    expect(evaluate(split(least), [low])[0]!.data[0]).toBe(0)
  })

  test('short reductions, and those with many results, stay', () => {
    const graph = program([f32(64, 4096), f32(4096), f32(0, 5000)], (x, y, z) => [
      b.reduce([x], { monoid: 'sum', axes: [1] }),
      b.reduce([y], { monoid: 'sum', axes: [0] }),
      b.reduce([z], { monoid: 'sum', axes: [0, 1] }),
    ])
    expect(split(graph).outputs.every((n, i) => n === graph.outputs[i])).toBe(true)
  })
})

const million = 1_000_000
const sum = (x: Node): Node => b.reduce([x], { monoid: 'sum', axes: [0] })

describe('a million elements on the device', () => {
  const next = randomWords(20)
  const unit = (): number => (next() + 0.5) / 2 ** 32
  const data: Readonly<Record<string, Value>> = {
    uniform: filled([million], 'f32', () => Math.fround(unit())),
    exponential: filled([million], 'f32', () => Math.fround(-Math.log(unit()))),
    'log-normal': filled([million], 'f32', () => Math.fround(Math.exp(3 * (unit() + unit() + unit() - 1.5)))),
    equal: filled([million], 'f32', () => Math.fround(0.1)),
    rising: filled([million], 'f32', (i) => Math.fround(i / million)),
    'not a multiple of anything': filled([million + 3], 'f32', () => Math.fround(unit())),
  }
  test.each(Object.entries(data))('%s: sum, mean and variance within 4 ULP', async (_, value) => {
    const inputs = freshInputs([value])
    const x = inputs[0]!
    const outputs = [sum(x), ...outputsOf(x, 'meanVar', [0]), b.reduce([x], { monoid: 'max', axes: [0] })]
    const want = evaluate({ inputs, outputs }, [value])
    const got = await runDevice(split({ inputs, outputs }), [value])
    want.forEach((w, o) => {
      const exact = w.data[0]!
      const ulp = exact === 0 ? 0 : 2 ** (Math.floor(Math.log2(exact)) - 23)
      const error = Math.abs(got[o]!.data[0]! - exact)
      expect(error, `output ${o}: ${got[o]!.data[0]}, not ${exact}`).toBeLessThanOrEqual(4 * ulp)
    })
  })

  test('runs on many invocations', () => {
    const graph = split(program([f32(million)], sum))
    const { kernels } = planOf(graph, portable).fusion
    const threads = kernels.map((k) => Math.max(...k.map((f) => f.cost.threads)))
    expect(threads[0]).toBeGreaterThanOrEqual(512)
    expect(kernels.length).toBeLessThanOrEqual(3)
  })
})
