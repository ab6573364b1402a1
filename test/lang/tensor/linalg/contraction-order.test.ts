/** Orders of contraction: the best one by trying all, einsum the same in every order. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/lang/tensor/index.ts'
import { contractionOrder, type Step } from '../../../../src/lang/tensor/linalg/contraction-order.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat } from '../run.ts'

type Labels = readonly number[]

/** Multiplications of the steps, and the labels that are left. */
const costOf = (
  inputs: readonly Labels[],
  out: Labels,
  sizes: ReadonlyMap<number, number>,
  steps: readonly Step[],
): number => {
  const alone = (labels: Labels, others: readonly Labels[]): Labels =>
    labels.filter((l) => out.includes(l) || others.some((t) => t.includes(l)))
  const terms = inputs.map((labels, i) =>
    alone(
      labels,
      inputs.filter((_, k) => k !== i),
    ),
  )
  let cost = 0
  for (const [i, j] of steps) {
    const both = [...new Set([...terms[i]!, ...terms[j]!])]
    cost += both.reduce((n, l) => n * sizes.get(l)!, 1)
    terms.splice(j, 1)
    terms.splice(i, 1)
    terms.push(alone(both, terms))
  }
  expect(terms).toHaveLength(1)
  return cost
}

const allOrders = (count: number): readonly (readonly Step[])[] => {
  if (count < 2) return [[]]
  const pairs = Array.from({ length: count }, (_, j) => Array.from({ length: j }, (_, i) => [i, j] as const)).flat()
  return pairs.flatMap((p) => allOrders(count - 1).map((rest) => [p, ...rest]))
}

const network = fc.record({
  inputs: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
  sizes: fc.tuple(...Array.from({ length: 5 }, () => fc.integer({ min: 1, max: 4 }))),
  wanted: fc.subarray([0, 1, 2, 3, 4]),
})

const letters = (labels: Labels): string => labels.map((l) => 'abcde'[l]).join('')

describe('contraction order', () => {
  test('none is cheaper', () => {
    fc.assert(
      fc.property(network, ({ inputs, sizes, wanted }) => {
        const bySize = new Map(sizes.map((n, l) => [l, n]))
        const out = wanted.filter((l) => inputs.some((t) => t.includes(l)))
        const found = costOf(inputs, out, bySize, contractionOrder(inputs, out, bySize))
        const least = Math.min(...allOrders(inputs.length).map((steps) => costOf(inputs, out, bySize, steps)))
        expect(found).toBe(least)
      }),
      { seed: 42, numRuns: 60 },
    )
  })

  test('a chain of matrices ends at the vector first; many operands are taken greedily', () => {
    const sizes = new Map([0, 1, 2, 3].map((l) => [l, 100]))
    expect(contractionOrder([[0, 1], [1, 2], [2, 3], [3]], [0], sizes)[0]).toEqual([2, 3])
    const chain = Array.from({ length: 12 }, (_, i) => [i, i + 1])
    const many = new Map(Array.from({ length: 13 }, (_, l) => [l, 2 + (l % 3)]))
    const steps = contractionOrder(chain, [0, 12], many)
    expect(steps).toHaveLength(11)
    expect(costOf(chain, [0, 12], many, steps)).toBeLessThan(12 * 4 ** 3)
  })

  test('einsum is the sum over all labels, whatever the order', () => {
    fc.assert(
      fc.property(network, ({ inputs, sizes, wanted }) => {
        const out = wanted.filter((l) => inputs.some((t) => t.includes(l)))
        const data = inputs.map((labels, k) => {
          const shape = labels.map((l) => sizes[l]!)
          return T.fromArray(
            Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 5 + k * 3) % 7) - 3),
            shape,
            { dtype: 'i32' },
          ) as Tensor
        })
        const values = data.map(flat)
        const want = Array.from({ length: out.reduce((n, l) => n * sizes[l]!, 1) }, () => 0)
        const used = [0, 1, 2, 3, 4].filter((l) => inputs.some((t) => t.includes(l)))
        const total = used.reduce((n, l) => n * sizes[l]!, 1)
        for (let point = 0; point < total; point++) {
          let rest = point
          const at = new Map<number, number>()
          for (const l of used) {
            at.set(l, rest % sizes[l]!)
            rest = Math.floor(rest / sizes[l]!)
          }
          const offset = (labels: Labels): number => labels.reduce((n, l) => n * sizes[l]! + at.get(l)!, 0)
          want[offset(out)]! += inputs.reduce((p, labels, k) => p * values[k]![offset(labels)]!, 1)
        }
        const equation = `${inputs.map(letters).join(',')}->${letters(out)}`
        // `+ 0`: a product of -0 is 0 among whole numbers.
        expect(flat(T.einsum(equation, ...data))).toEqual(want.map((v) => v + 0))
      }),
      { seed: 42, numRuns: 60 },
    )
  })

  test('three operands with an ellipsis, a diagonal and a size-1 axis', () => {
    const a = T.reshape(T.arange(12), [2, 3, 2]) as Tensor
    const b = T.reshape(T.arange(4), [2, 2]) as Tensor
    const c = T.tensor([[1], [2]]) as Tensor
    // Σ_i b[i,i] · Σ_j a[..., j, k] · c[k, 0]
    const got = T.einsum('...jk,ii,kj->...', a, b, c)
    expect(flat(got)).toEqual(
      [0, 1].map((n) => 3 * [0, 1, 2].reduce((s, j) => s + (n * 6 + j * 2) * 1 + (n * 6 + j * 2 + 1) * 2, 0)),
    )
  })
})
