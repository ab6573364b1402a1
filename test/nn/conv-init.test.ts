/** Initial weights of convolutions, linear layers and tables: their shapes, bounds and spreads, and what is refused. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { flat } from '../lang/tensor/run.ts'

const key = random.key(3)

/** Greatest size, and mean square. */
const spread = (x: Tensor): readonly [number, number] => {
  const values = flat(x)
  return [Math.max(...values.map(Math.abs)), values.reduce((sum, v) => sum + v * v, 0) / values.length]
}

type Params = { readonly weight: Tensor; readonly bias?: Tensor }

/** A draw, the shape of its weight, its number of outputs, and the fan that it goes by. */
const draws: readonly (readonly [
  name: string,
  params: Params,
  weight: readonly number[],
  outs: number,
  fan: number,
])[] = [
  ['linear', nn.linearInit(key, 30, 40), [40, 30], 40, 30],
  ['conv1d', nn.conv1dInit(key, 6, 20, 5), [20, 6, 5], 20, 30],
  ['conv2d', nn.conv2dInit(key, 4, 20, [2, 3]), [20, 4, 2, 3], 20, 24],
  ['conv2d in groups', nn.conv2dInit(key, 8, 20, 5, { groups: 4 }), [20, 2, 5, 5], 20, 50],
  ['conv3d', nn.conv3dInit(key, 4, 20, [1, 2, 3]), [20, 4, 1, 2, 3], 20, 24],
  ['convTranspose1d', nn.convTranspose1dInit(key, 20, 6, 5), [20, 6, 5], 6, 30],
  ['convTranspose2d', nn.convTranspose2dInit(key, 20, 8, 5, { groups: 4 }), [20, 2, 5, 5], 8, 50],
  ['convTranspose3d', nn.convTranspose3dInit(key, 20, 4, [1, 2, 3]), [20, 4, 1, 2, 3], 4, 24],
]

describe('weights of layers', () => {
  test.each(draws)('%s: uniform within one over the root of the fan', (_, { weight, bias }, shape, outs, fan) => {
    expect([weight.shape, bias!.shape]).toEqual([shape, [outs]])
    const bound = 1 / Math.sqrt(fan)
    const [most, power] = spread(weight)
    expect(most).toBeLessThanOrEqual(bound * (1 + 1e-6))
    expect(most).toBeGreaterThan(bound * 0.95)
    // The variance of a uniform distribution is a third of the square of its bound.
    expect(power / (bound * bound)).toBeCloseTo(1 / 3, 1)
    expect(spread(bias!)[0]).toBeLessThanOrEqual(bound * (1 + 1e-6))
    expect(new Set([...flat(weight).slice(0, outs), ...flat(bias!)]).size).toBe(2 * outs)
  })

  test('go with their layers, without a bias too, in as many groups', () => {
    const options = { groups: 2, bias: false } as const
    const [one, two] = [nn.conv2dInit(key, 4, 6, 3, options), nn.convTranspose2dInit(key, 6, 4, 3, options)]
    expect([Object.keys(one), Object.keys(two)]).toEqual([['weight'], ['weight']])
    const y = nn.conv2d(T.ones([1, 4, 5, 5]), one, { groups: 2 })
    expect(nn.convTranspose2d(y, two, { groups: 2 }).shape).toEqual([1, 4, 5, 5])
    expect(Object.keys(nn.linearInit(key, 2, 3, { bias: false }))).toEqual(['weight'])
  })

  test('of no inputs are zeros, of no outputs empty', () => {
    expect(flat(nn.conv1dInit(key, 0, 2, 3).bias).map(Math.abs)).toEqual([0, 0])
    expect(nn.conv1dInit(key, 2, 0, 3).weight.shape).toEqual([0, 2, 3])
  })

  test.each([
    [() => nn.conv2dInit(key, -1, 2, 3), 'nn.conv2dInit: inputs is -1, not a whole number'],
    [() => nn.conv2dInit(key, 1, 2.5, 3), 'nn.conv2dInit: outputs is 2.5, not a whole number'],
    [() => nn.conv2dInit(key, 1, 2, [3, 3, 3]), 'nn.conv2dInit: the kernel size [3, 3, 3] is not 2 numbers'],
    [() => nn.conv2dInit(key, 1, 2, [-3, 3]), 'nn.conv2dInit: kernel size 0 is -3'],
    [() => nn.conv1dInit(key, 4, 3, 2, { groups: 2 }), 'nn.conv1dInit: 2 groups do not divide 4 input channels and 3'],
    [() => nn.conv1dInit(7 as never, 4, 3, 2), 'nn.conv1dInit: the key is 7, not a key'],
    [() => nn.linearInit(key, 4, Number.NaN), 'nn.linearInit: outputs is NaN'],
    [() => nn.embeddingInit(key, 4, -2), 'nn.embeddingInit: width is -2'],
    [() => nn.embeddingInit(key, 4, 2, { paddingIndex: 4 }), 'nn.embeddingInit: there is no row 4 among 4'],
    [() => nn.embeddingInit(3 as never, 4, 2), 'nn.embeddingInit: the key is 3'],
  ] as const)('mistake %# is named', (f, message) => {
    expect(f).toThrow(message)
  })
})

test('a table is normal, but for the row of padding', () => {
  const table = nn.embeddingInit(key, 100, 20, { paddingIndex: -1 })
  const values = flat(table)
  expect(values.slice(-20)).toEqual(Array.from({ length: 20 }, () => 0))
  expect(spread(T.narrow(table, 0, 99))[1]).toBeCloseTo(1, 1)
  expect(spread(nn.embeddingInit(key, 100, 20, { std: 0.5 }))[1]).toBeCloseTo(0.25, 1)
})
