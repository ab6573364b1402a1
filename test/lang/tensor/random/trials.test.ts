/** Counts of trials, vectors and shuffled trees by tests of fit with fixed keys, at their ends, and on devices. */
import { describe, expect, test } from 'vitest'
import { compileOn, grad, vmap } from '../../../../src/index.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import * as random from '../../../../src/random/index.ts'
import { checkGrad } from '../../../../src/testing/index.ts'
import { sharedDevice, sharedProcessor } from '../../../device.ts'
import { flat, mistakeOf, nested } from '../run.ts'
import { binomialPmf, fitsCounts, kolmogorov, normalCdf } from './statistics.ts'

const n = 3000
const key = random.key(42)
const least = 0.005
const numbers = (x: Tensor): readonly number[] => flat(x) as readonly number[]
const { NaN: nan } = Number

describe('binomial', () => {
  test.each([
    [5, 0.3],
    [40, 0.2],
    [20, 0.5],
    [30, 0.9],
    [100, 0.35],
    [1000, 0.002],
  ])('of %d at %d', (trials, p) => {
    const drawn = numbers(random.binomial(key, [n], { n: trials, p }))
    expect(fitsCounts(drawn, binomialPmf(trials, p), Math.min(trials, 80))).toBeGreaterThan(least)
    expect(fitsCounts(drawn, binomialPmf(trials, p * 0.9), Math.min(trials, 80))).toBeLessThan(least)
  })
  test('of many is normal', () => {
    const drawn = numbers(random.binomial(key, [500], { n: 1e7, p: 0.25 }))
    const spread = Math.sqrt(1e7 * 0.25 * 0.75)
    expect(
      kolmogorov(
        drawn.map((x) => (x - 2.5e6) / spread),
        normalCdf,
      ),
    ).toBeGreaterThan(least)
  })
  test('at its ends', () => {
    const [trials, p] = [
      T.tensor([0, 7, 7, 1e6, -1, 3, 3, nan, 2.9, 3e9]),
      T.tensor([0.5, 0, 1, 1, 0.5, 1.5, nan, 0.5, 1, 0.5]),
    ]
    expect(numbers(random.binomial(key, { n: trials, p }))).toEqual([0, 0, 7, 1e6, -1, -1, -1, -1, 2, -1])
    expect(random.binomial(key, { n: T.ones([2, 1]), p: T.full([3], 0.5) }).shape).toEqual([2, 3])
    expect(() => random.binomial(key, [2], { n: 3, p: 2 })).toThrow('random.binomial: the probability is 2')
  })
})

describe('multinomial', () => {
  const p = T.tensor([2, 0, 5, 3])
  test('adds up, and each class is binomial', () => {
    const count = 1000
    const x = random.multinomial(key, [count], { n: 40, p })
    expect(new Set(numbers(T.sum(x, { axis: -1 })))).toEqual(new Set([40]))
    const shares = [0.2, 0, 0.5, 0.3]
    for (const [i, share] of shares.entries()) {
      const drawn = numbers(T.select(x, i, { axis: 1 }))
      if (share === 0) expect(new Set(drawn)).toEqual(new Set([0]))
      else expect(fitsCounts(drawn, binomialPmf(40, share), 40)).toBeGreaterThan(least)
    }
    // Each of two classes takes what the other does not: the covariance is -n p q.
    const [a, b] = [0, 2].map((i) => numbers(T.select(x, i, { axis: 1 })))
    const covariance = a!.reduce((s, v, i) => s + (v - 8) * (b![i]! - 20), 0) / count
    expect(covariance).toBeGreaterThan(-5)
    expect(covariance).toBeLessThan(-3)
  })
  test('at its ends', () => {
    expect(nested(random.multinomial(key, [1], { n: 9, p: T.tensor([0, 3, 0]) }))).toEqual([[0, 9, 0]])
    expect(nested(random.multinomial(key, { n: T.tensor([0, 4, -1]), p: T.ones([1]) }))).toEqual([[0], [4], [-1]])
    const lines = T.tensor([
      [1, -1],
      [0, 0],
      [nan, 1],
      [0, 1],
    ])
    expect(nested(random.multinomial(key, { n: 3, p: lines }))).toEqual([
      [-1, -1],
      [-1, -1],
      [-1, -1],
      [0, 3],
    ])
    expect(random.multinomial(key, [0], { n: 3, p }).shape).toEqual([0, 4])
    for (const bad of [
      random.multinomial(key, [2], { n: 3, p: T.tensor(1) }),
      random.multinomial(key, [2], { n: 3, p: T.ones([2, 0]) }),
      random.multinomial(key, [2], { n: 3, p: T.ones([3, 4]) }),
      random.multinomial(key, { n: T.ones([2]), p: T.ones([3, 4]) }),
    ])
      expect(mistakeOf(bad)).toMatchObject({ tag: 'ShapeError', op: 'random.multinomial' })
  })
})

test('geometric', () => {
  const drawn = numbers(random.geometric(key, [n], { p: 0.3 }))
  expect(Math.min(...drawn)).toBe(1)
  expect(
    fitsCounts(
      drawn.map((x) => x - 1),
      (k) => 0.3 * 0.7 ** k,
      30,
    ),
  ).toBeGreaterThan(least)
  expect(numbers(random.geometric(key, { p: T.tensor([1, 0, -1, 2, nan]) }))).toEqual([1, 2147483647, -1, -1, -1])
})

describe('multivariateNormal', () => {
  const mean = T.tensor([1, -2, 0.5])
  const cov = T.tensor([
    [4, 1, 0],
    [1, 2, -0.5],
    [0, -0.5, 1],
  ])
  test('has its moments', () => {
    const rows = nested(random.multivariateNormal(key, [n], { mean, cov })) as readonly (readonly number[])[]
    const [means, covs] = [numbers(mean), nested(cov) as readonly (readonly number[])[]]
    for (const i of [0, 1, 2]) {
      const scaled = rows.map((r) => (r[i]! - means[i]!) / Math.sqrt(covs[i]![i]!))
      expect(kolmogorov(scaled, normalCdf)).toBeGreaterThan(least)
      for (const j of [0, 1, 2]) {
        const found = rows.reduce((s, r) => s + (r[i]! - means[i]!) * (r[j]! - means[j]!), 0) / n
        const spread = Math.sqrt((covs[i]![i]! * covs[j]![j]! + covs[i]![j]! ** 2) / n)
        expect(Math.abs(found - covs[i]![j]!)).toBeLessThan(4 * spread)
      }
    }
  })
  test('of batches, and what does not fit', () => {
    const means = T.reshape(T.arange(6, { dtype: 'f32' }), [2, 1, 3])
    const covs = T.broadcastTo(cov, [4, 3, 3])
    const x = random.multivariateNormal(key, { mean: means, cov: covs })
    expect(x.shape).toEqual([2, 4, 3])
    const own = nested(random.multivariateNormal(key, [2, 4], { mean: means, cov })) as readonly unknown[]
    expect(nested(x)).toEqual(own)
    expect(random.multivariateNormal(key, { mean, cov }).shape).toEqual([3])
    for (const bad of [
      random.multivariateNormal(key, { mean: T.ones([2]), cov }),
      random.multivariateNormal(key, { mean: T.tensor(1), cov }),
      random.multivariateNormal(key, { mean, cov: T.ones([3]) }),
      random.multivariateNormal(key, [5], { mean: T.ones([2, 3]), cov }),
    ])
      expect(mistakeOf(bad)).toMatchObject({ tag: 'ShapeError', op: 'random.multivariateNormal' })
  })
  test('its gradients', () => {
    const draw = (m: Tensor, c: Tensor): Tensor => random.multivariateNormal(key, [4], { mean: m, cov: c })
    checkGrad(draw as never, [mean, cov] as never)
    expect(numbers(grad((m: Tensor) => T.sum(draw(m, cov)) as Tensor<readonly []>)(mean))).toEqual([4, 4, 4])
  })
})

test('shuffle moves all of a tree alike', () => {
  const x = T.reshape(T.arange(12), [6, 2])
  const order = numbers(random.permutation(key, 6))
  const both = random.shuffle(key, { x, labels: [T.arange(6)] })
  expect(nested(both.x)).toEqual(order.map((i) => [2 * i, 2 * i + 1]))
  expect(nested(both.labels[0]!)).toEqual(order)
  expect(flat(random.shuffle(key, x, { axis: -1 }))).toHaveLength(12)
  expect(random.shuffle(key, T.zeros([0, 2])).shape).toEqual([0, 2])
  expect(mistakeOf(random.shuffle(key, x, { axis: 2 }))).toMatchObject({ op: 'random.shuffle' })
  expect(mistakeOf(random.shuffle(key, [x, T.arange(5)])[1] as Tensor)).toMatchObject({ op: 'random.shuffle', axis: 0 })
})

test('batched keys draw what each key draws', () => {
  const keys = random.split(key, 3)
  const draw = (k: Tensor): Tensor =>
    T.concat([
      random.binomial(k, [3], { n: T.tensor([4, 40, 400]), p: 0.3 }),
      random.geometric(k, [2], { p: 0.2 }),
      T.flatten(random.multinomial(k, [2], { n: 30, p: T.tensor([1, 2]) })),
    ])
  expect(nested(vmap(draw)(keys) as Tensor)).toEqual([0, 1, 2].map((i) => nested(draw(T.select(keys, i)))))
})

test('devices draw the same', async () => {
  const all = (k: Tensor, cov: Tensor): readonly Tensor[] => [
    random.geometric(k, [5], { p: 0.2 }),
    random.multivariateNormal(k, [3], { mean: T.ones([2]), cov }),
    random.shuffle(k, T.arange(9)),
    random.binomial(k, { n: T.tensor([4, 40, 400, 0]), p: T.tensor([[0.3], [0.9]]) }),
    random.multinomial(k, [3], { n: 30, p: T.tensor([1, 2, 3]) }),
  ]
  const cov = T.tensor([
    [2, 1],
    [1, 3.5],
  ])
  const want = all(key, cov).map(numbers)
  for (const device of [await sharedProcessor(), await sharedDevice()]) {
    const program = await compileOn(device, all, [key, cov])
    const got = await program.run(Uint32Array.of(0, 42), Float32Array.of(2, 1, 1, 3.5))
    for (const [i, output] of got.entries())
      Array.from(await output.read(), (v, j) => expect(v, `${i}[${j}]`).toBeCloseTo(want[i]![j]!, 5))
  }
})
