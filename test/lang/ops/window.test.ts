/** window and fold against index loops, and against each other as transposes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, checkBatch, checkLinear, evalOp, indices, noise, numbers, refusal, runs, type, value } from './rules.ts'

interface Case {
  readonly shape: readonly number[]
  readonly axis: number
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly seed: number
}

const small = fc.integer({ min: 1, max: 3 })
const cases: fc.Arbitrary<Case> = fc
  .record({
    n: fc.integer({ min: 0, max: 9 }),
    before: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 1 }),
    after: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 1 }),
    size: small,
    stride: small,
    dilation: small,
    seed: fc.integer(),
  })
  .map(({ n, before, after, ...rest }) => ({ shape: [...before, n, ...after], axis: before.length, ...rest }))

/** The windows that fit, counted one by one. */
const countOf = ({ shape, axis, size, stride, dilation }: Case): number => {
  let count = 0
  while (count * stride + (size - 1) * dilation < shape[axis]!) count++
  return count
}

describe('window', () => {
  it('shows element i·stride + k·dilation, for any parameters', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { shape, axis, size, stride, dilation, seed } = c
        const x = noise('f32', shape, seed)
        const p = { axis, size, stride, dilation }
        const [y] = evalOp('window', p, x)
        expect(y!.shape).toEqual([...shape.with(axis, countOf(c)), size])
        for (const i of indices(y!.shape)) {
          const source = i.slice(0, -1).with(axis, i[axis]! * stride + i.at(-1)! * dilation)
          expect(at(y!, i)).toBe(at(x, source))
        }
        checkLinear('window', p, shape, seed)
      }),
      runs,
    )
  })
  it('slides over integers and bools', () => {
    const p = { axis: 0, size: 2, stride: 2, dilation: 2 }
    expect(numbers(evalOp('window', p, value('i32', [6], [0, 1, 2, 3, 4, 5]))[0])).toEqual([0, 2, 2, 4])
    checkBatch('window', p, [noise('bool', [2, 6], 1)], 2)
  })
  it('refuses axes and steps', () => {
    const p = { axis: 0, size: 2, stride: 1, dilation: 1 }
    expect(refusal('window', { ...p, axis: 1 }, type([4]))).toBe('axis 1: axis 1 is out of range for rank 1')
    expect(refusal('window', { ...p, size: 0 }, type([4]))).toBe('window size 0 is not a positive integer')
    expect(refusal('window', { ...p, stride: 0 }, type([4]))).toBe('stride 0 is not a positive integer')
    expect(refusal('window', { ...p, dilation: 1.5 }, type([4]))).toBe('dilation 1.5 is not a positive integer')
  })
})

describe('fold', () => {
  it('sums what lands on each position, for any parameters', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { shape, axis, size, stride, dilation, seed } = c
        const x = noise('f32', [...shape.with(axis, countOf(c)), size], seed)
        const p = { axis, n: shape[axis]!, stride, dilation }
        const [y] = evalOp('fold', p, x)
        expect(y!.shape).toEqual(shape)
        for (const i of indices(shape)) {
          let sum = 0
          for (const j of indices(x.shape)) {
            const lands = j[axis]! * stride + j.at(-1)! * dilation
            if (i.every((k, a) => k === (a === axis ? lands : j[a]))) sum += at(x, j)
          }
          expect(at(y!, i)).toBeCloseTo(sum, 12)
        }
        checkLinear('fold', p, x.shape, seed)
      }),
      runs,
    )
  })
  it('wraps integers', () => {
    const x = value('i32', [2, 2], [1, 2 ** 31 - 1, 2, 3])
    expect(numbers(evalOp('fold', { axis: 0, n: 3, stride: 1, dilation: 1 }, x)[0])).toEqual([1, -(2 ** 31) + 1, 3])
  })
  it('refuses what no window gives', () => {
    const p = { axis: 0, n: 5, stride: 1, dilation: 1 }
    expect(refusal('fold', p, type([3, 2]))).toBe(
      'axis 0: axis 0 holds 3 windows of 2, but an axis of 5 has 4 (stride 1, dilation 1: fold undoes a window with the same parameters)',
    )
    expect(refusal('fold', p, type([4, 2], 'bool'))).toBe('cannot sum bool (cast to i32 first)')
    expect(refusal('fold', p, type([4]))).toBe('needs windows [count, size], got rank 1')
    expect(refusal('fold', { ...p, axis: 1 }, type([4, 2]))).toBe('axis 1: axis 1 is out of range for rank 1')
    expect(refusal('fold', { ...p, n: -1 }, type([4, 2]))).toBe('axis 0: size -1 is not a whole number of elements')
  })
})
