/** Transforms of real tensors along several axes, against the complex ones. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/check-grad.ts'
import { noise } from '../../ops/rules.ts'
import { flat, mistakeOf } from '../run.ts'

const shape = [3, 4, 5]
const x = T.fromArray(Array.from(noise('f32', shape, 3).data, Math.fround), shape) as Tensor

const close = (got: readonly Tensor[], want: readonly Tensor[]): void => {
  expect(got.map((t) => t.shape)).toEqual(want.map((t) => t.shape))
  got.forEach((t, k) => {
    const wanted = flat(want[k]!)
    flat(t).forEach((v, i) => {
      expect(v).toBeCloseTo(wanted[i]!, 4)
    })
  })
}

const cases: readonly T.FftnOptions[] = [
  {},
  { axes: [0, 1] },
  { axes: [-1, 0], norm: 'ortho' },
  { axes: [1] },
  { s: [6, 3], norm: 'forward' },
  { s: [2, 7, 4], axes: [2, 0, 1] },
]

describe('rfftn and irfftn', () => {
  it.each(cases.map((o) => [o]))('are half of fftn and its inverse: %o', (o) => {
    const { axes = o.s ? [1, 2] : [0, 1, 2] } = o
    const axis = axes.at(-1)!
    const full = T.fftn([x, T.zerosLike(x)], o)
    const got = T.rfftn(x, o)
    const n = full[0].shape.at(axis)!
    close(
      got,
      full.map((t) => T.narrow(t, 0, Math.floor(n / 2) + 1, { axis })),
    )
    const s = axes.map((a) => full[0].shape.at(a)!)
    close([T.irfftn(got, { ...o, axes, s })], [T.ifftn(full, { ...o, axes, s })[0]])
  })
  it('the inverse has an even number of elements unless s says so', () => {
    expect(T.irfftn(T.rfftn(x)).shape).toEqual([3, 4, 4])
    close([T.irfftn(T.rfftn(x), { s: shape })], [x])
  })
  it('on the device, with gradients', async () => {
    const f = (v: Tensor): Tensor => T.sum(T.square(T.rfftn(v)[0])) as Tensor
    const want = T.reference([f(x), T.grad(f)(x)])
    const got = await T.evaluate([f(x), T.grad(f)(x)])
    got.forEach((t, k) => {
      t.data.forEach((v, i) => {
        expect(Math.abs(v - want[k]!.data[i]!)).toBeLessThan(1e-3 * Math.max(1, Math.abs(want[k]!.data[i]!)))
      })
    })
    checkGrad((v: Tensor) => [T.square(T.irfftn([v, T.mul(v, v)]))], [x], { maxElements: 6 })
  })
  it('what is wrong is named', () => {
    for (const [o, reason] of [
      [{ axes: [0, -3] }, 'axis -3 is named twice'],
      [{ axes: [] }, 'there is no axis to transform'],
      [{ s: [2, 2], axes: [0] }, '2 lengths for 1 axes'],
      [{ s: [2, 2, 2, 2] }, '4 lengths for 3 axes'],
    ] as const) {
      expect(mistakeOf(T.rfftn(x, o)[1])).toMatchObject({ op: 'T.rfftn', reason })
      expect(mistakeOf(T.irfftn([x, x], o))).toMatchObject({ op: 'T.irfftn', reason })
    }
    expect(() => T.irfftn(x as never)).toThrow('takes a pair [re, im]')
    expect(() => T.rfftn(x, { s: 4 as never })).toThrow('T.rfftn takes an array of lengths s')
  })
})
