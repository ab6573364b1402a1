/** The nodes without operands, get, stopGradient and barrier, and the helpers rules build constants with. */
import { describe, expect, it } from 'vitest'
import { jvpGraph } from '../../../passes/transform/jvp.ts'
import { build as b, constant, freshInputs, typeOf, typesOf } from '../../../src/lang/build.ts'
import { dtypes } from '../../../src/lang/dtype.ts'
import { primitives } from '../../../src/lang/ops/primitive-table.ts'
import { fill, ones, uniformValue, zeros } from '../../../src/lang/ops/rule-parts.ts'
import { graphKit } from '../../../src/lang/trace.ts'
import {
  checkBatch,
  checkTranspose,
  evalNodes,
  evalOp,
  noGraphs,
  noise,
  numbers,
  refusal,
  tangentOf,
  type,
} from './rules.ts'

const run = (n: Parameters<typeof evalNodes>[0][number]): number[] => numbers(evalNodes([n], new Map())[0])

describe('leaves', () => {
  it('const holds its values in every dtype', () => {
    for (const dtype of dtypes) {
      const [v] = evalOp('const', { shape: [2, 1], dtype, values: [1, 0] })
      expect([v!.dtype, v!.shape, numbers(v)]).toEqual([dtype, [2, 1], [1, 0]])
    }
    expect(run(constant({ shape: [0, 3], dtype: 'f32' }, []))).toEqual([])
  })
  it('data copies on entry and stores the dtype', () => {
    const source = Float64Array.from({ length: 100 }, (_, i) => i - 50)
    const node = constant({ shape: [100], dtype: 'u32' }, source)
    source.fill(7)
    expect(node.op).toBe('data')
    expect(run(node)).toEqual(Array.from({ length: 100 }, (_, i) => (i - 50) >>> 0))
  })
  it('iota counts along its axis', () => {
    const count = (shape: readonly number[], axis: number): number[] =>
      numbers(evalOp('iota', { shape, dtype: 'i32', axis })[0])
    expect(count([2, 3], 1)).toEqual([0, 1, 2, 0, 1, 2])
    expect(count([2, 3], 0)).toEqual([0, 0, 0, 1, 1, 1])
    expect(count([2, 3, 2], 1)).toEqual([0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
    expect(count([2, 0], 0)).toEqual([])
    expect(count([1], 0)).toEqual([0])
  })
  it('refuse shapes, axes and counts that cannot be', () => {
    expect(refusal('const', { shape: [2], dtype: 'f32', values: [1] })).toContain('got 1 value for 2 elements')
    expect(refusal('const', { shape: [-1], dtype: 'f32', values: [] })).toContain('got 0 values')
    expect(refusal('input', { trace: 1, index: 0, shape: [1.5], dtype: 'f32' })).toContain('axis 0: size 1.5')
    expect(refusal('iota', { shape: [2], dtype: 'i32', axis: 1 })).toContain('axis 1 is out of range for rank 1')
    expect(refusal('iota', { shape: [2], dtype: 'bool', axis: 0 })).toContain('cannot count in bool')
    expect(refusal('const', { shape: [], dtype: 'f32', values: [1] }, type([]))).toBe('takes 0 operands, got 1')
  })
  it('give every example of a batch the same leaf', () => {
    for (const size of [0, 1, 3]) checkBatch('iota', { shape: [2, 3], dtype: 'f32', axis: 1 }, [], size)
    checkBatch('const', { shape: [2], dtype: 'i32', values: [4, 5] }, [], 2)
  })
  it('an input has no value of its own', () => {
    const [x] = freshInputs([type([])])
    expect(() => evalNodes([x!], new Map())).toThrow('tensorloom bug')
  })
})

describe('get', () => {
  const key = (v: number): ReturnType<typeof constant> => constant({ shape: [], dtype: 'u32' }, [v])
  const block = b.threefry([key(0), key(0), key(0), key(0)], {})
  it('chooses among outputs, types included', () => {
    expect(run(b.get([block], { index: 1 }))).toEqual([0x99ba4efe])
    const winner = b.reduce([constant({ shape: [3], dtype: 'f32' }, [1, 9, 2])], { monoid: 'argmax', axes: [0] })
    expect(typesOf(winner)).toHaveLength(2)
    expect(typeOf(b.get([winner], { index: 1 }))).toEqual({ shape: [], dtype: 'i32' })
    expect(run(b.get([winner], { index: 1 }))).toEqual([1])
  })
  it('refuses an output that is not there', () => {
    expect(() => typeOf(b.get([block], { index: 2 }))).toThrow('there is no output 2: the operand has 2 outputs')
  })
  it('passes on the tangent and the batched node of its output', () => {
    const [x, y] = freshInputs([type([2]), type([2])])
    const c = { b, args: [x!, y!], params: { index: 1 }, kit: graphKit }
    expect(primitives.get.jvp({ ...c, tangents: [undefined, y!], out: y!, walk: jvpGraph, mode: 'forward' })).toEqual([
      y,
    ])
    expect(primitives.get.batch({ ...c, batched: [true, true], size: 2, walk: noGraphs })).toEqual([y])
  })
})

describe('stopGradient', () => {
  it('is the identity with no tangent', () => {
    const x = noise('f32', [2, 2], 1)
    expect(numbers(evalOp('stopGradient', {}, x)[0])).toEqual(numbers(x))
    expect(tangentOf('stopGradient', {}, [x], [x])).toEqual([[0, 0, 0, 0]])
    for (const size of [0, 2]) checkBatch('stopGradient', {}, [noise('i32', [size, 3], 2)], size)
    expect(refusal('stopGradient', {})).toBe('takes 1 operand, got 0')
  })
})

describe('barrier', () => {
  it('is its first operand, tangent and cotangent included, whatever it waits for', () => {
    const [x, when] = [noise('f32', [2, 2], 1), noise('i32', [3], 2)]
    expect(numbers(evalOp('barrier', {}, x, when)[0])).toEqual(numbers(x))
    expect(tangentOf('barrier', {}, [x, when], [x, undefined])).toEqual([numbers(x)])
    checkTranspose('barrier', {}, [x, noise('f32', [2], 3)])
    for (const batched of [
      [true, true],
      [true, false],
      [false, true],
    ])
      checkBatch('barrier', {}, [noise('f32', batched[0] ? [2, 3] : [3], 4), noise('f32', [2], 5)], 2, batched)
    expect(refusal('barrier', {})).toBe('needs an operand')
  })
})

describe('fill', () => {
  it('is a scalar constant, broadcast', () => {
    expect(run(fill(b, type([2, 2]), 3))).toEqual([3, 3, 3, 3])
    expect(fill(b, type([]), 3).op).toBe('const')
    expect(run(zeros(b, type([0, 4])))).toEqual([])
    expect(run(ones(b, type([2], 'i32')))).toEqual([1, 1])
    expect(run(fill(b, type([]), 0.1))).toEqual([Math.fround(0.1)])
    expect(run(fill(b, type([], 'f16'), 0.1))).toEqual([0.0999755859375])
  })
  it('is recognised', () => {
    expect(uniformValue(fill(b, type([2, 2]), 3))).toBe(3)
    expect(uniformValue(b.reshape([fill(b, type([4]), 2)], { shape: [2, 2] }))).toBe(2)
    expect(uniformValue(constant(type([2]), [1, 2]))).toBeUndefined()
    expect(uniformValue(constant(type([2]), [0, -0]))).toBeUndefined()
    expect(uniformValue(freshInputs([type([2])])[0]!)).toBeUndefined()
  })
})
