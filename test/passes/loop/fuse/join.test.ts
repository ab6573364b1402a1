/** Programs that joined clusters once got wrong: loops that shared a range, a store that was dropped with a reader left. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'

type X = T.Tensor

const agrees = async (f: (x: X) => X, x: X): Promise<void> => {
  const got = (await T.jit(f)(x as never)) as T.HostTensor
  const want = T.reference(f(x)) as T.HostTensor
  for (const [i, y] of Array.from(want.data).entries())
    expect(Math.abs(got.data[i]! - y), `[${i}] is ${got.data[i]}, not ${y}`).toBeLessThan(
      1e-3 * Math.max(1, Math.abs(y)),
    )
}

test('no reduction is taken along into the loop over a range that it runs over itself', async () => {
  const w = T.reshape(T.arange(9, { dtype: 'f32' }), [3, 3])
  const gram = (x: X): X => {
    const y = T.einsum('kj,ij->ik', x, x) as X
    return T.sum(T.mul(w, T.matmul(T.matrixTranspose(y), y) as X)) as X
  }
  const x = T.reshape(T.sin(T.arange(9)), [3, 3]) as X
  await agrees(T.grad(gram as never) as never, x)
  const nuclear = (a: X): X => T.sum(T.svdvals(a)) as X
  const twice = (a: X): X => T.sum(T.square(T.grad(nuclear as never)(a as never) as X)) as X
  await agrees(T.grad(twice as never) as never, x)
})

test('no cluster reads what is not computed, be it behind a guard', async () => {
  const w = T.arange(8, { dtype: 'f32' })
  const f = (a: X): X =>
    T.sum(
      T.mul(
        w,
        T.associativeScan((p: X, q: X) => T.mul(p, q) as X, a),
      ),
    ) as X
  for (const n of [8, 9]) {
    const weights = T.arange(n, { dtype: 'f32' })
    const g = (a: X): X =>
      T.sum(
        T.mul(
          weights,
          T.associativeScan((p: X, q: X) => T.mul(p, q) as X, a),
        ),
      ) as X
    expect(T.compile(T.hessian(g as never) as never, [T.spec([n])])._tag).toBe('Right')
  }
  await agrees(T.hessian(f as never) as never, T.add(T.div(T.arange(8), 9), 0.5) as X)
})
