/** Attention against loops over numbers: shared heads, soft caps, shifted causal masks, weights and scores, what is dropped. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
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
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -2, high: 2 })), shape)

const [heads, shared, rows, columns, width, depth] = [4, 2, 3, 5, 3, 2]
const q = some(1, 2, heads, rows, width)
const k = some(2, 2, shared, columns, width)
const v = some(3, 2, shared, columns, depth)

interface Asked {
  readonly softcap?: number
  readonly seen?: (row: number, column: number, head: number) => boolean
}

/** Scores, weights and outputs by loops in Float64. */
const byHand = ({ softcap, seen = () => true }: Asked) => {
  const [scores, weights, outputs] = [[] as number[], [] as number[], [] as number[]]
  const [qs, ks, vs] = [flat(q), flat(k), flat(v)]
  for (let b = 0; b < 2; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < rows; i++) {
        const kv = b * shared + Math.floor((h * shared) / heads)
        const own = Array.from({ length: columns }, (_, j) => {
          let sum = 0
          for (let e = 0; e < width; e++)
            sum += qs[((b * heads + h) * rows + i) * width + e]! * ks[(kv * columns + j) * width + e]!
          const scaled = sum / Math.sqrt(width)
          const bent = softcap === undefined ? scaled : softcap * Math.tanh(scaled / softcap)
          return seen(i, j, h) ? bent : Number.NEGATIVE_INFINITY
        })
        const total = own.reduce((sum, s) => sum + Math.exp(s), 0)
        const part = own.map((s) => (total === 0 ? 0 : Math.exp(s) / total))
        scores.push(...own)
        weights.push(...part)
        for (let d = 0; d < depth; d++)
          outputs.push(part.reduce((sum, w, j) => sum + w * vs[(kv * columns + j) * depth + d]!, 0))
      }
  return { scores, weights, outputs }
}

const headMask = T.fromArray(
  Array.from({ length: heads * rows * columns }, (_, i) => Math.floor(i / (rows * columns)) !== 1 || i % 2 === 0),
  [heads, rows, columns],
  { dtype: 'bool' },
)
const cases: readonly (readonly [name: string, options: nn.ScoreOptions, asked: Asked])[] = [
  ['heads in groups', {}, {}],
  ['a soft cap', { softcap: 0.75 }, { softcap: 0.75 }],
  ['causal', { causal: true }, { seen: (i, j) => j <= i }],
  ['aligned at the end', { causal: true, offset: columns - rows }, { seen: (i, j) => j <= i + 2 }],
  ['an offset below 0', { causal: true, offset: -2 }, { seen: (i, j) => j <= i - 2 }],
  ['an offset as a tensor', { causal: true, offset: T.tensor(1, { dtype: 'u32' }) }, { seen: (i, j) => j <= i + 1 }],
  [
    'an offset for each head, a cap, a mask for each head',
    { causal: true, offset: T.tensor([[[-1]], [[0]], [[2]], [[4]]]), softcap: 2, mask: headMask },
    { softcap: 2, seen: (i, j, h) => j <= i + [-1, 0, 2, 4][h]! && (h !== 1 || (15 + i * 5 + j) % 2 === 0) },
  ],
]

describe.each(cases)('%s', (_, options, asked) => {
  const want = byHand(asked)
  test('scores, weights, outputs', () => {
    const all = { grouped: true, ...options }
    const scores = flat(nn.attentionScores(q, k, all))
    expect(scores.map((s) => s === Number.NEGATIVE_INFINITY)).toEqual(want.scores.map((s) => !Number.isFinite(s)))
    near(
      T.fromArray(
        scores.map((s) => Math.max(s, -99)),
        [scores.length],
      ),
      want.scores.map((s) => Math.max(s, -99)),
    )
    near(nn.attentionWeights(q, k, all), want.weights)
    near(nn.scaledDotProductAttention(q, k, v, all), want.outputs)
  })
})

test('weights are the very nodes of the attention', () => {
  const values = some(4, columns, depth)
  const [a, b] = [some(5, rows, width), some(6, columns, width)]
  expect(T.matmul(nn.attentionWeights(a, b, { causal: true }), values)).toBe(
    nn.scaledDotProductAttention(a, b, values, { causal: true }),
  )
})

test('one key head for all, and as many as there are', () => {
  const single = T.narrow(k, 0, 1, { axis: 1 })
  near(nn.attentionWeights(q, single, { grouped: true }), flat(nn.attentionWeights(q, single)))
  near(nn.attentionWeights(q, q, { grouped: true }), flat(nn.attentionWeights(q, q)))
})

test('no queries, no batch', () => {
  expect(
    nn.scaledDotProductAttention(T.zeros([4, 0, 3]), T.zeros([2, 5, 3]), T.zeros([2, 5, 1]), { grouped: true }).shape,
  ).toEqual([4, 0, 1])
  expect(nn.attentionWeights(T.zeros([0, 4, 2, 3]), T.zeros([0, 2, 5, 3]), { grouped: true }).shape).toEqual([
    0, 4, 2, 5,
  ])
})

describe('dropout', () => {
  const key = random.key(7)
  test('drops weights, and raises the others', () => {
    const eye = T.eye(columns) as Tensor
    const [a, b] = [some(8, 40, width), some(9, columns, width)]
    const kept = flat(nn.scaledDotProductAttention(a, b, eye, { dropout: 0.25, dropoutKey: key }))
    const weights = flat(nn.attentionWeights(a, b))
    const raised = kept.map((w, i) => (w === 0 ? 0 : w / weights[i]!))
    expect([...new Set(raised.map((r) => r.toFixed(4)))].sort()).toEqual(['0.0000', '1.3333'])
    expect(raised.filter((r) => r === 0).length / raised.length).toBeCloseTo(0.25, 1)
  })
  test.each([
    [
      () => nn.scaledDotProductAttention(q, q, q, { dropout: 0.1 }),
      'nn.scaledDotProductAttention: dropout is 0.1, and',
    ],
    [
      () => nn.scaledDotProductAttention(q, q, q, { offset: 1 }),
      'nn.scaledDotProductAttention: there is an offset, but',
    ],
    [() => nn.attentionWeights(q, q, { causal: true, offset: 0.5 }), "nn.attentionWeights: the option 'offset' is 0.5"],
  ])('mistake %# is named', (f, message) => {
    expect(f).toThrow(message)
  })
})

test.each([
  [() => nn.attentionScores(q, some(1, 2, 3, 5, 3), { grouped: true }), '4 heads of queries cannot share 3 of keys'],
  [() => nn.attentionWeights(some(1, 2, 3), some(1, 2, 3), { grouped: true }), 'takes ranks from 3 on where heads are'],
  [() => nn.attentionWeights(q, q, { causal: true, offset: T.tensor(1.5) }), 'the offset is f32'],
  [
    () => nn.attentionWeights(q, q, { causal: true, offset: T.tensor([1, 2]) }),
    'the offset has shape [2], which does not',
  ],
  [
    () => nn.scaledDotProductAttention(q, k, v, { grouped: true, mask: T.ones([2, 3, 5]) }),
    'the mask has shape [2, 3, 5]',
  ],
] as const)('mistake %# is named', (f, reason) => {
  const { op, reason: found } = mistakeOf(f())
  expect(op).toMatch(/^nn\.(attention|scaled)/)
  expect(found).toContain(reason)
})

test('gradients are those of finite differences, and batches those of their parts', () => {
  const options = { grouped: true, softcap: 1.5, causal: true, offset: 1 }
  const f = (a: Tensor, b: Tensor, c: Tensor): unknown => nn.scaledDotProductAttention(a, b, c, options)
  const one = [T.select(q, 0), T.select(k, 0), T.select(v, 0)] as const
  checkGrad(f, [...one], { maxElements: 10 })
  checkVmap(f as never, [q, k, v])
})

test('devices agree with the reference', async () => {
  const f = (a: Tensor, b: Tensor, c: Tensor, at: Tensor): unknown => [
    ...cases.map(([, options]) => nn.scaledDotProductAttention(a, b, c, { grouped: true, ...options })),
    nn.attentionWeights(a, b, { grouped: true, causal: true, offset: at }),
    nn.rotary(a, { width: 2, interleaved: true }),
    nn.rotary(T.swapaxes(a, -1, -2) as Tensor, {
      base: 100,
      positions: T.add(T.arange(width), at) as Tensor,
      width: 2,
    }),
    nn.sinusoidal(T.add(T.arange(3), at) as Tensor, 5),
  ]
  for (const device of [await sharedDevice(), await sharedProcessor()])
    expect(await agreesWithReference(f, [q, k, v, T.tensor(1)], { device })).toBe(true)
})
