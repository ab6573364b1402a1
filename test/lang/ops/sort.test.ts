/** Sorting by the row: stability, NaN and zeros, both orders, empty lines, derivatives, batching, refusals. */
import { describe, expect, it } from 'vitest'
import { checkBatch, checkJvp, evalOp, noise, numbers, refusal, type, value } from './rules.ts'

const up = { axis: 0, descending: false } as const
const down = { axis: 0, descending: true } as const

describe('sort', () => {
  it('is stable in both orders, NaN the greatest, the zeros equal', () => {
    const x = value('f32', [8], [3, Number.NaN, 0, -0, 3, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -1])
    const [sorted, from] = evalOp('sort', up, x)
    expect(numbers(from)).toEqual([5, 7, 2, 3, 0, 4, 6, 1])
    expect(numbers(sorted)).toEqual([Number.NEGATIVE_INFINITY, -1, 0, -0, 3, 3, Number.POSITIVE_INFINITY, Number.NaN])
    expect(numbers(evalOp('sort', down, x)[1])).toEqual([1, 6, 0, 4, 2, 3, 7, 5])
  })
  it('runs along an axis', () => {
    const x = value('i32', [2, 3, 2], [5, 0, -4, 2, 4, 1, 9, 9, 8, 9, 7, -9])
    const [sorted, from] = evalOp('sort', { axis: 1, descending: false }, x)
    expect(numbers(sorted)).toEqual([-4, 0, 4, 1, 5, 2, 7, -9, 8, 9, 9, 9])
    expect(numbers(from)).toEqual([1, 0, 2, 2, 0, 1, 2, 2, 1, 0, 0, 1])
  })
  it('takes bool and u32, and gives nothing for nothing', () => {
    expect(numbers(evalOp('sort', up, value('bool', [4], [1, 0, 1, 0]))[1])).toEqual([1, 3, 0, 2])
    expect(numbers(evalOp('sort', down, value('u32', [3], [1, 2 ** 32 - 1, 5]))[0])).toEqual([2 ** 32 - 1, 5, 1])
    expect(evalOp('sort', { axis: 1, descending: false }, value('f32', [2, 0], [])).map(numbers)).toEqual([[], []])
  })
  it('has tangents and batches', () => {
    for (const [shape, axis] of [
      [[5], 0],
      [[2, 3, 2], 1],
      [[3, 1], 1],
    ] as const) {
      for (const descending of [false, true]) {
        checkJvp('sort', { axis, descending }, [noise('f32', shape, 5)], 5)
        checkBatch('sort', { axis, descending }, [noise('f32', [3, ...shape], 7)], 3)
      }
    }
  })
  it('refuses', () => {
    expect(refusal('sort', up, type([]))).toBe('axis 0: axis 0 is out of range for rank 0')
    expect(refusal('sort', up, type([2]), type([2]))).toBe('takes 1 operand, got 2')
  })
})
