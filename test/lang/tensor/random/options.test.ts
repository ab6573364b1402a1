/** Options that a distribution does not have, and arguments of another kind: a UsageError. */
import { describe, expect, it, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import * as nn from '../../../../src/nn/index.ts'
import * as random from '../../../../src/random/index.ts'

/** The editor refuses these calls; a program that was never checked makes them all the same. */
const loose = random as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

const key = random.key(0)

const oldOrders: readonly (readonly [name: string, args: readonly unknown[], stands: string, way: string])[] = [
  ['bernoulli', [0.5, [3]], '0.5', 'p'],
  ['truncatedNormal', [-1, 1, [3]], '-1', 'low, high'],
  ['poisson', [2, [3]], '2', 'rate'],
  ['gamma', [T.ones([3]), [3]], 'a tensor', 'a'],
  ['beta', [1, 2, [3]], '1', 'a, b'],
  ['dirichlet', [T.ones([3]), [4]], 'a tensor', 'alpha'],
  ['categorical', [T.ones([3])], 'a tensor', 'logits'],
]

const cases: readonly (readonly [name: string, args: readonly unknown[], message: string, hint: string | undefined])[] =
  [
    ['normal', [key, 3], 'random.normal: the shape is 3, not an array of sizes', 'write [3]'],
    ['normal', [key, [3], { stddev: 2 }], "random.normal: there is no option 'stddev'", 'it is called std here'],
    ['normal', [key, [3], 2], 'random.normal: 2 stands where a record of options is needed', 'it knows mean and std'],
    [
      'normal',
      [key, [3], { mean: T.ones([3]) }],
      "random.normal: the option 'mean' is a tensor, not a number",
      'write { mean: 1 }',
    ],
    ['uniform', [key, [3], { minval: -1 }], "random.uniform: there is no option 'minval'", 'it is called low here'],
    ['uniform', [key], 'random.uniform: the shape is undefined, not an array of sizes', 'write [2, 3]'],
    ['bits', [key, [3], { dtype: 'u8' }], "random.bits: there is no option 'dtype'", 'it knows none'],
    ['bits', [key, [3], 'u8'], "random.bits: 'u8' stands where a record of options is needed", 'it knows none'],
    ['randint', [key, [3]], "random.randint: the option 'high' is missing", 'it knows low and high'],
    ['randint', [key, [3], 6], 'random.randint: 6 stands where a record of options is needed', 'it knows low and high'],
    [
      'bernoulli',
      [key, [3], { p: '0.5' }],
      "random.bernoulli: the option 'p' is '0.5', not a number or a tensor",
      'write { p: 0.5 }',
    ],
    ['poisson', [key, [3]], "random.poisson: the option 'rate' is missing", 'it knows rate'],
    ['poisson', [key, [3], { lam: 2 }], "random.poisson: there is no option 'lam'", 'it is called rate here'],
    // JAX's order, and that of earlier versions.
    ...oldOrders.map(
      ([name, args, stands, way]) =>
        [
          name,
          [key, ...args],
          `random.${name}: ${stands} stands where the shape is needed`,
          `write random.${name}(key, shape, { ${way} })`,
        ] as const,
    ),
    [
      'permutation',
      [key, T.ones([3]), { dim: 0 }],
      "random.permutation: there is no option 'dim'",
      'it is called axis here',
    ],
    [
      'choice',
      [key, 5, [2], { replacement: false }],
      "random.choice: there is no option 'replacement'",
      'it knows replace, p and axis',
    ],
    ['key', ['42'], "random.key: the seed is '42', not a whole number from 0 to 2⁵³", 'write random.key(42)'],
    ['splitList', [key, -1], 'random.splitList: -1 is no number of keys', undefined],
  ]

test('the editor refuses the order that other libraries have', () => {
  // @ts-expect-error the shape comes first
  expect(() => random.bernoulli(key, 0.5, [3])).toThrow('random.bernoulli')
  // @ts-expect-error the shape comes first
  expect(() => random.gamma(key, T.ones([3]), [3])).toThrow('random.gamma')
  // @ts-expect-error a parameter without which nothing can be drawn
  expect(() => random.gamma(key, [3])).toThrow('random.gamma')
  // @ts-expect-error the logits are in the record
  expect(() => random.categorical(key, T.ones([3]))).toThrow('random.categorical')
})

describe('what a distribution does not know', () => {
  it.each(cases)('%s %#', (name, args, message, hint) => {
    const error = new T.TensorloomError({ tag: 'UsageError', message, ...(hint === undefined ? {} : { hint }) })
    expect(() => loose[name]!(...args)).toThrow(error)
  })
})

describe('bounds of randint', () => {
  const range = (low: number, high: number): T.Tensor => random.randint(key, [8], { low, high })

  it('are whole numbers of 32 bits', () => {
    for (const [low, high] of [
      [0, 0.5],
      [0, 2 ** 31 + 1],
      [-(2 ** 31) - 1, 2 ** 31],
    ] as const)
      expect(() => T.reference(range(low, high))).toThrow(
        `random.randint: [${low}, ${high}) is no range of whole numbers of 32 bits`,
      )
  })

  it('may lie at the ends', () => {
    const { data } = T.reference(range(2 ** 31 - 2, 2 ** 31))
    expect(new Set(data)).toEqual(new Set([2 ** 31 - 2, 2 ** 31 - 1]))
    expect(() => T.reference(range(-(2 ** 31), 2 ** 31 - 1))).not.toThrow()
    expect(() => T.reference(range(-(2 ** 31), 2 ** 31))).not.toThrow()
  })
})

describe('bounds of continuous distributions', () => {
  const { POSITIVE_INFINITY: inf, NaN: nan } = Number
  it.each([
    [() => random.uniform(key, [2], { low: 2, high: 1 }), 'random.uniform: no number lies in [2, 1)'],
    [() => random.uniform(key, [2], { low: -inf }), 'random.uniform: [-Infinity, 1) is no range of f32 numbers'],
    [() => random.uniform(key, [2], { high: 1e39 }), 'random.uniform: [0, 1e+39) is no range of f32 numbers'],
    [() => random.uniform(key, [2], { low: nan }), "random.uniform: the option 'low' is NaN, not a number"],
    [() => random.truncatedNormal(key, [2], { low: 2, high: -1 }), 'random.truncatedNormal: no number lies in [2, -1]'],
    [() => random.normal(key, [2], { std: -1 }), "random.normal: the option 'std' is -1, not a number of at least 0"],
    [
      () => nn.heUniform(key, [2, 3], { gain: -1 }),
      "nn.heUniform: the option 'gain' is -1, not a number of at least 0",
    ],
    [
      () => random.bernoulli(key, [2], { p: 1.5 }),
      'random.bernoulli: the probability is 1.5, not a number from 0 to 1',
    ],
  ])('are refused where they are none %#', (draw, text) => {
    expect(() => T.reference(draw() as T.Tensor)).toThrow(text)
  })

  it('may meet, and tensors of them may be the wrong way round', () => {
    expect(Array.from(T.reference(random.uniform(key, [2], { low: 3.5, high: 3.5 })).data)).toEqual([3.5, 3.5])
    const bounds = random.truncatedNormal(key, [2], { low: T.tensor([2, -1]), high: T.tensor([-1, 2]) })
    expect(Array.from(T.reference(bounds).data)).toEqual([nan, expect.any(Number)])
  })

  it('of weights without inputs are 0', () => {
    expect(Array.from(T.reference(nn.linearInit(key, 0, 2).bias).data).map(Math.abs)).toEqual([0, 0])
    for (const init of [nn.heUniform, nn.heNormal, nn.xavierUniform, nn.xavierNormal])
      expect(T.reference(init(key, [0, 0]) as T.Tensor).data).toHaveLength(0)
  })
})
