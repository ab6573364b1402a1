/** Blocks of transformers against what PyTorch's layers do, worked out row by row in Float64. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { flattenTensors } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const [width, hidden, heads] = [4, 6, 2]
/** Parameters all of which count: norms and biases too. */
const stirred = <P>(params: P): P =>
  T.mapTree(params as never, (t: Tensor, i: unknown) =>
    T.add(t, T.mul(some(String(i).length + t.shape.length * 7 + t.shape[0]!, ...t.shape), 0.5)),
  ) as P
const encoder = stirred(nn.transformerEncoderBlockInit(random.key(1), width, hidden))
const decoder = stirred(nn.transformerDecoderBlockInit(random.key(2), width, hidden))

/** What a decoder's block has of an encoder's. */
const shared = ({ multiheadAttn: _, norm3: __, ...own }: nn.DecoderBlockParams): nn.EncoderBlockParams => own

type Rows = readonly (readonly number[])[]
const rowsOf = (t: Tensor): Rows => {
  const size = t.shape.at(-1)!
  const values = flat(t)
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size))
}
const linear = (x: Rows, weight: Rows, bias: readonly number[]): Rows =>
  x.map((row) => weight.map((w, o) => row.reduce((sum, v, i) => sum + v * w[i]!, bias[o]!)))
const plus = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((v, j) => v + b[i]![j]!))
const normed = (x: Rows, { weight, bias }: nn.ScaleParams): Rows =>
  x.map((row) => {
    const mean = row.reduce((sum, v) => sum + v, 0) / row.length
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length
    return row.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * flat(weight!)[i]! + flat(bias!)[i]!)
  })
const attended = (x: Rows, memory: Rows, p: nn.MultiHeadParams, sees: (i: number, j: number) => boolean): Rows => {
  const [weights, biases] = [rowsOf(p.inProjWeight), flat(p.inProjBias!)]
  const part = (rows: Rows, k: number): Rows =>
    linear(rows, weights.slice(k * width, (k + 1) * width), biases.slice(k * width, (k + 1) * width))
  const [q, k, v] = [part(x, 0), part(memory, 1), part(memory, 2)]
  const size = width / heads
  const joined = q.map((row, i) =>
    row.map((_, feature) => {
      const from = Math.floor(feature / size) * size
      const scores = k.map((key, j) => {
        let sum = 0
        for (let e = from; e < from + size; e++) sum += row[e]! * key[e]!
        return sees(i, j) ? Math.exp(sum / Math.sqrt(size)) : 0
      })
      const total = scores.reduce((sum, s) => sum + s, 0)
      return scores.reduce((sum, s, j) => sum + (s / total) * v[j]![feature]!, 0)
    }),
  )
  return linear(joined, rowsOf(p.outProjWeight), flat(p.outProjBias!))
}

interface Asked {
  readonly normFirst: boolean
  readonly activation: (v: number) => number
  readonly causal: boolean
}
const byHand = (
  x: Tensor,
  p: nn.EncoderBlockParams,
  { normFirst, activation, causal }: Asked,
  memory?: Tensor,
): Rows => {
  const sees = (i: number, j: number): boolean => !causal || j <= i
  const feed = (rows: Rows): Rows => {
    const wide = linear(rows, rowsOf(p.linear1.weight), flat(p.linear1.bias!)).map((row) => row.map(activation))
    return linear(wide, rowsOf(p.linear2.weight), flat(p.linear2.bias!))
  }
  const parts: readonly (readonly [(rows: Rows) => Rows, nn.ScaleParams])[] = memory
    ? [
        [(rows) => attended(rows, rows, p.selfAttn, sees), p.norm1],
        [(rows) => attended(rows, rowsOf(memory), (p as nn.DecoderBlockParams).multiheadAttn, () => true), p.norm2],
        [feed, (p as nn.DecoderBlockParams).norm3],
      ]
    : [
        [(rows) => attended(rows, rows, p.selfAttn, sees), p.norm1],
        [feed, p.norm2],
      ]
  return parts.reduce(
    (y, [f, norm]) => (normFirst ? plus(y, f(normed(y, norm))) : normed(plus(y, f(y)), norm)),
    rowsOf(x),
  )
}

const x = some(3, 3, width)
const memory = some(4, 5, width)
const relu = (v: number): number => Math.max(0, v)
const silu = (v: number): number => v / (1 + Math.exp(-v))

describe.each([false, true])('norms first: %s', (normFirst) => {
  test('the encoder', () => {
    near(
      nn.transformerEncoderBlock(x, encoder, { heads, normFirst }),
      byHand(x, encoder, { normFirst, activation: relu, causal: false }).flat(),
    )
    near(
      nn.transformerEncoderBlock(x, encoder, { heads, normFirst, causal: true, activation: nn.silu }),
      byHand(x, encoder, { normFirst, activation: silu, causal: true }).flat(),
    )
  })
  test('the decoder', () => {
    near(
      nn.transformerDecoderBlock(x, memory, decoder, { heads, normFirst, causal: true }),
      byHand(x, decoder, { normFirst, activation: relu, causal: true }, memory).flat(),
    )
  })
})

test('masks: of the attention to itself, and to the memory', () => {
  const seen = T.tensor([true, true, false, true, false])
  const short = T.concat([T.narrow(memory, 0, 2), T.narrow(memory, 3, 1)])
  near(
    nn.transformerDecoderBlock(x, memory, decoder, { heads, memoryMask: seen }),
    flat(nn.transformerDecoderBlock(x, short, decoder, { heads })),
  )
  near(
    nn.transformerEncoderBlock(x, encoder, { heads, mask: T.triMask(3) }),
    flat(nn.transformerEncoderBlock(x, encoder, { heads, causal: true })),
  )
})

test('without biases, with another norm and shared keys, over several batch axes', () => {
  const params = nn.transformerEncoderBlockInit(random.key(5), 4, 8, { heads: 4, keyHeads: 2, bias: false })
  expect(flattenTensors(params).paths.filter((path) => /bias/i.test(path))).toEqual([])
  const options = { heads: 4, keyHeads: 2, norm: nn.rmsNorm, normFirst: true, rotary: { width: 0 } }
  const y = nn.transformerEncoderBlock(some(6, 2, 1, 3, 4), params, options)
  expect(y.shape).toEqual([2, 1, 3, 4])
  near(
    T.reshape(T.select(y, 1), [3, 4]),
    flat(nn.transformerEncoderBlock(T.reshape(T.select(some(6, 2, 1, 3, 4), 1), [3, 4]), params, options)),
  )
})

describe('dropout', () => {
  const options = { heads, dropout: 0.5, dropoutKey: random.key(8) }
  test('is drawn from its key, at every place anew', () => {
    const y = flat(nn.transformerEncoderBlock(x, encoder, options))
    expect(flat(nn.transformerEncoderBlock(x, encoder, options))).toEqual(y)
    expect(flat(nn.transformerEncoderBlock(x, encoder, { ...options, dropoutKey: random.key(9) }))).not.toEqual(y)
    expect(flat(nn.transformerEncoderBlock(x, encoder, { heads }))).not.toEqual(y)
  })
  test('of everything leaves the norms of what goes past', () => {
    const gone = nn.transformerEncoderBlock(x, encoder, { ...options, dropout: 1 })
    near(gone, normed(normed(rowsOf(x), encoder.norm1), encoder.norm2).flat())
    near(nn.transformerEncoderBlock(x, encoder, { ...options, dropout: 1, normFirst: true }), flat(x))
  })
})

test.each([
  [() => nn.transformerEncoderBlock(x, encoder, { heads, dropout: 0.1 }), 'nn.transformerEncoderBlock: dropout is 0.1'],
  [
    () => nn.transformerEncoderBlock(x, { ...encoder, norm2: undefined } as never, { heads }),
    "nn.transformerEncoderBlock: the parameter 'norm2' is missing",
  ],
  [
    () => nn.transformerEncoderBlock(x, { ...encoder, linear1: { bias: T.ones([6]) } } as never, { heads }),
    "nn.transformerEncoderBlock: the parameter of linear1 'weight' is missing",
  ],
  [
    () => nn.transformerDecoderBlock(x, memory, encoder as never, { heads }),
    "nn.transformerDecoderBlock: the parameter 'multiheadAttn' is missing",
  ],
  [
    () => nn.transformerEncoderBlock(x, encoder, { heads, activation: 'gelu' as never }),
    "nn.transformerEncoderBlock: the option 'activation' is 'gelu', not a function",
  ],
  [() => nn.transformerDecoderBlockInit(random.key(0), 4, -1), 'nn.transformerDecoderBlockInit: hidden is -1'],
])('mistake %# is named', (f, message) => {
  expect(f).toThrow(message)
})

test.each([
  ['linear1.weight', 'linear1', { weight: T.ones([6, 3]) }],
  ['linear2.bias', 'linear2', { weight: T.ones([4, 6]), bias: T.ones([3]) }],
  ['norm1.weight', 'norm1', { weight: T.ones([1]) }],
  ['selfAttn', 'selfAttn', { inProjWeight: T.ones([12, 3]), outProjWeight: T.ones([4, 4]) }],
  ['norm3', 'norm3', { bias: T.ones([3]) }],
  ['multiheadAttn', 'multiheadAttn', { inProjWeight: T.ones([12, 4]), outProjWeight: T.ones([3, 4]) }],
])('%s of another shape is refused by the block', (_, part, params) => {
  const wrong = { ...decoder, [part]: params }
  expect(mistakeOf(nn.transformerDecoderBlock(x, memory, wrong, { heads })).op).toBe('nn.transformerDecoderBlock')
  if (part in encoder)
    expect(mistakeOf(nn.transformerEncoderBlock(x, shared(wrong), { heads })).op).toBe('nn.transformerEncoderBlock')
})

test('gradients are those of finite differences, and batches those of their parts', () => {
  const f = (p: nn.DecoderBlockParams, y: Tensor, m: Tensor): unknown => [
    nn.transformerDecoderBlock(y, m, p, { heads, causal: true, activation: nn.silu }),
    nn.transformerEncoderBlock(y, shared(p), { heads, normFirst: true, activation: nn.silu }),
  ]
  checkGrad(f, [decoder, T.narrow(x, 0, 2), T.narrow(memory, 0, 2)], { maxElements: 2 })
  checkVmap(((y: Tensor) => nn.transformerEncoderBlock(y, encoder, { heads, causal: true })) as never, [
    some(9, 2, 3, width),
  ])
})

test('devices agree with the reference', async () => {
  const key = random.key(11)
  const f = (p: nn.DecoderBlockParams, y: Tensor, m: Tensor): unknown => [
    nn.transformerDecoderBlock(y, m, p, { heads, causal: true, activation: nn.gelu }),
    nn.transformerEncoderBlock(y, shared(p), { heads, normFirst: true, dropout: 0.25, dropoutKey: key, rotary: {} }),
  ]
  for (const device of [await sharedDevice(), await sharedProcessor()])
    expect(await agreesWithReference(f, [decoder, x, memory], { device })).toBe(true)
})
