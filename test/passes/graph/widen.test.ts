/** What is left of packed dtypes: words at the ends, settled numbers between; and what f16 adds up in. */
import { describe, expect, test } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { widen } from '../../../passes/graph/widen.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build as b, constant, typeOf, typesOf } from '../../../src/lang/build.ts'
import { allocate, type DType, isFloat, isPacked } from '../../../src/lang/dtype.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node, TensorType } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { roundTo } from '../../../src/lang/scalar-functions.ts'
import { topological } from '../../../src/lang/topological.ts'
import { trace } from '../../../src/lang/trace.ts'
import { planOf, runKernelInterp } from '../../differential.ts'

const type = (dtype: DType, ...shape: number[]): TensorType => ({ shape, dtype })

const value = (dtype: DType, shape: readonly number[], values: readonly number[]): Value => {
  const data = allocate(dtype, values.length)
  data.set(Array.from(values, roundTo(dtype)))
  return { shape, dtype, data }
}

const graphOf = (types: readonly TensorType[], f: (...xs: Node[]) => readonly Node[]): Graph =>
  trace((xs) => f(...xs), types)

const plain = (vs: readonly Value[]): readonly (readonly number[])[] => vs.map((v) => Array.from(v.data))

/** The widened program, by the interpreter of kernels, gives exactly what the graph means. */
const agrees = (inputs: readonly Value[], f: (...xs: Node[]) => readonly Node[]): readonly (readonly number[])[] => {
  const graph = graphOf(inputs, f)
  expect(verifyGraph(widen(graph), 'traced')).toEqual([])
  const expected = plain(evaluate(graph, inputs))
  expect(plain(runKernelInterp(graph, inputs))).toEqual(expected)
  expect(plain(runKernelInterp(graph, inputs, portable, true))).toEqual(expected)
  return expected
}

describe('widen', () => {
  test('leaves a graph without packed dtypes as it is', () => {
    const graph = graphOf([type('f32', 3), type('f16', 3)], (x, y) => [b.exp([x!], {}), b.add([y!, y!], {})])
    expect(widen(graph)).toBe(graph)
  })

  test('leaves no packed dtype, and words at the ends', () => {
    const graph = graphOf([type('i8', 3, 3), type('bf16', 5), type('u8', 0), type('f32', 2)], (x, y, z, w) => [
      b.add([x!, x!], {}),
      b.exp([y!], {}),
      z!,
      w!,
      b.cast([w!], { dtype: 'u8' }),
    ])
    const wide = widen(graph)
    for (const n of topological(wide.outputs)) for (const t of typesOf(n)) expect(isPacked(t.dtype)).toBe(false)
    expect(wide.inputs.map(typeOf)).toEqual([type('u32', 3), type('u32', 3), type('u32', 0), type('f32', 2)])
    expect(wide.outputs.map(typeOf)).toEqual([
      type('u32', 3),
      type('u32', 3),
      type('u32', 0),
      type('f32', 2),
      type('u32', 1),
    ])
  })

  test('bytes wrap after every operation', () => {
    const x = value('i8', [7], [127, -128, 100, -100, 0, -1, 64])
    const y = value('i8', [7], [1, -1, 100, -100, 0, 7, 2])
    const found = agrees([x, y], (p, q) => [
      b.add([p!, q!], {}),
      b.max([b.add([p!, q!], {}), q!], {}),
      b.cast([b.sub([q!, p!], {})], { dtype: 'i32' }),
      b.lt([b.mul([p!, q!], {}), q!], {}),
      b.mul([p!, q!], {}),
      b.div([p!, q!], {}),
      b.neg([p!], {}),
      b.abs([p!], {}),
      b.not([p!], {}),
      b.shiftLeft([p!, q!], {}),
      b.shiftRight([p!, q!], {}),
      b.pow([p!, b.abs([q!], {})], {}),
    ])
    expect(found[0]).toEqual([-128, 127, -56, 56, 0, 6, 66])
    expect(found[6]).toEqual([-127, -128, -100, 100, 0, 1, -64])
    agrees([value('u8', [5], [255, 0, 200, 17, 128]), value('u8', [5], [1, 1, 100, 0, 9])], (p, q) => [
      b.add([p!, q!], {}),
      b.sub([p!, q!], {}),
      b.not([p!], {}),
      b.neg([q!], {}),
      b.rem([p!, q!], {}),
    ])
  })

  test('conversions from and to all dtypes', () => {
    const all = ['f32', 'f16', 'bf16', 'i32', 'u32', 'i8', 'u8', 'bool'] as const
    const floats = [Number.NaN, Infinity, -Infinity, 300.75, -300.75, -0.5, 126.875, 0, 1 + 2 ** -8]
    for (const from of all) {
      const values = isFloat(from) ? floats : from === 'bool' ? [1, 0, 1] : [3, 0, 127, 128, 255]
      const x = value(from, [values.length], values)
      agrees([x], (n) => all.filter((to) => to !== 'f16').map((to) => b.cast([n!], { dtype: to })))
    }
  })

  test('sums and contractions add up in the wide dtype and settle once', () => {
    const bytes = value('i8', [2, 5], [100, 100, 100, 100, 100, -100, -100, -100, -100, 3])
    const found = agrees([bytes], (x) => [
      b.reduce([x!], { monoid: 'sum', axes: [1] }),
      b.dot([x!, x!], { lhs: [0, 1], rhs: [2, 1], out: [0, 2] }),
      b.get([b.reduce([x!], { monoid: 'argmin', axes: [1] })], { index: 1 }),
      b.reduce([x!], { monoid: 'max', axes: [0] }),
    ])
    expect(found[0]).toEqual([500 - 512, 512 - 397])
    // 1000 ones: a running sum of 8 bits would stand still at 256.
    const ones = value('bf16', [1000], new Array<number>(1000).fill(1))
    expect(agrees([ones], (x) => [b.reduce([x!], { monoid: 'sum', axes: [0] })])).toEqual([[1000]])
  })

  test('large constants, counts, indices, and results that are arguments', () => {
    const table = constant(
      type('u8', 100),
      Array.from({ length: 100 }, (_, i) => (7 * i) % 256),
    )
    agrees([value('u8', [4], [0, 99, 5, 63])], (i) => [
      b.gather([table, i!], { batch: 0 }),
      table,
      b.iota([], { shape: [300], dtype: 'u8', axis: 0 }),
      b.iota([], { shape: [300], dtype: 'i8', axis: 0 }),
      i!,
      b.reshape([i!], { shape: [2, 2] }),
    ])
  })

  test('an index argument of bytes is checked by the host', () => {
    const x = b.iota([], { shape: [9], dtype: 'f32', axis: 0 })
    const graph = graphOf([type('u8', 3)], (i) => [b.gather([x, b.cast([i!], { dtype: 'i32' })], { batch: 0 })])
    expect(planOf(graph).plan.inputs[0]).toMatchObject({ dtype: 'u8', shape: [3], indexOf: [{ size: 9 }] })
  })

  test('a donated argument is replaced by a result of its very type alone', () => {
    const same = graphOf([type('i8', 4)], (x) => [b.bitcast([b.neg([x!], {})], { dtype: 'u8' }), b.neg([x!], {})])
    const { plan } = planOf(same, portable, true)
    expect(plan.outputs.map((o) => o.inPlaceOf)).toEqual([undefined, 0])
  })

  test('f16 adds up in f32', () => {
    const graph = graphOf([type('f16', 4, 8)], (x) => [
      b.reduce([x!], { monoid: 'sum', axes: [1] }),
      b.get([b.reduce([x!], { monoid: 'meanVar', axes: [1] })], { index: 1 }),
      b.dot([x!, x!], { lhs: [0, 1], rhs: [2, 1], out: [0, 2] }),
      b.reduce([x!], { monoid: 'max', axes: [1] }),
    ])
    const wide = widen(graph)
    expect(wide.outputs.map((n) => typeOf(n).dtype)).toEqual(['f16', 'f16', 'f16', 'f16'])
    const reductions = topological(wide.outputs).filter((n) => n.op === 'dot' || n.op === 'reduce')
    const inner = reductions.map((n) =>
      n.op === 'reduce' ? `${n.params.monoid} ${typeOf(n).dtype}` : `dot ${typeOf(n).dtype}`,
    )
    expect(inner.sort()).toEqual(['dot f32', 'max f16', 'meanVar f32', 'sum f32'])
    const text = planOf(graph, { ...portable, features: ['shader-f16'] })
      .plan.kernels.map((k) => k.wgsl)
      .join('\n')
    expect(text).toMatch(/var acc\d+: (vec4<f32>|f32)/)
    expect(text.match(/var acc\d+: (vec4<f16>|f16) = [^;]*0\.0h/)).toBeNull()
  })
})
