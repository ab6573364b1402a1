/** Draws between bounds of every size, on the reference and on the device: within them, exact, evenly distributed, bit for bit the same. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import * as random from '../../../../src/random/index.ts'
import { flat, nested } from '../run.ts'
import { chiSquare } from './statistics.ts'

const key = random.key(42)
const seed = 20261130
const n = 500
const least = 0.001

type Range = readonly [low: number, high: number]

const spans: readonly Range[] = [
  [-(2 ** 31), 2 ** 30],
  [-(2 ** 31), 2 ** 31],
  [-(2 ** 31), 2 ** 31 - 1],
  [0, 2 ** 31],
  [0, 2 ** 31 - 1],
  [-5, 2 ** 16 - 5],
  [-5, 2 ** 16 - 4],
  [0, 2 ** 16 + 1],
  [-(2 ** 31), -(2 ** 31) + 3],
  [2 ** 31 - 1, 2 ** 31],
  [0, 3 * 2 ** 29],
  [-1_000_000_007, 1_000_000_009],
  ...fc
    .sample(fc.tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 2 ** 31 })), {
      numRuns: 20,
      seed,
    })
    .map(([low, by]): Range => [low, Math.min(low + by, 2 ** 31)]),
]

const f32 = Math.fround
const ranges: readonly Range[] = [
  [1, 1 + 2 ** -22],
  [1, f32(1 + 5 * 2 ** -23)],
  [1 - 2 ** -24, 1 + 2 ** -22],
  [-1 - 2 ** -21, -1],
  [-1 - 2 ** -22, -1 + 2 ** -23],
  [-3e38, 3e38],
  [-3.4e38, 3.4e38],
  [3e38, 3.4e38],
  [0, 3.4e38],
  [0, 1],
  [-1, 1],
  [0.1, 0.3],
  [5, 6],
  [-1e-3, 1e3],
  [-1e-30, 1e30],
  [0, 1e-30],
  [-2, 0],
  [16777215, 16777217],
  [100000, 100001],
  ...fc
    .sample(
      fc.tuple(
        fc.float({ min: f32(-1e30), max: f32(1e30), noNaN: true }),
        fc.integer({ min: -30, max: 8 }),
        fc.integer({ min: 1, max: 7 }),
      ),
      { numRuns: 25, seed },
    )
    .filter(([low]) => Math.abs(low) > 1e-30)
    .map(([low, power, by]): Range => [low, f32(low + Math.abs(low) * by * 2 ** power)])
    .filter(([low, high]) => low < high),
]

const wholes = (k: Tensor): readonly Tensor[] => spans.map(([low, high]) => random.randint(k, [n], { low, high }))
const reals = (k: Tensor): readonly Tensor[] => ranges.map(([low, high]) => random.uniform(k, [n], { low, high }))

describe('randint', () => {
  test('is the 64 bits scaled, exactly; their remainder up to 2^16', () => {
    const [upper, lower] = random.splitList(key).map((k) => flat(random.bits(k, [n])).map(BigInt))
    wholes(key).forEach((x, i) => {
      const [low, high] = spans[i]!
      const span = BigInt(high - low)
      const want = upper!.map((u, k) => {
        const word = (u << 32n) + lower![k]!
        return low + Number(span <= 65536n ? word % span : (word * span) >> 64n)
      })
      expect(flat(x), `[${low}, ${high}), seed ${seed}`).toEqual(want)
    })
  })
  test('is even over every span', () => {
    wholes(key).forEach((x, i) => {
      const [low, high] = spans[i]!
      if (high - low < 6) return
      const parts = [0, 0, 0, 0, 0, 0]
      for (const v of flat(x)) parts[Math.floor(((v - low) / (high - low)) * 6)]!++
      const expected = parts.map((_, k) => {
        const edge = (j: number): number => Math.ceil((j * (high - low)) / 6)
        return (n * (edge(k + 1) - edge(k))) / (high - low)
      })
      expect(chiSquare(parts, expected), `[${low}, ${high}): ${parts}`).toBeGreaterThan(least)
    })
  })
})

describe('uniform', () => {
  test('is within its bounds, on the reference too, which rounds at the end', () => {
    const exact = T.reference(reals(key)) as readonly T.HostTensor[]
    reals(key).forEach((x, i) => {
      const [low, high] = ranges[i]!
      const out = [...flat(x), ...Array.from(exact[i]!.data)].filter((v) => !(v >= f32(low) && v < f32(high)))
      expect(out, `[${low}, ${high}), seed ${seed}`).toEqual([])
    })
  })
  test('counts through a narrow range, each number of it as likely', () => {
    for (const [low, high, numbers] of [
      [1, 1 + 2 ** -22, 2],
      [1, f32(1 + 5 * 2 ** -23), 5],
      [-1 - 2 ** -21, -1, 4],
      [100000, 100000 + 2 ** -4, 8],
    ] as const) {
      const drawn = flat(random.uniform(key, [n], { low, high }))
      const values = Array.from({ length: numbers }, (_, k) => low + ((high - low) * k) / numbers)
      const counts = values.map((v) => drawn.filter((x) => x === v).length)
      const expected = values.map(() => n / numbers)
      expect(counts.reduce((a, b) => a + b)).toBe(n)
      expect(chiSquare(counts, expected), `${counts}`).toBeGreaterThan(least)
    }
  })
  test('is even over wide ones', () => {
    for (const [low, high] of ranges.filter(([l, h]) => h - l > Math.max(Math.abs(l), Math.abs(h)) * 2 ** -10)) {
      const parts = [0, 0, 0, 0, 0]
      for (const v of flat(random.uniform(key, [n], { low, high })))
        parts[Math.min(4, Math.floor((v / (high - low) - low / (high - low)) * 5))]!++
      expect(chiSquare(parts, [n / 5, n / 5, n / 5, n / 5, n / 5]), `[${low}, ${high}): ${parts}`).toBeGreaterThan(
        least,
      )
    }
  })
})

const small = [1e-38, 1e-6, 1e-3, 1e-2, 0.3]
const lines = (k: Tensor): readonly Tensor[] => [
  ...small.map((a) => random.dirichlet(k, [60], { alpha: T.full([5], a) })),
  random.dirichlet(k, [60], { alpha: T.tensor([1e-3, 1, 100]) }),
]
const singles = (k: Tensor): readonly Tensor[] => [
  ...small.flatMap((a) => [
    random.gamma(k, [60], { a }),
    random.beta(k, [60], { a, b: a }),
    random.beta(k, [60], { a, b: 2 }),
  ]),
  random.exponential(k, [n]),
  random.bernoulli(k, [n], { p: 1 }),
  random.logistic(k, [n]),
]

const judge = (sums: readonly (readonly number[])[], numbers: readonly (readonly number[])[]): void => {
  sums.forEach((list, i) => {
    const width = i === small.length ? 3 : 5
    expect(
      list.every((x) => x > 0 && x <= 1),
      `dirichlet ${i}: ${list.slice(0, 10)}`,
    ).toBe(true)
    for (let at = 0; at < list.length; at += width)
      expect(
        list.slice(at, at + width).reduce((a, b) => a + b),
        `dirichlet ${i}`,
      ).toBeCloseTo(1, 6)
  })
  small.forEach((a, i) => {
    const [gammas, even, odd] = numbers.slice(3 * i, 3 * i + 3)
    expect(
      gammas!.every((x) => x > 0 && Number.isFinite(x)),
      `gamma ${a}`,
    ).toBe(true)
    expect(
      [...even!, ...odd!].every((x) => x > 0 && x < 1),
      `beta ${a}: ${even}`,
    ).toBe(true)
  })
  const [waits, coins, logits] = numbers.slice(3 * small.length)
  expect(waits!.every((x) => x >= 0 && Number.isFinite(x))).toBe(true)
  expect(coins!.every((x) => x === 1)).toBe(true)
  expect(logits!.every(Number.isFinite)).toBe(true)
}

test('small parameters neither lose numbers nor what they add up to', () => {
  judge(lines(key).map(flat), singles(key).map(flat))
})

test('a line of a Dirichlet distribution with a small alpha is all but one number, any of them', () => {
  const drawn = nested(random.dirichlet(key, [400], { alpha: T.full([4], 1e-3) })) as readonly (readonly number[])[]
  const winners = [0, 1, 2, 3].map((k) => drawn.filter((line) => line[k]! > 0.5).length)
  expect(chiSquare(winners, [100, 100, 100, 100])).toBeGreaterThan(least)
})

test('the device draws the same, bit for bit', async () => {
  // Enough to see every branch: a kernel of each more would cost seconds.
  const everything = (k: Tensor): readonly (readonly Tensor[])[] => [
    spans.slice(0, 4).map(([low, high]) => random.randint(k, [64], { low, high })),
    ranges.slice(0, 7).map(([low, high]) => random.uniform(k, [64], { low, high })),
    [random.dirichlet(k, [6, 2], { alpha: T.broadcastTo(T.tensor([[1e-3], [1e-2]]), [2, 5]) })],
  ]
  const run = T.jit(everything) as unknown as (k: Tensor) => Promise<readonly (readonly T.HostTensor[])[]>
  const [whole, real, shares] = (await run(key)).map((list) => list.map((t) => Array.from(t.data, Number)))
  const [wholes64, reals64] = everything(key).map((list) => list.map(flat))
  expect(whole).toEqual(wholes64)
  reals64!.forEach((x, i) => {
    expect(real![i], `[${ranges[i]!.join(', ')})`).toEqual(x)
  })
  for (const list of shares!) {
    expect(list.every((x) => x > 0 && x <= 1)).toBe(true)
    for (let at = 0; at < list.length; at += 5) expect(list.slice(at, at + 5).reduce((a, b) => a + b)).toBeCloseTo(1, 6)
  }
})
