/** Attention in several heads is attention in each of them: masks, keys of another length, no batch, several batch axes. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const width = 6
const params: nn.MultiHeadParams = {
  inProjWeight: some(1, 3 * width, width),
  inProjBias: some(2, 3 * width),
  outProjWeight: some(3, width, width),
  outProjBias: some(4, width),
}

/** Head by head, with slices of the parameters. */
const byHand = (query: Tensor, memory: Tensor, heads: number, options: nn.AttentionOptions = {}): Tensor => {
  const project = (x: Tensor, part: number): Tensor =>
    T.add(
      T.matmul(x, T.matrixTranspose(T.narrow(params.inProjWeight, part * width, width)) as Tensor) as Tensor,
      T.narrow(params.inProjBias!, part * width, width),
    )
  const [q, k, v] = [project(query, 0), project(memory, 1), project(memory, 2)]
  const size = width / heads
  const each = Array.from({ length: heads }, (_, h) => {
    const own = (x: Tensor): Tensor => T.narrow(x, h * size, size, { axis: -1 })
    return nn.scaledDotProductAttention(own(q), own(k), own(v), options)
  })
  const joined = T.concat(each, { axis: -1 })
  return T.add(T.matmul(joined, T.matrixTranspose(params.outProjWeight) as Tensor) as Tensor, params.outProjBias!)
}

describe('multiHeadAttention', () => {
  const x = some(10, 2, 4, width)
  const memory = some(11, 2, 3, width)

  test('is attention head by head', () => {
    near(nn.multiHeadAttention(x, params, { heads: 3 }), flat(byHand(x, x, 3)))
    near(nn.multiHeadAttention(x, params, { heads: 1, causal: true }), flat(byHand(x, x, 1, { causal: true })))
  })

  test('keys of another length, with a mask for all heads', () => {
    const mask = T.tensor([true, false, true]) as Tensor
    near(nn.multiHeadAttention(x, params, { heads: 2, key: memory, mask }), flat(byHand(x, memory, 2, { mask })))
  })

  test('no batch, two batch axes, an empty batch', () => {
    const alone = T.select(x, 0)
    near(nn.multiHeadAttention(alone, params, { heads: 2 }), flat(byHand(alone, alone, 2)))
    const deep = T.reshape(x, [2, 1, 4, width]) as Tensor
    expect(nn.multiHeadAttention(deep, params, { heads: 2 }).shape).toEqual([2, 1, 4, width])
    expect(nn.multiHeadAttention(T.zeros([0, 4, width]), params, { heads: 2 }).shape).toEqual([0, 4, width])
  })

  test.each([
    [() => nn.multiHeadAttention(x, params, { heads: 4 }), '4 heads do not divide the width 6'],
    [() => nn.multiHeadAttention(T.ones([width]), params, { heads: 2 }), 'not rank 1'],
    [() => nn.multiHeadAttention(T.ones([2, 4]), params, { heads: 2 }), 'inProjWeight is not [12, 4]'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f())).toMatchObject({ op: 'nn.multiHeadAttention', reason: expect.stringContaining(reason) })
  })

  test('gradients are those of finite differences', () => {
    checkGrad(
      (p: nn.MultiHeadParams, q: Tensor, m: Tensor) => [
        nn.multiHeadAttention(q, p, { heads: 2, causal: true }),
        nn.multiHeadAttention(q, p, { heads: 3, key: m }),
      ],
      [params, T.select(x, 0), T.select(memory, 0)],
      { maxElements: 8 },
    )
  })
})

describe('a query that sees no key', () => {
  const inf = Number.POSITIVE_INFINITY
  const [q, k, v] = [some(20, 3, 4), some(21, 2, 4), some(22, 2, 5)]
  const [open, half, shut] = [
    [0, 0],
    [-inf, 0.5],
    [-inf, -inf],
  ] as const
  const float = T.tensor([[...shut], [...open], [...half]]) as Tensor
  const bool = T.tensor([
    [false, false],
    [true, true],
    [false, true],
  ]) as Tensor
  const several = { ...params, inProjWeight: some(23, 12, 4), inProjBias: some(24, 12) }
  const layer = { ...several, outProjWeight: some(25, 4, 4), outProjBias: some(26, 4) }
  type Attends = (q: Tensor, k: Tensor, v: Tensor, mask: Tensor) => Tensor
  const attention: Attends = (a, b, c, mask) => nn.scaledDotProductAttention(a, b, c, { mask })
  const causal: Attends = (a, b, c, mask) => nn.scaledDotProductAttention(a, b, c, { mask, causal: true })
  const heads: Attends = (a, b, _, mask) => nn.multiHeadAttention(a, layer, { heads: 2, key: b, mask })
  const slopes = (f: Attends, argnums: readonly number[], mask: Tensor): Attends =>
    ((a: Tensor, b: Tensor, c: Tensor) =>
      T.grad((...xs: readonly Tensor[]) => T.sum(T.square(f(...(xs as Parameters<Attends>)))) as Tensor<readonly []>, {
        argnums,
      } as never)(...([a, b, c, mask] as unknown as readonly never[]))) as never
  const everything = (a: Tensor, b: Tensor, c: Tensor, added: Tensor, seen: Tensor): unknown => [
    [attention, causal, heads].map((f) => [f(a, b, c, added), f(a, b, c, seen)]),
    [attention, causal].map((f) => [
      slopes(f, [0, 1, 2, 3], added)(a, b, c, added),
      slopes(f, [0, 1, 2], seen)(a, b, c, seen),
    ]),
    slopes(heads, [0, 1, 3], added)(a, b, c, added),
  ]
  const leaves = (x: unknown): readonly T.HostTensor[] => (Array.isArray(x) ? x.flatMap(leaves) : [x as T.HostTensor])
  const judge = (found: unknown): void => {
    const all = leaves(found)
    for (const t of all) expect(Array.from(t.data).every(Number.isFinite)).toBe(true)
    const [byFloat, , , , byHeads] = all.map((t) => Array.from(t.data))
    expect(byFloat!.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
    // What a head has not seen is what its bias says.
    byHeads!.slice(0, 4).forEach((x, i) => {
      expect(x).toBeCloseTo(flat(layer.outProjBias)[i]!, 6)
    })
    const alone = flat(nn.scaledDotProductAttention(T.narrow(q, 1, 1), k, v))
    byFloat!.slice(5, 10).forEach((x, i) => {
      expect(x).toBeCloseTo(alone[i]!, 5)
    })
    byFloat!.slice(10).forEach((x, i) => {
      expect(x).toBeCloseTo(flat(v)[5 + i]!, 5)
    })
    // The gradient of the blind query: of the first of those by the query.
    expect(Array.from(all[6]!.data).slice(0, 4).map(Math.abs)).toEqual([0, 0, 0, 0])
  }
  test('gives zeros and finite gradients on the reference', () => {
    judge(T.reference(everything(q, k, v, float, bool)))
  })
  test('and on the device', async () => {
    judge(await (T.jit(everything as never) as (...xs: readonly Tensor[]) => Promise<unknown>)(q, k, v, float, bool))
  })
})

describe('fewer heads of keys', () => {
  const [x, memory] = [some(40, 2, 4, width), some(41, 2, 3, width)]
  const few = nn.multiHeadAttentionInit(random.key(9), width, { heads: 3, keyHeads: 1 })
  // Rows for every head: those of the one head of keys, and of values, stand there three times.
  const many = {
    ...few,
    inProjWeight: T.concat([
      T.narrow(few.inProjWeight, 0, width),
      T.tile(T.narrow(few.inProjWeight, width, 2), [3, 1]) as Tensor,
      T.tile(T.narrow(few.inProjWeight, width + 2, 2), [3, 1]) as Tensor,
    ]) as Tensor,
    inProjBias: T.zeros([3 * width]),
  }

  test('are shared by those of queries', () => {
    near(nn.multiHeadAttention(x, few, { heads: 3, keyHeads: 1 }), flat(nn.multiHeadAttention(x, many, { heads: 3 })))
    near(
      nn.multiHeadAttention(x, few, { heads: 3, keyHeads: 1, key: memory }),
      flat(nn.multiHeadAttention(x, many, { heads: 3, key: memory })),
    )
    expect(nn.multiHeadAttentionWeights(x, few, { heads: 3, keyHeads: 1 }).shape).toEqual([2, 3, 4, 4])
  })

  test('drawn by Xavier and within one over the root of the width', () => {
    const { inProjWeight, outProjWeight, inProjBias, outProjBias } = nn.multiHeadAttentionInit(random.key(1), 32)
    const most = (t: Tensor): number => Math.max(...flat(t).map(Math.abs))
    const bound = Math.sqrt(6 / (96 + 32))
    expect(most(inProjWeight)).toBeLessThanOrEqual(bound * 1.000001)
    expect(most(inProjWeight)).toBeGreaterThan(0.99 * bound)
    expect(most(outProjWeight)).toBeLessThanOrEqual(1.000001 / Math.sqrt(32))
    expect(most(outProjWeight)).toBeGreaterThan(0.98 / Math.sqrt(32))
    expect([most(inProjBias!), most(outProjBias!)]).toEqual([0, 0])
  })

  test.each([
    [() => nn.multiHeadAttention(x, few, { heads: 3, keyHeads: 2 }), '2 heads of keys do not divide 3 of queries'],
    [() => nn.multiHeadAttention(x, few, { heads: 3 }), 'inProjWeight is not [18, 6] for queries of width 6'],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f())).toMatchObject({ op: 'nn.multiHeadAttention', reason })
  })

  test('that do not divide are refused', () => {
    const start = (heads: number, keyHeads: number) => () =>
      nn.multiHeadAttentionInit(random.key(0), 6, { heads, keyHeads })
    expect(start(3, 2)).toThrow('nn.multiHeadAttentionInit: 2 of 3 heads do not divide a width of 6')
    expect(start(4, 2)).toThrow('do not divide')
    expect(() => nn.multiHeadAttention(x, few, { heads: 3, dropout: 0.5 })).toThrow('nn.multiHeadAttention: dropout is')
  })
})
