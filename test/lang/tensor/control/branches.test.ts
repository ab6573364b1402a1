/** cond and switch: the branch that is taken, and nothing of the others; derivatives, batches, mistakes. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'

type X = T.Tensor
const numbers = (x: X): readonly number[] => Array.from((T.reference(x) as T.HostTensor).data)
const sqrt = (x: X): X => T.sqrt(x) as X
const nothing = (x: X): X => T.sub(x, x) as X
const root = (x: X): X => T.cond(T.greater(x, 0), sqrt, nothing, x)

describe('cond', () => {
  it('takes one branch, on the device too', async () => {
    expect([numbers(root(T.tensor(6.25) as X)), numbers(root(T.tensor(-1.5) as X))]).toEqual([[2.5], [0]])
    const on = T.jit(root)
    const got = [await on(T.tensor(6.25) as X), await on(T.tensor(-1.5) as X)] as readonly T.HostTensor[]
    expect(got.map((t) => t.data[0])).toEqual([2.5, 0])
  })
  it('has the derivative of the branch that is taken, whatever the other one would have', async () => {
    const slope = T.grad(root)
    expect([numbers(slope(T.tensor(6.25) as X)), numbers(slope(T.tensor(-1.5) as X))]).toEqual([
      [Math.fround(0.2)],
      [0],
    ])
    expect(((await T.jit(slope)(T.tensor(-1.5) as X)) as T.HostTensor).data[0]).toBe(0)
    expect(numbers(T.grad((x: X) => slope(x) as X)(T.tensor(4.0625) as X))[0]).toBeCloseTo(-0.25 * 4.0625 ** -1.5, 6)
  })
  it('differentiates what a branch captures', () => {
    const f = (w: X): X =>
      T.cond(
        T.tensor(true),
        (v: X) => T.mul(v, w) as X,
        (v: X) => v,
        T.tensor(3.5) as X,
      )
    expect(numbers(T.grad(f)(T.tensor(2.5) as X))).toEqual([3.5])
  })
  it('maps: over the operand, and over the choice', () => {
    const xs = T.tensor([6.25, -1.5, 0.25]) as X
    expect(numbers(T.vmap(root)(xs) as X)).toEqual([2.5, 0, 0.5])
    expect(numbers(T.vmap((x: X) => T.grad(root)(x) as X)(xs) as X)).toEqual([Math.fround(0.2), 0, 1])
  })
  it('refuses', () => {
    expect(() =>
      numbers(
        T.cond(
          T.tensor([true, false]),
          (v: X) => v,
          (v: X) => v,
          T.tensor(1) as X,
        ),
      ),
    ).toThrow('the predicate must be a scalar')
    expect(() =>
      T.cond(T.tensor(true), ((v: X) => [v]) as unknown as (v: X) => X, (v: X) => v, T.tensor(1) as X),
    ).toThrow('does not give the structure')
    expect(() =>
      numbers(
        T.cond(
          T.tensor(true),
          (v: X) => T.cast(v, 'f32') as X,
          (v: X) => v,
          T.tensor(1) as X,
        ),
      ),
    ).toThrow(/^T\.cond: result 0 is i32\[\] in falseFn and f32\[\] in trueFn/)
  })
})

describe('switch', () => {
  const pick = (i: X, x: X): X =>
    T.switch(i, [(v: X) => T.neg(v) as X, (v: X) => T.square(v) as X, (v: X) => T.exp(v) as X], x)
  it('clamps the index', async () => {
    const want = [-2, -2, 4, Math.exp(2), Math.exp(2)]
    for (const [k, i] of [-3, 0, 1, 2, 9].entries()) {
      expect(numbers(pick(T.tensor(i) as X, T.tensor(2.0001) as X))[0]).toBeCloseTo(want[k]!, 2)
      expect(((await T.jit(pick)(T.tensor(i) as X, T.tensor(2.0001) as X)) as T.HostTensor).data[0]).toBeCloseTo(
        want[k]!,
        2,
      )
    }
    expect(() => T.switch(T.tensor(0), [], T.tensor(1))).toThrow('there is no branch')
  })
  it('says which tensors a branch gives', () => {
    const [one, two] = [(v: X): unknown => [v], (v: X): unknown => ({ y: v })]
    expect(() => T.cond(T.tensor(true), one as (v: X) => X, two as (v: X) => X, T.tensor(1) as X)).toThrow(
      'T.cond: trueFn does not give the structure that falseFn gives ([0], not y)',
    )
  })
  it('names itself and the branch in what it refuses', () => {
    const sums = [(v: X) => v, (v: X) => T.sum(v) as X]
    expect(() => numbers(T.switch(T.tensor(0), sums, T.tensor([1, 2]) as X))).toThrow(
      /^T\.switch: result 0 is i32\[2\] in branch 0 and i32\[\] in branch 1/,
    )
    for (const index of [T.tensor(0.5), T.tensor([0, 1])])
      expect(() => numbers(T.switch(index, [(v: X) => v], T.tensor(1) as X))).toThrow(
        /^T\.switch: the index must be an integer scalar/,
      )
  })
  it('chooses for each example', () => {
    expect(numbers(T.vmap(pick)(T.tensor([0, 1, 5]) as X, T.tensor([1.5, 1.5, 0]) as X) as X)).toEqual([-1.5, 2.25, 1])
  })
})
