/** Prefix reductions: every monoid against plain loops, both directions, empty lines, derivatives, batching, refusals. */
import { describe, expect, it } from 'vitest'
import { type Cumulation, cumulations } from '../../../src/lang/ir.ts'
import { checkBatch, checkJvp, checkTranspose, evalOp, noise, numbers, refusal, type, value } from './rules.ts'

const sum = { monoid: 'sum', axis: 1, reverse: false } as const

describe('cumulate', () => {
  it('runs along an axis, from either end', () => {
    const x = value('f32', [2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(numbers(evalOp('cumulate', sum, x)[0])).toEqual([1, 2, 4, 6, 9, 12, 7, 8, 16, 18, 27, 30])
    expect(numbers(evalOp('cumulate', { ...sum, reverse: true }, x)[0])).toEqual([
      9, 12, 8, 10, 5, 6, 27, 30, 20, 22, 11, 12,
    ])
  })
  it('gives the latest extreme and its position', () => {
    const x = value('f32', [5], [1, 3, 3, 2, 4])
    const [top, at] = evalOp('cumulate', { monoid: 'max', axis: 0, reverse: false }, x)
    expect([numbers(top), numbers(at)]).toEqual([
      [1, 3, 3, 3, 4],
      [0, 1, 2, 2, 4],
    ])
    const [low, where] = evalOp('cumulate', { monoid: 'min', axis: 0, reverse: true }, x)
    expect([numbers(low), numbers(where)]).toEqual([
      [1, 2, 2, 2, 4],
      [0, 3, 3, 3, 4],
    ])
    const [nan] = evalOp('cumulate', { monoid: 'max', axis: 0, reverse: false }, value('f32', [3], [1, Number.NaN, 9]))
    expect(numbers(nan)).toEqual([1, Number.NaN, Number.NaN])
  })
  it('wraps integers and survives infinite logs', () => {
    const big = value('i32', [2], [2 ** 31 - 1, 2])
    expect(numbers(evalOp('cumulate', { ...sum, axis: 0 }, big)[0])).toEqual([2 ** 31 - 1, -(2 ** 31) + 1])
    expect(numbers(evalOp('cumulate', { monoid: 'prod', axis: 0, reverse: false }, big)[0])).toEqual([2 ** 31 - 1, -2])
    const logs = value('f32', [3], [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY])
    expect(numbers(evalOp('cumulate', { monoid: 'logSumExp', axis: 0, reverse: false }, logs)[0])).toEqual([
      Number.NEGATIVE_INFINITY,
      0,
      Number.POSITIVE_INFINITY,
    ])
    for (const line of [
      [Number.NaN, 1, 2],
      [0, Number.NaN, 3],
      [Number.NEGATIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY],
    ]) {
      const [out] = evalOp('cumulate', { monoid: 'logSumExp', axis: 0, reverse: false }, value('f32', [3], line))
      const first = line.findIndex(Number.isNaN)
      expect(numbers(out)).toEqual(line.map((x, i) => (i < first ? x : Number.NaN)))
    }
  })
  it('gives nothing for nothing', () => {
    for (const monoid of cumulations)
      expect(evalOp('cumulate', { monoid, axis: 1, reverse: false }, value('f32', [2, 0], [])).map(numbers)).toEqual(
        monoid === 'max' || monoid === 'min' ? [[], []] : [[]],
      )
  })
  it.each(cumulations)('%s: tangents, transposes, batches', (monoid: Cumulation) => {
    for (const reverse of [false, true]) {
      for (const [shape, axis] of [
        [[5], 0],
        [[2, 3, 2], 1],
        [[3, 1], 1],
      ] as const) {
        const p = { monoid, axis, reverse }
        checkJvp('cumulate', p, [noise('f32', shape, 5)], 5)
        if (monoid === 'sum') checkTranspose('cumulate', p, [noise('f32', shape, 6)])
        checkBatch('cumulate', p, [noise('f32', [3, ...shape], 7)], 3)
      }
    }
  })
  it('refuses', () => {
    expect(refusal('cumulate', sum, type([3]))).toBe('axis 1: axis 1 is out of range for rank 1')
    expect(refusal('cumulate', { ...sum, axis: 0 }, type([3], 'bool'))).toBe(
      "cannot cumulate bool (convert it with T.cast(x, 'i32'))",
    )
    expect(refusal('cumulate', { monoid: 'logSumExp', axis: 0, reverse: false }, type([3], 'i32'))).toBe(
      'not defined on i32 (cast to f32 first)',
    )
  })
})
