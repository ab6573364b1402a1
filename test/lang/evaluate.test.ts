/** The interpreter: order, memory, precision, hooks, mistakes; and constants seen at a glance. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import { build as b, constant, freshInputs } from '../../src/lang/build.ts'
import type { DType, HostArray } from '../../src/lang/dtype.ts'
import { constantValue, evaluate } from '../../src/lang/evaluate.ts'
import type { Node } from '../../src/lang/ir.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import type { Value } from '../../src/lang/primitive.ts'
import * as nn from '../../src/nn/index.ts'

const vector = (xs: readonly number[], dtype: DType = 'f32'): Value => ({
  shape: [xs.length],
  dtype,
  data: Float64Array.from(xs),
})
const numbers = (v: Value | undefined): number[] => Array.from(v!.data)

describe('evaluate', () => {
  const [x, y] = freshInputs([vector([1, 2]), vector([1, 2])])
  const inputs = [x!, y!]

  it('computes outputs in order, shared, repeated, or being inputs', () => {
    const s = b.add([x!, y!], {})
    const p = b.mul([s, s], {})
    const out = evaluate({ inputs, outputs: [p, s, x!, p] }, [vector([1, 2]), vector([3, 5])])
    expect(out.map(numbers)).toEqual([
      [16, 49],
      [4, 7],
      [1, 2],
      [16, 49],
    ])
    expect(out[0]).toMatchObject({ shape: [2], dtype: 'f32' })
    expect(evaluate({ inputs, outputs: [] }, [vector([1, 2]), vector([3, 5])])).toEqual([])
  })
  it('gives outputs that share no memory with inputs, constants or each other', () => {
    const given = vector([1, 2])
    const table = constant({ shape: [65], dtype: 'f32' }, new Float64Array(65))
    const outputs = [x!, x!, b.stopGradient([x!], {}), b.reshape([x!], { shape: [2, 1] }), table]
    const out = evaluate({ inputs, outputs }, [given, given])
    for (const v of out) v.data.fill(9)
    expect(numbers(given)).toEqual([1, 2])
    expect(numbers(evaluate({ inputs: [], outputs: [table] }, [])[0])).toEqual(new Array(65).fill(0))
  })
  it('walks graphs deeper than the stack', () => {
    let n: Node = x!
    for (let i = 0; i < 50000; i++) n = b.add([n, y!], {})
    expect(numbers(evaluate({ inputs, outputs: [n] }, [vector([0, 1]), vector([1, 2])])[0])).toEqual([50000, 100001])
  })
  it('drops values after their last use', () => {
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc') as () => void
    const size = 100_000
    const [wide] = freshInputs([{ shape: [size], dtype: 'f32' }])
    let n: Node = wide!
    for (let i = 0; i < 40; i++) n = b.sin([n], {})
    collect()
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    const after = (_: Node, values: readonly HostArray[]): readonly HostArray[] => {
      collect()
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
      return values
    }
    evaluate({ inputs: [wide!], outputs: [n] }, [{ shape: [size], dtype: 'f32', data: new Float64Array(size) }], {
      after,
    })
    expect(peak).toBeGreaterThan(size * 8)
    expect(peak).toBeLessThan(size * 8 * 8)
  })
  it('computes in Float64, or rounds every float result when asked', () => {
    const third = b.div([fill(b, vector([1, 1]), 1), fill(b, vector([1, 1]), 3)], {})
    const graph = { inputs: [], outputs: [third, b.exp([b.mul([third, fill(b, vector([1, 1]), 400)], {})], {})] }
    expect(numbers(evaluate(graph, [])[0])[0]).toBe(1 / 3)
    expect(numbers(evaluate(graph, [])[1])[0]).toBeCloseTo(Math.exp(400 / 3), -45)
    const [low, over] = evaluate(graph, [], { precision: 'f32' })
    expect(numbers(low)[0]).toBe(Math.fround(1 / 3))
    expect(numbers(over)[0]).toBe(Number.POSITIVE_INFINITY)
    const half = b.div([fill(b, { shape: [], dtype: 'f16' }, 1), fill(b, { shape: [], dtype: 'f16' }, 3)], {})
    expect(numbers(evaluate({ inputs: [], outputs: [half] }, [], { precision: 'f32' })[0])).toEqual([0.333251953125])
    const big = constant({ shape: [], dtype: 'i32' }, [16777217])
    expect(numbers(evaluate({ inputs: [], outputs: [big] }, [], { precision: 'f32' })[0])).toEqual([16777217])
  })
  it('lets a hook see and change every value', () => {
    const s = b.add([x!, y!], {})
    const seen: string[] = []
    const out = evaluate({ inputs, outputs: [b.neg([s], {})] }, [vector([1, 2]), vector([3, 4])], {
      after: (node, values) => {
        seen.push(node.op)
        return node === s ? values.map((v) => v.map((k) => k + 100)) : values
      },
    })
    expect(seen).toEqual(['input', 'input', 'add', 'neg'])
    expect(numbers(out[0])).toEqual([-104, -106])
  })
  it('follows get to every output', () => {
    const r = b.reduce([x!], { monoid: 'meanVar', axes: [0] })
    const outputs = [b.get([r], { index: 1 }), b.get([r], { index: 0 }), r]
    expect(evaluate({ inputs, outputs }, [vector([1, 3]), vector([0, 0])]).map(numbers)).toEqual([[1], [2], [2]])
  })
  it('refuses inputs that do not fit, foreign inputs and ill-typed outputs', () => {
    const graph = { inputs, outputs: [b.add([x!, y!], {})] }
    expect(() => evaluate(graph, [vector([1, 2])])).toThrow('2 inputs expected, got 1')
    expect(() => evaluate(graph, [vector([1, 2]), vector([1, 2, 3])])).toThrow(
      'argument [1]: expected f32[2], got f32[3]',
    )
    expect(() => evaluate(graph, [vector([1, 2]), vector([1, 2], 'i32')])).toThrow('expected f32[2], got i32[2]')
    expect(() => evaluate({ inputs: [x!], outputs: graph.outputs }, [vector([1, 2])])).toThrow('not closed')
    const [z] = freshInputs([vector([1, 2, 3])])
    expect(() =>
      evaluate({ inputs: [x!, z!], outputs: [b.add([x!, z!], {})] }, [vector([1, 2]), vector([1, 2, 3])]),
    ).toThrow('different shapes [2] and [3]')
  })
})

describe('constantValue', () => {
  it('sees const, data, iota and a broadcast const', () => {
    expect(constantValue(constant({ shape: [2], dtype: 'i32' }, [3, 4]))).toEqual({
      shape: [2],
      dtype: 'i32',
      data: Int32Array.of(3, 4),
    })
    expect(constantValue(constant({ shape: [5000], dtype: 'f32' }, new Float64Array(5000)))!.data).toHaveLength(5000)
    expect(numbers(constantValue(b.iota([], { shape: [3], dtype: 'u32', axis: 0 })))).toEqual([0, 1, 2])
    expect(numbers(constantValue(fill(b, vector([0, 0]), 2)))).toEqual([2, 2])
  })
  it('sees nothing else, and spells out nothing large', () => {
    const [x] = freshInputs([vector([1])])
    expect(constantValue(x!)).toBeUndefined()
    expect(constantValue(b.neg([constant(vector([1]), [1])], {}))).toBeUndefined()
    expect(constantValue(b.broadcast([x!], { shape: [2, 1], axes: [0] }))).toBeUndefined()
    const large = b.iota([], { shape: [100, 100], dtype: 'i32', axis: 0 })
    expect(constantValue(large)).toBeUndefined()
    expect(constantValue(large, 10000)!.data).toHaveLength(10000)
    expect(constantValue(b.add([x!, constant({ shape: [1], dtype: 'i32' }, [1])], {}))).toBeUndefined()
  })
})

describe('an index out of range', () => {
  it('is told in the name of the function that was called, with its line', () => {
    const loss = (): unknown => T.reference(nn.crossEntropy(T.zeros([2, 3]), T.tensor([0, 7])))
    expect(loss).toThrow(/^nn\.crossEntropy: index 7 [\s\S]*evaluate\.test\.ts:\d+/)
  })
})
