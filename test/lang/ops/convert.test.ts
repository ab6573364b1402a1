/** select, cast and bitcast: values at the limits of every dtype, tangents, transposes, batching, refusals. */
import { describe, expect, it } from 'vitest'
import { build as b } from '../../../src/lang/build.ts'
import { type DType, dtypes } from '../../../src/lang/dtype.ts'
import { primitives } from '../../../src/lang/ops/primitive-table.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import {
  bind,
  checkBatch,
  checkTranspose,
  evalNodes,
  evalOp,
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

describe('select', () => {
  const condition = vector('bool', [1, 0, 1])
  it('chooses, and hides what it does not choose', () => {
    const [x, y] = [vector('f32', [1, nan, -0]), vector('f32', [nan, 3, inf])]
    expect(numbers(evalOp('select', {}, condition, x, y)[0])).toEqual([1, 3, -0])
    for (const dtype of dtypes)
      expect(numbers(evalOp('select', {}, condition, vector(dtype, [1, 1, 0]), vector(dtype, [0, 0, 1]))[0])).toEqual([
        1, 0, 0,
      ])
    expect(
      numbers(evalOp('select', {}, value('bool', [], [0]), value('i32', [], [4]), value('i32', [], [5]))[0]),
    ).toEqual([5])
  })
  it('chooses among tangents, a missing one being zero', () => {
    const xs = [condition, vector('f32', [1, 2, 3]), vector('f32', [4, 5, 6])]
    const [dx, dy] = [vector('f32', [10, 20, inf]), vector('f32', [inf, 50, 60])]
    expect(tangentOf('select', {}, xs, [undefined, dx, dy])).toEqual([[10, 50, inf]])
    expect(tangentOf('select', {}, xs, [undefined, dx, undefined])).toEqual([[10, 0, inf]])
    expect(tangentOf('select', {}, xs, [undefined, undefined, dy])).toEqual([[0, 50, 0]])
  })
  it('splits the cotangent between the branches', () => {
    const { nodes, bound } = bind([condition, vector('f32', [7, 8, inf])])
    const [c, ct] = [nodes[0]!, nodes[1]!]
    const { transpose } = primitives.select
    if (transpose === 'nonlinear') throw new Error('select is linear')
    const [, x, y] = transpose({
      ...walking,
      ct,
      cts: [ct],
      args: [c, ct, ct],
      linear: [false, true, true],
      params: {},
    })
    expect(evalNodes([x!, y!], bound).map(numbers)).toEqual([
      [7, 0, inf],
      [0, 8, 0],
    ])
    expect(
      transpose({ ...walking, ct, cts: [ct], args: [c, ct, ct], linear: [false, false, true], params: {} })[1],
    ).toBeUndefined()
  })
  it('batches any of its operands', () => {
    for (const batched of [
      [true, true, true],
      [true, false, false],
      [false, true, false],
      [false, true, true],
    ])
      checkBatch(
        'select',
        {},
        batched.map((is, i) => noise(i === 0 ? 'bool' : 'f32', is ? [3, 2] : [2], i)),
        3,
        batched,
      )
  })
  it('refuses what does not fit', () => {
    expect(refusal('select', {}, type([2]), type([2]), type([2]))).toContain('the condition is f32, not bool')
    expect(refusal('select', {}, type([2], 'bool'), type([2]), type([2], 'u32'))).toContain(
      'different dtypes f32 and u32',
    )
    expect(refusal('select', {}, type([3], 'bool'), type([2]), type([2]))).toContain(
      'the condition has shape [3], the branches [2]',
    )
    expect(refusal('select', {}, type([2], 'bool'), type([2]))).toBe('takes 3 operands, got 2')
  })
})

describe('cast', () => {
  type Case = readonly [from: DType, to: DType, x: readonly number[], want: readonly number[]]
  // biome-ignore format: a case a line
  const cases: readonly Case[] = [
    ['f32', 'i32', [1.9, -1.9, 0.5, -0.5, nan, inf, -inf, 3e9, -3e9, 2147483647], [1, -1, 0, 0, 0, high, low, high, low, high]],
    ['f32', 'u32', [1.9, -1.9, nan, inf, -inf, 5e9, 4294967295], [1, 0, 0, most, 0, most, most]],
    ['f32', 'bool', [nan, 0, -0, inf, 1e-40, -2], [1, 0, 0, 1, 1, 1]],
    ['f32', 'f16', [0.1, 65519, 65520, -inf, nan, 1e-8, -0], [0.0999755859375, 65504, inf, -inf, nan, 0, -0]],
    ['f32', 'f32', [0.1, -0, nan], [0.1, -0, nan]],
    ['f16', 'f32', [0.0999755859375, inf], [0.0999755859375, inf]],
    ['f16', 'i32', [-2.5, inf], [-2, high]],
    ['i32', 'f32', [16777217, 16777219, -3, low], [16777216, 16777220, -3, low]],
    ['i32', 'f16', [2049, 70000, -7], [2048, inf, -7]],
    ['i32', 'u32', [-1, low, 5], [most, 2 ** 31, 5]],
    ['i32', 'bool', [0, -1, 256], [0, 1, 1]],
    ['u32', 'i32', [most, 2 ** 31, 5], [-1, low, 5]],
    ['u32', 'f32', [most, 16777217], [2 ** 32, 16777216]],
    ['u32', 'bool', [0, 2 ** 31], [0, 1]],
    ['bool', 'f32', [0, 1], [0, 1]],
    ['bool', 'i32', [0, 1], [0, 1]],
    ['bool', 'u32', [0, 1], [0, 1]],
    ['bool', 'f16', [0, 1], [0, 1]],
  ]
  it.each(cases)('%s to %s', (from, to, x, want) => {
    const [got] = evalOp('cast', { dtype: to }, vector(from, x))
    expect([got!.dtype, numbers(got)]).toEqual([to, want])
  })
  it('is linear between floats and has no tangent elsewhere', () => {
    const x = vector('f32', [1, 2])
    expect(tangentOf('cast', { dtype: 'f16' }, [x], [vector('f32', [0.5, 0.1])])).toEqual([[0.5, 0.0999755859375]])
    expect(tangentOf('cast', { dtype: 'i32' }, [x], [x])).toEqual([[0, 0]])
    checkTranspose('cast', { dtype: 'f32' }, [noise('f32', [2, 3], 1)])
    const { nodes } = bind([value('f16', [2], [1, 2]), x])
    const { transpose } = primitives.cast
    if (transpose === 'nonlinear') throw new Error('cast is linear')
    const [back] = transpose({
      ...walking,
      ct: nodes[1]!,
      cts: [nodes[1]!],
      args: [nodes[0]!],
      linear: [true],
      params: { dtype: 'f32' },
    })
    expect(back).toBe(b.cast([nodes[1]!], { dtype: 'f16' }))
  })
  it('batches', () => {
    for (const size of [0, 2]) checkBatch('cast', { dtype: 'i32' }, [noise('f32', [size, 3], 1)], size)
  })
})

describe('bitcast', () => {
  it('reads the same 32 bits', () => {
    const words = [0, 0x80000000, 0x3f800000, 0x7f800000, 0xff800000, 1, 0x40490fdb]
    const floats = [0, -0, 1, inf, -inf, 2 ** -149, Math.fround(Math.PI)]
    expect(numbers(evalOp('bitcast', { dtype: 'f32' }, vector('u32', words))[0])).toEqual(floats)
    expect(numbers(evalOp('bitcast', { dtype: 'u32' }, vector('f32', floats))[0])).toEqual(words)
    expect(numbers(evalOp('bitcast', { dtype: 'i32' }, vector('f32', floats))[0])).toEqual(words.map((w) => w | 0))
    expect(numbers(evalOp('bitcast', { dtype: 'f32' }, vector('i32', [-1, low]))[0])).toEqual([nan, -0])
    expect(numbers(evalOp('bitcast', { dtype: 'u32' }, vector('i32', [-1]))[0])).toEqual([most])
    expect(numbers(evalOp('bitcast', { dtype: 'u32' }, vector('f32', [0.1]))[0])).toEqual([0x3dcccccd])
  })
  it('has no tangent, batches, and refuses other widths', () => {
    expect(tangentOf('bitcast', { dtype: 'i32' }, [vector('f32', [1])], [vector('f32', [1])])).toEqual([[0]])
    checkBatch('bitcast', { dtype: 'u32' }, [noise('i32', [3, 2], 1)], 3)
    expect(refusal('bitcast', { dtype: 'f32' }, type([2], 'bool'))).toContain('cannot reinterpret bool as f32')
    expect(refusal('bitcast', { dtype: 'f16' }, type([2], 'u32'))).toContain('cannot reinterpret u32 as f16')
  })
})
