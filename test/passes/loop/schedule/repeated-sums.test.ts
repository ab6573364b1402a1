/** A sum that is compared with itself is the same number wherever it is computed: on the device, the largest row is found. */
import { describe, expect, test } from 'vitest'
import { rangeIndex } from '../../../../passes/loop/ir/index-expression.ts'
import { createValues, valuesBelow } from '../../../../passes/loop/ir/values.ts'
import { rangesOfTwins } from '../../../../passes/loop/schedule/repeated-sums.ts'
import * as T from '../../../../src/index.ts'
import * as nn from '../../../../src/nn/index.ts'

type X = T.Tensor
const grid = (k: number, n: number): X =>
  T.fromArray(
    Float32Array.from({ length: n * n }, (_, i) => Math.sin(1.3 * i + k)),
    [n, n],
  ) as X

const largest: Readonly<Record<string, (x: X) => X>> = {
  'a sum': (x) => T.max(T.sum(T.abs(x), { axis: 1 })) as X,
  'a sum of squares': (x) => T.max(T.sum(T.square(x), { axis: 1 })) as X,
  'a variance': (x) => T.max(T.variance(x, { axis: 1 })) as X,
  'a norm': (x) => T.max(T.vectorNorm(x, { axis: 1 })) as X,
  'a mean of probabilities': (x) => T.max(T.mean(nn.softmax(x, { axis: 1 }), { axis: 0 })) as X,
}

describe('the slope of the largest', () => {
  test.each([8, 12])('of %i', async (n) => {
    const names = Object.keys(largest)
    const all = (x: X): readonly X[] => names.map((name) => T.grad(largest[name]! as never)(x as never) as X)
    const program = T.jit(all)
    for (let k = 0; k < 6; k++) {
      const x = grid(k, n)
      const got = (await program(x as never)) as readonly T.HostTensor[]
      const want = T.reference(all(x)) as readonly T.HostTensor[]
      for (const [i, name] of names.entries())
        for (const [j, slope] of Array.from(want[i]!.data).entries())
          expect(Math.abs(got[i]!.data[j]! - slope), `${name} ${k} at ${j}`).toBeLessThan(1e-4)
    }
  })

  test('a product equals its largest element once', async () => {
    const f = (m: X, v: X): X => {
      const y = T.matmul(m, v) as X
      return T.sum(T.cast(T.equal(y, T.max(y)), 'i32')) as X
    }
    const program = T.jit(f)
    for (let k = 0; k < 8; k++) {
      const v = T.sin(T.add(T.arange(8), k)) as X
      expect([...((await program(grid(k, 8) as never, v as never)) as T.HostTensor).data]).toEqual([1])
    }
  })
})

test('twins are alike in all but where they look', () => {
  const v = createValues()
  const buffer = { id: 1, dtype: 'f32', size: 64 } as const
  const [k] = v.ranges('reduce', [8])
  const [i, j] = [v.ranges('store', [8])[0]!, v.ranges('reduce', [8], new Set([k!]))[0]!]
  const over = (at: typeof i, op?: 'abs'): ReturnType<typeof v.reduce> => {
    const load = v.load(buffer, rangeIndex(at), [])
    return v.reduce(
      'sum',
      [k!],
      v.alu('mul', 'f32', [op ? v.alu(op, 'f32', [load]) : load, v.index('f32', rangeIndex(k!))]),
    )
  }
  const order = (...xs: readonly ReturnType<typeof v.reduce>[]) => valuesBelow(xs)
  expect([...rangesOfTwins(order(over(i), over(j)))]).toEqual([k])
  expect([...rangesOfTwins(order(over(i), over(j, 'abs')))]).toEqual([])
  expect([...rangesOfTwins(order(over(i)))]).toEqual([])
})
