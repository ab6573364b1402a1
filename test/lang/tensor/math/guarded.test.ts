/** Logarithms of sums where results are infinite: three functions, one gradient. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat } from '../run.ts'

const inf = Number.POSITIVE_INFINITY
const ends = [-inf, -1, 0.5, inf]
const length = 3

/** Every row of `length` of the ends. */
const rows: readonly (readonly number[])[] = Array.from({ length: ends.length ** length }, (_, i) =>
  Array.from({ length }, (_, k) => ends[Math.floor(i / ends.length ** k) % ends.length]!),
)

/** The weights of a softmax; those of a maximum, spread over ties, where the sum is infinite. */
const weights = (row: readonly number[]): readonly number[] => {
  const top = Math.max(...row)
  const terms = row.map((x) => (Number.isFinite(top) ? Math.exp(x - top) : x === top ? 1 : 0))
  const total = terms.reduce((a, b) => a + b, 0)
  return terms.map((t) => t / total)
}

/** Those of all beginnings of a row, added up. */
const prefixes = (row: readonly number[]): readonly number[] =>
  row.map((_, j) => row.reduce((total, _x, i) => total + (weights(row.slice(0, i + 1))[j] ?? 0), 0))

const padded = (xs: readonly number[]): readonly number[] => [...xs, ...Array(length - xs.length).fill(0)]

const slope =
  (f: (x: Tensor) => Tensor) =>
  (x: Tensor): Tensor =>
    T.grad((v: Tensor) => T.sum(f(v)) as Tensor<readonly []>)(x)

/** The gradient of the gradient in one direction. */
const curvature = (f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
  slope((x) => T.mul(slope(f)(x), T.tensor([3, 1, 2])) as Tensor)

const whole = (x: Tensor): Tensor => T.logsumexp(x, { axis: 1 }) as Tensor
const running = (x: Tensor): Tensor => T.logcumsumexp(x, { axis: 1 }) as Tensor
const last = (x: Tensor): Tensor => T.select(running(x), -1, { axis: 1 }) as Tensor
const pair =
  (add: (a: Tensor, b: Tensor) => Tensor) =>
  (x: Tensor): Tensor =>
    add(T.select(x, 0, { axis: 1 }), T.select(x, 1, { axis: 1 })) as Tensor

const gradients = (x: Tensor): readonly Tensor[] => [
  slope(whole)(x),
  slope(last)(x),
  slope(running)(x),
  slope((v) => T.flip(T.logcumsumexp(T.flip(v, { axis: 1 }), { axis: 1, reverse: true }), { axis: 1 }) as Tensor)(x),
  slope(pair(T.logaddexp as never))(x),
]
const wanted: readonly (readonly number[])[] = [
  rows.flatMap(weights),
  rows.flatMap(weights),
  rows.flatMap(prefixes),
  rows.flatMap(prefixes),
  rows.flatMap((r) => padded(weights(r.slice(0, 2)))),
]

const x = T.tensor(rows as number[][], { dtype: 'f32' }) as Tensor

const near = (got: ArrayLike<number>, want: readonly number[], what: string): void => {
  want.forEach((w, i) => {
    expect(got[i], `${what} of row ${rows[Math.floor(i / length)]} at ${i % length}`).toBeCloseTo(w, 5)
  })
}

test('gradients of logsumexp, logcumsumexp and logaddexp are one, at infinities too', async () => {
  const onDevice = await T.jit(gradients)(x)
  gradients(x).forEach((g, k) => {
    near(flat(g), wanted[k]!, `gradient ${k}`)
    near(onDevice[k]!.data, wanted[k]!, `gradient ${k} on the device`)
  })
})

test('logaddexp2 shares as logaddexp does', () => {
  const infinite = rows.map((r) => !Number.isFinite(Math.max(r[0]!, r[1]!)))
  const got = flat(slope(pair(T.logaddexp2 as never))(x))
  rows.forEach((r, i) => {
    if (infinite[i]) expect(got.slice(length * i, length * i + 2)).toEqual(weights(r.slice(0, 2)))
  })
})

test('second derivatives are numbers, 0 where the result is infinite', () => {
  for (const f of [whole, last, running, pair(T.logaddexp as never), pair(T.logaddexp2 as never)]) {
    const second = flat(curvature(f)(x))
    rows.forEach((r, i) => {
      const own = second.slice(length * i, length * (i + 1))
      expect(own.every(Number.isFinite), `${r}: ${own}`).toBe(true)
      if (r.every((v) => !Number.isFinite(v))) expect(own.map(Math.abs)).toEqual([0, 0, 0])
    })
  }
})
