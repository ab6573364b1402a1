/** The exponential of matrices against its series in Float64, from tiny to large norms. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { flat, mistakeOf } from '../run.ts'

type Matrix = readonly (readonly number[])[]

const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((r) => b[0]!.map((_, j) => r.reduce((t, v, k) => t + v * b[k]![j]!, 0)))

/** The series of A / 2^20, squared 20 times. */
const oracle = (a: Matrix): Matrix => {
  const one = a.map((r, i) => r.map((_, j) => Number(i === j)))
  const small = a.map((r) => r.map((v) => v / 2 ** 20))
  let [sum, term] = [one, one] as [Matrix, Matrix]
  for (let k = 1; k < 8; k++) {
    term = times(term, small).map((r) => r.map((v) => v / k))
    sum = sum.map((r, i) => r.map((v, j) => v + term[i]![j]!))
  }
  for (let k = 0; k < 20; k++) sum = times(sum, sum)
  return sum
}

const base: Matrix = [
  [0.1, -0.4, 0.3],
  [0.7, 0.2, -0.5],
  [-0.6, 0.1, 0.25],
]

describe('expm', () => {
  test.each([0, 1e-4, 1, 5, 20, 60])('of a matrix times %d', (scale) => {
    const a = base.map((r) => r.map((v) => v * scale))
    const want = oracle(a)
    const size = Math.max(...want.flat().map(Math.abs))
    flat(T.expm(T.tensor(a, { dtype: 'f32' }))).forEach((v, k) => {
      expect(Math.abs(v - want.flat()[k]!) / size).toBeLessThan(3e-6 * Math.max(1, scale))
    })
  })
  test('of a batch, each scaled by itself', () => {
    const all = T.stack([0, 0.5, 30].map((s) => T.mul(T.tensor(base), s) as Tensor)) as Tensor
    const each = [0, 0.5, 30].map((s) => flat(T.expm(T.mul(T.tensor(base), s) as Tensor)))
    expect(flat(T.expm(all))).toEqual(each.flat())
  })
  test('of turns, of whole numbers, of nothing', () => {
    const [c, s] = [Math.cos(1.5), Math.sin(1.5)]
    flat(
      T.expm(
        T.tensor([
          [0, -1.5],
          [1.5, 0],
        ]),
      ),
    ).forEach((v, i) => {
      expect(v).toBeCloseTo([c, -s, s, c][i]!, 6)
    })
    expect(flat(T.expm(T.tensor([[2]])))[0]).toBeCloseTo(Math.exp(2), 5)
    expect(T.expm(T.tensor([[2]])).dtype).toBe('f32')
    expect(T.expm(T.zeros([2, 0, 0])).shape).toEqual([2, 0, 0])
    expect(flat(T.expm(T.tensor([[1e7]])))).toEqual([Number.NaN])
    expect(
      flat(
        T.expm(
          T.tensor([
            [Number.NaN, 0],
            [0, 0],
          ]),
        ),
      )[0],
    ).toBeNaN()
    expect(mistakeOf(T.expm(T.zeros([2, 3])))).toMatchObject({ op: 'T.expm' })
    expect(mistakeOf(T.expm(T.zeros([2])))).toMatchObject({ op: 'T.expm' })
  })
  test('has gradients, scaled or not, and batches', () => {
    checkGrad(((a: Tensor) => T.expm(a)) as never, [T.mul(T.tensor(base), 12) as Tensor], { order: 1 })
    checkVmap(((a: Tensor) => T.expm(a)) as never, [T.tensor([base, base.map((r) => r.map((v) => 9 * v))])])
  })
})
