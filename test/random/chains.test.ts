/**
 * Chains of what models are made of (products with itself, rows normalised, distances) and their derivatives to second
 * order, on small squares: every size is the same, so that ranges of unlike loops could be mistaken for one another.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { closeGraph, traceTree } from '../../src/lang/trace.ts'
import { type Sample, showSample } from '../../src/testing/sample.ts'
import { disagreement, makeTally, runs } from './harness.ts'

type X = T.Tensor
type Link = (x: X) => X

const turned: Link = (x) => T.matrixTranspose(x) as X
const links: readonly Link[] = [
  (x) => T.matmul(x, turned(x)) as X,
  (x) => T.matmul(turned(x), x) as X,
  (x) => T.einsum('kj,ij->ik', x, x) as X,
  (x) => T.einsum('ij,kj,kl->il', x, x, x) as X,
  turned,
  (x) => T.square(x) as X,
  (x) => T.mul(x, T.expandDims(T.sum(x, { axis: 1 }), 1)) as X,
  (x) => T.sub(x, T.mean(x, { axis: 0, keepdims: true })) as X,
  (x) => T.vmap((row: X) => T.matmul(x, row) as X)(x as never) as X,
  (x) => T.sum(T.square(T.sub(T.expandDims(x, 1), T.expandDims(x, 0))), { axis: -1 }) as X,
]

const orders: readonly ((f: Link) => Link)[] = [
  (f) => f,
  (f) => T.grad(f as never) as never,
  (f) => T.grad(((x: X) => T.sum(T.square((T.grad(f as never) as unknown as Link)(x))) as X) as never) as never,
]

const arbChain = fc.record({
  size: fc.integer({ min: 2, max: 4 }),
  chain: fc.array(fc.nat(links.length - 1), { minLength: 2, maxLength: 3 }),
  residual: fc.boolean(),
  order: fc.nat(orders.length - 1),
})

const sampleOf = ({ size, chain, residual, order }: Chain): Sample => {
  const weights = T.sin(T.reshape(T.arange(size * size), [size, size])) as X
  const f: Link = (x) => {
    const y = chain.reduce((z, i) => (residual ? (T.add(links[i]!(z), z) as X) : links[i]!(z)), x)
    return T.sum(T.mul(weights, y)) as X
  }
  const { graph } = closeGraph(traceTree(orders[order]!(f) as never, [T.spec([size, size])]).graph)
  const data = Float64Array.from({ length: size * size }, (_, i) => Math.fround(Math.sin(1.7 * i + size) * 0.6))
  const input: Value = { shape: [size, size], dtype: 'f32', data }
  return { graph, inputs: [input] }
}

interface Chain {
  readonly size: number
  readonly chain: readonly number[]
  readonly residual: boolean
  readonly order: number
}

test('chains and their derivatives on every interpreter', { timeout: 3_600_000 }, () => {
  const seed = 44
  const numRuns = runs(120, 1500)
  const tally = makeTally()
  for (const drawn of fc.sample(arbChain, { seed, numRuns })) {
    const sample = sampleOf(drawn)
    const expected = tally.judge(sample)
    const wrong = expected && disagreement(sample, expected)
    if (wrong) throw new Error(`seed ${seed}: ${JSON.stringify(drawn)}\n${wrong}\n${showSample(sample)}`)
  }
  expect(tally.judged()).toBeGreaterThan(numRuns * 0.8)
})
