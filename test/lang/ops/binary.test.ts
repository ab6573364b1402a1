/** Every elementwise op of two operands: values by dtype, special values, tangents, transposes, batching, refusals. */
import { describe, expect, it } from 'vitest'
import { jvpGraph } from '../../../passes/transform/jvp.ts'
import { build as b } from '../../../src/lang/build.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { type BinaryOp, binaryOps } from '../../../src/lang/ir.ts'
import { primitives } from '../../../src/lang/ops/primitive-table.ts'
import type { Linear, Value } from '../../../src/lang/primitive.ts'
import { graphKit } from '../../../src/lang/trace.ts'
import {
  backward,
  bind,
  checkBatch,
  checkJvp,
  checkTranspose,
  evalNodes,
  evalOp,
  forward,
  noise,
  numbers,
  refusal,
  tangentOf,
  type,
  value,
  walking,
} from './rules.ts'

const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN]
const [low, high, most] = [-(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 1]
const vector = (dtype: DType, xs: readonly number[]): Value => value(dtype, [xs.length], xs)

const jvpOf = (op: BinaryOp, args: readonly Node[], tangents: readonly Linear[]): Linear =>
  primitives[op].jvp({
    b,
    args,
    tangents,
    params: {},
    out: b[op](args, {}),
    kit: graphKit,
    walk: jvpGraph,
    mode: 'forward',
  })[0]

const transposeOf = (op: BinaryOp, args: readonly Node[], linear: readonly boolean[], ct: Node): readonly Linear[] => {
  const { transpose } = primitives[op]
  if (transpose === 'nonlinear') throw new Error(`${op} has no transpose`)
  return transpose({ ...walking, ct, cts: [ct], args, linear, params: {} })
}

type Case = readonly [op: BinaryOp, dtype: DType, x: readonly number[], y: readonly number[], want: readonly number[]]
// biome-ignore format: a case a line
const cases: readonly Case[] = [
  ['add', 'f32', [1.5, inf, inf, -0], [2, -inf, 1, -0], [3.5, nan, inf, -0]],
  ['sub', 'f32', [1.5, inf, 0], [2, inf, 0], [-0.5, nan, 0]],
  ['mul', 'f32', [1.5, 0, inf, -1], [2, inf, -2, 0], [3, nan, -inf, -0]],
  ['div', 'f32', [0, 1, -1, inf, 3], [0, 0, 0, inf, 2], [nan, inf, -inf, nan, 1.5]],
  ['rem', 'f32', [7, -7, 7, -7, 5.5, -5.5, 5, inf, -0, 2], [3, 3, -3, -3, 2, -2, 0, 3, 2, inf], [1, -1, 1, -1, 1.5, -1.5, nan, nan, -0, 2]],
  ['pow', 'f32', [0, 0, -8, -2, 0, 1, -1, nan, inf, 2, 4], [0, -1, 1 / 3, 3, 2, nan, inf, 0, -1, -2, 0.5], [1, inf, nan, -8, 0, 1, 1, 1, 0, 0.25, 2]],
  ['atan2', 'f32', [0, -0, 1, 0, -0], [-1, -1, 0, 0, 1], [Math.PI, -Math.PI, Math.PI / 2, 0, -0]],
  ['max', 'f32', [1, nan, 2, -inf, -0, 3], [nan, 1, 3, -1, 0, 2], [nan, nan, 3, -1, 0, 3]],
  ['min', 'f32', [1, nan, 2, -inf, 0, 3], [nan, 1, 3, -1, -0, 2], [nan, nan, 2, -inf, -0, 2]],
  ['eq', 'f32', [1, nan, inf, 0, 2], [nan, nan, inf, -0, 3], [0, 0, 1, 1, 0]],
  ['lt', 'f32', [1, nan, 1, -0, -inf], [nan, 1, 2, 0, inf], [0, 0, 1, 0, 1]],
  ['le', 'f32', [1, nan, 2, -0, 3], [nan, 1, 2, 0, 2], [0, 0, 1, 1, 0]],
  ['add', 'i32', [high, low, 3], [1, -1, 4], [low, high, 7]],
  ['sub', 'i32', [low, high, 3], [1, -1, 4], [high, low, -1]],
  ['mul', 'i32', [65536, high, -7, 123456789], [65536, 2, 3, 987654321], [0, -2, -21, -67153019]],
  ['div', 'i32', [7, -7, 5, low, low], [2, 2, 0, -1, 0], [3, -3, 5, low, low]],
  ['rem', 'i32', [7, -7, 7, 5, low], [3, 3, -3, 0, -1], [1, -1, 1, 0, 0]],
  ['pow', 'i32', [3, -2, 2, 2, 5, -1, 0], [4, 3, 31, 32, -1, -3, 0], [81, -8, low, 0, 0, -1, 1]],
  ['max', 'i32', [low, 3], [high, -3], [high, 3]],
  ['min', 'i32', [low, 3], [high, -3], [low, -3]],
  ['eq', 'i32', [1, low], [1, high], [1, 0]],
  ['lt', 'i32', [-1, 2], [1, 2], [1, 0]],
  ['le', 'i32', [-1, 2, 3], [1, 2, 2], [1, 1, 0]],
  ['and', 'i32', [12, -1], [10, 7], [8, 7]],
  ['or', 'i32', [12, low], [10, 1], [14, low + 1]],
  ['xor', 'i32', [12, -1], [10, -1], [6, 0]],
  ['shiftLeft', 'i32', [1, 3, 1, 5, 5], [31, 30, 32, -1, 0], [low, -(2 ** 30), 0, 0, 5]],
  ['shiftRight', 'i32', [-8, 8, -8, 8, -1, low], [1, 1, 32, 40, -1, 31], [-4, 4, -1, 0, -1, -1]],
  ['add', 'u32', [most, 1], [1, 2], [0, 3]],
  ['sub', 'u32', [0, 5], [1, 2], [most, 3]],
  ['mul', 'u32', [most, 65536, 3], [most, 65536, 4], [1, 0, 12]],
  ['div', 'u32', [most, 7, 9], [2, 0, 2], [high, 7, 4]],
  ['rem', 'u32', [most, 7], [10, 0], [5, 0]],
  ['pow', 'u32', [3, 2, most], [20, 32, 2], [3486784401, 0, 1]],
  ['max', 'u32', [most, 1], [1, 2], [most, 2]],
  ['min', 'u32', [most, 1], [1, 2], [1, 1]],
  ['eq', 'u32', [most, 1], [most, 2], [1, 0]],
  ['lt', 'u32', [1, most], [most, 1], [1, 0]],
  ['le', 'u32', [most], [1], [0]],
  ['and', 'u32', [most], [0x80000001], [0x80000001]],
  ['or', 'u32', [0x80000000], [1], [0x80000001]],
  ['xor', 'u32', [most], [1], [most - 1]],
  ['shiftLeft', 'u32', [1, 3, 7], [31, 31, 32], [0x80000000, 0x80000000, 0]],
  ['shiftRight', 'u32', [0x80000000, most, most], [31, 4, 32], [1, 0x0fffffff, 0]],
  ['and', 'bool', [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 1]],
  ['or', 'bool', [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]],
  ['xor', 'bool', [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]],
  ['eq', 'bool', [0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 1]],
  ['lt', 'bool', [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 0]],
  ['le', 'bool', [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 1]],
]

describe('values', () => {
  it.each(cases)('%s of %s', (op, dtype, x, y, want) => {
    const [got] = evalOp(op, {}, vector(dtype, x), vector(dtype, y))
    expect(numbers(got)).toEqual(want)
    expect(got!.dtype).toBe(['eq', 'lt', 'le'].includes(op) ? 'bool' : dtype)
    expect(numbers(evalOp(op, {}, value(dtype, [0, 2], []), value(dtype, [0, 2], []))[0])).toEqual([])
  })
  it('every op is among the cases', () => {
    expect(new Set(cases.map(([op]) => op))).toEqual(new Set(binaryOps))
  })
  it('to full precision', () => {
    const at = (op: BinaryOp, x: number, y: number): number =>
      evalOp(op, {}, value('f32', [], [x]), value('f32', [], [y]))[0]!.data[0]!
    expect(at('pow', 1.5, -2.5) / 0.36288736930121157).toBeCloseTo(1, 14)
    expect(at('pow', 0.3, 0.7) / 0.4305116202499342).toBeCloseTo(1, 14)
    expect(at('atan2', 1, -2)).toBeCloseTo(2.677945044588987, 14)
    expect(at('atan2', -1, -2)).toBeCloseTo(-2.677945044588987, 14)
  })
})

/** Tangents of `op` at (x, y) along dx = 1 alone, and along dy = 1 alone. */
const slopes = (op: BinaryOp, x: readonly number[], y: readonly number[]): readonly (readonly number[])[] => {
  const xs = [vector('f32', x), vector('f32', y)]
  const one = vector(
    'f32',
    x.map(() => 1),
  )
  return [tangentOf(op, {}, xs, [one, undefined])[0]!, tangentOf(op, {}, xs, [undefined, one])[0]!]
}

describe('tangents', () => {
  const smooth: readonly BinaryOp[] = ['add', 'sub', 'mul', 'div', 'rem', 'pow', 'atan2', 'max', 'min']
  it.each(smooth)('%s agrees with finite differences', (op) => {
    const x = op === 'pow' ? [0.4, 1.3, 2.1, 0.9] : [-1.3, 0.4, 1.9, -0.2]
    checkJvp(op, {}, [vector('f32', x), vector('f32', [0.7, -1.1, 1.3, -0.6])], 5)
    checkJvp(op, {}, [value('f32', [], [x[1]!]), value('f32', [], [0.6])], 5)
    checkJvp(op, {}, [value('f32', [0], []), value('f32', [0], [])])
  })
  it.each(['eq', 'lt', 'le'] as const)('%s has none', (op) => {
    expect(slopes(op, [1, 2], [2, 2])).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
  it('max and min halve on a tie and keep the winner alone elsewhere', () => {
    expect(slopes('max', [1, 2, 3], [1, 0, 5])).toEqual([
      [0.5, 1, 0],
      [0.5, 0, 1],
    ])
    expect(slopes('min', [1, 2, 3], [1, 0, 5])).toEqual([
      [0.5, 0, 1],
      [0.5, 1, 0],
    ])
    const [x, y] = [vector('f32', [1, 2]), vector('f32', [1, 5])]
    expect(tangentOf('max', {}, [x, y], [vector('f32', [4, inf]), vector('f32', [2, 3])])).toEqual([[3, 3]])
  })
  it('pow has finite slopes where the limits are finite', () => {
    const [dx, dy] = slopes('pow', [0, 0, 0, 0, 2, -3], [0, 2, 1, 0.5, 0, 2])
    expect(dx).toEqual([0, 0, 1, inf, 0, -6])
    expect(dy!.slice(0, 5)).toEqual([0, 0, 0, 0, Math.log(2)])
    expect(dy![5]).toBeNaN()
    expect(slopes('pow', [0], [-1])[1]).toEqual([-inf])
  })
  it('pow with a constant exponent takes a short way to the same slopes', () => {
    for (const exponent of [0, 1, 2, 3, -1, 0.5]) {
      const { nodes, bound } = bind([vector('f32', [0.5, 2, 3])])
      const y = b.broadcast([b.const([], { shape: [], dtype: 'f32', values: [exponent] })], { shape: [3], axes: [0] })
      const ones = b.const([], { shape: [3], dtype: 'f32', values: [1, 1, 1] })
      const slope = jvpOf('pow', [nodes[0]!, y], [ones, undefined])
      const got = slope ? numbers(evalNodes([slope], bound)[0]) : [0, 0, 0]
      const want = [0.5, 2, 3].map((x) => exponent * x ** (exponent - 1))
      for (const [i, g] of got.entries()) expect(g).toBeCloseTo(want[i]!, 12)
    }
  })
  it('pow twice differentiated at zero: (x^y)″ by x is 2 for y = 2 given as data', () => {
    const { nodes, bound } = bind(
      [
        [0, 0, 3],
        [2, 0, 3],
        [1, 1, 1],
      ].map((v) => vector('f32', v)),
    )
    const [x, y, dx] = [nodes[0]!, nodes[1]!, nodes[2]!]
    const first = forward([b.pow([x, y], {})], new Map([[x, dx]]))[0]!
    const second = forward([first], new Map([[x, dx]]))[0]!
    expect(numbers(evalNodes([second], bound)[0])).toEqual([2, 0, 18])
    const gradient = backward(first, dx, b.const([], { shape: [3], dtype: 'f32', values: [1, 1, 1] }))!
    expect(numbers(evalNodes([gradient], bound)[0])).toEqual([0, 0, 27])
    // Reverse over reverse: the tangent of the gradient, transposed.
    const along = forward([gradient], new Map([[x, dx]]))[0]!
    const hessian = backward(along, dx, b.const([], { shape: [3], dtype: 'f32', values: [1, 1, 1] }))!
    expect(numbers(evalNodes([hessian], bound)[0])).toEqual([2, 0, 18])
  })
  it('rem and atan2 at special points', () => {
    expect(slopes('rem', [7, -7], [3, 3])).toEqual([
      [1, 1],
      [-2, 2],
    ])
    expect(slopes('div', [1, 0], [0, 2])).toEqual([
      [inf, 0.5],
      [-inf, -0],
    ])
  })
})

describe('transposes', () => {
  const [x, y] = [noise('f32', [2, 3], 1), noise('f32', [2, 3], 2)]
  it('of add and sub pass the cotangent on', () => {
    const { nodes, bound } = bind([noise('f32', [2], 3)])
    const ct = nodes[0]!
    const of = (op: 'add' | 'sub', linear: readonly boolean[]): readonly unknown[] =>
      transposeOf(op, [ct, ct], linear, ct)
    expect(of('add', [true, true])).toEqual([ct, ct])
    expect(of('add', [false, true])).toEqual([undefined, ct])
    expect(of('sub', [true, false])).toEqual([ct, undefined])
    const [, second] = of('sub', [true, true]) as [unknown, typeof ct]
    expect(numbers(evalNodes([second], bound)[0])).toEqual(numbers(bound.get(ct)).map((v) => -v))
  })
  it('of mul by either operand, of div by the dividend', () => {
    checkTranspose('mul', {}, [x, y], 0)
    checkTranspose('mul', {}, [x, y], 1)
    checkTranspose('div', {}, [x, y], 0)
  })
})

describe('batching', () => {
  it.each(binaryOps)('%s with either or both operands batched', (op) => {
    const dtype: DType = ['and', 'or', 'xor', 'shiftLeft', 'shiftRight'].includes(op) ? 'i32' : 'f32'
    for (const batched of [
      [true, true],
      [true, false],
      [false, true],
    ])
      for (const size of [0, 1, 3])
        checkBatch(
          op,
          {},
          batched.map((is, i) => noise(dtype, is ? [size, 2] : [2], i + 1)),
          size,
          batched,
        )
  })
})

describe('refusals', () => {
  it('name both dtypes, both shapes, the dtypes that fit', () => {
    expect(refusal('add', {}, type([2]), type([2], 'i32'))).toBe(
      'operands have different dtypes f32 and i32 (primitives do not promote: convert one with T.cast)',
    )
    expect(refusal('add', {}, type([2, 3]), type([2, 4]))).toBe(
      'axis 1: operands have different shapes [2, 3] and [2, 4] (primitives do not broadcast: give both one shape with T.broadcastTo)',
    )
    expect(refusal('add', {}, type([2, 3]), type([3]))).toContain('operands have different shapes [2, 3] and [3]')
    expect(refusal('add', {}, type([2], 'bool'), type([2], 'bool'))).toContain(
      'the operands must be float or i32 or u32, got bool',
    )
    expect(refusal('atan2', {}, type([], 'i32'), type([], 'i32'))).toContain('the operands must be float, got i32')
    expect(refusal('shiftLeft', {}, type([], 'bool'), type([], 'bool'))).toContain('got bool')
    expect(refusal('and', {}, type([]), type([]))).toContain('got f32')
    expect(refusal('add', {}, type([]))).toBe('takes 2 operands, got 1')
  })
})
