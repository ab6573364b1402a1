/** Updates at indices against writing into an array, in row-major order. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import {
  extremeByComparing,
  extremeBySorting,
  lastByComparing,
  lastBySorting,
} from '../../../../src/lang/tensor/index/scattering.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/check-grad.ts'
import { flat, mistakeOf, nested } from '../run.ts'

const seeded = { seed: 42, numRuns: 100 } as const

/** Sizes of an operand and of smaller indices, an axis, and as many numbers as one asks for. */
const problem = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 1 }))
  .chain(([rows, columns, axis]) =>
    fc.record({
      shape: fc.constant([rows, columns] as const),
      axis: fc.constant(axis),
      // The indexed axis may be of any length, the other no longer than the operand's.
      taken: fc.tuple(
        fc.integer({ min: 0, max: axis === 0 ? 6 : rows }),
        fc.integer({ min: 0, max: axis === 1 ? 6 : columns }),
      ),
      random: fc.infiniteStream(fc.integer({ min: 0, max: 1000 })),
    }),
  )

type Combine = (old: number, update: number) => number

const scattered = (f: typeof T.scatter, combine: Combine): void =>
  fc.assert(
    fc.property(problem, ({ shape, axis, taken, random }) => {
      const next = (): number => random.next().value as number
      const count = taken[0] * taken[1]
      const indices = Array.from({ length: count }, () => next() % shape[axis]!)
      const updates = Array.from({ length: count }, () => (next() % 7) - 3)
      const x = Array.from({ length: shape[0] * shape[1] }, () => (next() % 7) - 3)
      const want = [...x]
      indices.forEach((at, k) => {
        const [i, j] = [Math.floor(k / taken[1]), k % taken[1]]
        const place = axis === 0 ? at * shape[1] + j : i * shape[1] + at
        want[place] = combine(want[place]!, updates[k]!)
      })
      const got = f(
        T.fromArray(x, shape, { dtype: 'i32' }),
        T.fromArray(indices, taken, { dtype: 'i32' }),
        T.fromArray(updates, taken, { dtype: 'i32' }),
        { axis },
      )
      expect(flat(got)).toEqual(want)
    }),
    seeded,
  )

describe('scatter', () => {
  test('writes in row-major order: the last of equal indices stays', () => scattered(T.scatter, (_, u) => u))
  test('scatterMax', () => scattered(T.scatterMax, Math.max))
  test('scatterMin', () => scattered(T.scatterMin, Math.min))
  test('scatterAdd', () => scattered(T.scatterAdd, (a, b) => a + b))

  test('numbers, booleans, NaN', () => {
    expect(flat(T.scatter(T.tensor([true, true, true]), T.tensor([1]), T.tensor([false])))).toEqual([1, 0, 1])
    expect(flat(T.scatter(T.tensor([1, 2, 3]), T.tensor([2]), 9))).toEqual([1, 2, 9])
    expect(flat(T.scatterMax(T.tensor([0.5, 1.5]), T.tensor([1, 1]), T.tensor([2.5, Number.NaN])))).toEqual([
      0.5,
      Number.NaN,
    ])
    expect(flat(T.scatter(T.full([2], Number.NaN), T.tensor([0]), T.full([1], Number.POSITIVE_INFINITY)))[0]).toBe(
      Number.POSITIVE_INFINITY,
    )
  })

  test('what is wrong is named', () => {
    const x = T.zeros([2, 3])
    expect(() => flat(T.scatter(x, T.tensor([[2]]), 1))).toThrow('index 2')
    expect(mistakeOf(T.scatter(x, T.tensor([0]), 1))).toMatchObject({
      op: 'T.scatter',
      reason: 'indices have rank 1, the operand 2',
    })
    expect(
      mistakeOf(
        T.scatter(
          x,
          T.tensor([
            [0, 1, 2],
            [0, 0, 0],
          ]),
          T.zeros([1, 3]),
        ),
      ).reason,
    ).toContain('smaller')
    expect(mistakeOf(T.scatterMax(T.tensor([true]), T.tensor([0]), true)).reason).toBe('not defined on bool')
  })

  test('gradients go to what stayed', () => {
    const index = T.tensor([
      [2, 0, 1],
      [2, 2, 1],
    ])
    const x = T.tensor([
      [0.5, -1, 2],
      [3.5, 1, -2.5],
      [0.25, 4, 1.5],
    ]) as Tensor
    const src = T.tensor([
      [1, 2.5, -3],
      [-0.5, 0.75, 1.25],
    ]) as Tensor
    checkGrad(
      (a: Tensor, s: Tensor) => [
        T.square(T.scatter(a, index, s)),
        T.square(T.scatterMax(a, index, s)),
        T.square(T.scatterMin(a, index, s, { axis: 1 })),
      ],
      [x, src],
    )
  })
})

describe('by comparing and by sorting', () => {
  const both = [extremeByComparing, extremeBySorting] as const
  /** Values with ties, zeros and what is not finite among them. */
  const values = [0, 1, 1, -1, 2.5, 2.5, -3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]
  const random = (seed: number): ((n: number) => number) => {
    let state = seed
    return (n) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
  }
  const cases = Array.from({ length: 60 }, (_, seed) => {
    const next = random(seed)
    const [rows, size, length] = [1 + next(3), 1 + next(6), 1 + next(12)]
    const pick = (count: number): readonly number[] =>
      Array.from({ length: count }, () => values[next(seed % 2 === 0 ? 7 : 10)]!)
    const index = Array.from({ length: rows * length }, () => next(size))
    return { rows, size, length, index, cut: pick(rows * size), source: pick(rows * length), cts: pick(rows * size) }
  })

  test('the last updates are the same', () => {
    for (const { rows, size, length, index } of cases) {
      const at = nodeOf(T.fromArray(index, [rows, length], { dtype: 'i32' }))
      expect(flat(tensorOf(lastBySorting(at, size)))).toEqual(flat(tensorOf(lastByComparing(at, size))))
    }
  })

  test.each(['max', 'min'] as const)('the %s is the same, and its slopes', (monoid) => {
    for (const { rows, size, length, index, ...data } of cases)
      for (const dtype of ['f32', 'i32'] as const) {
        const whole = (xs: readonly number[]): readonly number[] =>
          dtype === 'i32' ? xs.map((v) => (Number.isFinite(v) ? Math.trunc(v) : 9)) : xs
        const cut = T.fromArray(whole(data.cut), [rows, size], { dtype }) as Tensor
        const source = T.fromArray(whole(data.source), [rows, length], { dtype }) as Tensor
        const at = nodeOf(T.fromArray(index, [rows, length], { dtype: 'i32' }))
        const forms = both.map(
          (f) =>
            (x: Tensor, u: Tensor): Tensor =>
              tensorOf(f(monoid, { cut: nodeOf(x), index: at, source: nodeOf(u) })),
        )
        const [want, got] = forms.map((f) => flat(f(cut, source)))
        expect(got).toEqual(want)
        // Where an element is what an update elsewhere counts as, comparing gives those a part of its slope.
        const filler = monoid === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
        if (dtype === 'i32' || data.cut.includes(filler) || data.source.includes(filler)) continue
        const ct = T.fromArray(
          data.cts.map((v) => (Number.isFinite(v) ? v : 0.5)),
          [rows, size],
          { dtype: 'f32' },
        ) as Tensor
        const [slopes, same] = forms.map((f) => T.vjp(f, cut, source)[1](ct).map((t) => flat(t).map((v) => v + 0)))
        expect(same!.flat().map(Math.fround)).toEqual(slopes!.flat().map(Math.fround))
      }
  })

  test.each<[string, typeof T.scatter, Combine]>([
    ['scatter', T.scatter, (_, u) => u],
    ['scatterMax', T.scatterMax, Math.max],
    ['scatterMin', T.scatterMin, Math.min],
  ])('%s of many on the device, mapped, with slopes', async (_, form, combine) => {
    const [next, n] = [random(7), 600]
    const integers = (of: number): readonly number[] => Array.from({ length: 2 * n }, () => next(of))
    const index = T.fromArray(integers(n), [2, n], { dtype: 'i32' })
    const [x, u] = [0, 1].map(() => T.fromArray(integers(40), [2, n], { dtype: 'f32' }) as Tensor) as [Tensor, Tensor]
    const f = (a: Tensor, i: Tensor, s: Tensor): Tensor => form(a, i, s, { axis: -1 })
    const mapped = (a: Tensor, s: Tensor): Tensor => T.vmap(f as never)(a, index, s) as Tensor
    const whole = (a: Tensor, s: Tensor): Tensor => f(a, index, s)
    const slopes = (g: typeof whole) =>
      T.grad((a: Tensor, s: Tensor) => T.sum(T.square(g(a, s))) as Tensor, { argnums: [0, 1] })
    const all = (a: Tensor, s: Tensor): readonly Tensor[] => [
      whole(a, s),
      mapped(a, s),
      ...slopes(whole)(a, s),
      ...slopes(mapped)(a, s),
    ]
    const want = T.reference(all(x, u)).map((t) => Array.from(t.data))
    expect(want[1]).toEqual(want[0])
    expect(want.slice(4)).toEqual(want.slice(2, 4))
    const [xs, us, at] = [x, u, index].map(flat) as [readonly number[], readonly number[], readonly number[]]
    const oracle = [...xs]
    at.forEach((p, k) => {
      const place = p + n * Math.floor(k / n)
      oracle[place] = combine(oracle[place]!, us[k]!)
    })
    expect(want[0]).toEqual(oracle)
    const got = (await T.jit(all)(x, u)).map((t) => Array.from(t.data))
    got.forEach((values, k) => {
      values.forEach((v, i) => {
        expect(v).toBeCloseTo(want[k]![i]!, 3)
      })
    })
  })

  test('50,000 into 50,000 is no feat', () => {
    const n = 50_000
    const reversed = T.flip(T.arange(n)) as Tensor
    for (const form of [T.scatter, T.scatterMax])
      expect(flat(form(T.zeros([n], { dtype: 'i32' }), reversed, T.arange(n))).slice(0, 2)).toEqual([n - 1, n - 2])
    expect(flat(T.setAtIndices(T.zeros([n], { dtype: 'i32' }), [reversed], T.arange(n))).slice(-2)).toEqual([1, 0])
  })
})

describe.each([4, 600])('an index out of range that the device computes, axis of %i', (n) => {
  const x = T.zeros([n]) as Tensor
  const u = T.tensor([7, 9], { dtype: 'f32' }) as Tensor
  const clamped = [
    [1, 9],
    [n - 1, 7],
  ]
  const dropped = [[1, 9]]
  test.each<[string, (i: Tensor) => Tensor, readonly (readonly number[])[]]>([
    ['scatter', (i) => T.scatter(x, i, u), clamped],
    ['scatterMax', (i) => T.scatterMax(x, i, u), clamped],
    ['scatterMin', (i) => T.abs(T.scatterMin(x, i, T.neg(u) as Tensor)) as Tensor, clamped],
    ['setAtIndices', (i) => T.setAtIndices(x, [i], u), clamped],
    ['setAtIndices, adding', (i) => T.setAtIndices(x, [i], u, { accumulate: true }), clamped],
    ['scatterAdd', (i) => T.scatterAdd(x, i, u), dropped],
    ['indexAdd', (i) => T.indexAdd(x, i, u), dropped],
    ['the gradient of take', (i) => T.grad((z: Tensor) => T.sum(T.mul(T.take(z, i), u)) as Tensor)(x), dropped],
  ])('%s', async (_, f, want) => {
    for (const shift of [-2 * n - 1, 0]) {
      const on = T.jit((i: Tensor) => f(T.add(T.abs(i), shift) as Tensor))
      const { data } = await on(T.tensor(shift < 0 ? [n, 2 * n + 2] : [n, 1]) as Tensor)
      expect(Array.from(data, (v, i) => [i, v]).filter(([, v]) => v !== 0)).toEqual(want)
    }
  })
  test('reads take the last', async () => {
    const table = T.arange(n) as Tensor
    const on = T.jit((i: Tensor) => {
      const at = T.neg(i) as Tensor
      return [T.take(table, at), T.gather(table, at), T.takeAlongAxis(table, at), T.atIndices(table, [at])]
    })
    for (const { data } of await on(T.tensor([n + 1, -n, 0]) as Tensor))
      expect(Array.from(data)).toEqual([n - 1, n - 1, 0])
  })
})

describe('index arrays', () => {
  const x = T.reshape(T.arange(24), [2, 3, 4]) as Tensor
  const rows = T.tensor([[1], [0]])
  const columns = T.tensor([2, 0, 2])

  test('atIndices broadcasts the indices and keeps the rest', () => {
    const got = T.atIndices(x, [rows, columns])
    expect(got.shape).toEqual([2, 3, 4])
    expect(nested(T.at(got, 0))).toEqual([
      [20, 21, 22, 23],
      [12, 13, 14, 15],
      [20, 21, 22, 23],
    ])
    expect(flat(T.atIndices(x, [T.tensor(1), T.tensor(2), T.tensor(3)]))).toEqual([23])
    expect(T.atIndices(x, [T.zeros([0], { dtype: 'i32' })]).shape).toEqual([0, 3, 4])
  })

  test('setAtIndices writes what atIndices reads; the last of equal places stays', () => {
    const zeros = T.zeros([2, 3, 4], { dtype: 'i32' })
    const values = T.reshape(T.arange(1, 7), [2, 3, 1]) as Tensor
    const got = T.setAtIndices(zeros, [rows, columns], values)
    expect(nested(T.at(got, '...', 0))).toEqual([
      [5, 0, 6],
      [2, 0, 3],
    ])
    const sums = T.setAtIndices(zeros, [rows, columns], values, { accumulate: true })
    expect(nested(T.at(sums, '...', 3))).toEqual([
      [5, 0, 10],
      [2, 0, 4],
    ])
    expect(T.setAtIndices(zeros, [T.zeros([0], { dtype: 'i32' })], 1)).toBe(zeros)
  })

  test('what is wrong is named', () => {
    const four = Array.from({ length: 4 }, () => columns)
    expect(mistakeOf(T.atIndices(x, four)).reason).toBe('4 index tensors for rank 3')
    expect(mistakeOf(T.atIndices(x, [T.tensor([0.5])])).reason).toContain('not integers')
    expect(mistakeOf(T.setAtIndices(x, [columns], T.zeros([2, 3, 4]))).reason).toContain('do not broadcast')
    expect(() => flat(T.atIndices(x, [rows, T.tensor([3])]))).toThrow('index 3')
  })

  test('gradients', () => {
    checkGrad(
      (a: Tensor, v: Tensor) => [
        T.square(T.atIndices(a, [columns, T.tensor([1, 0, 1])])),
        T.square(T.setAtIndices(a, [columns], v)),
        T.square(T.setAtIndices(a, [columns], v, { accumulate: true })),
      ],
      [T.fromArray([1, -2, 0.5, 3, 1.5, -1], [3, 2]), T.fromArray([2, 1, 0.25, -1, 4, -3], [3, 2])],
    )
  })
})
