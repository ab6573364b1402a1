/** Every distribution against its distribution function by tests of fit with fixed keys, on the interpreter; and on a device. */
import { describe, expect, test } from 'vitest'
import { vmap } from '../../../../src/index.ts'
import { freshInputs } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import * as random from '../../../../src/random/index.ts'
import { runDevice } from '../../../differential.ts'
import { flat, mistakeOf, nested } from '../run.ts'
import { betaCdf, chiSquare, fitsCounts, gammaCdf, kolmogorov, normalCdf, poissonPmf } from './statistics.ts'

const n = 3000
const key = random.key(42)
const numbers = (x: Tensor): readonly number[] => flat(x) as readonly number[]

/** Small enough that a right distribution passes with a fixed key, large enough that a wrong one does not. */
const least = 0.005

describe('the tests of fit', () => {
  test('reject what is a little off', () => {
    const u = numbers(random.uniform(key, [n]))
    expect(kolmogorov(u, (x) => x)).toBeGreaterThan(least)
    expect(kolmogorov(u, (x) => x ** 1.1)).toBeLessThan(least)
    expect(fitsCounts(numbers(random.randint(key, [n], { high: 6 })), () => 1 / 6, 5)).toBeGreaterThan(least)
    expect(fitsCounts(numbers(random.poisson(key, [n], { rate: 3 })), poissonPmf(3.2), 30)).toBeLessThan(least)
  })
  test('know their functions', () => {
    expect(gammaCdf(2.5)(1.7)).toBeCloseTo(0.36143, 6)
    expect(gammaCdf(0.5)(3)).toBeCloseTo(0.9856941, 6)
    expect(betaCdf(2, 3)(0.4)).toBeCloseTo(0.5248, 9)
    expect(betaCdf(0.5, 0.5)(0.9)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(0.9)), 9)
  })
})

const between = (low: number, high: number) => (x: number) =>
  (normalCdf(x) - normalCdf(low)) / (normalCdf(high) - normalCdf(low))

const continuous: readonly (readonly [string, () => Tensor, (x: number) => number])[] = [
  ['normal', () => random.normal(key, [n]), normalCdf],
  ['truncatedNormal', () => random.truncatedNormal(key, [n], { low: -1, high: 2 }), between(-1, 2)],
  ['exponential', () => random.exponential(key, [n]), (x) => 1 - Math.exp(-x)],
  ['gumbel', () => random.gumbel(key, [n]), (x) => Math.exp(-Math.exp(-x))],
  ['laplace', () => random.laplace(key, [n]), (x) => (x < 0 ? Math.exp(x) / 2 : 1 - Math.exp(-x) / 2)],
  ['logistic', () => random.logistic(key, [n]), (x) => 1 / (1 + Math.exp(-x))],
  ['cauchy', () => random.cauchy(key, [n]), (x) => Math.atan(x) / Math.PI + 0.5],
  ['gamma 0.3', () => random.gamma(key, [n], { a: 0.3 }), gammaCdf(0.3)],
  ['gamma 1', () => random.gamma(key, [n], { a: 1 }), gammaCdf(1)],
  ['gamma 7.5', () => random.gamma(key, [n], { a: 7.5 }), gammaCdf(7.5)],
  ['beta 0.2, 0.7', () => random.beta(key, [n], { a: 0.2, b: 0.7 }), betaCdf(0.2, 0.7)],
  ['beta 2, 5', () => random.beta(key, [n], { a: 2, b: 5 }), betaCdf(2, 5)],
  // The first of n Dirichlet numbers is a beta number.
  [
    'dirichlet',
    () => T.select(random.dirichlet(key, [n], { alpha: T.tensor([2, 3, 4]) }), 0, { axis: 1 }),
    betaCdf(2, 7),
  ],
]

describe('continuous distributions', () => {
  test.each(continuous)('%s', (_, draw, cdf) => {
    expect(kolmogorov(numbers(draw()), cdf)).toBeGreaterThan(least)
  })
  test('the numbers JAX has', () => {
    const u = numbers(random.uniform(key, [4]))
    const same = (xs: readonly number[], of: (u: number) => number): void =>
      xs.forEach((x, i) => {
        expect(x).toBeCloseTo(of(u[i]!), 6)
      })
    same(numbers(random.exponential(key, [4])), (x) => -Math.log1p(-x))
    same(numbers(random.gumbel(key, [4])), (x) => -Math.log(-Math.log(x)))
  })
  test('parameters broadcast, and are checked', () => {
    const rates = T.tensor([[1], [100]])
    expect(random.gamma(key, [2, 3], { a: rates }).shape).toEqual([2, 3])
    expect(numbers(random.gamma(key, [2], { a: T.tensor([0, -1]) }))).toEqual([Number.NaN, Number.NaN])
    expect(
      numbers(random.truncatedNormal(key, [50], { low: 4, high: Number.POSITIVE_INFINITY })).every(
        (x) => x >= 4 && x < 7,
      ),
    ).toBe(true)
    expect(mistakeOf(random.gamma(key, [2], { a: T.zeros([3]) }))).toMatchObject({
      tag: 'ShapeError',
      op: 'random.gamma',
    })
    expect(mistakeOf(random.dirichlet(key, [2], { alpha: T.tensor(1) }))).toMatchObject({ op: 'random.dirichlet' })
    expect(flat(random.beta(key, [0], { a: 1, b: 1 }))).toEqual([])
  })
  test('without a shape they have that of their parameters', () => {
    const a = T.tensor([[1], [100]])
    const b = T.tensor([2, 3, 4])
    const alpha = T.ones([5, 3])
    expect(random.beta(key, { a, b }).shape).toEqual([2, 3])
    expect(random.bernoulli(key).shape).toEqual([])
    expect(random.dirichlet(key, { alpha }).shape).toEqual([5, 3])
    expect(random.categorical(key, { logits: alpha }).shape).toEqual([5])
    expect(random.categorical(key, [4, 5], { logits: alpha }).shape).toEqual([4, 5])
    expect(numbers(random.gamma(key, { a: b }))).toEqual(numbers(random.gamma(key, [3], { a: b })))
    expect(mistakeOf(random.beta(key, { a: T.ones([2]), b }))).toMatchObject({ op: 'random.beta' })
    expect(mistakeOf(random.categorical(key, [4], { logits: alpha }))).toMatchObject({ op: 'random.categorical' })
  })
})

describe('discrete distributions', () => {
  test.each([0.1, 3, 9.9, 10, 60])('poisson %d', (rate) => {
    const top = Math.ceil(rate + 12 * Math.sqrt(rate) + 8)
    expect(fitsCounts(numbers(random.poisson(key, [n], { rate })), poissonPmf(rate), top)).toBeGreaterThan(least)
  })
  test('poisson at the ends', () => {
    expect(numbers(random.poisson(key, [3], { rate: T.tensor([0, -1, Number.NaN]) }))).toEqual([0, -1, -1])
    const large = numbers(random.poisson(key, [400], { rate: 1e8 })).map((x) => (x - 1e8) / 1e4)
    expect(kolmogorov(large, normalCdf)).toBeGreaterThan(least)
  })
  test('rademacher and categorical', () => {
    const coins = numbers(random.rademacher(key, [n]))
    expect(
      chiSquare(
        [-1, 1].map((v) => coins.filter((x) => x === v).length),
        [n / 2, n / 2],
      ),
    ).toBeGreaterThan(least)
    const classes = numbers(random.categorical(key, [n], { logits: T.log(T.tensor([0.2, 0.5, 0.3])) }))
    expect(fitsCounts(classes, (c) => [0.2, 0.5, 0.3][c]!, 2)).toBeGreaterThan(least)
  })
})

describe('permutation and choice', () => {
  test('orders are equally likely', () => {
    const lines = T.broadcastTo(T.arange(3), [n, 3])
    const drawn = nested(random.permutation(key, lines, { axis: 1, independent: true })) as number[][]
    const count = (o: string): number => drawn.filter((d) => d.join('') === o).length
    const orders = ['012', '021', '102', '120', '201', '210']
    expect(
      chiSquare(
        orders.map(count),
        orders.map(() => n / 6),
      ),
    ).toBeGreaterThan(least)
  })
  test('permutation moves slices', () => {
    const order = numbers(random.permutation(key, 6))
    const x = T.reshape(T.arange(12), [6, 2])
    expect(nested(random.permutation(key, x))).toEqual(order.map((i) => [2 * i, 2 * i + 1]))
    expect(flat(random.permutation(key, 0))).toEqual([])
    expect(mistakeOf(random.permutation(key, x, { axis: 2 }))).toMatchObject({ op: 'random.permutation' })
  })
  test('choice', () => {
    const p = T.tensor([0.1, 0.6, 0, 0.3])
    const weighted = numbers(random.choice(key, 4, [n], { p }))
    expect(weighted.includes(2)).toBe(false)
    expect(
      fitsCounts(
        weighted.map((x) => (x === 3 ? 2 : x)),
        (c) => [0.1, 0.6, 0.3][c]!,
        2,
      ),
    ).toBeGreaterThan(least)
    const some = numbers(random.choice(key, T.tensor([10, 20, 30, 40]), [2, 2], { replace: false }))
    expect([...some].sort((a, b) => a - b)).toEqual([10, 20, 30, 40])
    expect(random.choice(key, T.zeros([5, 3]), [2], { axis: 1 }).shape).toEqual([5, 2])
    // Without putting back the first is drawn by the weights.
    const keys = random.split(random.key(1), 600)
    const pairs = vmap((k: Tensor) => random.choice(k, 4, [2], { p, replace: false }))(keys) as Tensor
    const count = [0, 1, 3].map((v) => numbers(T.select(pairs, 0, { axis: 1 })).filter((x) => x === v).length)
    expect(chiSquare(count, [60, 360, 180])).toBeGreaterThan(least)
    for (const bad of [
      random.choice(key, 3, [4], { replace: false }),
      random.choice(key, 0, [1]),
      random.choice(key, 3, [1], { p: T.zeros([2]) }),
    ])
      expect(mistakeOf(bad)).toMatchObject({ tag: 'ShapeError', op: 'random.choice' })
  })
})

test('batched keys draw what each key draws', () => {
  const keys = random.split(key, 3)
  const all = vmap((k: Tensor) => random.gamma(k, [2], { a: 2 }))(keys) as Tensor
  const each = [0, 1, 2].map((i) => nested(random.gamma(T.select(keys, i), [2], { a: 2 })))
  expect(nested(all)).toEqual(each)
})

test('a device draws the same', async () => {
  const inputs = freshInputs([{ shape: [2], dtype: 'u32' }])
  const k = tensorOf(inputs[0]!)
  const exact = [
    random.bits(k, [9]),
    random.uniform(k, [9]),
    random.randint(k, [9], { high: 1000 }),
    random.bernoulli(k, [9], { p: 0.3 }),
    random.rademacher(k, [9]),
    random.permutation(k, 70),
    random.choice(k, 50, [9]),
    random.choice(k, 50, [9], { replace: false }),
    random.choice(k, 4, [9], { p: T.tensor([0.1, 0.6, 0, 0.3]) }),
    random.choice(k, 4, [3], { p: T.tensor([0.1, 0.6, 0, 0.3]), replace: false }),
  ]
  const close = [
    random.exponential(k, [9]),
    random.logistic(k, [9]),
    random.laplace(k, [9]),
    random.truncatedNormal(k, [9], { low: -1, high: 2 }),
    random.gamma(k, [3, 3], { a: T.tensor([0.3, 1, 20]) }),
    random.beta(k, [9], { a: 2, b: 0.5 }),
    random.poisson(k, [3, 3], { rate: T.tensor([2, 9, 40]) }),
    random.poisson(k, [3, 4], { rate: T.tensor([0, 1e-6, 1e4, 1e8]) }),
    random.dirichlet(k, [3], { alpha: T.tensor([0.2, 1, 30]) }),
  ]
  const graph = { inputs, outputs: [...exact, ...close].map(nodeOf) }
  const values = [{ shape: [2], dtype: 'u32', data: Uint32Array.of(0, 42) }] as const
  const want = evaluate(graph, values)
  const got = await runDevice(graph, values)
  exact.forEach((_, i) => {
    expect(Array.from(got[i]!.data)).toEqual(Array.from(want[i]!.data))
  })
  close.forEach((_, i) => {
    const at = exact.length + i
    want[at]!.data.forEach((w, j) => {
      expect(Math.abs(got[at]!.data[j]! - w) / (Math.abs(w) + 1e-3), `${at} at ${j}`).toBeLessThan(1e-4)
    })
  })
})
