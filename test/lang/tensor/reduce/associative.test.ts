/** Reductions and prefix reductions by a user's function: in order, along any axis, of trees, with derivatives, on a device. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'

type X = T.Tensor

const numbers = (x: X): readonly number[] => Array.from(T.reference(x).data)

/** Equal to five decimals. */
const close = (got: X, want: X): void => {
  const [a, b] = [numbers(got), numbers(want)]
  expect(a.length).toBe(b.length)
  a.forEach((v, i) => {
    expect(v).toBeCloseTo(b[i]!, 5)
  })
}

describe('associativeScan', () => {
  it('composes in order, from either end, along any axis', () => {
    for (const n of [1, 2, 3, 5, 8, 13]) {
      const xs = T.add(T.div(T.arange(n), 7), 0.5) as X
      close(
        T.associativeScan((a: X, b: X) => T.mul(a, b) as X, xs),
        T.cumprod(xs),
      )
      close(
        T.associativeScan((a: X, b: X) => T.add(a, b) as X, xs, { reverse: true }),
        T.cumsum(xs, { reverse: true }),
      )
    }
    const grid = T.reshape(T.arange(10), [2, 5]) as X
    close(
      T.associativeScan((a: X, b: X) => T.add(a, b) as X, grid, { axis: -1 }),
      T.cumsum(grid, { axis: 1 }),
    )
  })
})

/** x → a·x + b, one for each place. */
interface Maps {
  readonly a: X
  readonly b: X
}

/** First `p`, then `q`: their order matters. */
const after = (p: Maps, q: Maps): Maps => ({ a: T.mul(q.a, p.a) as X, b: T.add(T.mul(q.a, p.b), q.b) as X })

describe('reduceWith', () => {
  it('combines in order, whatever the size', () => {
    for (const n of [1, 2, 3, 5, 8, 13]) {
      const maps = { a: T.add(T.div(T.arange(n), 9), 0.5) as X, b: T.sin(T.arange(n)) as X }
      const last = T.associativeScan(after, maps)
      const all = T.reduceWith(after, maps)
      close(all.a, T.at(last.a, -1) as X)
      close(all.b, T.at(last.b, -1) as X)
      expect(all.a.shape).toEqual([])
    }
  })

  it('drops its axis, and is differentiated and batched like what it is made of', async () => {
    const grid = T.div(T.reshape(T.arange(15), [3, 5]), 7) as X
    const times = (a: X, b: X): X => T.mul(a, b) as X
    close(T.reduceWith(times, grid, { axis: -1 }), T.prod(grid, { axis: 1 }) as X)
    const product = (row: X): X => T.reduceWith(times, T.add(row, 1) as X)
    const plain = (row: X): X => T.prod(T.add(row, 1)) as X
    const slopes = (f: (row: X) => X): X => T.vmap(T.grad(f as never) as never)(grid as never) as X
    close(slopes(product), slopes(plain))
    const onDevice = (await T.evaluate(T.reduceWith(times, grid))) as T.HostTensor
    close(T.fromArray(onDevice.data, [5]) as X, T.prod(grid, { axis: 0 }) as X)
  })

  it('says what it cannot reduce', () => {
    const add = (a: X, b: X): X => T.add(a, b) as X
    expect(() => T.reduceWith(add, T.zeros([2, 0]) as X, { axis: 1 })).toThrow(
      'T.reduceWith: there is nothing along axis 1 of [2, 0]\n  hint: join what an empty reduction is worth',
    )
    expect(() => T.reduceWith(add, T.zeros([2]) as X, { axis: 1 })).toThrow('xs has no axis 1 of the common size')
    expect(() => T.reduceWith((a: X, b: X) => T.less(a, b) as X, T.zeros([2]) as X)).toThrow(
      'T.reduceWith: the carried value is f32[1] and becomes bool[1]',
    )
  })
})
